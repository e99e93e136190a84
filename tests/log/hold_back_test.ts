/** What waits, for how long, and in which order it enters the log. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type ArrivedEntry, HoldBack, type HoldBackFacts } from "../../log/hold_back.ts";

/** A log, and what its server knows of others. */
class Log implements HoldBackFacts<string> {
  readonly entered: string[] = [];
  readonly unreachable = new Set<string>();
  readonly #last = new Map<string, number>();

  lastOf(origin: string): number {
    return this.#last.get(origin) ?? 0;
  }

  isReachable(origin: string): boolean {
    return !this.unreachable.has(origin);
  }

  letThrough(origin: string, { sequence, value }: ArrivedEntry<string>): void {
    assert(sequence > this.lastOf(origin), `${value} entered after ${origin}:${this.lastOf(origin)}`);
    this.#last.set(origin, sequence);
    this.entered.push(value);
  }
}

/** Entry `id`, published after the entry `after`. */
function entry(id: string, after?: string, size = 1): ArrivedEntry<string> {
  return { sequence: idOf(id).sequence, after: after === undefined ? undefined : idOf(after), size, value: id };
}

function idOf(id: string): { origin: string; sequence: number } {
  const [origin, sequence] = id.split(":");
  return { origin: origin!, sequence: Number(sequence) };
}

Deno.test("what nothing has to come before enters at once, what comes again does not", () => {
  const log = new Log();
  const holdBack = new HoldBack<string>(2_000);
  assertEquals(holdBack.arrived("a", 0, [entry("a:1"), entry("a:2")], 0, log), "taken");
  assertEquals(holdBack.arrived("a", 0, [entry("a:1"), entry("a:2"), entry("a:3")], 0, log), "taken");
  assertEquals(log.entered, ["a:1", "a:2", "a:3"]);
  assertEquals(holdBack.size, 0);
});

Deno.test("an entry waits for the one before it, and with it all that follow it of its origin", () => {
  const log = new Log();
  const holdBack = new HoldBack<string>(2_000);
  holdBack.arrived("b", 0, [entry("b:1"), entry("b:2", "a:2"), entry("b:3")], 0, log);
  holdBack.arrived("c", 0, [entry("c:1", "b:3"), entry("c:2")], 0, log);
  holdBack.arrived("a", 0, [entry("a:1")], 0, log);
  assertEquals([log.entered, holdBack.size], [["b:1", "a:1"], 4]);
  holdBack.arrived("a", 1, [entry("a:2"), entry("a:3")], 0, log);
  assertEquals([log.entered.slice(2), holdBack.size], [["a:2", "a:3", "b:2", "b:3", "c:1", "c:2"], 0]);
});

Deno.test("a gap is asked for once, until it is closed or a link was lost", () => {
  const log = new Log();
  const holdBack = new HoldBack<string>(2_000);
  holdBack.arrived("a", 0, [entry("a:1")], 0, log);
  assertEquals(holdBack.arrived("a", 2, [entry("a:3")], 0, log), "ask again");
  assertEquals(holdBack.arrived("a", 3, [entry("a:4")], 0, log), "taken");
  holdBack.askAgain();
  assertEquals(holdBack.arrived("a", 4, [entry("a:5")], 0, log), "ask again");
  assertEquals(holdBack.arrived("a", 1, [entry("a:2"), entry("a:3")], 0, log), "taken");
  assertEquals(holdBack.arrived("a", 4, [entry("a:5")], 0, log), "ask again");
  assertEquals(log.entered, ["a:1", "a:2", "a:3"]);
});

Deno.test("a hole that the sender knows of is none: what lies in it was forgotten", () => {
  const log = new Log();
  const holdBack = new HoldBack<string>(2_000);
  holdBack.arrived("a", 0, [entry("a:1")], 0, log);
  assertEquals(holdBack.arrived("a", 1, [entry("a:7"), entry("a:8")], 0, log), "taken");
  assertEquals(log.entered, ["a:1", "a:7", "a:8"]);
});

Deno.test("what follows something that waits is not a gap", () => {
  const log = new Log();
  const holdBack = new HoldBack<string>(2_000);
  holdBack.arrived("b", 0, [entry("b:1", "a:1")], 0, log);
  assertEquals(holdBack.arrived("b", 1, [entry("b:2")], 0, log), "taken");
  assertEquals(holdBack.size, 2);
});

Deno.test("for an origin that is gone it waits so long, counted from when both are known", () => {
  for (const [arrivedAt, goneAt] of [[0, 0], [0, 5_000], [5_000, 0]] as const) {
    const log = new Log();
    const holdBack = new HoldBack<string>(2_000);
    for (let now = 0; now < 10_000; now += 100) {
      if (now === goneAt) log.unreachable.add("a");
      if (now === arrivedAt) holdBack.arrived("b", 0, [entry("b:1", "a:1"), entry("b:2", "a:2")], now, log);
      holdBack.release(now, log);
      const isOver = now >= Math.max(arrivedAt, goneAt) + 2_000;
      assertEquals(log.entered, isOver ? ["b:1", "b:2"] : [], `${arrivedAt} ${goneAt} at ${now}`);
    }
    // The late one is taken all the same.
    holdBack.arrived("a", 0, [entry("a:1")], 10_000, log);
    assertEquals(log.entered.at(-1), "a:1");
  }
});

Deno.test("an origin that comes back in time is waited for", () => {
  const log = new Log();
  const holdBack = new HoldBack<string>(2_000);
  log.unreachable.add("a");
  holdBack.arrived("b", 0, [entry("b:1", "a:1")], 0, log);
  log.unreachable.delete("a");
  holdBack.release(1_900, log);
  holdBack.release(5_000, log);
  assertEquals(log.entered, []);
  log.unreachable.add("a");
  holdBack.release(5_100, log);
  holdBack.release(7_000, log);
  assertEquals(log.entered, []);
  holdBack.release(7_100, log);
  assertEquals(log.entered, ["b:1"]);
});

Deno.test("for an origin that is there it waits much longer, but not for ever", () => {
  const log = new Log();
  const holdBack = new HoldBack<string>(2_000);
  holdBack.arrived("b", 0, [entry("b:1", "a:1")], 0, log);
  holdBack.release(29_999, log);
  assertEquals(log.entered, []);
  holdBack.release(30_000, log);
  assertEquals(log.entered, ["b:1"]);
});

Deno.test("what finds no room is let go, and said once when there is room again", () => {
  const log = new Log();
  const holdBack = new HoldBack<string>(2_000, 3);
  holdBack.arrived("b", 0, [1, 2, 3, 4, 5].map((n) => entry(`b:${n}`, "a:1")), 0, log);
  assertEquals(holdBack.size, 3);
  // What comes then could not enter before it: no gap, as it will be asked for.
  assertEquals(holdBack.arrived("b", 5, [entry("b:6")], 0, log), "taken");
  assertEquals([holdBack.takeFree(), holdBack.size], [[], 3]);
  holdBack.arrived("a", 0, [entry("a:1")], 0, log);
  assertEquals(log.entered, ["a:1", "b:1", "b:2", "b:3"]);
  assertEquals([holdBack.takeFree(), holdBack.takeFree()], [["b"], []]);
  assertEquals(holdBack.arrived("b", 3, [entry("b:4", "a:1"), entry("b:5")], 0, log), "taken");
  assertEquals(log.entered.slice(4), ["b:4", "b:5"]);
});

Deno.test("one entry that is larger than all the room waits too: it could never come otherwise", () => {
  const log = new Log();
  const holdBack = new HoldBack<string>(2_000, 3);
  holdBack.arrived("b", 0, [entry("b:1", "a:1", 10)], 0, log);
  holdBack.arrived("a", 0, [entry("a:1")], 0, log);
  assertEquals(log.entered, ["a:1", "b:1"]);
});

// ---- whatever the order of
// arrival -----------------------------------------------------------------------------------

/** One entry of a history: by whom, and whether it says after which of the earlier ones. */
interface Published {
  readonly origin: number;
  /** Counted back; 0 for none. */
  readonly after: number;
}

/** What arrives: how much of which origin, from how far back, or past how much that is left out. */
interface Arriving {
  readonly origin: number;
  readonly count: number;
  readonly offset: number;
}

const origins = 4;
const history = fc.array(
  fc.record<Published>({ origin: fc.nat(origins - 1), after: fc.nat(8) }),
  { minLength: 1, maxLength: 40 },
);
const arrivals = fc.array(
  fc.record<Arriving>({
    origin: fc.nat(origins - 1),
    count: fc.integer({ min: 1, max: 5 }),
    offset: fc.integer({ min: -2, max: 2 }),
  }),
  { maxLength: 60 },
);

Deno.test("whatever the order of arrival, everything enters once, in order, and nothing before what it comes after", () => {
  fc.assert(
    fc.property(history, arrivals, fc.integer({ min: 1, max: 6 }), (published, arriving, room) => {
      const logs: ArrivedEntry<string>[][] = Array.from({ length: origins }, () => []);
      const ids: string[] = [];
      const before = new Map<string, string>();
      for (const { origin, after } of published) {
        const id = `${origin}:${logs[origin]!.length + 1}`;
        const previous = after === 0 ? undefined : ids.at(-after);
        if (previous !== undefined) before.set(id, previous);
        logs[origin]!.push(entry(id, previous));
        ids.push(id);
      }
      const log = new Log();
      const holdBack = new HoldBack<string>(2_000, room);
      // Up to where each origin was sent.
      const sent = logs.map(() => 0);
      const send = (origin: number, from: number, count: number) => {
        const entries = logs[origin]!.slice(from, from + count);
        if (entries.length === 0) return;
        const arrival = holdBack.arrived(`${origin}`, from, entries, 0, log);
        sent[origin] = arrival === "ask again"
          ? log.lastOf(`${origin}`)
          : Math.max(sent[origin]!, from + entries.length);
        for (const free of holdBack.takeFree()) sent[Number(free)] = log.lastOf(free);
      };
      for (const { origin, count, offset } of arriving) send(origin, Math.max(0, sent[origin]! + offset), count);
      // Then everything comes as it should.
      for (let round = 0; round < 3 * ids.length + 10; round++) {
        for (let origin = 0; origin < origins; origin++) send(origin, sent[origin]!, 3);
        if (round % 5 === 4) {
          // A link was lost, and everything is sent from where the log ends.
          holdBack.askAgain();
          for (let origin = 0; origin < origins; origin++) sent[origin] = log.lastOf(`${origin}`);
        }
      }
      assertEquals(log.entered.toSorted(), ids.toSorted());
      for (const [id, previous] of before) {
        assert(log.entered.indexOf(previous) < log.entered.indexOf(id), `${id} entered before ${previous}`);
      }
      assertEquals(holdBack.size, 0);
    }),
    { numRuns: 500 },
  );
});
