/** What somebody hears who listens to logins by our client, on real sockets. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect, RefusedError, serve } from "../../../mod.ts";
import { StallingProxy } from "../../support/stalling_proxy.ts";

const SECRET = "correct horse battery staple";
const OPTIONS = { server: { host: "127.0.0.1", port: 0 } };

Deno.test("whoever listens to a login by the library hears neither the secret nor what the server keeps of it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-login-" });
  try {
    const recorded = await (async () => {
      await using server = await serve({ ...OPTIONS, store: { data: folder } });
      const { host, port } = server;
      const ada = await connect({ host, port, username: "ada", secret: SECRET, register: true });
      await ada.close();
      const heard: Uint8Array[] = [];
      await using proxy = new StallingProxy(server.port, (bytes) => heard.push(bytes));
      const at = { host: "127.0.0.1", port: proxy.port };
      const again = await connect({ ...at, username: "ada", secret: SECRET });
      await again.publish({ n: 1 });
      assert(again.features.includes("scram"));
      await again.close();
      await assertRejects(
        () => connect({ ...at, username: "ada", secret: `${SECRET}?`, reconnect: false }),
        RefusedError,
        "secret",
      );
      return heard;
    })();
    const text = new TextDecoder("latin1").decode(Uint8Array.from(recorded.flatMap((bytes) => [...bytes])));
    assertStringIncludes(text, '"command":"CHALLENGE"');
    assertStringIncludes(text, '"n":1');
    const kept = new TextDecoder("latin1").decode(await Deno.readFile(`${folder}/thrum.sqlite`));
    const [, storedKey, serverKey] = /scram\$16384\$[0-9a-f]{32}\$([0-9a-f]{64})\$([0-9a-f]{64})/.exec(kept)!;
    const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g)!, (pair) => parseInt(pair, 16));
    for (const key of [storedKey!, serverKey!]) {
      assert(!text.includes(key));
      assert(!text.includes(btoa(String.fromCharCode(...bytesOf(key)))));
    }
    assert(!text.includes(SECRET));
    assert(!text.includes(btoa(SECRET)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a plain client tells its secret, and one with features does not, also after a registration", async () => {
  await using server = await serve({ ...OPTIONS, store: { ephemeral: true } });
  const heard: string[] = [];
  await using proxy = new StallingProxy(server.port, (bytes) => heard.push(new TextDecoder().decode(bytes)));
  const at = { host: "127.0.0.1", port: proxy.port, username: "bob", secret: SECRET };
  await (await connect({ ...at, register: true })).close();
  const lines = heard.join("").split("\n").filter((line) => line.includes(SECRET));
  assertEquals(lines.map((line) => JSON.parse(line).command), ["REGISTER"]);
  heard.length = 0;
  await (await connect({ ...at, features: [] })).close();
  const plain = heard.join("").split("\n").filter((line) => line.includes(SECRET));
  assertEquals(plain.map((line) => JSON.parse(line).command), ["LOGIN"]);
});
