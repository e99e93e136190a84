/** The index of used message ids against a plain map: crashes, cuts, forgetting and merging in any order. */

import fc from "fast-check";
import { Bench, settleIo, withFolders } from "./_bench.ts";

type Command =
  | { readonly kind: "turn"; readonly origin: string; readonly fresh: number; readonly anonymous: number }
  | { readonly kind: "repeat" | "plain" | "direct"; readonly count: number }
  | { readonly kind: "settle" | "crash" | "reopen" | "forget" | "cut" | "power" | "bury" }
  | { readonly kind: "turns"; readonly ticks: number };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("turn" as const),
      origin: fc.constantFrom("a", "b", "c"),
      fresh: fc.nat({ max: 15 }),
      anonymous: fc.nat({ max: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("repeat" as const, "plain" as const, "direct" as const),
      count: fc.integer({ min: 1, max: 9 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("turns" as const), ticks: fc.nat({ max: 12 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom("settle" as const, "crash" as const, "forget" as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("reopen" as const, "cut" as const, "power" as const, "bury" as const),
    }),
  },
);

const SMALL_RUNS = 25;

Deno.test("IdIndex answers as a plain map does, whatever happens", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { minLength: 20, maxLength: 90, size: "max" }),
      (commands) =>
        withFolders(async (next) => {
          const bench = new Bench(next);
          const { log, model } = bench;
          let now = 1_000;
          // The turn in which something is cut waits for the disk: no power cut takes what is before it.
          let synced = 0;
          for (const command of commands) {
            now += 10;
            if (command.kind === "turn") {
              bench.turn(command.origin, now, [
                ...bench.fresh(command.fresh),
                ...bench.fresh(command.anonymous, "anonymous"),
              ]);
            } else if (command.kind === "repeat") {
              // Those of old times are new again when they were forgotten.
              const all = [...model.ever.values()];
              bench.turn("a", now, [...all.slice(-command.count), ...all.slice(0, 3 * command.count)]);
            } else if (command.kind === "plain") {
              bench.turn("b", now, Array(command.count * 10).fill({ username: "bob", messageId: undefined }));
            } else if (command.kind === "direct") bench.turn("a", now, bench.fresh(command.count, "eve"), true);
            else if (command.kind === "turns") {
              for (let tick = 0; tick < command.ticks; tick++) await Deno.stat(bench.folder);
            } else if (command.kind === "settle") await bench.index.settled();
            else if (command.kind === "crash") bench.crash();
            else if (command.kind === "reopen") bench.reopen();
            else if (command.kind === "forget") {
              model.usedBefore = now - 150;
              bench.index.forget(model.usedBefore);
            } else if (command.kind === "bury") {
              log.buried.add("c");
            } else if (command.kind === "cut") {
              const after = Math.floor((log.segments.findLast(({ origin }) => origin === "b")?.last ?? 0) / 2);
              const sequence = log.segments.findLast(({ origin, last }) => origin === "b" && last <= after)?.last ?? 0;
              const position = log.segments.find(({ origin, last }) => origin === "b" && last > sequence)?.position;
              bench.isCounted = false;
              bench.index.cut("b", sequence, (position ?? log.head + 1) - 1);
              log.cut("b", sequence);
              synced = log.head;
              model.drop((used) => used.origin === "b" && used.sequence > sequence);
            } else {
              bench.isCounted = false;
              const lost = log.lose(Math.max(synced, log.head - 3));
              model.drop(({ origin, sequence }) =>
                lost.some((segment) =>
                  segment.origin === origin && segment.first <= sequence && sequence <= segment.last
                )
              );
              bench.crash();
            }
            bench.check();
          }
          await bench.index.settled();
          bench.reopen();
          bench.check();
          await bench.index.settled();
          bench.index.close();
          await settleIo(bench.folder);
        }),
    ),
    { numRuns: SMALL_RUNS, endOnFailure: true },
  );
});
