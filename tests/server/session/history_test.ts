/** HISTORY on the wire: pages beside the live lines, from a server on a fake world. */

import { assertEquals } from "@std/assert";
import type { Received } from "../../support/line_client.ts";
import { NodeWorld } from "../../support/node_world.ts";

const ANONYMOUS = { command: "LOGIN", username: "anonymous" };
const READER = { ...ANONYMOUS, features: ["history", "resume", "ack"] };

function activity(n: number): Received {
  return { command: "ACTIVITY_MESSAGE", activity: { n } };
}

/** What `client` got after LOGIN_SUCCESS, in short. */
function heard({ received }: { readonly received: readonly Received[] }): unknown[] {
  return received.slice(1).map(({ command, activity, past, id }) =>
    command === "ACTIVITY_BROADCAST" ? `${past === true ? "past " : ""}${activity.n ?? id}` : command
  );
}

Deno.test("a client gets the newest of the past, marked, and then what is published", async () => {
  const world = await NodeWorld.start();
  const talker = await world.connect(ANONYMOUS, activity(1), activity(2), activity(3));
  const client = await world.connect(READER, { command: "HISTORY", limit: 2 });
  talker.send(activity(4));
  await world.settle();
  assertEquals(heard(client), ["past 2", "past 3", "HISTORY_PAGE", "4"]);
  assertEquals(client.received[0]!.features, ["ack", "resume", "history"]);
  const [, line, , page] = client.received;
  assertEquals(line, { ...talker.received.find(({ id }) => id === line!.id), past: true });
  const begins = { id: "s-1:1", at: page!.begins.at };
  assertEquals(page, { command: "HISTORY_PAGE", past: true, count: 2, more: true, before: "s-1:2", begins });
  client.send({ command: "HISTORY", limit: 2, before: page!.before });
  await world.settle();
  assertEquals(client.received.slice(-2).map(({ command, id }) => id ?? command), ["s-1:1", "HISTORY_PAGE"]);
  assertEquals(client.received.at(-1)!.more, false);
  await world.stop();
});

Deno.test("what nobody but its user is to see is no part of the past", async () => {
  const world = await NodeWorld.start();
  for (const name of ["ada", "bob"]) await world.register(name);
  const bob = await world.connect({ command: "LOGIN", username: "bob", secret: "bob", features: ["chat"] });
  await world.endAllDerivations();
  bob.send({ command: "DIRECT_MESSAGE", to: "ada", text: "secret", messageId: "m" }, activity(1));
  await world.settle();
  const readers = [ANONYMOUS, { command: "LOGIN", username: "ada", secret: "ada", features: ["chat", "history"] }];
  for (const login of readers) {
    const client = await world.connect(login);
    await world.endAllDerivations();
    client.send({ command: "HISTORY" });
    await world.settle();
    const at = client.commands.lastIndexOf("HISTORY_PAGE");
    assertEquals(client.received.slice(at - 1, at).map(({ activity }) => activity.n), [1]);
    assertEquals(client.received[at]!.count, 1);
  }
  await world.stop();
});

Deno.test("an entry that is not known is no empty past, and a wrong field is no question", async () => {
  const world = await NodeWorld.start();
  const client = await world.connect(READER, { command: "HISTORY", before: "s-2:7" }, { command: "HISTORY", since: 1 });
  assertEquals(heard(client), ["HISTORY_FAILED", "HISTORY_PAGE"]);
  assertEquals(client.received[1]!.reason, "UNKNOWN_ENTRY");
  for (const wrong of [{ limit: 0 }, { limit: 1.5 }, { limit: "2" }, { before: 3 }, { since: {} }, { since: -1 }]) {
    const other = await world.connect(READER, { command: "HISTORY", ...wrong });
    assertEquals(other.commands, ["LOGIN_SUCCESS", "INVALID_MESSAGE"]);
  }
  await world.stop();
});
