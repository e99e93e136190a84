import { assertEquals } from "@std/assert";
import { connect, serve } from "../../mod.ts";
import { until } from "../support/until.ts";

Deno.test("what nobody took comes again to a login with a vector, and is not lost by what is taken later", async () => {
  await using server = await serve({ server: { host: "127.0.0.1", port: 0 }, store: { ephemeral: true } });
  const at = { host: server.host, port: server.port };
  await using ada = await connect({ ...at, username: "ada", secret: "x", register: true });
  const bob = { ...at, username: "bob", secret: "x", register: "ifNew" } as const;
  await (await connect(bob)).close();
  await ada.send("bob", "1");
  // It comes as one that waited, and nobody takes it.
  let isCaughtUp = false;
  const first = await connect({ ...bob, onEvent: ({ kind }) => isCaughtUp ||= kind === "caughtUp" });
  await until(() => isCaughtUp, "the end of what was missed");
  const since = first.vector;
  await first.close();
  await using second = await connect({ ...bob, since });
  const texts: string[] = [];
  void (async () => {
    for await (const { text } of second.messages()) texts.push(text);
  })();
  await ada.send("bob", "2");
  await until(() => texts.includes("2"), "the live message");
  assertEquals(texts, ["1", "2"]);
});
