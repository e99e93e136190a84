import { assert, assertEquals } from "@std/assert";
import { Failover, MAX_REDIRECTS } from "../../../client/failover/failover.ts";

const a = { host: "a", port: 1 };
const b = { host: "b", port: 1 };
const c = { host: "c", port: 1 };
const backups = [{ serverId: "sb", ...b }, { serverId: "sc", ...c }];
const gone = { kind: "lost", reason: "CONNECTION_RESET", info: "" } as const;

/** A moment, without luck. */
function now(at: number) {
  return { at, chance: 0.999 };
}

Deno.test("Failover goes to the best backup when a server is lost, then to the others, and last to the one that was lost", () => {
  const failover = new Failover([a], {});
  failover.opened(0);
  assertEquals(failover.backups(backups, "sa"), [b, c]);
  assertEquals(failover.server, a);
  assertEquals(failover.lost(now(60_000), gone), { kind: "call", delayMs: 999 });
  const called = [failover.server];
  for (let turn = 0; turn < 3; turn++) {
    failover.unreachable(now(61_000));
    called.push(failover.server);
  }
  assertEquals(called, [b, c, a, b]);
});

Deno.test("Failover prefers backups to the other servers that it was given", () => {
  const failover = new Failover([a, { host: "d", port: 1 }], {});
  failover.opened(0);
  failover.backups(backups, "sa");
  failover.lost(now(60_000), gone);
  assertEquals(failover.server, b);
});

Deno.test("Failover does as the server said that ended the connection", () => {
  const end = { kind: "endedByServer", reason: "SERVER_STOPPING", info: "", advice: "now", retryAfterMs: 0 } as const;
  const next = (how: Partial<Parameters<Failover["lost"]>[1]>) => {
    const failover = new Failover([a, b], {});
    failover.opened(0);
    return failover.lost(now(60_000), { ...end, ...how } as typeof end);
  };
  assertEquals(next({}), { kind: "call", delayMs: 0 });
  assertEquals(next({ retryAfterMs: 50 }), { kind: "call", delayMs: 50 });
  assertEquals(next({ reason: "HEARTBEAT_TIMEOUT" }), { kind: "call", delayMs: 999 });
  assertEquals(next({ reason: "SERVER_FAILED", advice: "backoff" }), { kind: "call", delayMs: 999 });
  assertEquals(next({ reason: "NAME_LOST", advice: "never" }), { kind: "giveUp" });
});

Deno.test("Failover does not take the server that it is at for its own backup", () => {
  const failover = new Failover([a], {});
  assertEquals(failover.backups([{ serverId: "sa", host: "alias", port: 1 }, ...backups], "sa"), [b, c]);
});

Deno.test("Failover calls the next server when one ends the connection before the login", () => {
  const failover = new Failover([a, b], {});
  assertEquals(failover.lost(now(0), gone), { kind: "call", delayMs: 0 });
  assertEquals(failover.server, b);
  assertEquals(failover.lost(now(0), gone), { kind: "giveUp" });
});

Deno.test("Failover tries every server once for a client that has never been logged in, without a pause", () => {
  const failover = new Failover([a, b, c], {});
  assertEquals(failover.unreachable(now(0)), { kind: "call", delayMs: 0 });
  assertEquals(failover.unreachable(now(0)), { kind: "call", delayMs: 0 });
  assertEquals(failover.unreachable(now(0)), { kind: "giveUp" });
});

Deno.test("Failover follows redirects at once, and counts those of one journey", () => {
  const failover = new Failover([a], {});
  failover.opened(0);
  assertEquals(failover.redirected(now(1), b), { kind: "call", delayMs: 0 });
  assertEquals([failover.server, failover.redirects], [b, 1]);
  failover.opened(2);
  failover.redirected(now(3), c);
  assertEquals(failover.redirects, 2);
  // An hour later a server moves the client: that is another journey.
  failover.opened(4);
  failover.redirected(now(3_600_000), a);
  assertEquals(failover.redirects, 1);
  // And so is the search for another server.
  failover.opened(3_600_001);
  failover.lost(now(3_600_002), gone);
  assertEquals(failover.redirects, 0);
});

Deno.test("Failover comes back to a server that sent a new client to one that does not answer", () => {
  const failover = new Failover([a], {});
  for (let journey = 1; journey <= 3; journey++) {
    assertEquals(failover.redirected(now(0), b), { kind: "call", delayMs: 0 });
    assertEquals(failover.unreachable(now(0)), { kind: "call", delayMs: 0 });
    assertEquals([failover.server, failover.redirects], [a, journey]);
  }
  // The third time the server keeps it; unless it is gone now.
  assertEquals(failover.unreachable(now(0)), { kind: "giveUp" });
});

Deno.test("Failover gives up a new client that is sent in circles", () => {
  const failover = new Failover([a], {});
  for (let turn = 0; turn < MAX_REDIRECTS; turn++) failover.redirected(now(turn), b);
  assertEquals(failover.redirected(now(9), a), { kind: "giveUp" });
});

Deno.test("Failover pauses when it is sent in circles, and does not give up a client that was logged in", () => {
  const failover = new Failover([a], {});
  failover.opened(0);
  for (let turn = 0; turn < MAX_REDIRECTS; turn++) {
    assertEquals(failover.redirected(now(turn), b), { kind: "call", delayMs: 0 });
  }
  const next = failover.redirected(now(9), a);
  assert(next.kind === "call" && next.delayMs > 0, JSON.stringify(next));
});

Deno.test("Failover does not hold old failures against a client that was redirected after a good connection", () => {
  const failover = new Failover([a], { giveUpAfterMs: 30_000 });
  failover.opened(0);
  failover.lost(now(1), gone);
  failover.opened(2);
  failover.redirected(now(3_600_000), b);
  assertEquals(failover.unreachable(now(3_600_001)).kind, "call");
});

Deno.test("Failover believes a server that does not know the user only when none of several ever does", () => {
  const alone = new Failover([a], {});
  alone.opened(0);
  assertEquals(alone.refused(now(1), "UNKNOWN_USER"), { kind: "giveUp" });
  const stranger = new Failover([a, b], {});
  assertEquals(stranger.refused(now(1), "UNKNOWN_USER"), { kind: "giveUp" });
  const known = new Failover([a, b], {});
  known.opened(0);
  known.lost(now(1), gone);
  const answers = Array.from({ length: 6 }, (_, turn) => known.refused(now(turn), "UNKNOWN_USER").kind);
  assertEquals(answers, ["call", "call", "call", "call", "call", "giveUp"]);
  known.opened(10);
  assertEquals(known.refused(now(11), "UNKNOWN_USER").kind, "call");
});
