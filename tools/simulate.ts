/**
 * `deno task simulate`: runs the real servers and clients on a fake clock, a fake network and fake disks, in which
 * everything goes wrong that can, and checks what is promised. A seed that fails is shown with the shortest
 * schedule that still fails.
 *
 *     deno task simulate --seed 17                 one seed
 *     deno task simulate --seed 1 --seeds 1000     a thousand, from 1 on
 */

import { parseArgs } from "@std/cli/parse-args";
import { report, runSeed, shortest } from "../tests/simulation/simulate.ts";

const flags = parseArgs(Deno.args, {
  string: ["seed", "seeds", "servers", "clients", "steps"],
  boolean: ["timeline", "raw", "keep-going", "silent-cuts"],
  default: { seed: "1", seeds: "1", servers: "3", clients: "5", steps: "60" },
});
const sizes = { servers: Number(flags.servers), clients: Number(flags.clients), steps: Number(flags.steps) };
const first = Number(flags.seed);
const count = Number(flags.seeds);
const startedAt = performance.now();
let failed = 0;
const broken = new Map<string, number[]>();

for (let seed = first; seed < first + count; seed++) {
  const outcome = await runSeed(seed, sizes, flags["silent-cuts"] ? { cuts: "silent" } : {});
  if (count === 1) console.log(`seed ${seed}: history ${outcome.hash}, ${outcome.events.length} events`);
  if (flags.timeline) console.log(report(outcome));
  if (outcome.violations.length > 0) {
    failed++;
    const forgets = outcome.schedule.settings.activityRetentionBytes < 1_000_000;
    for (const promise of new Set(outcome.violations.map((violation) => violation.promise))) {
      const key = `${promise}${forgets ? " (servers forget)" : ""}`;
      broken.set(key, [...broken.get(key) ?? [], seed]);
    }
    if (flags["keep-going"]) {
      console.log(`seed ${seed}: ${outcome.violations[0]!.promise}: ${outcome.violations[0]!.what}`);
      continue;
    }
    console.log(report(flags.raw ? outcome : await shortest(outcome)));
    break;
  }
  if (count > 1 && (seed - first + 1) % 100 === 0) console.log(`${seed - first + 1} seeds, ${failed} failed`);
}

for (const [promise, seeds] of broken) {
  console.log(`${promise}: ${seeds.length} seeds, such as ${seeds.slice(0, 12).join(" ")}`);
}
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
console.log(`${failed === 0 ? "all is well" : `${failed} seeds failed`}; ${seconds} s`);
Deno.exit(failed === 0 ? 0 : 1);
