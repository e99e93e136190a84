/** An HTTP server that speaks TLS: on one port with plain HTTP where Deno can, and who is let in. */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect as connectPlain, type Socket } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { type HttpHandler, type HttpRequest, listenHttp } from "../../../platform/http/http_server.ts";
import { KeptIdentity } from "../../../platform/tls/kept_identity.ts";
import type { TlsIdentity } from "../../../platform/tls/tls_identity.ts";
import { TlsIntake } from "../../../platform/tls/tls_intake.ts";
import { tlsSupport } from "../../../platform/tls/tls_support.ts";
import { Certificates } from "../../support/certificates.ts";

const SUPPORT = tlsSupport(Deno.version.deno);
const ignore = !SUPPORT.hasOnePort;
if (ignore) console.log("SKIPPED: this Deno cannot take TLS on a port that speaks both");

const HELLO: Pick<HttpHandler, "request"> = {
  request: (exchange) => exchange.reply({ status: 200, headers: {}, body: wordsOf(exchange.request) }),
};

function wordsOf({ isSecure, target, remoteHost }: HttpRequest): string {
  return `${isSecure ? "secure" : "plain"} ${target} ${remoteHost}`;
}

/** A server with `identity`, that is closed with its test. */
async function listen(identity: TlsIdentity, { clientAuth = false, handler = HELLO } = {}) {
  const kept = new KeptIdentity(identity);
  const tls = { kept, clientAuth, intake: new TlsIntake(kept, { clientAuth, minVersion: "TLSv1.2" }) };
  const requests: HttpRequest[] = [];
  const listener = await listenHttp({ host: "127.0.0.1", port: 0 }, {
    request: (exchange) => {
      requests.push(exchange.request);
      handler.request(exchange);
    },
    upgrade: () => {},
  }, { tls });
  return { port: listener.port, kept, requests, [Symbol.asyncDispose]: () => listener.close() };
}

/** A connection by TLS, after its handshake. */
async function secure(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ ...options, host: "127.0.0.1", port });
  socket.on("error", () => {});
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  return socket;
}

/** Asks on a connection that stays, and gives the body of the answer. */
async function ask(socket: Socket, target: string, body = "", method = "GET"): Promise<string> {
  const length = body === "" ? "" : `content-length: ${body.length}\r\n`;
  socket.write(`${method} ${target} HTTP/1.1\r\nhost: localhost\r\n${length}\r\n${body}`);
  let text = "";
  while (!/\r\n\r\n.+/.test(text)) {
    const [chunk] = await Promise.race([
      once(socket, "data") as Promise<[Uint8Array]>,
      once(socket, "close").then(() => Promise.reject(new Error("closed"))),
    ]);
    text += new TextDecoder().decode(chunk);
  }
  return text.split("\r\n\r\n")[1]!;
}

/** Asks through `openssl s_client`, and gives all that it says. */
async function sClient(port: number, target: string, caFile: string, ...options: string[]): Promise<string> {
  const args = ["s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", caFile, "-ign_eof", ...options];
  const child = new Deno.Command("openssl", { args, stdin: "piped", stdout: "piped", stderr: "null" }).spawn();
  const input = child.stdin.getWriter();
  const asked = `GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`;
  await input.write(new TextEncoder().encode(asked));
  const { stdout } = await child.output();
  await input.close().catch(() => {});
  return new TextDecoder().decode(stdout);
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.destroyed) await once(socket.resume(), "close");
}

Deno.test({ ignore, name: "one port answers plain HTTP and HTTPS, and says which it was" }, async () => {
  await using certificates = new Certificates();
  const ca = await certificates.makeCa();
  await using server = await listen(await ca.sign());
  using client = Deno.createHttpClient({ caCerts: [ca.ca] });
  const bodyOf = async (url: string) => await (await fetch(`${url}:${server.port}/a`, { client })).text();
  assertEquals(await bodyOf("http://127.0.0.1"), "plain /a 127.0.0.1");
  assertEquals(await bodyOf("https://localhost"), "secure /a 127.0.0.1");
  // Its first byte comes alone, and the rest later.
  const slow = connectPlain(server.port, "127.0.0.1");
  await once(slow, "connect");
  slow.write("G");
  slow.write("ET /b HTTP/1.1\r\nhost: localhost\r\n\r\n");
  const [answer] = await once(slow, "data") as [Uint8Array];
  assertStringIncludes(new TextDecoder().decode(answer), "plain /b 127.0.0.1");
  slow.destroy();
  await closed(slow);
});

Deno.test({ ignore, name: "a connection by TLS stays for several requests, and a body comes whole" }, async () => {
  await using certificates = new Certificates();
  const ca = await certificates.makeCa();
  const handler: Pick<HttpHandler, "request"> = {
    request: async (exchange) => {
      const body = await exchange.body(1_000_000);
      exchange.reply({ status: 200, headers: {}, body: typeof body === "string" ? body : String(body.text.length) });
    },
  };
  await using server = await listen(await ca.sign(), { handler });
  const socket = await secure(server.port, { ca: ca.ca });
  assertEquals(await ask(socket, "/", "x".repeat(300_000), "POST"), "300000");
  assertEquals(await ask(socket, "/", "abc", "POST"), "3");
  socket.destroy();
  await closed(socket);
});

Deno.test({ ignore, name: "nonsense, a cut handshake and an early end cost their connection alone" }, async () => {
  await using certificates = new Certificates();
  const ca = await certificates.makeCa();
  await using server = await listen(await ca.sign());
  for (const bytes of [[0x16, 3, 1, 0, 1, 9], [0x16, 1, 1, 1, 1, 1, 1, 1, 1], [0x16], []]) {
    const socket = connectPlain(server.port, "127.0.0.1");
    await once(socket, "connect");
    if (bytes.length > 0) await new Promise((sent) => socket.write(Buffer.from(bytes), sent));
    // Deno does not tell of an end in the middle of a handshake: its ten seconds would pass first.
    if (bytes.length > 0) socket.destroy();
    else socket.end();
    await closed(socket);
  }
  // Somebody who does not believe the certificate.
  await assertRejects(() => secure(server.port, {}));
  const socket = await secure(server.port, { ca: ca.ca });
  assertEquals(await ask(socket, "/still"), "secure /still 127.0.0.1");
  socket.destroy();
  await closed(socket);
});

Deno.test(
  { ignore, name: "a new certificate is for connections that come later; those that are there go on" },
  async () => {
    await using certificates = new Certificates();
    const [before, after] = [await certificates.makeCa("before"), await certificates.makeCa("after")];
    await using server = await listen(await before.sign());
    const old = await secure(server.port, { ca: before.ca });
    assertEquals(await ask(old, "/1"), "secure /1 127.0.0.1");
    server.kept.replace(await after.sign());
    assertEquals(await ask(old, "/2"), "secure /2 127.0.0.1");
    await assertRejects(() => secure(server.port, { ca: before.ca }));
    const fresh = await secure(server.port, { ca: after.ca });
    assertEquals(await ask(fresh, "/3"), "secure /3 127.0.0.1");
    for (const socket of [old, fresh]) {
      socket.destroy();
      await closed(socket);
    }
  },
);

Deno.test({
  ignore: !SUPPORT.hasClientAuth,
  name:
    "with clientAuth nobody is heard without a certificate, with a foreign one or one that has ended, or by a session of before",
}, async () => {
  await using certificates = new Certificates();
  const [ca, foreign] = [await certificates.makeCa("ours"), await certificates.makeCa("foreign")];
  await using server = await listen(await ca.sign(), { clientAuth: true });
  const { cert, key } = await ca.sign({ name: "anna" });
  const stranger = await foreign.sign({ name: "anna" });
  const good = await secure(server.port, { ca: ca.ca, cert, key });
  assertEquals(await ask(good, "/good"), "secure /good 127.0.0.1");
  // In TLS 1.3 the client is done before the server has looked.
  const over = await ca.sign({ name: "anna", isExpired: true });
  for (const shown of [{}, { cert: stranger.cert, key: stranger.key }, { cert: over.cert, key: over.key }]) {
    const heard = async () => {
      const socket = await secure(server.port, { ca: ca.ca, ...shown });
      await ask(socket, "/bad");
    };
    await assertRejects(heard);
  }
  assertEquals(server.requests.map(({ target }) => target), ["/good"]);
  // A session that was begun with the certificate, and goes on without one.
  const [caFile, certFile, keyFile] = await Promise.all([
    certificates.file("ca.pem", ca.ca),
    certificates.file("anna.pem", cert),
    certificates.file("anna.key", key),
  ]);
  const session = `${certificates.folder}/session`;
  const begun = await sClient(server.port, "/begun", caFile, "-cert", certFile, "-key", keyFile, "-sess_out", session);
  assertStringIncludes(begun, "secure /begun");
  const resumed = await sClient(server.port, "/resumed", caFile, "-sess_in", session);
  assertMatch(resumed, /^Reused, TLSv1\.3/m);
  assert(!resumed.includes("secure /resumed"), resumed);
  assertEquals(server.requests.map(({ target }) => target), ["/good", "/begun"]);
  // Nor does it count when the CA is another one meanwhile, which has never signed for anna.
  const after = await certificates.makeCa("after");
  server.kept.replace(await after.sign());
  assert(!(await sClient(server.port, "/resumed", caFile, "-sess_in", session)).includes("secure /resumed"));
  assert(
    !(await sClient(server.port, "/former", caFile, "-cert", certFile, "-key", keyFile)).includes("secure /former"),
  );
  assertEquals(server.requests.map(({ target }) => target), ["/good", "/begun"]);
  good.destroy();
  await closed(good);
});

Deno.test({ ignore, name: "a server that closes cuts connections by TLS that are still open" }, async () => {
  await using certificates = new Certificates();
  const ca = await certificates.makeCa();
  const server = await listen(await ca.sign());
  const idle = await secure(server.port, { ca: ca.ca });
  const silent = connectPlain(server.port, "127.0.0.1");
  silent.on("error", () => {});
  await once(silent, "connect");
  const handshaking = connectPlain(server.port, "127.0.0.1");
  handshaking.on("error", () => {});
  await once(handshaking, "connect");
  handshaking.write(Buffer.from([0x16, 3, 1]));
  await ask(idle, "/");
  await server[Symbol.asyncDispose]();
  await Promise.all([idle, silent, handshaking].map(closed));
  assert(idle.destroyed);
});
