import { assertEquals, assertRejects } from "@std/assert";
import { ConfigError, serve } from "../../mod.ts";

const HERE = { server: { host: "127.0.0.1", port: 0 }, store: { ephemeral: true } };

Deno.test("serve() joins nobody without the secret of the network", async () => {
  const { message } = await assertRejects(() => serve({ ...HERE, cluster: { join: ["127.0.0.1:1"] } }), ConfigError);
  assertEquals(
    message,
    'Cannot use the options of serve(): "cluster.join" needs the secret of the network, "cluster.secret"',
  );
});

Deno.test("serve() makes no secret of a network by itself", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-serve-" });
  try {
    {
      await using _server = await serve({ ...HERE, store: { data: folder } });
    }
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["thrum.sqlite"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
