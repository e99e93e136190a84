/** What every store promises of channels (server/store/store.ts): a part of `store_contract.ts`. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { lostLinesIn } from "../../log/forgotten_lines.ts";
import { portionOf } from "../../log/portion.ts";
import { type EntryAudience, SERVERS } from "../../log/segment.ts";
import type { ChannelLimits, ForgetLimits, Gap, Store } from "../../server/store/store.ts";
import { type ChannelEntry, ChannelLog, linesFor, type PortionReader, reading } from "../support/channel_log.ts";
import { batchOf } from "../support/log_writer.ts";
import { KEEP_ALL, type StoreDoor } from "./store_contract.ts";

const FOR_BOB: EntryAudience = { kind: "user", username: "bob" };
/** Turns with all that may stand beside each other, some of them long enough for a file. */
const TURNS: readonly (readonly ChannelEntry[])[] = [
  [{ channel: "lab" }, {}, { channel: "hall" }, { channel: "lab" }],
  [{}],
  [{ audience: FOR_BOB }],
  [{ audience: SERVERS }, { channel: "lab/door" }],
  [{ channel: "hall", text: "x".repeat(20_000) }, { channel: "lab", text: "y".repeat(3_000) }],
  [{ origin: "b" }, { origin: "b", channel: "quiet" }],
  [{ channel: "hall", text: "z".repeat(9_000) }],
  [{ audience: { kind: "user", username: "anna" } }],
  // More channels than a row names.
  Array.from({ length: 400 }, (_, index) => ({ channel: `many/with/long/names/${index}` })),
  [{ channel: "hall" }],
];
const READERS = [
  reading([]),
  reading([], "bob"),
  reading([""]),
  reading(["lab"], "anna"),
  reading(["lab/*", "quiet"]),
  reading(["many/**"]),
  reading(["nothing"]),
  reading(["**"], "bob"),
];

/** Limits of the channels of a pattern; nothing is beyond what is not said. */
function limitsOf(pattern: string, limits: Partial<ChannelLimits> = {}): ChannelLimits {
  return { filter: reading([pattern]).filter, takenBefore: -Infinity, maxBytes: Infinity, ...limits };
}

/** Forgets until nothing is beyond the limits. Gives the newest positions of what was forgotten of channels. */
function forgetAll(store: Store, limits: ForgetLimits): Record<string, number> {
  const channels: Record<string, number> = {};
  // What used message ids need is forgotten by a later call.
  for (let quiet = 0; quiet < 2;) {
    const { more, channels: forgotten } = store.forget(limits);
    for (const [name, position] of forgotten ?? []) channels[name] = Math.max(position, channels[name] ?? 0);
    quiet = more ? 0 : quiet + 1;
  }
  return channels;
}

function linesOf(store: Store, ...patterns: string[]): string[] {
  return linesFor((...asked) => store.portionAfter(...asked), reading(patterns));
}

function gapsOf(store: Store, has: number, ...patterns: string[]): readonly Gap[] {
  return store.missing({ a: has }, reading(patterns).filter).gaps;
}

/** Registers the tests. */
export function testChannelsContract({ name, use }: StoreDoor): void {
  Deno.test(`${name} portionAfter() gives each reader all that it wants, from memory and from the disk`, () => {
    use((store) => {
      const log = new ChannelLog();
      const turns = [...TURNS, ...TURNS].map((entries) => log.turn(entries));
      for (const segments of turns) store.commit(batchOf({ segments }));
      const all = turns.flat();
      const naive: PortionReader = (position, _, wanted) =>
        portionOf(all.filter((segment) => segment.position > position), position, wanted);
      const read: PortionReader = (...asked) => store.portionAfter(...asked);
      for (const isSettled of [false, true]) {
        if (isSettled) store.forget({ takenBefore: 0, maxBytes: Infinity, directMessagesBefore: 0, usedBefore: 0 });
        for (const wanted of READERS) {
          const expected = linesFor(naive, wanted);
          for (const maxBytes of [0, 5_000, Infinity]) assertEquals(linesFor(read, wanted, maxBytes), expected);
        }
      }
    });
  });

  Deno.test(`${name} portionAfter() leaves out what is not wanted, and says how far it has come`, () => {
    use((store) => {
      const log = new ChannelLog();
      const named = TURNS.filter(({ length }) => length < 100);
      for (const entries of named) store.commit(batchOf({ segments: log.turn(entries) }));
      store.forget({ takenBefore: 0, maxBytes: Infinity, directMessagesBefore: 0, usedBefore: 0 });
      const positions = (patterns: string[], username?: string, from = 0) => {
        const { segments, upTo } = store.portionAfter(from, Infinity, reading(patterns, username));
        return [segments.map(({ position }) => position), upTo];
      };
      assertEquals(positions(["lab"]), [[1, 6], 10]);
      assertEquals(positions(["quiet"], "anna"), [[7, 9], 10]);
      assertEquals(positions(["", "lab/door"]), [[1, 2, 5, 7], 10]);
      assertEquals(positions([]), [[], 10]);
      assertEquals(positions([], undefined, 10), [[], 10]);
    });
  });

  Deno.test(`${name} forget() forgets channels by limits of their own, and leaves numbers and channels`, () => {
    use((opened, reopen) => {
      const log = new ChannelLog();
      const commit = (entries: readonly ChannelEntry[], takenAt: number) =>
        opened.commit(batchOf({ segments: log.turn(entries, takenAt) }));
      commit([{ channel: "lab" }, {}, { channel: "hall" }, { channel: "lab/door" }, {}], 10);
      commit([{ channel: "lab" }], 20);
      commit([{ channel: "hall" }], 30);
      commit([{ channel: "lab" }], 40);
      const vector = opened.vectorAt(4);
      const forgotten = forgetAll(opened, { ...KEEP_ALL, channels: [limitsOf("lab/**", { takenBefore: 35 })] });
      assertEquals(forgotten, { lab: 2, "lab/door": 1 });
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        assertEquals(linesOf(store, "**"), ["a:2 ", "a:3 hall", "a:5 ", "a:7 hall", "a:8 lab"]);
        assertEquals(linesOf(store, "lab/**"), ["a:8 lab"]);
        // A reader is told what it lacks of its channels, and nothing else.
        assertEquals(gapsOf(store, 0, "hall", ""), []);
        assertEquals(gapsOf(store, 0, "lab"), [{ origin: "a", first: 1, last: 6 }]);
        assertEquals(gapsOf(store, 5, "lab"), [{ origin: "a", first: 6, last: 6 }]);
        assertEquals(gapsOf(store, 6, "lab"), []);
        assertEquals(gapsOf(store, 3, "lab/door"), [{ origin: "a", first: 4, last: 4 }]);
        assertEquals(gapsOf(store, 4, "lab/door"), []);
        assertEquals(store.missing({}).gaps, [{ origin: "a", first: 1, last: 6 }]);
        // Everything else is as it was.
        assertEquals(store.segmentsAfter(0, Infinity).map(({ first, last }) => [first, last]), [
          ...[[1, 5], [6, 6], [7, 7], [8, 8]],
        ]);
        assertEquals(store.segmentsAfter(0, Infinity).map(lostLinesIn), [
          [{ name: "lab", last: 1 }, { name: "lab/door", last: 4 }],
          [{ name: "lab", last: 6 }],
          ...[[], []],
        ]);
        assertEquals(store.segmentOf("a", 1)?.position, 1);
        assertEquals([store.vectorAt(4), store.missing({}).activities], [vector, 8]);
        assertEquals(store.beginning(), {
          oldest: { origin: "a", sequence: 1, position: 1, takenAt: 10 },
          isWhole: false,
        });
      }
    });
  });

  Deno.test(`${name} forget() keeps so many bytes of the channels of a limit, the newest, and counts what is kept`, () => {
    use((opened, reopen) => {
      const log = new ChannelLog();
      const size = "a:19 lab/1\n".length;
      for (let turn = 1; turn <= 9; turn++) {
        opened.commit(batchOf({ segments: log.turn([{ channel: `lab/${turn % 2}` }, { channel: "hall" }, {}]) }));
      }
      const limits = { ...KEEP_ALL, channels: [limitsOf("lab/0"), limitsOf("lab/*", { maxBytes: 2 * size })] };
      const kept = (store: Store): Record<string, unknown> => {
        const { channels, ...others } = store.keptByChannel();
        return { ...Object.fromEntries(channels), ...others };
      };
      forgetAll(opened, limits);
      const store = reopen();
      forgetAll(store, limits);
      // Of two limits that want a channel the first counts.
      assertEquals(linesOf(store, "lab/0").length, 4);
      assertEquals(linesOf(store, "lab/1"), ["a:19 lab/1", "a:25 lab/1"]);
      const bytes = (...patterns: string[]) => linesOf(store, ...patterns).join("\n").length + 1;
      assertEquals(kept(store), {
        ...{ "lab/0": bytes("lab/0"), "lab/1": bytes("lab/1"), hall: bytes("hall") },
        ...{ othersBytes: 0, plainBytes: bytes(""), isComplete: true },
      });
      // The bound of all counts what is kept alone.
      const all = bytes("**");
      assertEquals(store.forget({ ...limits, maxBytes: all }).entries, 0);
      assertEquals(store.forget({ ...limits, maxBytes: all - 1 }).entries, 3);
      assertEquals(kept(store).plainBytes, bytes(""));
      assertEquals(kept(store)["hall"], bytes("hall"));
    });
  });

  Deno.test(`${name} forget() tells readers of a channel alone that it is forgotten, whatever forgets it`, () => {
    use((store) => {
      const log = new ChannelLog();
      store.commit(batchOf({ segments: log.turn([{ channel: "lab" }, { channel: "hall" }], 10) }));
      store.commit(batchOf({ segments: log.turn([{}, { channel: "hall" }, { channel: "hall" }], 20) }));
      store.commit(batchOf({ segments: log.turn([{}], 30) }));
      assertEquals(store.forget({ ...KEEP_ALL, takenBefore: 30 }).entries, 5);
      assertEquals(gapsOf(store, 0, "lab"), [{ origin: "a", first: 1, last: 1 }]);
      assertEquals(gapsOf(store, 1, "lab"), []);
      assertEquals(gapsOf(store, 1, "hall"), [{ origin: "a", first: 2, last: 5 }]);
      assertEquals(gapsOf(store, 2, ""), [{ origin: "a", first: 3, last: 3 }]);
      assertEquals(gapsOf(store, 3, "", "lab"), []);
      // A hole may be of any channel.
      const [segment] = log.turn([{ channel: "lab" }]);
      store.commit(batchOf({ segments: [{ ...segment!, first: 9, last: 9 }] }));
      assertEquals(gapsOf(store, 3, "nothing"), [{ origin: "a", first: 4, last: 8 }]);
    });
  });

  Deno.test(`${name} keeps what was forgotten of a channel before it came: a number, and a gap for who reads it`, () => {
    use((opened, reopen) => {
      const log = new ChannelLog();
      const gone = { kind: "channel" as const, name: "lab", isForgotten: true as const };
      const entries = [{ channel: "hall" }, { audience: gone, line: "\n" }, {}, { audience: gone, line: "\n" }];
      const segments = log.turn(entries);
      opened.commit(batchOf({ segments }));
      for (const ask of [() => opened, reopen]) {
        const store = ask();
        assertEquals(store.segmentsAfter(0, Infinity), segments);
        assertEquals(linesOf(store, "**"), ["a:1 hall", "a:3 "]);
        assertEquals(gapsOf(store, 0, "lab"), [{ origin: "a", first: 1, last: 4 }]);
        assertEquals(gapsOf(store, 3, "lab"), [{ origin: "a", first: 4, last: 4 }]);
        assertEquals(gapsOf(store, 0, "hall", ""), []);
      }
    });
  });

  Deno.test(`${name} forget() leaves what a reader of every line would keep, and tells what it lost`, () => {
    const channel = fc.constantFrom("lab", "lab/a", "hall", "many", undefined);
    const turn = fc.array(fc.record({ channel, long: fc.nat(3) }), { minLength: 1, maxLength: 6 });
    const limit = fc.record({ pattern: fc.constantFrom("lab", "lab/**", "hall", "**"), age: fc.nat(12) });
    const checked = fc.property(
      fc.array(turn, { maxLength: 10 }),
      fc.array(limit, { maxLength: 3 }),
      (turns, rules) => {
        use((store) => {
          const log = new ChannelLog();
          const lines: { channel: string; line: string; takenAt: number; sequence: number }[] = [];
          turns.forEach((entries, takenAt) => {
            const segments = log.turn(
              entries.map(({ channel, long }) => ({
                ...(channel === undefined ? {} : { channel }),
                text: "x".repeat(long * 4_000),
              })),
              takenAt,
            );
            store.commit(batchOf({ segments }));
            for (const { channel = "", long } of entries) {
              const sequence = lines.length + 1;
              lines.push({ channel, takenAt, sequence, line: `a:${sequence} ${channel}${"x".repeat(long * 4_000)}` });
            }
          });
          const limits = rules.map(({ pattern, age }) => limitsOf(pattern, { takenBefore: age }));
          forgetAll(store, { ...KEEP_ALL, channels: limits });
          const isLost = ({ channel, takenAt }: (typeof lines)[number]) =>
            channel !== "" && takenAt < (limits.find(({ filter }) => filter.wants(channel))?.takenBefore ?? 0);
          for (const patterns of [["lab"], ["lab/**", ""], ["hall"], ["**"]]) {
            const { filter } = reading(patterns);
            const wanted = lines.filter(({ channel }) => filter.wants(channel));
            assertEquals(linesOf(store, ...patterns), wanted.filter((line) => !isLost(line)).map(({ line }) => line));
            for (let has = 0; has <= lines.length; has++) {
              const last = wanted.findLast((line) => isLost(line) && line.sequence > has)?.sequence;
              const gaps = last === undefined ? [] : [{ origin: "a", first: has + 1, last }];
              assertEquals(gapsOf(store, has, ...patterns), gaps);
            }
          }
        });
      },
    );
    fc.assert(checked, { numRuns: 25 });
  });
}
