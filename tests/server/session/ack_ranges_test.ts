/** Acknowledgements for ranges (docs/protocol.md, section 2.6), on a fake clock. */

import { assertEquals } from "@std/assert";
import { connect, serve } from "../../../mod.ts";
import { Chance } from "../../simulation/chance.ts";
import { diskUse, withDiskUse } from "../../support/disk_use.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import type { Received } from "../../support/line_client.ts";
import { loginOf, MeshWorld } from "../../support/mesh_world.ts";
import { type FakeLineClient, NodeWorld } from "../../support/node_world.ts";

const LOGIN = { command: "LOGIN", username: "anonymous", features: ["ack"], receive: "none", ackRanges: true };
const LOOK_MS = 1_000;

const publication = (messageId?: string): Received => ({
  command: "ACTIVITY_MESSAGE",
  activity: { n: messageId ?? 0 },
  ...(messageId === undefined ? {} : { messageId }),
});

/** What was answered, without the login. */
function answers(client: FakeLineClient): Received[] {
  return client.received.filter(({ command }) => command !== "LOGIN_SUCCESS").map(({ command: _, ...rest }) => rest);
}

Deno.test("what a turn takes of a client is acknowledged with one line, for clients that ask for it and have ack", async () => {
  const world = await NodeWorld.start();
  const client = await world.connect(LOGIN);
  assertEquals(client.received[0]!.ackRanges, true);
  client.send(publication("a"), publication("b"), publication("c"));
  await world.settle();
  client.send(publication("d"));
  await world.settle();
  assertEquals(answers(client), [{ upTo: 3, id: "s-1:3" }, { upTo: 4, id: "s-1:4" }]);
  for (const asked of [{ ackRanges: undefined }, { ackRanges: "yes" }, { features: ["resume"] }]) {
    const other = await world.connect({ ...LOGIN, ...asked }, publication(`e-${JSON.stringify(asked)}`));
    assertEquals(other.received[0]!.ackRanges, undefined);
    const hasAck = asked.features === undefined;
    assertEquals(
      answers(other).map(({ messageId, upTo }) => [typeof messageId, upTo]),
      hasAck ? [["string", undefined]] : [],
    );
  }
  await world.stop();
});

Deno.test("repeats are answered singly, in their place; what has no message id counts as well, and has no other answer", async () => {
  const world = await NodeWorld.start();
  const client = await world.connect(LOGIN, publication("a"));
  client.send(...["b", "c", "a", "d"].map(publication), publication(), publication("e"), publication("b"));
  await world.settle();
  assertEquals(answers(client), [
    { upTo: 1, id: "s-1:1" },
    { upTo: 3, id: "s-1:3" },
    { messageId: "a", id: "s-1:1" },
    { upTo: 7, id: "s-1:6" },
    { messageId: "b", id: "s-1:2" },
  ]);
  const single = await world.connect({ ...LOGIN, ackRanges: undefined }, publication());
  assertEquals(answers(single), []);
  await world.stop();
});

Deno.test("what is not taken counts, and is answered singly", async () => {
  let used = 0;
  const store = withDiskUse(openMemoryStore({ serverId: "s-1" }), () => diskUse(used));
  const world = await NodeWorld.start({ store: { maxBytes: 1_000, minFreeBytes: 100 } }, { store });
  const client = await world.connect(LOGIN, publication("a"));
  used = 1_000;
  await world.clock.run(LOOK_MS);
  client.send(publication("b"), publication(), publication("a"));
  await world.settle();
  used = 0;
  await world.clock.run(LOOK_MS);
  client.send(publication("b"));
  await world.settle();
  assertEquals(
    answers(client).map(({ messageId, number, upTo, id, reason }) => [messageId ?? upTo ?? { number }, reason ?? id]),
    [
      [1, "s-1:1"],
      ["b", "NO_SPACE"],
      [{ number: 3 }, "NO_SPACE"],
      ["a", "s-1:1"],
      [5, "s-1:2"],
    ],
  );
  await world.stop();
});

Deno.test("half a close and a LOGOUT still bring the acknowledgement of what came before", async () => {
  const world = await NodeWorld.start();
  const finishing = await world.connect(LOGIN);
  finishing.send(publication("a"), publication("b"));
  finishing.finish();
  const leaving = await world.connect(LOGIN);
  leaving.send(publication("c"), { command: "LOGOUT" });
  await world.clock.run(3_000);
  assertEquals(answers(finishing), [{ upTo: 2, id: "s-1:2" }]);
  assertEquals(answers(leaving), [{ upTo: 1, id: "s-1:3" }]);
  assertEquals([finishing.end, leaving.end].includes(undefined), false);
  await world.stop();
});

Deno.test("a range waits for another server as single entries do, and its client is told so once", async () => {
  const config = { cluster: { durability: "replicated" } } as const;
  const world = await MeshWorld.of(["a", "b"], config);
  const login = loginOf("anonymous", { features: ["ack"], receive: "none", ackRanges: true, redirects: 3 });
  const clients = [await world.client("a", login), await world.client("a", login)];
  const other = await world.login("a", "anonymous", { features: ["ack"], redirects: 3 });
  world.server("b").powerOff();
  await world.run(100);
  for (const [index, client] of clients.entries()) {
    client.send(publication(`${index}-1`), publication(`${index}-2`));
    other.publish(1, `other-${index}`);
  }
  await world.run(1_500);
  assertEquals(clients.flatMap(answers), []);
  await world.run(30_000);
  const info = "it is stored here, and waits for another server to have it too";
  for (const client of clients) assertEquals(answers(client), [{ upTo: 2, info }]);
  world.start("b", ["a"], config);
  await world.until(() => clients.every((client) => answers(client).length === 2), "the acknowledgements");
  await world.until(() => other.all("ACTIVITY_ACK").length === 2, "the single acknowledgements");
  for (const client of clients) assertEquals(answers(client)[1]!.upTo, 2);
  assertEquals(world.server("a").node.metrics().pending, 0);
});

Deno.test("whatever several clients of the library publish at once, each promise has the identity of its own activity", async () => {
  await using server = await serve({ server: { host: "127.0.0.1", port: 0 }, store: { ephemeral: true } });
  const at = { host: "127.0.0.1", port: server.port };
  await using reader = await connect(at);
  const seen = reader.activities<{ of: string }>();
  const chance = new Chance(7, "publishing");
  const published = new Map<string, string>();
  const publishers = await Promise.all([0, 1, 2].map((n) =>
    connect({
      ...at,
      receive: "none",
      username: `user-${n}`,
      secret: "s",
      register: true,
    })
  ));
  const waits: Promise<unknown>[] = [];
  for (let n = 0; n < 3_000; n++) {
    const who = chance.whole(0, publishers.length - 1);
    const of = `${who}-${n}`;
    if (chance.percent(5)) waits.push(publishers[who]!.send("user-0", of));
    waits.push(publishers[who]!.publish({ of }).then(({ id }) => published.set(of, id!)));
    // So that they come in many turns, of which some have several clients.
    if (chance.percent(10)) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await Promise.all(waits);
  for (let n = 0; n < 3_000; n++) {
    const { activity: { of }, id } = (await seen.next()).value!;
    assertEquals(published.get(of), id);
  }
  for (const publisher of publishers) await publisher.close();
});
