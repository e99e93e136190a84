/** Participants that are called one after the other: in rounds, by the order of their Joins. */

import { assertEquals } from "@std/assert";
import { Turns } from "../../../../server/gateway/grpc/turns.ts";
import { RoomWorld } from "./_room.ts";

/** Who is called, one after the other, until nobody waits. */
function called(turns: Turns<string>): string[] {
  const order: string[] = [];
  for (let next = turns.next(); next !== undefined; next = turns.next()) {
    order.push(next);
    turns.answered(next);
  }
  return order;
}

Deno.test("A round goes by the order of the Joins, whoever waited first", () => {
  const turns = new Turns<string>();
  for (const id of ["a", "b", "c"]) turns.joined(id);
  for (const id of ["c", "a", "b"]) turns.waits(id);
  assertEquals(called(turns), ["a", "b", "c"]);
  for (const id of ["b", "a"]) turns.waits(id);
  assertEquals(called(turns), ["a", "b"], "the next round begins anew");
});

Deno.test("Nobody is called while a call is under way, and nobody twice in a round", () => {
  const turns = new Turns<string>();
  for (const id of ["a", "b"]) turns.joined(id);
  for (const id of ["a", "b"]) turns.waits(id);
  assertEquals([turns.next(), turns.next()], ["a", undefined]);
  turns.answered("b");
  assertEquals(turns.next(), undefined, "the answer of another one ends no call");
  turns.answered("a");
  turns.waits("a");
  assertEquals(called(turns), ["b", "a"]);
});

Deno.test("Who is gone holds nobody up, and no other loses its place", () => {
  const turns = new Turns<string>();
  for (const id of ["a", "b", "c"]) turns.joined(id);
  for (const id of ["a", "b", "c"]) turns.waits(id);
  assertEquals(turns.next(), "a");
  turns.gone("a");
  turns.gone("stranger");
  assertEquals(called(turns), ["b", "c"]);
});

Deno.test("One by one: a silent participant is lost after two seconds, and the others are called then", async () => {
  const room = await RoomWorld.oneByOne();
  await room.joined("1111", "2222", "3333");
  room.manners.set("2222", "silent");
  const answer = room.publish("1111", "Hej");
  await room.run(1_990);
  assertEquals(["1111", "2222", "3333"].map((id) => room.heardBy(id)), [["1111: Hej"], [], []]);
  await room.run(20);
  assertEquals(await answer, "Publish message reply");
  await room.run(10);
  assertEquals(room.heardBy("3333"), [
    "1111: Hej",
    "Participant 2222 left Chitty-Chat at Lamport time " + leftAt(room),
  ]);
  assertEquals(room.room.size, 2);
  await room.close();
});

Deno.test("One by one: a Publish is answered when all have answered, and messages keep their order", async () => {
  const room = await RoomWorld.oneByOne();
  await room.joined("1111", "2222", "3333");
  for (const id of ["1111", "2222", "3333"]) room.manners.set(id, 500);
  const answers = [room.publish("1111", "one"), room.publish("2222", "two")];
  const isAnswered = [false, false];
  answers.forEach((answer, index) => answer.then(() => isAnswered[index] = true));
  await room.run(1_499);
  assertEquals(isAnswered, [false, false]);
  await room.run(2);
  assertEquals(isAnswered, [true, false]);
  await room.run(1_500);
  assertEquals(isAnswered, [true, true]);
  for (const id of ["1111", "2222", "3333"]) assertEquals(room.heardBy(id), ["1111: one", "2222: two"]);
  await room.close();
});

Deno.test("One by one: a participant that leaves during its call, and a room that closes, hold up no answer", async () => {
  const room = await RoomWorld.oneByOne();
  await room.joined("1111", "2222", "3333");
  room.manners.set("2222", "silent");
  const first = room.publish("1111", "one");
  await room.run(10);
  assertEquals(room.leave("2222"), "User left the server");
  await room.run(10);
  assertEquals(await first, "Publish message reply");
  room.manners.set("3333", "silent");
  const second = room.publish("1111", "two");
  await room.run(10);
  room.room.close();
  assertEquals(await second, "UNAVAILABLE: This server is stopping");
  await room.close();
});

function leftAt(room: RoomWorld): string {
  return room.heardBy("1111").at(-1)!.replace(/^.* /, "");
}
