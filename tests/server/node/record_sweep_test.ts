/** Bans and invitations that have ended long ago are forgotten; nothing that holds is. */

import { assertEquals } from "@std/assert";
import { KEPT_AFTER_END_MS, RecordSweep, SWEEP_MS } from "../../../server/node/record_sweep.ts";
import { endedRecords } from "../../../server/rights/ended_records.ts";
import { INVITATIONS, USES } from "../../../server/rights/invitations.ts";
import { Records } from "../../../server/rights/records.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { NodeWorld } from "../../support/node_world.ts";

const KEY = "0".repeat(32);

function recordsOf(...records: [of: string, key: string, value: unknown][]): Records {
  const all = new Records();
  for (const [of, key, value] of records) all.take({ of, key, value, lamport: 1, origin: "a", keptAt: "a" });
  return all;
}

Deno.test("endedRecords() names bans and invitations that have an end, and had it before then", () => {
  const records = recordsOf(
    ["ban", "eve", { until: 10, by: "" }],
    ["ban", "mia", { by: "" }],
    ["ban", "tom", null],
    ["bannedAddress", "10.0.0.0/8", { until: 10, by: "" }],
    ["disabled", "eve", { by: "", until: 1 }],
    [INVITATIONS, KEY, { uses: 2, until: 10 }],
    [INVITATIONS, "1".repeat(32), { uses: 1, until: null }],
    [USES, `${KEY}:1`, "anna"],
    [USES, `${"1".repeat(32)}:1`, "bob"],
  );
  assertEquals(endedRecords(records, 10), []);
  assertEquals(endedRecords(records, 11).map(({ of, key }) => `${of} ${key}`), [
    ...["ban eve", "bannedAddress 10.0.0.0/8", `${INVITATIONS} ${KEY}`, `${USES} ${KEY}:1`],
  ]);
});

Deno.test("a calendar that is wrong for less than an hour makes nobody forget a ban", async () => {
  const clock = new FakeClock();
  const until = clock.wallMs() + 1_000;
  const all = recordsOf(["ban", "eve", { until, by: "" }]);
  const forgotten: string[] = [];
  let aheadMs = 0;
  const sweep = new RecordSweep({
    clock: { after: (ms, run) => clock.after(ms, run), wallMs: () => clock.wallMs() + aheadMs },
    records: { all, forget: (of, key) => void all.forget(of, key) },
    forgot: (of, key) => void forgotten.push(`${of} ${key}`),
  });
  aheadMs = 2 * KEPT_AFTER_END_MS;
  sweep.begin();
  await clock.run(SWEEP_MS);
  aheadMs = 0;
  await clock.run(SWEEP_MS);
  aheadMs = 2 * KEPT_AFTER_END_MS;
  await clock.run(SWEEP_MS);
  assertEquals(forgotten, []);
  await clock.run(SWEEP_MS);
  assertEquals(forgotten, ["ban eve"]);
  assertEquals([...all.of("ban")], []);
  sweep.stop();
});

Deno.test("a server forgets a ban that has ended, and its address is known to nobody any more", async () => {
  const world = await NodeWorld.start();
  const { records } = world.node;
  const ended = { until: world.clock.wallMs() - KEPT_AFTER_END_MS - 1, by: "192.0.2.7" };
  records.set({ of: "bannedAddress", key: "10.1.0.0/16", value: ended });
  records.set({ of: "bannedAddress", key: "10.2.0.0/16", value: { by: "192.0.2.7" } });
  await world.clock.run(2 * SWEEP_MS);
  assertEquals([...records.all.of("bannedAddress")].map(([key]) => key), ["10.2.0.0/16"]);
  await world.stop();
});
