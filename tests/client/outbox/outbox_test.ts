import { assertEquals } from "@std/assert";
import { MAX_UNACKNOWLEDGED, MAX_UNACKNOWLEDGED_BYTES, Outbox } from "../../../client/outbox/outbox.ts";

/** An outbox with notes of what it does. */
function makeOutbox() {
  const sent: string[] = [];
  const settled: string[] = [];
  const outbox = new Outbox(({ messageId }) => sent.push(messageId));
  const add = (messageId: string, bytes = 10, isSent = true) => {
    const entry = {
      to: undefined,
      messageId,
      line: new Uint8Array(bytes),
      lineAt: () => new Uint8Array(bytes),
      onAcknowledged: (id: string | undefined) => settled.push(`${messageId}=${id}`),
      onFailed: (error: Error) => settled.push(`${messageId}: ${error.message}`),
      isSent,
    };
    outbox.add(entry);
    return entry;
  };
  return { outbox, sent, settled, add };
}

Deno.test("Outbox keeps what was sent, in order, until it is acknowledged", () => {
  const { outbox, sent, settled, add } = makeOutbox();
  for (const messageId of ["m1", "m2", "m3"]) add(messageId);
  outbox.acknowledge("m2", "s:7");
  assertEquals(sent, ["m1", "m2", "m3"]);
  assertEquals(settled, ["m2=s:7"]);
  assertEquals([...outbox].map(({ messageId }) => messageId), ["m1", "m3"]);
});

Deno.test("Outbox.acknowledge() ignores what it does not know, and a second time", () => {
  const { outbox, settled, add } = makeOutbox();
  add("m1");
  outbox.acknowledge("m1", "s:1");
  outbox.acknowledge("m1", "s:1");
  outbox.acknowledge("other", "s:2");
  assertEquals(settled, ["m1=s:1"]);
  assertEquals(outbox.size, 0);
});

Deno.test("Outbox lets the next ones wait when the window is full, and sends them in the order of their coming", () => {
  const { outbox, sent, add } = makeOutbox();
  for (let index = 0; index < MAX_UNACKNOWLEDGED + 3; index++) add(`m${index}`);
  assertEquals(sent.length, MAX_UNACKNOWLEDGED);
  outbox.acknowledge("m5", "s:5");
  add("late");
  outbox.acknowledge("m6", "s:6");
  outbox.acknowledge("m7", "s:7");
  outbox.acknowledge("m8", "s:8");
  assertEquals(sent.slice(MAX_UNACKNOWLEDGED), ["m4096", "m4097", "m4098", "late"]);
  assertEquals(outbox.sent, MAX_UNACKNOWLEDGED);
});

Deno.test("Outbox counts bytes, and takes one line whatever its length", () => {
  const { outbox, sent, add } = makeOutbox();
  add("huge", MAX_UNACKNOWLEDGED_BYTES * 2);
  add("next");
  assertEquals(sent, ["huge"]);
  outbox.acknowledge("huge", "s:1");
  assertEquals(sent, ["huge", "next"]);
});

Deno.test("Outbox.fail() gives up what was sent and what waited, in order", () => {
  const { outbox, settled, add } = makeOutbox();
  add("m1", MAX_UNACKNOWLEDGED_BYTES);
  add("m2");
  outbox.fail(new Error("gone"));
  assertEquals(settled, ["m1: gone", "m2: gone"]);
  assertEquals(outbox.size, 0);
  add("m3");
  assertEquals(outbox.sent, 1);
});

Deno.test("Outbox.refuse() takes one out, and lets the next one have its place", () => {
  const { outbox, sent, settled, add } = makeOutbox();
  for (let index = 0; index <= MAX_UNACKNOWLEDGED; index++) add(`m${index}`);
  outbox.refuse("m3", ({ messageId }) => new Error(`not ${messageId}`));
  outbox.refuse("m3", () => new Error("again"));
  assertEquals(settled, ["m3: not m3"]);
  assertEquals(outbox.size, MAX_UNACKNOWLEDGED);
  assertEquals(sent.at(-1), `m${MAX_UNACKNOWLEDGED}`);
});

Deno.test("Outbox.withdraw() takes back what has not left the client, and nothing else", () => {
  const { outbox, sent, settled, add } = makeOutbox();
  const gone = add("m1");
  const kept = add("m2", 10, false);
  const large = add("m3", MAX_UNACKNOWLEDGED_BYTES, false);
  const waiting = add("m4", 10, false);
  add("m5", 10, false);
  outbox.withdraw(gone);
  outbox.withdraw(kept);
  outbox.withdraw(waiting);
  assertEquals([sent, outbox.size, outbox.sent], [["m1", "m2", "m3"], 3, 2]);
  outbox.withdraw(large);
  outbox.withdraw(large);
  assertEquals([sent, outbox.size], [["m1", "m2", "m3", "m5"], 2]);
  assertEquals(settled, []);
});
