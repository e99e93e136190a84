/** The checker knows what counts as received by a plain client when its server died, and nothing else. */

import { assertEquals } from "@std/assert";
import { annAndBob, brokenIn, scheduleWith, type Told } from "./made_up_history.ts";

/** Whether ann, a plain client who was at s1 and is there again when that has died, misses something. */
function misses(told: readonly Told[]): boolean {
  const history: Told[] = [
    [0, "s1", { what: "started", serverId: "s1" }],
    ...enters(10, "c1.1"),
    ...told,
    ...enters(8_000, "c1.2"),
    [20_000, "c1", {
      what: "is",
      ...{ session: "c1.2", chain: "c1.2", username: "ann", secret: "a", connected: true },
    }],
  ];
  const broken = brokenIn(scheduleWith({ clients: annAndBob("plain", "library") }), history);
  return broken.includes("who has a name misses nothing");
}

function enters(at: number, session: string): Told[] {
  const facts = { session, chain: session, username: "ann", vector: {}, life: "c1/1" };
  return [[at, "c1", { what: "entered", ...facts }], [at, "c1", { what: "connected", session, server: "s1" }]];
}

function stored(at: number): Told {
  return [at, "s1", { what: "stored", entries: [{ id: "s1:1", isFor: "everyone", sender: "c2.1", n: 1 }] }];
}

const LOST = { what: "disconnected", session: "c1.1", reason: "", byServer: false } as const;
const DIED: Told = [5_000, "s1", { what: "died", how: "crash" }];
const STARTED: Told = [7_000, "s1", { what: "started", serverId: "s1" }];

Deno.test("a plain client may miss what its server had written and told nobody when it died, and nothing later", () => {
  assertEquals(misses([DIED, [5_010, "c1", LOST], STARTED, stored(7_000)]), false);
  assertEquals(misses([DIED, [5_010, "c1", LOST], STARTED, stored(7_001)]), true);
});

Deno.test("a plain client may miss what its server wrote to its lost connection, if that was too busy to see it and died", () => {
  const lost = (busyMs: number): Told[] => [
    [3_900, "s1", { what: "busy", ms: busyMs }],
    [4_900, "c1", LOST],
    ...[stored(5_000), DIED, STARTED],
  ];
  assertEquals(misses(lost(1_100)), false);
  assertEquals(misses(lost(900)), true);
});
