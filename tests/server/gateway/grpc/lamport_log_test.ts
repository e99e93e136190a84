/** Every event of the two Lamport clocks of a door and its only participant, from Join to Leave. */

import { assertEquals } from "@std/assert";
import { DoorWorld, TestParticipant } from "./_world.ts";

Deno.test("A participant that joins, speaks and leaves: every event has exactly this Lamport time", async () => {
  const log: string[] = [];
  const note = (what: string, lamport: number) => log.push(`${what} ${lamport}`);
  await using world = await DoorWorld.open({}, note);
  await using participant = await TestParticipant.listen(world.server, { note });
  const { program, id } = participant;

  assertEquals(await program.join(), "You are now connected");
  assertEquals(await program.announce("joined"), "Publish message reply");
  assertEquals(log.splice(0), [
    "Join Request sent 1",
    "Received join request 2",
    "Attempt join 3",
    "Join reply 4",
    "Join response from the Server 5",
    "Publish Request sent 6",
    "Received publish request 7",
    "Attempt publish 8",
    "BroadCast Request sent 9",
    `BroadCast Request sent to ${id} 10`,
    "Received broadcast request 11",
    "Attempt BroadCast 12",
    "BroadCast reply 13",
    `Response from ${id} 14`,
    "Publish reply 15",
    "Response from the Server 16",
  ]);

  assertEquals(await program.say("Hej"), "Publish message reply");
  assertEquals(log.splice(0), [
    "Publish Request sent 17",
    "Received publish request 18",
    "Attempt publish 19",
    "BroadCast Request sent 20",
    `BroadCast Request sent to ${id} 21`,
    "Received broadcast request 22",
    "Attempt BroadCast 23",
    "BroadCast reply 24",
    `Response from ${id} 25`,
    "Publish reply 26",
    "Response from the Server 27",
  ]);

  assertEquals(await program.announce("left"), "Publish message reply");
  assertEquals(await program.leave(), "User left the server");
  assertEquals(log, [
    "Publish Request sent 28",
    "Received publish request 29",
    "Attempt publish 30",
    "BroadCast Request sent 31",
    `BroadCast Request sent to ${id} 32`,
    "Received broadcast request 33",
    "Attempt BroadCast 34",
    "BroadCast reply 35",
    `Response from ${id} 36`,
    "Publish reply 37",
    "Response from the Server 38",
    "Leave Request sent 39",
    "Received leave request 40",
    "Attempt leave 41",
    "Leave reply 42",
    "Leave response from the Server 43",
  ]);
  const message = { isPublish: false, isJoin: false, isLeave: false };
  assertEquals(participant.heard, [
    {
      participantID: id,
      lamportTime: 10,
      message: {
        ...message,
        participantID: id,
        message: `Participant ${id} joined Chitty-Chat at Lamport time 5`,
        lamportTime: 6,
        isJoin: true,
      },
    },
    {
      participantID: id,
      lamportTime: 21,
      message: { ...message, participantID: id, message: "Hej", lamportTime: 17, isPublish: true },
    },
    {
      participantID: id,
      lamportTime: 32,
      message: {
        ...message,
        participantID: id,
        message: `Participant ${id} left Chitty-Chat at Lamport time 27`,
        lamportTime: 28,
        isLeave: true,
      },
    },
  ]);
});

Deno.test("Three participants, called one by one: the log of the lesson comes out number for number", async () => {
  const log: string[] = [];
  const note = (what: string, lamport: number) => log.push(`${lamport} ${what}`);
  await using world = await DoorWorld.open({ gateway: { grpc: { broadcasts: "oneByOne" } } }, note);
  await using a = await TestParticipant.listen(world.server, { note });
  await using b = await TestParticipant.listen(world.server, { note });
  await using c = await TestParticipant.listen(world.server, { note });

  const here: string[] = [];
  for (const { program, id } of [a, b, c]) {
    await program.join();
    const at = [2, 16, 35][here.length]!;
    here.push(id);
    assertEquals(log.splice(0), [
      "1 Join Request sent",
      `${at} Received join request`,
      `${at + 1} Attempt join`,
      `${at + 2} Join reply`,
      `${at + 3} Join response from the Server`,
    ]);
    await program.announce("joined");
    assertEquals(log.splice(0), published(at + 4, here));
  }
  // The two clocks of the lesson's senders ignored what they had received: theirs were 17 and 36.
  await a.program.say("Hej med jer");
  assertEquals(log.splice(0), published(47, here, 59));
  await b.program.say("Halløj!");
  assertEquals(log.splice(0), published(71, here, 78));
  for (const { said } of [a, b, c]) assertEquals(said, [`${a.id}: Hej med jer`, `${b.id}: Halløj!`]);
});

/** A Publish that is sent at one time and received at another, until its sender has the reply. */
function published(sentAt: number, participants: readonly string[], receivedAt = sentAt + 1): string[] {
  let at = receivedAt;
  return [
    `${sentAt} Publish Request sent`,
    `${at} Received publish request`,
    `${++at} Attempt publish`,
    `${++at} BroadCast Request sent`,
    ...participants.flatMap((id) => [
      `${++at} BroadCast Request sent to ${id}`,
      `${++at} Received broadcast request`,
      `${++at} Attempt BroadCast`,
      `${++at} BroadCast reply`,
      `${++at} Response from ${id}`,
    ]),
    `${++at} Publish reply`,
    `${++at} Response from the Server`,
  ];
}
