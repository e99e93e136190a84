import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Counter, counterOf, MarkedLineCounter } from "../../bench/load/counters.ts";
import type { ChannelsJob } from "../../bench/load/job.ts";
import { compileGenerator } from "../../bench/load/native.ts";
import { serve } from "../../mod.ts";
import { resultOf, withServer } from "./_native.ts";

/** Compiled once for all tests of this file. `undefined` where there is no compiler. */
const folder = Deno.makeTempDirSync({ prefix: "thrum-generator-" });
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const compiled = compileGenerator(folder);
const path = "path" in compiled ? compiled.path : undefined;
const hasCompiler = path !== undefined;
if (!hasCompiler) console.log(`Skipped: the generator in C; ${"reason" in compiled ? compiled.reason : ""}`);

/** What the generator counts by `rule` in `text`, which comes in pieces of `piece` bytes. */
async function counted(rule: string, text: string, piece: number): Promise<number> {
  const args = ["kind=count", `deliveries=${rule}`, `window=${piece}`, "deadline=30000"];
  const child = new Deno.Command(path!, { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { counted, upTo } = JSON.parse(new TextDecoder().decode((await child.output()).stdout));
  return upTo > 0 ? upTo : counted;
}

Deno.test({
  name: "the generator in C compiles where there is a compiler",
  ignore: "reason" in compiled && compiled.reason.includes("cannot be started"),
  fn: () => assert("path" in compiled, JSON.stringify(compiled)),
});

Deno.test({
  name: "the generator in C counts as the one in TypeScript, whatever the pieces",
  ignore: !hasCompiler,
  fn: async () => {
    const frame = "MSG\r\nab\r\n";
    const texts: readonly (readonly [rule: string, counter: () => Counter, text: string])[] = [
      ["lines", () => counterOf("lines"), "x".repeat(30) + "\n" + ("x".repeat(31) + "\n").repeat(9) + "xx"],
      ["frames:M:9", () => counterOf("frames:M:9"), `${frame}PING\r\n${frame}${frame}-ERR\r\nPING\r\n${frame}MSG`],
      ["marked:A_ACK", () => new MarkedLineCounter("A_ACK"), "A_ACK 1\nA_B 2\n\nA_ACK 3\nA_ACK"],
      [
        "marked:A_",
        () => new MarkedLineCounter("A_"),
        'A_ a#001\nA_ "upTo":31\nA_ "upTo":44\n',
      ],
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...texts),
        fc.integer({ min: 1, max: 40 }),
        async ([rule, make, text], piece) => {
          assertEquals(
            await counted(rule, text, piece),
            make().push(new TextEncoder().encode(text)),
            `${rule} by ${piece}`,
          );
        },
      ),
      { numRuns: 40 },
    );
  },
});

Deno.test({
  name: "the generator in C finds every delivery of a fan-out, and measures its latency",
  ignore: !hasCompiler,
  fn: async () => {
    const spans = { warmupMs: 20, measureMs: 60, deadlineMs: 30_000 };
    await withServer(async (server) => {
      const fanout = await resultOf(path!, { kind: "fanout", subscribers: 5, window: 64, ...server, ...spans });
      assert(fanout.kind === "rate" && fanout.perS > 0, JSON.stringify(fanout));
      const latency = await resultOf(path!, { kind: "latency", subscribers: 5, ratePerS: 1_000, ...server, ...spans });
      assert(
        latency.kind === "latency" && latency.p99Ms > 0 && latency.p99Ms <= latency.maxMs,
        JSON.stringify(latency),
      );
      const filled = await resultOf(path!, { kind: "fill", entries: 1_000, window: 64, ...server, deadlineMs: 30_000 });
      assert(filled.kind === "rate", JSON.stringify(filled));
    });
  },
});

Deno.test({
  name: "the generator in C says so when a delivery is lost, or comes twice",
  ignore: !hasCompiler,
  fn: async () => {
    const spans = { warmupMs: 0, measureMs: 30, deadlineMs: 300 };
    for (
      const [copies, expected] of [[0, "not done within its time"], [
        2,
        /a receiver got \d+ of \d+ publications/,
      ]] as const
    ) {
      await withServer(async (server) => {
        const result = await resultOf(path!, { kind: "fanout", subscribers: 2, window: 8, ...server, ...spans });
        assert(result.kind === "failure", JSON.stringify(result));
        assert(result.message.search(expected) >= 0, result.message);
      }, copies);
    }
  },
});

const CHANNELS = { kind: "channels", channels: 7, subscribers: 3, window: 64 } as const;

Deno.test({
  name: "the generator in C reads channels, each or all, and finds every delivery of a server that knows them",
  ignore: !hasCompiler,
  fn: async () => {
    await using server = await serve({ server: { port: 0 }, store: { ephemeral: true } });
    for (const readAll of [false, true]) {
      const times = { warmupMs: 20, measureMs: 60, deadlineMs: 30_000 };
      const at = { wire: "lines", port: server.port, serverPid: Deno.pid } as const;
      const result = await resultOf(path!, { ...CHANNELS, readAll, ...at, ...times });
      assert(result.kind === "rate" && result.perS > 0, JSON.stringify(result));
    }
  },
});

Deno.test({
  name: "the generator in C says so when a server sends a channel to who reads another one",
  ignore: !hasCompiler,
  fn: () =>
    withServer(async (server) => {
      const times = { warmupMs: 0, measureMs: 30, deadlineMs: 5_000 };
      const result = await resultOf(path!, { ...CHANNELS, readAll: false, ...server, ...times } satisfies ChannelsJob);
      assert(result.kind === "failure", JSON.stringify(result));
      assert(/a receiver got \d+ of \d+ publications/.test(result.message), result.message);
    }),
});

Deno.test({
  name: "the generator in C counts answers to single activities and to ranges, and deliveries beside them",
  ignore: !hasCompiler,
  fn: async () => {
    for (const answers of ["single", "range"] as const) {
      await withServer(
        async (server) => {
          const job = {
            kind: "ack",
            publishers: 3,
            window: 64,
            warmupMs: 0,
            measureMs: 50,
            deadlineMs: 30_000,
          } as const;
          const result = await resultOf(path!, { ...job, ...server });
          assert(result.kind === "rate" && result.perS > 0, JSON.stringify(result));
          assert(answers === "range" || result.deliveriesEach! > 2, JSON.stringify(result));
        },
        1,
        answers,
      );
    }
  },
});
