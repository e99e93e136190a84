/**
 * A peer says that entries were forgotten. It is believed when nobody else has them, and ends only
 * clients that lack them.
 */

import { assertEquals } from "@std/assert";
import { nodeCrypto } from "../../../platform/crypto.ts";
import { Guest } from "../../../server/guests/guest.ts";
import { encodePlace } from "../../../protocol/peer/place_codec.ts";
import { activityLine, type MeshClient, MeshWorld } from "../../support/mesh_world.ts";

const lines = [1, 2, 3, 4, 5].map((n) => activityLine(`s-gap:${n}`, n));
const STILL = { cluster: { rebalance: false } };
/** What is left of an origin of which 1 to 4 were forgotten. */
const REST = [5, 6, 7, 8].map((n) => activityLine(`s-gap:${n}`, n));

Deno.test("a hole that one peer claims cuts nobody when another one has the entries", async () => {
  const world = await MeshWorld.of(["a", "b"], { cluster: { rebalance: false } });
  const client = await world.login("a", "anonymous", { redirects: 3 });
  const plain = await world.plain("b", "anonymous");
  const whole = await world.peer("a", "s-whole", { vector: { "s-gap": 5 } });
  const liar = await world.peer("a", "s-liar", { vector: { "s-gap": 5 } });
  liar.entries("s-gap", 5, lines.slice(4), { after: 0 });
  await world.run(50);
  assertEquals(world.server("a").vector["s-gap"], undefined);
  assertEquals(whole.last("WANT")?.vector["s-gap"], 0);
  whole.entries("s-gap", 1, lines);
  await world.until(() => world.server("b").vector["s-gap"] === 5, "what a passes on");
  await world.run(100);
  for (const one of [client, plain]) {
    assertEquals([one.commands.at(0), one.activities, one.end], ["LOGIN_SUCCESS", [1, 2, 3, 4, 5], undefined]);
  }
});

Deno.test("a hole that all claim is taken, the smallest of them, and one that nobody answers for in time too", async () => {
  for (const answers of [true, false]) {
    const world = await MeshWorld.of(["a", "b"]);
    const small = await world.peer("a", "s-small", { vector: { "s-gap": 5 } });
    const large = await world.peer("a", "s-large", { vector: { "s-gap": 5 } });
    large.entries("s-gap", 5, lines.slice(4), { after: 0 });
    await world.run(50);
    if (answers) {
      small.entries("s-gap", 3, lines.slice(2), { after: 0 });
      await world.run(50);
      // Nothing is left to ask.
      small.entries("s-gap", 3, lines.slice(2), { after: 0 });
    } else {
      await world.run(6_000);
      assertEquals(large.last("WANT")?.vector["s-gap"], 0);
      large.entries("s-gap", 5, lines.slice(4), { after: 0 });
    }
    await world.run(100);
    assertEquals(world.server("a").activities, answers ? [3, 4, 5] : [5]);
    await world.until(() => world.server("b").vector["s-gap"] === 5, "what a passes on");
    assertEquals(world.server("b").activities, world.server("a").activities);
  }
});

for (const [first, how] of [[1, "fills a hole"], [2, "makes a hole smaller"]] as const) {
  Deno.test(`a server whose own entries came behind a hole is asked for them again when another one ${how}`, async () => {
    const world = await MeshWorld.of(["a"]);
    const own = await world.peer("a", "s-gap", { vector: { "s-gap": 5 } });
    const other = await world.peer("a", "s-other", { vector: { "s-gap": 3 } });
    own.entries("s-gap", 4, lines.slice(3), { after: 0 });
    await world.until(() => other.last("WANT")?.vector["s-gap"] === 0, "the question for the hole");
    other.entries("s-gap", first, lines.slice(first - 1, 3), { after: 0 });
    await world.until(() => own.last("WANT")?.vector["s-gap"] === 3, "the question for the rest");
    own.entries("s-gap", 4, lines.slice(3));
    await world.until(() => world.server("a").vector["s-gap"] === 5, "all of it");
  });
}

Deno.test("a hole that nobody can fill ends those who lack something of it, and nobody who has it all", async () => {
  const world = await MeshWorld.of(["a", "b"], STILL);
  const plain = await world.plain("a", "anonymous");
  const enter = (server: string, has?: number) =>
    world.login(server, "anonymous", {
      redirects: 3,
      ...(has === undefined ? {} : { resume: { vector: { "s-gap": has } } }),
    });
  const [whole, more, all, part, fresh] = [
    await enter("a", 4),
    await enter("a", 6),
    await enter("a", 9),
    await enter("a", 3),
    await enter("a"),
  ];
  const [there, lacking] = [await enter("b", 4), await enter("b", 1)];
  const guestEnds: string[] = [];
  const owner = { arrived() {}, ended: (reason: string) => void guestEnds.push(reason) };
  const guest = world.server("a").node.guests.enter({ name: "1111", host: "g", port: 1, lamport: 0 }, owner);
  assertEquals(guest instanceof Guest, true);
  const liar = await world.peer("a", "s-liar", { vector: { "s-gap": 8 } });
  liar.entries("s-gap", 5, REST, { after: 0 });
  await world.until(() => world.server("b").vector["s-gap"] === 8, "what a passes on");
  await world.run(100);
  const stand = (client: MeshClient) => [client.activities, client.last("END_CONNECTION")?.reason, client.end];
  assertEquals(stand(whole), [[5, 6, 7, 8], undefined, undefined]);
  assertEquals(stand(more), [[7, 8], undefined, undefined]);
  assertEquals(stand(all), [[], undefined, undefined]);
  assertEquals(stand(there), [[5, 6, 7, 8], undefined, undefined]);
  for (const client of [part, fresh, lacking]) assertEquals(stand(client).slice(0, 2), [[], "FELL_BEHIND"]);
  // These are told nothing: they are closed, as before.
  assertEquals([plain.activities, plain.commands, plain.end], [[], ["LOGIN_SUCCESS"], "local"]);
  assertEquals(guestEnds, ["FELL_BEHIND"]);
  // Who comes back is told what is missing, and what follows goes to everybody.
  const back = await enter("a", 3);
  assertEquals(back.received[0]!.resume.gap, [{ origin: "s-gap", first: 4, last: 4 }]);
  liar.entries("s-gap", 9, [9, 10].map((n) => activityLine(`s-gap:${n}`, n)));
  await world.run(100);
  for (const client of [whole, more, back]) assertEquals(client.activities.slice(-4), [7, 8, 9, 10]);
  assertEquals(all.activities, [10]);
});

Deno.test("a plain client that begins where its user stood keeps its connection at a hole that it has, and messages come", async () => {
  const world = await MeshWorld.of(["a"], STILL);
  await world.users("a", "anna", "bob");
  // Another server had all of this origin, and lost connections of both users.
  const gone = await world.peer("a", "s-gone");
  for (const [n, [username, has]] of ([["anna", 4], ["bob", 3]] as const).entries()) {
    const note = { event: "lost", username, resumes: false, lostAt: 5 + n, vector: { "s-gap": has } } as const;
    const line = JSON.parse(encodePlace(note, { origin: "s-gone", sequence: n + 1, lamport: 5 + n }));
    gone.entries("s-gone", n + 1, [line], { to: { user: username } });
  }
  await world.run(20);
  const chatty = await world.chat("a", "anna", { resume: { vector: { "s-gap": 4 } } });
  const [anna, bob] = [await world.plain("a", "anna"), await world.plain("a", "bob")];
  const message = { command: "DIRECT_MESSAGE", from: "bob", to: "anna", text: "hi", lamport: 2 };
  gone.entries("s-gap", 5, [{ ...message, id: "s-gap:5", sentAt: 1_735_689_600_000 }], {
    after: 0,
    to: { user: "anna" },
  });
  await world.run(100);
  assertEquals([chatty.messages, chatty.end], [["hi"], undefined]);
  assertEquals([anna.plainMessages, anna.end, bob.end], [["bob: hi"], undefined, "local"]);
  const { info } = (await world.plain("a", "bob")).received[0]!;
  assertEquals(info, "logged in as bob; the server no longer has some entries from the time that you were away");
});

Deno.test("where one peer has entries that count no more, another one that goes on behind them is asked", async () => {
  const world = await MeshWorld.of(["a"], STILL);
  const lines = [1, 2, 3].map((n) => activityLine(`s-gap:${n}`, n));
  const digest = nodeCrypto.digest(JSON.stringify(lines[0])).slice(0, 32);
  const wrong = await world.peer("a", "s-1", { vector: { "s-gap": 3 } });
  const rest = await world.peer("a", "s-2", { vector: { "s-gap": 3 } });
  wrong.send({ command: "RETRACTED", origin: "s-gap", first: 1, last: 1, digest });
  await world.run(50);
  wrong.entries("s-gap", 1, lines.slice(0, 1), { after: 0 });
  await world.until(() => rest.last("WANT")?.vector["s-gap"] === 0, "the question");
  rest.entries("s-gap", 3, lines.slice(2), { after: 0 });
  await world.until(() => world.server("a").vector["s-gap"] === 3, "what is left");
  assertEquals(world.server("a").activities, [3]);
});
