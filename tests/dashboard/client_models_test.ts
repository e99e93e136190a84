/** What the page shows: rows of the conversation, lines of the protocol, and what it keeps for a reload. */

import { assert, assertEquals } from "@std/assert";
import { forgetKept, readKept, writeKept } from "../../dashboard/client/kept.js";
import { activityOf, jsonProblem, lengthProblem, MAX_LINE_BYTES, publishLine } from "../../dashboard/client/lines.js";
import { LogModel, MAX_LINES, MAX_SHOWN, NO_FILTER } from "../../dashboard/client/log_model.js";
import { MAX_ROWS, StreamModel } from "../../dashboard/client/stream_model.js";

function activity(n: number, more: object = {}) {
  const text = `${n}`;
  return {
    ...{ kind: "activity" as const, id: `a:${n}`, user: "bob", activity: { text }, json: `{"text":"${n}"}` },
    ...{ lamport: n, at: n, messageId: undefined, isOwn: false, channel: "", ...more },
  };
}

Deno.test("StreamModel shows a text as a text, and all else as the JSON that it is", () => {
  const model = new StreamModel();
  model.take(activity(1), "anna");
  model.take(activity(2, { activity: { text: "a", n: 1 }, json: '{"text":"a","n":1.0}' }), "anna");
  model.take(activity(3, { activity: { text: 5 }, json: '{"text":5}' }), "anna");
  assertEquals(model.rows.map(({ text, isJson }) => [text, isJson]), [["1", false], ['{"text":"a","n":1.0}', true], [
    '{"text":5}',
    true,
  ]]);
});

Deno.test("StreamModel keeps what is on its way apart until it is there", () => {
  const model = new StreamModel();
  model.take({ kind: "sent", messageId: "m", to: undefined, text: '{"text":"hello"}' }, "anna");
  assertEquals(model.pending.map(({ who, text, mark }) => [who, text, mark]), [["anna", "hello", "sending"]]);
  model.take({ kind: "stored", messageId: "m", id: "a:1", at: 5, lamport: undefined }, "anna");
  assertEquals([model.pending.map(({ mark }) => mark), model.rows.length], [["stored"], 0]);
  model.take(activity(1, { user: "anna", messageId: "m", isOwn: true }), "anna");
  assertEquals([model.pending.length, model.rows.map(({ mark }) => mark)], [0, ["stored"]]);
});

Deno.test("StreamModel marks a direct message as it goes", () => {
  const model = new StreamModel();
  model.take({ kind: "sent", messageId: "d", to: "bob", text: "at five?" }, "anna");
  assertEquals(model.pending.map(({ kind, to, mark }) => [kind, to, mark]), [["direct", "bob", "sending"]]);
  model.take({ kind: "stored", messageId: "d", id: "a:1", at: 5, lamport: 3 }, "anna");
  assertEquals([model.pending.length, model.rows.map(({ mark, at }) => [mark, at])], [0, [["stored", 5]]]);
  model.takeChanges();
  model.take({ kind: "delivered", messageId: "d" }, "anna");
  assertEquals(model.rows.map(({ mark }) => mark), ["delivered"]);
  assertEquals(model.takeChanges().changed.map(({ mark }) => mark), ["delivered"]);
  model.take({ kind: "sent", messageId: "e", to: "eve", text: "hm" }, "anna");
  model.take({ kind: "refused", messageId: "e", info: "nobody" }, "anna");
  assertEquals([model.pending.length, model.rows.at(-1)?.mark, model.rows.at(-1)?.detail], [0, "refused", "nobody"]);
});

Deno.test("StreamModel keeps a bounded number of rows, and says which go", () => {
  const model = new StreamModel();
  for (let n = 1; n <= MAX_ROWS; n++) model.take(activity(n), "anna");
  assertEquals(model.takeChanges().added.length, MAX_ROWS);
  model.take(activity(0), "anna");
  const { added, removed } = model.takeChanges();
  assertEquals([model.rows.length, added.length, removed, model.dropped], [MAX_ROWS, 1, [1], 1]);
  // More than there is room for, and nobody looked: nothing has to be taken away that was never shown.
  for (let n = 0; n < 3 * MAX_ROWS; n++) model.take(activity(n), "anna");
  const many = model.takeChanges();
  assertEquals([many.added.length, many.removed.length], [MAX_ROWS, MAX_ROWS]);
});

Deno.test("StreamModel keeps people's words for a reload, and no notes", () => {
  const model = new StreamModel();
  model.take(activity(1), "anna");
  model.take({ kind: "note", tone: "warn", text: "lost", at: 1 }, "anna");
  model.take({ kind: "presence", event: "joined", username: "eve", at: 1 }, "anna");
  const again = new StreamModel(JSON.parse(JSON.stringify(model.kept)));
  assertEquals(again.rows.map(({ kind, text }) => [kind, text]), [["activity", "1"]]);
});

Deno.test("LogModel shows no secret, and not all of a long line", () => {
  const model = new LogModel();
  model.add("out", '{"command":"LOGIN","secret":"hush"}', 1);
  model.add("in", `{"command":"X","text":"${"x".repeat(10_000)}"}`, 2);
  const [login, long] = model.shown(NO_FILTER);
  assertEquals([login?.text, login?.name], ['{"command":"LOGIN","secret":"…"}', "LOGIN"]);
  assertEquals([long?.text.length, long!.length > 10_000], [MAX_SHOWN, true]);
  assert(!model.copyText(NO_FILTER).includes("hush"));
  model.add("out", `{"command":"LOGIN","info":"${"x".repeat(MAX_SHOWN)}","secret":"hush"}`, 3);
  assert(!JSON.stringify(model.shown(NO_FILTER)).includes("hush"));
});

Deno.test("LogModel filters by text, direction and heartbeats", () => {
  const model = new LogModel();
  model.add("note", "connecting", 0);
  model.add("out", '{"command":"LIST_USERS"}', 1);
  model.add("in", '{"command":"HEARTBEAT","sequence":1}', 2);
  model.add("out", '{"command":"HEARTBEAT_ACK","sequence":1}', 3);
  const names = (filter: object) => model.shown({ ...NO_FILTER, ...filter }).map(({ name }) => name);
  assertEquals(names({}), ["", "LIST_USERS", "HEARTBEAT", "HEARTBEAT_ACK"]);
  assertEquals(names({ text: "list" }), ["LIST_USERS"]);
  assertEquals(names({ direction: "in" }), ["", "HEARTBEAT"]);
  assertEquals(names({ hidesHeartbeats: true }), ["", "LIST_USERS"]);
  assertEquals(
    model.copyText({ ...NO_FILTER, text: "users" }),
    '1970-01-01T00:00:00.001Z → {"command":"LIST_USERS"}\n',
  );
});

Deno.test("LogModel stands still while it is paused, tells how much came, and forgets on demand", () => {
  const model = new LogModel();
  model.add("in", "1", 0);
  model.pause(true);
  for (let n = 0; n < 3; n++) model.add("in", "2", 0);
  assertEquals([model.shown(NO_FILTER).length, model.missed], [1, 3]);
  model.pause(false);
  assertEquals([model.shown(NO_FILTER).length, model.missed], [4, 0]);
  for (let n = 0; n < 2 * MAX_LINES; n++) model.add("in", "3", 0);
  assertEquals(model.shown(NO_FILTER).length, MAX_LINES);
  model.clear();
  assertEquals(model.shown(NO_FILTER), []);
});

Deno.test("activityOf() takes JSON as it was typed, in one line, and says what is wrong with what is none", () => {
  assertEquals(activityOf('{\n  "n": 1.0\n}', "json"), { activity: '{   "n": 1.0 }'.replace("   ", "   ") });
  assertEquals(activityOf('"\\ud800"', "text"), { activity: JSON.stringify({ text: '"\\ud800"' }) });
  for (const typed of ["[1]", "1", "null", "{", '{"a":1,}']) assert("problem" in activityOf(typed, "json"), typed);
  assertEquals(jsonProblem("{}"), undefined);
  assert(jsonProblem(`${'{"a":'.repeat(64)}{}${"}".repeat(64)}`) !== undefined);
  assertEquals(jsonProblem(`${'{"a":'.repeat(63)}{}${"}".repeat(63)}`), undefined);
});

Deno.test("what activityOf() and lengthProblem() let through fits into a line", () => {
  const encoder = new TextEncoder();
  const stamp = { messageId: "f".repeat(32), lamport: 2 ** 50 };
  for (const sign of ["x", "ä", "\n", "\u{1f600}"]) {
    let low = 1;
    let high = MAX_LINE_BYTES;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ("activity" in activityOf(sign.repeat(middle), "text")) low = middle;
      else high = middle;
    }
    const made = activityOf(sign.repeat(low), "text");
    assert("activity" in made);
    assert(encoder.encode(publishLine(made.activity, stamp)).length <= MAX_LINE_BYTES);
  }
  assertEquals([lengthProblem("at five?"), lengthProblem("x".repeat(MAX_LINE_BYTES)) !== undefined], [undefined, true]);
});

Deno.test("what is kept is read again, and what somebody else has written there is not", () => {
  const items = new Map<string, string>();
  const storage = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
  assertEquals(readKept(storage), undefined);
  const session = { username: "anna", received: {}, lamport: 1, last: undefined, outbox: [] };
  writeKept(storage, { session, rows: [], isPlain: false });
  assertEquals(readKept(storage)?.session.username, "anna");
  const other = JSON.stringify({ version: 2, session, rows: [] });
  for (const text of [other, "", "{", "7", "null", "{}", '{"version":2}', '{"version":1,"session":null,"rows":[]}']) {
    for (const key of items.keys()) items.set(key, text);
    assertEquals(readKept(storage), undefined, text);
  }
  forgetKept(storage);
  assertEquals(items.size, 0);
  const forbidden = () => {
    throw new DOMException("no", "SecurityError");
  };
  assertEquals(readKept({ getItem: forbidden }), undefined);
  writeKept({ setItem: forbidden }, { session, rows: [], isPlain: false });
  forgetKept({ removeItem: forbidden });
});
