/** docs/alerts.yml: that it is YAML as Prometheus wants it, and asks for what a server tells. */

import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/yaml/parse";
import { LoopDelay } from "../../server/gateway/http/loop_delay.ts";
import { METRIC_NAMES, PrometheusMetrics } from "../../server/gateway/http/metrics.ts";
import { NodeWorld } from "../support/node_world.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly action?: string };
}

const { groups } = parse(await Deno.readTextFile(new URL("../../docs/alerts.yml", import.meta.url))) as {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
};
const rules = groups.flatMap(({ rules }) => rules);

/** Functions, operators and words of PromQL that the rules use. */
const WORDS = [
  "up",
  "and",
  "by",
  "on",
  "sum",
  "max",
  "rate",
  "increase",
  "histogram_quantile",
  "offset",
  "abs",
  "time",
];

Deno.test("every alert has a name of its own, a severity, a span and a sentence", () => {
  assertEquals(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const rule of rules) {
    assert(/^Thrum[A-Za-z]+$/.test(rule.alert), rule.alert);
    assert(["page", "ticket"].includes(rule.labels.severity), rule.alert);
    assert(rule.for === undefined || /^\d+[smh]$/.test(rule.for), rule.alert);
    assert(rule.annotations.summary.length > 10, rule.alert);
    assert(rule.labels.severity !== "page" || rule.annotations.action !== undefined, `${rule.alert} wakes somebody`);
    const known = ["alert", "expr", "for", "labels", "annotations"];
    assertEquals(Object.keys(rule).filter((key) => !known.includes(key)), []);
  }
});

Deno.test("every alert asks for metrics, labels and values that a server has from its start", async () => {
  const world = await NodeWorld.start({});
  const { text } = await new PrometheusMetrics(world.node, world.clock, new LoopDelay(world.clock)).scrape();
  for (const { alert, expr } of rules) {
    let depth = 0;
    for (const sign of expr) depth += sign === "(" ? 1 : sign === ")" ? -1 : 0;
    assertEquals(depth, 0, alert);
    const selectors = expr.replaceAll(/\b(?:by|on) \([^)]*\)/g, "");
    for (const [, name, matchers = ""] of selectors.matchAll(/([a-z_]+)(?:\{([^}]*)\})?/g)) {
      if (WORDS.includes(name!) || name === "m" || matchers.includes("job=")) continue;
      if (!/^(?:thrum|process)_/.test(name!)) continue;
      assert(METRIC_NAMES.includes(name!.replace(/_(?:bucket|sum|count)$/, "")), `${alert}: ${name}`);
      for (const [, label, , value] of matchers.matchAll(/(\w+)(=~|!=|=)"([^"]*)"/g)) {
        for (const one of value!.split("|")) {
          assert(
            new RegExp(`^${name}\\{[^}]*${label}="${one}"`, "m").test(text) || name === "thrum_store_bytes",
            `${alert}: ${one}`,
          );
        }
      }
    }
  }
  const stopped = world.node.stop();
  await world.clock.run(5_000);
  await stopped;
});

Deno.test("no alert matches a vector with a number, which Prometheus refuses", () => {
  for (const { alert, expr } of rules) {
    const bare = expr.replaceAll(/\[[^\]]*\]/g, "");
    assert(!/[\d.]+ *[-+*/<>=!]+ *(?:on|ignoring|group_left|group_right)\b/.test(bare), alert);
    assert(!/\b(?:on|ignoring) *\([^)]*\) *[\d.]+/.test(bare), alert);
  }
});

const promtool = await isInstalled("promtool");

Deno.test("promtool takes docs/alerts.yml", { ignore: !promtool }, async () => {
  const args = ["check", "rules", new URL("../../docs/alerts.yml", import.meta.url).pathname];
  const { success, stdout, stderr } = await new Deno.Command("promtool", { args }).output();
  assert(success, new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout));
});

/** Whether the program is installed. */
async function isInstalled(program: string): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

Deno.test("every name in an alert is a metric or a word of PromQL", () => {
  for (const { alert, expr } of rules) {
    const words = expr.replaceAll(/\{[^}]*\}|\[[^\]]*\]|\b(?:by|on) \([^)]*\)|offset \S+|[\d.]+/g, " ").match(
      /[a-z_]+/g,
    )!;
    for (const word of words) assert(WORDS.includes(word) || /^(?:thrum|process)_/.test(word), `${alert}: ${word}`);
  }
});
