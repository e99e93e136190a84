import { assertEquals, assertMatch } from "@std/assert";
import {
  labelColumn,
  SERVER_COLUMN,
  spreadColumns,
  tableOf,
  versusColumn,
  versusLabelColumn,
} from "../../bench/figures/columns.ts";
import { linesOf, plot, scaleOf } from "../../bench/figures/plot.ts";
import { circumstances, type SavedPart } from "../../bench/figures/results.ts";
import { summary } from "../../bench/figures/summary.ts";
import { straightLine } from "../../bench/figures/statistics.ts";
import { parseFlags } from "../../bench/flags.ts";
import { allContenders } from "../../bench/contenders.ts";
import type { Figures, Measured } from "../../bench/part.ts";
import { compareVersions, versionIn } from "../../bench/peers.ts";

const perS = (figures: Figures) => figures.perS;
const row = (family: Measured["family"], name: string, label: string, ...rates: (number | null)[]): Measured => ({
  ...{ family, name, label, at: Number(label) },
  rounds: rates.map((rate) => rate === null ? null : { perS: rate }),
});

const MEASURED = [
  row("stored", "thrum", "10", 30, null, 90),
  row("nats", "nats 2.15", "10", 10, 20, 30),
  row("nats", "nats 2.9", "10", 1, 1, 1),
  row("stored", "thrum", "100", 5, 5, 5),
];

Deno.test("tables show medians with their spread, and ratios to the newest version under the same load", () => {
  const columns = [...spreadColumns("a second", perS), versusColumn("vs nats", perS, "nats")];
  const { head, rows } = tableOf("Title", [labelColumn("load"), SERVER_COLUMN], columns, MEASURED);
  assertEquals(head, ["load", "server", "a second", "min–max", "vs nats"]);
  assertEquals(rows, [
    ["10", "thrum", "60.0", "30.0–90.0", "3.00 ×"],
    ["10", "nats 2.15", "20.0", "10.0–30.0", "1.00 ×"],
    ["10", "nats 2.9", "1.00", "1.00–1.00", "0.05 ×"],
    ["100", "thrum", "5.00", "5.00–5.00", "–"],
  ]);
});

Deno.test("tables show ratios to what the same server did under another load, round by round", () => {
  const measured = [row("stored", "thrum", "10", 30, null, 90), row("stored", "thrum", "100", 3, 5, 6)];
  const { rows } = tableOf("Title", [labelColumn("load")], [versusLabelColumn("vs 100", perS, "100")], [
    ...measured,
    row("nats", "nats", "10", 30, 30, 30),
  ]);
  assertEquals(rows, [["10", "12.50 ×"], ["100", "1.00 ×"], ["10", "–"]]);
});

Deno.test("linesOf() makes a line for each server, with median and spread of each load", () => {
  const [thrum] = linesOf(MEASURED, perS);
  assertEquals(thrum, {
    name: "thrum",
    points: [{ x: 10, y: 60, low: 30, high: 90 }, { x: 100, y: 5, low: 5, high: 5 }],
  });
});

Deno.test("scaleOf() has round ticks around all values, in even steps and in powers", () => {
  assertEquals(scaleOf([0.3, 4.2], false, 0, 100).ticks, [0, 1, 2, 3, 4, 5]);
  assertEquals(scaleOf([12, 300], true, 0, 100).ticks, [10, 20, 50, 100, 200, 500]);
  assertEquals(scaleOf([10, 1e6], true, 0, 100).ticks, [10, 100, 1_000, 10_000, 100_000, 1_000_000]);
  const { at } = scaleOf([1, 100], true, 0, 100);
  assertEquals([1, 10, 100].map((value) => Math.round(at(value))), [0, 50, 100]);
  assertEquals(scaleOf([], false, 0, 100).ticks.length > 1, true);
});

Deno.test("plot() draws each line for light and dark, and quotes what it is given", () => {
  const lines = linesOf(MEASURED, perS);
  const x = { label: "load", isLog: true };
  const svg = plot({ title: 'a < b & "c"', x, panels: [{ y: { label: "rate", isLog: true }, lines }] });
  assertMatch(svg, /aria-label="a &lt; b &amp; &quot;c&quot;"/);
  assertMatch(svg, /prefers-color-scheme: dark/);
  assertEquals(svg.match(/class="line" d="M\d/g)?.length, 3 + 3);
  assertEquals(svg.includes("NaN"), false);
});

Deno.test("straightLine() goes through the first and the last point", () => {
  assertEquals([0, 5, 10].map(straightLine([[1, 3], [2, 5]])), [1, 11, 21]);
  assertEquals(straightLine([[1, 3]])(9), 3);
  assertEquals(straightLine([])(9), NaN);
});

Deno.test("versions are found in what programs say, and 2.15 is newer than 2.9", () => {
  assertEquals(versionIn("nats-server: v2.15.1"), "2.15.1");
  assertEquals(versionIn("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0"), "7.0.15");
  assertEquals(versionIn("no such option"), undefined);
  assertEquals(["2.9.10", "2.15.1", "2.15"].sort(compareVersions), ["2.9.10", "2.15", "2.15.1"]);
});

Deno.test("parseFlags() takes parts and peers more than once, and says what it does not know", () => {
  const flags = parseFlags(["--only", "ack", "--only", "soak", "--nats", "/a", "--nats", "/b"], ["ack"], ["soak"]);
  if ("text" in flags) throw new Error(flags.text);
  assertEquals([flags.only, flags.nats], [["ack", "soak"], ["/a", "/b"]]);
  for (const wrong of [["--only", "nothing"], ["--rounds", "0"], ["--quick"], ["what"]]) {
    const answer = parseFlags(wrong, ["ack"], ["soak"]);
    assertEquals("code" in answer && answer.code, 2, wrong.join(" "));
  }
  const help = parseFlags(["--help"], ["ack"], ["soak"]);
  assertEquals("code" in help && help.code, 0);
});

Deno.test("parseFlags() with --tables measures nothing, and prints Markdown", () => {
  const flags = parseFlags(["--tables", "figures"], ["ack"], []);
  if ("text" in flags) throw new Error(flags.text);
  assertEquals([flags.isTablesOnly, flags.results, flags.style], [true, "figures", "markdown"]);
});

Deno.test("summary() has the best first, whether more or less is better, and leaves out what was not measured", () => {
  const latency = (family: Measured["family"], name: string, p99Ms: number): Measured => ({
    ...{ family, name, label: "100", at: 100 },
    rounds: [{ p99Ms }],
  });
  const { rows } = summary(
    new Map([
      ["fanout", { measured: [row("stored", "thrum", "10", 30, 60), row("nats", "nats 2.15", "10", 60, 80)] }],
      ["latency", { measured: [latency("stored", "thrum", 2), latency("nats", "nats 2.15", 5)] }],
    ]),
  );
  assertEquals(rows, [
    ["p99 at 1,000/s, ms", "thrum", "nats 2.15", "2.00", "5.00", "2.50 ×", "2.50 ×–2.50 ×"],
    ["deliveries/s to 10 subscribers", "thrum", "nats 2.15", "45.0", "70.0", "0.63 ×", "0.50 ×–0.75 ×"],
  ]);
});

Deno.test("circumstances() says once where figures were taken, and that a machine was busy, or a run brief", () => {
  const saved: SavedPart = { part: "ack", taken: "2 cores", load: 0.4, isBrief: false, measured: [] };
  assertEquals(circumstances(saved, undefined), ["Taken: 2 cores."]);
  assertEquals(circumstances(saved, saved), []);
  assertEquals(circumstances({ ...saved, load: 7.25, isBrief: true }, saved), [
    "The machine did other things as well: load average 7.3 at the start.",
    "This was a brief run: its figures say nothing.",
  ]);
});

Deno.test("allContenders() has each version of a peer, and none with a setting that it does not know", () => {
  const nats = ["2.15.1", "2.9.10"].map((version) => ({ path: `/nats-${version}`, version }));
  const contenders = allContenders({ thrum: ["thrum-server"], nats, redis: [] });
  const of = (family: string) => contenders.filter((each) => each.family === family).map(({ name }) => name);
  assertEquals(of("nats"), ["nats-server, 2.15.1", "nats-server, 2.9.10"]);
  assertEquals(of("natsSynced"), ["JetStream sync always, ids, 2.15.1"]);
  assertEquals(of("redis"), []);
});
