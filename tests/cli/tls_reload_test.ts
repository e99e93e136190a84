/** SIGHUP to a server with certificates: a real process, and somebody who is connected meanwhile. */

import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { tlsSupport } from "../../platform/tls/tls_support.ts";
import { tlsInit } from "../../server/gateway/tls/tls_init.ts";
import { SERVER_IS_COMPILED, startServer } from "../support/program.ts";

if (SERVER_IS_COMPILED) console.log("    skipped: a compiled program takes new certificates, if the Deno in it can");
const ignore = SERVER_IS_COMPILED || Deno.build.os === "windows" || !tlsSupport(Deno.version.deno).hasReload;

async function connected(port: string): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port: Number(port), rejectUnauthorized: false });
  await once(socket, "secureConnect");
  return socket;
}

function shownBy(socket: TLSSocket): string {
  return String(socket.getPeerCertificate().raw);
}

async function login(socket: TLSSocket): Promise<string> {
  socket.write('{"command":"LOGIN","username":"anonymous"}\n');
  const [bytes] = await once(socket, "data") as [Uint8Array];
  return new TextDecoder().decode(bytes);
}

Deno.test(
  { ignore, name: "SIGHUP shows new certificates to who comes, and nobody who is there loses a connection" },
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "thrum-reload-" });
    const asked = { folder, name: "server", for: "server", hosts: ["localhost"] } as const;
    const config = `${folder}/config.json`;
    try {
      await tlsInit(asked, Date.now(), "test");
      const tls = { cert: `${folder}/server.pem`, key: `${folder}/server-key.pem`, ca: `${folder}/ca.pem` };
      await Deno.writeTextFile(config, JSON.stringify({ tls }));
      await using server = startServer([
        "--no-prompt",
        "--port",
        "0",
        "--ephemeral",
        "--http",
        "0",
        "--config",
        config,
      ]);
      const [, http] = await server.sees(/dashboard +https:\S+:(\d+)\//);
      const [, port] = await server.sees(/listening on \S+:(\d+)/);
      const old = await connected(port!);
      assertStringIncludes(await login(old), '"LOGIN_SUCCESS"');

      await tlsInit(asked, Date.now(), "test");
      server.signal("SIGHUP");
      await server.tells(/a new certificate is shown from now on, of .*server\.pem: [0-9A-F:]{95}, until /);
      const fresh = [await connected(port!), await connected(http!)];
      for (const socket of fresh) assertNotEquals(shownBy(socket), shownBy(old));
      assertEquals(shownBy(fresh[0]!), shownBy(fresh[1]!));
      // The one that was there goes on, in both directions.
      old.write('{"command":"ACTIVITY_MESSAGE","activity":{"n":1}}\n');
      const [bytes] = await once(old, "data") as [Uint8Array];
      assertMatch(new TextDecoder().decode(bytes), /"ACTIVITY_BROADCAST".*"n":1/);

      // A file that cannot be used changes nothing.
      await Deno.writeTextFile(tls.cert, "nonsense");
      server.signal("SIGHUP");
      await server.tells(/Cannot use "tls\.cert" .*it has no certificate.*Nothing has changed, as SIGHUP wanted/);
      const still = await connected(port!);
      assertEquals(shownBy(still), shownBy(fresh[0]!));
      for (const socket of [old, still, ...fresh]) {
        socket.on("error", () => {});
        socket.destroy();
      }
      server.signal("SIGTERM");
      assertEquals(await server.ended(), 0);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
