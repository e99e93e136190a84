import { assert, assertEquals } from "@std/assert";
import { ConnectError, ConnectionEndedError } from "../../../../client/errors.ts";
import { PendingLines } from "../../../../client/terminal/chat/pending_lines.ts";

const server = { host: "127.0.0.1", port: 8000 };
const connected = { kind: "connected", server, serverId: "s", returned: true, missed: 0 } as const;
const broken = { kind: "lost", reason: "CONNECTION_RESET", info: "the network broke it", byServer: false } as const;
const ended = { ...broken, reason: "SERVER_STOPPING", info: "the server is stopping", byServer: true } as const;

/** Lines of which one was typed before the connection was lost, and one after. */
function interrupted(by: typeof broken | typeof ended = broken) {
  const pending = new PendingLines();
  pending.on({ ...connected, returned: false });
  const before = pending.add("before");
  pending.on(by);
  return { pending, before, after: pending.add("after") };
}

const texts = (notices: readonly { text: string }[]) => notices.map(({ text }) => text);

Deno.test("PendingLines.waiting() gives lines that wait for a connection, each once", () => {
  const { pending, before } = interrupted();
  assertEquals(pending.waiting(), [
    { tone: "plain", text: "waiting to be sent: before" },
    { tone: "plain", text: "waiting to be sent: after" },
  ]);
  pending.remove(before);
  pending.add("more");
  assertEquals(texts(pending.waiting()), ["waiting to be sent: more"]);
  pending.on(connected);
  pending.add("quick");
  assertEquals(pending.waiting(), []);
});

Deno.test("PendingLines.left() tells what the server may have from what it cannot have", () => {
  const { pending, before } = interrupted();
  assertEquals(texts(pending.left()), ["not acknowledged: before", "not sent: after"]);
  pending.remove(before);
  assertEquals(texts(pending.left()), ["not sent: after"]);
  pending.on(connected);
  assertEquals(texts(pending.left()), ["not acknowledged: after"]);
});

Deno.test("PendingLines.failure() is the server's end of the connection, or that there is none", () => {
  const stopped = interrupted(ended);
  assertEquals(
    stopped.pending.failure("h:1")?.message,
    "2 lines were not acknowledged, as the server ended the connection: the server is stopping",
  );
  stopped.pending.remove(stopped.before);
  const end = stopped.pending.failure("h:1");
  assert(end instanceof ConnectionEndedError);
  assertEquals(end.message, "1 line was not sent, as the server ended the connection: the server is stopping");

  const gone = interrupted();
  gone.pending.remove(gone.before);
  const none = gone.pending.failure("h:1");
  assert(none instanceof ConnectError);
  assertEquals(none.message, "1 line was not sent, as there is no connection to h:1");
});

Deno.test("PendingLines.failure() is nothing where nothing is left, and a silent server where it is connected", () => {
  const { pending, before, after } = interrupted();
  pending.on(connected);
  pending.remove(before);
  const silent = pending.failure("h:1");
  assert(silent instanceof ConnectError);
  assertEquals(silent.message, "1 line was not acknowledged, as h:1 does not answer");
  pending.remove(after);
  assertEquals(pending.failure("h:1"), undefined);
});
