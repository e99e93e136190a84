import { assertEquals } from "@std/assert";
import type { ClientEvent } from "../../../client/options.ts";
import { NOTHING_TOLD, stepTelling, styleNotice } from "../../../client/terminal/notices.ts";
import { PLAIN } from "../../support/fake_stdio.ts";

const server = { host: "127.0.0.1", port: 8000 };

/** What is told about these events, one after the other. */
function told(...events: ClientEvent[]): string[] {
  let telling = NOTHING_TOLD;
  return events.flatMap((event) => {
    const step = stepTelling(telling, event);
    telling = step.telling;
    return step.notice === undefined ? [] : [step.notice.text];
  });
}

Deno.test("stepTelling() tells an outage once, however many attempts it takes, and its end", () => {
  const connected = { kind: "connected", server, serverId: "s", returned: false, missed: 0 } as const;
  const lost = { kind: "lost", reason: "CONNECTION_RESET", info: "the network broke it", byServer: false } as const;
  const unreachable = { kind: "unreachable", server, info: "refused" } as const;
  const waiting = { kind: "waiting", delayMs: 100 } as const;
  assertEquals(
    told(
      { kind: "connecting", server },
      connected,
      lost,
      unreachable,
      waiting,
      unreachable,
      waiting,
      { ...connected, returned: true, missed: 3 },
      { kind: "caughtUp", replayed: 3, offline: 0 },
      { ...lost, byServer: true, info: "the server is stopping" },
      unreachable,
      { ...connected, returned: true, missed: 1 },
    ),
    [
      "the connection was lost: the network broke it",
      "cannot reach 127.0.0.1:8000; reconnecting until it answers",
      "connected again, to 127.0.0.1:8000; 3 missed activities follow",
      "the server ended the connection: the server is stopping",
      "cannot reach 127.0.0.1:8000; reconnecting until it answers",
      "connected again, to 127.0.0.1:8000; 1 missed activity follows",
    ],
  );
});

Deno.test("stepTelling() tells gaps, and what came twice", () => {
  const gaps = [{ origin: "s", first: 1, last: 4 }, { origin: "t", first: 7, last: 7 }, {
    origin: "u",
    first: 2,
    last: null,
  }];
  assertEquals(told({ kind: "gap", gaps }, { kind: "duplicate", id: "s:7" }), [
    "the server no longer has all that you missed: s 1 to 4, t 7, u from 2 on",
    "left out an activity that came twice: s:7",
  ]);
});

Deno.test("stepTelling() tells of activities that do not fit, and of another server", () => {
  assertEquals(
    told(
      { kind: "overflow", what: "activities", comesAgain: true },
      { kind: "overflow", what: "presence", comesAgain: false },
      { kind: "redirected", server: { host: "127.0.0.1", port: 8001 } },
    ),
    [
      "more activities come than fit: the rest follows",
      "more comings and goings come than fit: some are left out",
      "moved to 127.0.0.1:8001",
    ],
  );
});

Deno.test("styleNotice() makes other people's words harmless", () => {
  const style = { ...PLAIN, yellow: (text: string) => `<${text}>` };
  assertEquals(styleNotice({ tone: "warning", text: "ended: \x1b[2J" }, style), "<ended: \\u001b[2J>");
});

Deno.test("that something waits for another server is told once, until there is another connection", () => {
  const pending = { kind: "pending", messageId: "m", info: "it waits" } as const;
  const first = stepTelling(NOTHING_TOLD, pending);
  assertEquals(first.notice, { tone: "warning", text: "not acknowledged yet: it waits" });
  assertEquals(stepTelling(first.telling, { ...pending, messageId: "n" }), { telling: first.telling });
});
