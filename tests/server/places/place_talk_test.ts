/** What servers say to each other about lost connections, and in which order. */

import { assertEquals } from "@std/assert";
import type { PlaceTalkMessage } from "../../../protocol/peer/peer_message.ts";
import type { ConcludedPlace, PlaceKeeper } from "../../../server/places/place_keeper.ts";
import { PlaceTalk } from "../../../server/places/place_talk.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const ANNA: ConcludedPlace = { username: "anna", resumes: false, lostAt: 5, vector: { a: 3 } };

/** The talk of the server "me", which has concluded of `runs` of "a" where anna stood. */
function talkOf(runs: readonly number[]) {
  const clock = new FakeClock();
  const said: PlaceTalkMessage[] = [];
  const notHere: (() => void)[] = [];
  const spoke: number[] = [];
  const unstored: (() => void)[] = [];
  const store = { isStored: true, comes: () => unstored.splice(0).forEach((run) => run()) };
  const keeper = {
    users: [],
    lagging: () => new Map(),
    concludedServers: runs.length > 0 ? ["a"] : [],
    concludedOf: () => new Map(runs.filter((run) => !spoke.includes(run)).map((run) => [run, [ANNA]])),
    serverSpoke: (_server: string, run: number) => void spoke.push(run),
    tellOwn: () => {},
    whenNoted: (run: () => void) => run(),
    whenStored: (_username: string, run: () => void) => store.isStored ? run() : void unstored.push(run),
    isTold: true,
    serverLost: (_loss: unknown, usernames: readonly string[]) => void lost.push(...usernames),
    stop: () => {},
  };
  const lost: string[] = [];
  let commit = () => {};
  const where = { servers: [] as string[], isAway: false };
  const log = { lastOwn: 2 };
  const talk = new PlaceTalk({
    serverId: () => "me",
    formerNames: () => [],
    startedAt: 7,
    clock,
    keeper: keeper as unknown as PlaceKeeper,
    say: (message) => void said.push(message),
    lastOwn: () => log.lastOwn,
    lamport: () => 0,
    announcedBy: () => ({}),
    hasAccount: () => true,
    whenHere: (_id, run) => void notHere.push(run),
    whenCommitted: (run) => void (commit = run),
    isHere: () => true,
    whereabouts: () => where,
    usersAt: () => [],
  });
  /** All that was waited for is here. */
  const comes = () => notHere.splice(0).forEach((run) => run());
  const announced = (startedAt: number, tells = true) =>
    talk.announced("a", { startedAt, has: 3, tells, formerly: [] });
  const commands = () => said.splice(0).map(({ command }) => command);
  return { talk, clock, said, comes, announced, commands, store, log, where, lost, keeper, commit: () => commit() };
}

Deno.test("a server that was started anew is told what was concluded before it is answered, and once", async () => {
  const { talk, clock, said, comes, announced, commands } = talkOf([1]);
  talk.met("a");
  announced(2);
  talk.heard("a", { command: "PLACE_ASK", ask: 1 });
  await clock.run(0);
  assertEquals(commands(), []);
  comes();
  assertEquals(said.splice(0), [
    { command: "PLACES", server: "a", startedAt: 1, users: [ANNA] },
    { command: "PLACE_SAID", ask: 1, sequence: 2 },
  ]);
  announced(2);
  talk.heard("a", { command: "PLACE_ASK", ask: 2 });
  await clock.run(0);
  comes();
  assertEquals(commands(), ["PLACE_SAID"]);
});

Deno.test("a question is answered with its turn: a connection that ended before it may be read after it", async () => {
  const { talk, clock, said, log } = talkOf([]);
  talk.met("a");
  talk.heard("a", { command: "PLACE_ASK", ask: 1 });
  // The end of the user's connection, which is numbered in the same turn.
  log.lastOwn = 3;
  await clock.run(0);
  assertEquals(said, [{ command: "PLACE_SAID", ask: 1, sequence: 3 }]);
});

Deno.test("a server that was only out of reach is told nothing of itself", () => {
  const { talk, comes, announced, commands } = talkOf([1]);
  talk.met("a");
  announced(1);
  comes();
  assertEquals(commands(), []);
});

Deno.test("a login waits until this server has told who was here, and others have said what they concluded", () => {
  const { talk, comes, announced, commands, commit } = talkOf([]);
  let known = 0;
  talk.met("a");
  announced(1);
  talk.joined(() => {});
  talk.whenKnown("anna", () => known++);
  assertEquals([known, commands()], [0, []]);
  commit();
  // One question is the server's own, the other one that of the login.
  assertEquals([known, commands()], [0, ["PLACE_ASK", "PLACE_ASK"]]);
  for (const ask of [1, 2]) talk.heard("a", { command: "PLACE_SAID", ask, sequence: 3 });
  comes();
  assertEquals(known, 1);
  talk.whenKnown("anna", () => known++);
  assertEquals([known, commands()], [2, []]);
});

Deno.test("nobody waits for a server that does not answer longer than 6 s, and for an earlier version not at all", async () => {
  const { talk, clock, announced, commit } = talkOf([]);
  let known = 0;
  talk.met("a");
  announced(1, false);
  talk.joined(() => {});
  commit();
  talk.whenKnown("anna", () => known++);
  assertEquals(known, 1);
  announced(1);
  talk.whenKnown("anna", () => known++);
  await clock.run(5_900);
  assertEquals(known, 1);
  await clock.run(200);
  assertEquals(known, 2);
  talk.whenKnown("anna", () => known++);
  assertEquals(known, 3);
  talk.stop();
});

Deno.test("a server that stood still as long as a login waits reads first that the other server is gone", async () => {
  const { talk, clock, announced, commit, store } = talkOf([]);
  let known = 0;
  talk.met("a");
  announced(1);
  talk.joined(() => {});
  commit();
  talk.whenKnown("anna", () => known++);
  // It is read in the turn in which the wait is over.
  clock.after(6_000, () => {
    store.isStored = false;
    talk.gone("a");
  });
  await clock.run(6_100);
  assertEquals(known, 0);
  store.comes();
  assertEquals(known, 1);
  talk.stop();
});

Deno.test("a login waits until it is stored where its user stood, also when it has waited for the server that is lost", () => {
  const { talk, announced, commit, store } = talkOf([]);
  let known = 0;
  talk.met("a");
  talk.joined(() => {});
  commit();
  announced(1);
  talk.whenKnown("anna", () => known++);
  store.isStored = false;
  talk.gone("a");
  talk.whenKnown("anna", () => known++);
  assertEquals(known, 0);
  store.comes();
  assertEquals(known, 2);
  talk.stop();
});

Deno.test("who lost its connection at a server stands there until that says that all of it is told, and it is here", () => {
  const lostWhen = (announces: (talk: ReturnType<typeof talkOf>) => void) => {
    const talk = talkOf([]);
    talk.talk.met("a");
    talk.where.servers.push("a");
    talk.talk.heardOnline("a", { command: "ONLINE_CHANGE", username: "anna", event: "lost", lamport: 4 });
    announces(talk);
    talk.talk.gone("a");
    return talk.lost;
  };
  assertEquals(lostWhen(() => {}), ["anna"]);
  // Its turn waits for the disk there: what it has told of its log ends before the place.
  assertEquals(lostWhen(({ announced, comes }) => (announced(1, false), comes())), ["anna"]);
  assertEquals(lostWhen(({ announced }) => announced(1)), ["anna"]);
  assertEquals(lostWhen(({ announced, comes }) => (announced(1), comes())), []);
});

Deno.test("an announcement says whether all connections that were lost here are told", () => {
  const { talk, keeper } = talkOf([]);
  assertEquals(talk.announcesNext(), true);
  keeper.isTold = false;
  assertEquals(talk.announcesNext(), false);
});
