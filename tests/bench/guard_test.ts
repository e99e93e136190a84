/**
 * What one activity costs, in units that do not depend on the machine, so that a slower hot path is found on a busy one
 * as well. Each bound stands beside what was counted when it was set. A change that makes a count smaller lowers the
 * bound; one that needs more says why here.
 */

import { assert, assertEquals } from "@std/assert";
import { percentile } from "../../bench/figures/statistics.ts";
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
/** Now and then a packet comes in two pieces, and is two turns; to an old Deno more often. */
const MOST_TURNS = isOldDeno ? 1.9 : 1.2;
if (NO_STRACE !== undefined) console.log(`Skipped: system calls of an activity; ${NO_STRACE}`);

function atMost(counted: number, bound: number, what: string): void {
  assert(counted <= bound, `${what}: ${counted.toPrecision(4)}, and the bound is ${bound}`);
}

/**
 * What each of `read` grows by for an activity, `each` of them in a turn: what a quarter of many portions stays below.
 * Single portions have more, by what the server does every second, or less, by a collection of garbage.
 */
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
    const portions = looks.slice(1).map((look, index) => (look[name] - looks[index]![name]) / turnsAtOnce / each);
    const grown = portions.filter((portion) => portion >= 0).sort((a, b) => a - b);
    assert(grown.length > PORTIONS / 2, `Most portions of ${name} had a collection: ${portions.join(" ")}`);
    return percentile(grown, 25);
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
    const calls = [trace.sent, trace.received, trace.logged, trace.waited].reduce((sum, { count }) => sum + count, 0);
    // 0.05: one buffer for each subscriber and turn.
    atMost(trace.sent.count / deliveries, 0.0505, "writes to sockets per delivery");
    // 2: the second finds nothing.
    atMost(trace.received.count / TURNS, 2.1, "reads of sockets per turn");
    // 0.054.
    atMost(calls / deliveries, isOldDeno ? 0.065 : 0.058, "system calls per delivery");
    assertEquals(trace.sent.bytes, turns.deliveredBytes - before, "bytes written to sockets, and bytes delivered");
    // 1.03 to 1.23: a turn is one packet, and timers come between.
    atMost(trace.waited.count / TURNS, isOldDeno ? 5 : 2, "waits per turn");
    // 1, with 350 bytes for a line of 330.
    atMost(trace.logged.count / TURNS, MOST_TURNS, "writes to the log per turn");
    atMost(trace.logged.bytes / (TURNS * EACH), 370, "bytes written to the log per activity");
    // 1 to 6 writes: every 200 ms many turns at once, so on a slow machine more.
    atMost(trace.settled.count / TURNS, 15, "writes to the database per turn");
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
    // 2,810 bytes: 50 writes shared by 20 activities are the most of it.
    atMost(heap!, 3_200, "bytes on the heap per activity");
    // 628 bytes: what came, and the line for everybody, which is the log's as well.
    atMost(buffers!, 720, "bytes in buffers per activity");
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
    // 1: whether its message id was used.
    atMost(statements!, 1.1, "statements per acknowledged activity");
    if (isOldDeno) return;
    // 4,310 to 4,500 bytes.
    atMost(heap!, 5_100, "bytes on the heap per activity");
    // 723 bytes.
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
    // 1, with 401 bytes: a line of 370, and a place among the message ids.
    atMost(many.logged.count / TURNS, MOST_TURNS, "writes to the log per turn");
    atMost(many.logged.bytes / activities, 430, "bytes written to the log per activity");
    // 0.013 to 0.017 writes: every 200 ms many turns at once, so on a slow machine more.
    atMost(many.settled.count / activities, 0.3, "writes to the database per activity");
    // 1 to 1.02, and 66 bytes: one line for all of them.
    atMost(many.sent.count / TURNS, MOST_TURNS, "writes to the publisher's socket per turn");
    atMost(many.sent.bytes / TURNS, 80, "bytes of answers per turn");
    const single = await traced(server, turns, 1);
    // 1, and 1.5 to 2 that follow in the background.
    atMost(single.logged.count / TURNS, MOST_TURNS, "writes to the log for an activity alone");
    atMost(single.settled.count / TURNS, 15, "writes to the database for an activity alone");
    // 0: the disk is waited for in the background, now and then.
    atMost(single.synced.count / TURNS, 0.5, "syncs for an activity alone");
  },
});
