/**
 * What one activity costs, in units that do not depend on the machine, so that a slower hot path is found on a busy one
 * as well. Each bound stands beside what was counted when it was set. A change that makes a count smaller lowers the
 * bound; one that needs more says why here.
 */

import { assert, assertEquals } from "@std/assert";
import { median } from "../../bench/figures/statistics.ts";
import { type Counts, GuardedServer, NO_STRACE, type Trace, Turns } from "./_guarded.ts";

const SUBSCRIBERS = 50;
/** Activities that come in one packet, and so in one turn. */
const EACH = 20;
const ACKED_EACH = 50;
const TURNS = 60;
/** Turns before anything is counted: the server's code has been compiled, and its buffers have grown. */
const WARM_UP = 60;
/** So many activities between two looks at the memory: far less than makes the server collect its garbage. */
const PORTION = 100;
const PORTIONS = 31;

const noSignals = Deno.build.os === "windows";
/** Deno before 2.6 allocates for each read of a socket, and waits more often. Its bounds would say nothing of thrum. */
const isOldDeno = /^2\.[0-5]\./.test(Deno.version.deno);
if (NO_STRACE !== undefined) console.log(`Skipped: system calls of an activity; ${NO_STRACE}`);

function atMost(counted: number, bound: number, what: string): void {
  assert(counted <= bound, `${what}: ${counted.toPrecision(4)}, and the bound is ${bound}`);
}

/** What each of `read` grows by for an activity, `each` of them in a turn: the medians of many portions. */
async function growth(
  server: GuardedServer,
  turns: Turns,
  each: number,
  ...read: readonly (keyof Counts)[]
): Promise<number[]> {
  const turnsAtOnce = Math.ceil(PORTION / each);
  const looks = [await server.counts()];
  for (let portion = 0; portion < PORTIONS; portion++) {
    await turns.run(turnsAtOnce, each);
    looks.push(await server.counts());
  }
  return read.map((name) => {
    // A collection of garbage makes some portions smaller, and the median does not see it.
    const portions = looks.slice(1).map((look, index) => (look[name] - looks[index]![name]) / turnsAtOnce / each);
    const grown = median(portions);
    assert(name === "statements" || grown > 0, `Most portions of ${name} had a collection: ${portions.join(" ")}`);
    return grown;
  });
}

async function traced(server: GuardedServer, turns: Turns, each: number): Promise<Trace> {
  return await server.traced(() => turns.run(TURNS, each));
}

Deno.test({
  name: "guard: a delivery takes few system calls, and its bytes reach the kernel once",
  ignore: NO_STRACE !== undefined,
  fn: async () => {
    await using server = await GuardedServer.start();
    await using turns = await Turns.start(server.port, SUBSCRIBERS);
    await turns.run(WARM_UP, EACH);
    const before = turns.deliveredBytes;
    const trace = await traced(server, turns, EACH);
    const deliveries = TURNS * EACH * SUBSCRIBERS;
    const calls = Object.values(trace).reduce((sum, { count }) => sum + count, 0);
    // 0.05: one buffer for each subscriber and turn.
    atMost(trace.sent.count / deliveries, 0.0505, "writes to sockets per delivery");
    // 2: the second finds nothing.
    atMost(trace.received.count / TURNS, 2.1, "reads of sockets per turn");
    // 0.0657.
    atMost(calls / deliveries, 0.072, "system calls per delivery");
    assertEquals(trace.sent.bytes, turns.deliveredBytes - before, "bytes written to sockets, and bytes delivered");
    // 1.03 to 1.23: a turn is one packet, and timers come between.
    atMost(trace.waited.count / TURNS, isOldDeno ? 5 : 2, "waits per turn");
    // 2,585 bytes for a line of 330: once in a row, and pages of SQLite around it.
    atMost(trace["written to files"].bytes / (TURNS * EACH), 2_900, "bytes written to files per activity");
  },
});

Deno.test({
  name: "guard: a delivered activity allocates little, however many receive it",
  ignore: noSignals || isOldDeno,
  fn: async () => {
    await using server = await GuardedServer.start();
    await using turns = await Turns.start(server.port, SUBSCRIBERS);
    await turns.run(WARM_UP, EACH);
    const [heap, buffers] = await growth(server, turns, EACH, "heapUsed", "external");
    // 2,860 bytes: 50 writes shared by 20 activities are the most of it.
    atMost(heap!, 3_300, "bytes on the heap per activity");
    // 978 bytes: what came, the line for everybody, and the row of the store.
    atMost(buffers!, 1_100, "bytes in buffers per activity");
  },
});

Deno.test({
  name: "guard: an acknowledged activity takes few statements and little memory",
  ignore: noSignals,
  fn: async () => {
    await using server = await GuardedServer.start();
    await using turns = await Turns.start(server.port, "acknowledged");
    await turns.run(WARM_UP, ACKED_EACH);
    const [statements, heap, buffers] = await growth(server, turns, ACKED_EACH, "statements", "heapUsed", "external");
    // 2.08: two for its message id, and four for the turn.
    atMost(statements!, 2.2, "statements per acknowledged activity");
    if (isOldDeno) return;
    // 4,940 to 5,050 bytes.
    atMost(heap!, 5_700, "bytes on the heap per activity");
    // 732 bytes.
    atMost(buffers!, 840, "bytes in buffers per activity");
  },
});

Deno.test({
  name: "guard: an acknowledged activity takes few writes, and those of a turn have one answer",
  ignore: NO_STRACE !== undefined,
  fn: async () => {
    await using server = await GuardedServer.start();
    await using turns = await Turns.start(server.port, "acknowledged");
    await turns.run(WARM_UP, ACKED_EACH);
    const many = await traced(server, turns, ACKED_EACH);
    const activities = TURNS * ACKED_EACH;
    // 0.57 writes, 2,590 bytes: a line of 330, and its message id in the trees of SQLite.
    atMost(many["written to files"].count / activities, 0.65, "writes to files per activity, 50 in a turn");
    atMost(many["written to files"].bytes / activities, 2_950, "bytes written to files per activity, 50 in a turn");
    // 1 to 1.02, and 66 bytes: one line for all of them.
    atMost(many.sent.count / TURNS, 1.2, "writes to the publisher's socket per turn");
    atMost(many.sent.bytes / TURNS, 80, "bytes of answers per turn");
    const single = await traced(server, turns, 1);
    // 8.8: header and page of each table that changes.
    atMost(single["written to files"].count / TURNS, 10.5, "writes to files for an activity alone");
    // 0.05: only a checkpoint syncs.
    atMost(single.synced.count / TURNS, 0.1, "syncs for an activity alone");
  },
});
