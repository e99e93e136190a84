import { assertEquals } from "@std/assert";
import type { ClientEvent } from "../../../../client/options.ts";
import { NO_OUTAGE, stepOutage } from "../../../../client/terminal/chat/outage.ts";

const here = { host: "127.0.0.1", port: 8000 };
const there = { host: "::1", port: 8001 };
const connected = { kind: "connected", server: here, serverId: "s", returned: true, missed: 0 } as const;
const lost = { kind: "lost", reason: "CONNECTION_RESET", info: "the network broke it", byServer: false } as const;
const unreachable = { kind: "unreachable", server: here, info: "refused" } as const;
const caughtUp = { kind: "caughtUp", replayed: 3, offline: 2 } as const;

function told(...events: ClientEvent[]): string[] {
  let outage = NO_OUTAGE;
  return events.flatMap((event) => {
    const step = stepOutage(outage, event);
    outage = step.outage;
    return step.notice === undefined ? [] : [step.notice.text];
  });
}

const DOWN = "Server is down. Connecting to a backup server …";

Deno.test("stepOutage() tells an outage in one line and its end in another", () => {
  assertEquals(
    told(
      { ...connected, returned: false },
      caughtUp,
      lost,
      unreachable,
      unreachable,
      { ...connected, server: there },
      {
        ...caughtUp,
      },
      { ...lost, byServer: true, reason: "SERVER_STOPPING" },
      connected,
      { ...caughtUp, replayed: 0, offline: 0 },
    ),
    [
      DOWN,
      "Connected to [::1]:8001, caught up with 5",
      DOWN,
      "Connected to 127.0.0.1:8000",
    ],
  );
});

Deno.test("stepOutage() takes a backup server that is lost too for the same outage", () => {
  assertEquals(told(lost, lost, { ...connected, server: there }, lost, connected, caughtUp), [
    DOWN,
    "Connected to 127.0.0.1:8000, caught up with 5",
  ]);
});

Deno.test("stepOutage() is quiet when the client is moved, and when it ends for good", () => {
  assertEquals(told({ kind: "redirected", server: there }, { ...connected, server: there }, caughtUp), []);
  assertEquals(told({ ...lost, byServer: true, reason: "SESSION_REPLACED" }), []);
});

Deno.test("stepOutage() tells what is missing", () => {
  assertEquals(told({ kind: "gap", gaps: [{ origin: "s", first: 1, last: 4 }] }), [
    "the server no longer has all that you missed: s 1 to 4",
  ]);
});
