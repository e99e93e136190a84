/** docs/configuration.md and the code say the same: every key, its default, and what is allowed. */

import { assert, assertEquals } from "@std/assert";
import { DEFAULT_CONFIG } from "../../config/config.ts";
import { ConfigError, parseConfig } from "../../config/load.ts";
import { METRIC_NAMES } from "../../server/gateway/http/metrics.ts";
import { LIMIT_NAMES } from "../../server/session/limits/limit_names.ts";

const rows = Deno.readTextFileSync(new URL("../../docs/configuration.md", import.meta.url))
  .matchAll(/^\| `(\w+(?:\.\w+)+)` \| `(.*)` \| (.*) \|$/gm);
const documented = [...rows].map(([, path, value, allowed]) => ({ path: path!, value: value!, allowed: allowed! }));

Deno.test("docs/configuration.md has every key with its default, in the order of the code", () => {
  assertEquals(documented.map(({ path, value }) => ({ path, value })), [...keysOf(DEFAULT_CONFIG)]);
});

Deno.test("docs/configuration.md says what is allowed in the words of a refusal", () => {
  for (const { path, allowed } of documented) {
    // No key is allowed to be an object.
    const text = path.split(".").reduceRight((below, key) => `{"${key}": ${below}}`, "{}");
    const words = /must be (.*?)(?:, not an object)?$/.exec(refusal(text))?.[1];
    assertEquals(allowed.replaceAll("`", ""), words, path);
  }
});

Deno.test("docs/configuration.md says of every limit that is counted what it protects from and what is read", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/configuration.md", import.meta.url));
  const [, table = ""] = /### Who is refused, and what is said\n([^]*?)\n## /.exec(text) ?? [];
  const rows = table.split("\n").filter((line) => line.startsWith("| ")).slice(1);
  for (const row of rows) assert(row.split("|").slice(1, -1).every((cell) => cell.trim() !== ""), row);
  for (const name of LIMIT_NAMES) assert(rows.some((row) => row.split("|")[3]!.includes(`\`${name}\``)), name);
  for (const row of rows) {
    const metric = row.split("|")[3]!;
    const isCounted = metric.includes("by limit");
    const named = [...metric.matchAll(/`(thrum_\w+)`/g)].map(([, name]) => name!);
    assert(isCounted || named.length > 0, row);
    for (const name of named) assert(METRIC_NAMES.includes(name), name);
  }
  // Each key is there, but for those that refuse nobody.
  const [, free = ""] = /above; where there is no key[^]*?\n(.*) refuse nobody\.\n/.exec(table) ?? [];
  for (const key of Object.keys(DEFAULT_CONFIG.limits)) {
    assert(free.includes(`\`${key}\``) !== rows.some((row) => row.split("|")[1]!.includes(`\`${key}\``)), key);
  }
});

function* keysOf(values: object, above = ""): Generator<{ path: string; value: string }> {
  for (const [key, value] of Object.entries(values)) {
    const path = `${above}${key}`;
    const isSection = typeof value === "object" && !Array.isArray(value);
    if (isSection) yield* keysOf(value, `${path}.`);
    else yield { path, value: JSON.stringify(value) };
  }
}

function refusal(text: string): string {
  try {
    parseConfig(text, "my.json");
  } catch (error) {
    assert(error instanceof ConfigError, String(error));
    return error.message;
  }
  throw new Error(`${text} was taken`);
}
