/** What was said before the page came: page by page, once each, and what the page says of it. */

import { assertEquals } from "@std/assert";
import { Past } from "../../dashboard/client/past.js";
import type { SessionEffect } from "../../dashboard/client/session_types.js";
import { MAX_ROWS, MAX_ROWS_WITH_PAST, StreamModel } from "../../dashboard/client/stream_model.js";
import { pastText } from "../../dashboard/client/words.js";
import { broadcast, FEATURES, Page, written } from "./_page.ts";

/** A line of a page. */
function past(sequence: number, more: object = {}): object {
  const activity = { text: `text ${sequence}`, authenticated_user: "bob" };
  const line = { command: "ACTIVITY_BROADCAST", activity, id: `a:${sequence}`, lamport: sequence, sentAt: sequence };
  return { ...line, past: true, ...more };
}

function end(more: object = {}): object {
  return { command: "HISTORY_PAGE", past: true, count: 0, more: false, ...more };
}

/** What `page` asks for. */
function asked(effects: readonly SessionEffect[]): object[] {
  return written(effects).filter(({ command }) => command === "HISTORY");
}

/** The ids of the past that is shown, after these lines. */
function shown(page: Page, ...lines: object[]): unknown[] {
  const effects = lines.flatMap((line) => page.line(line));
  return effects.flatMap((effect) => effect.kind === "past" ? effect.activities.map(({ id }) => id) : []);
}

const RESUME = { resume: { vector: { a: 30 }, replayed: 0 } };

Deno.test("who comes in is shown what was said last, and who comes back asks for nothing", () => {
  const page = new Page();
  page.signIn();
  assertEquals(asked(page.loggedIn(RESUME)), [{ command: "HISTORY", limit: 20 }]);
  assertEquals(shown(page, past(29), past(30), end()), ["a:29", "a:30"]);
  page.close();
  page.untilDialing();
  page.take({ kind: "opened" });
  assertEquals(asked(page.loggedIn(RESUME)), []);

  const reloaded = new Page();
  reloaded.signIn(undefined, { saved: { ...page.session.saved!, username: "anna" } });
  assertEquals(asked(reloaded.loggedIn(RESUME)), []);
  const fromStart = new Page();
  fromStart.signIn(undefined, { fromStart: true });
  assertEquals(asked(fromStart.loggedIn(RESUME)), []);
  const older = new Page();
  older.signIn();
  const features = FEATURES.filter((feature) => feature !== "history");
  assertEquals(asked(older.loggedIn({ ...RESUME, features })), []);
  assertEquals(asked(older.take({ kind: "earlier", before: "a:1" })), []);
});

Deno.test("what comes live is no part of the past, and the past moves no vector", () => {
  const page = new Page();
  page.live({ resume: { vector: { a: 28 }, replayed: 0 } });
  page.line(broadcast("a:29"));
  assertEquals(shown(page, past(28), past(29), past(30), end()), ["a:28", "a:29"]);
  assertEquals(page.session.talk.vector, { a: 29 });
});

Deno.test("earlier pages are asked for one after the other, from the oldest that is shown on", () => {
  const page = new Page();
  page.live(RESUME);
  // One is on its way.
  assertEquals(asked(page.take({ kind: "earlier", before: undefined })), []);
  shown(page, past(30), end({ more: true, before: "a:30" }));
  assertEquals(asked(page.take({ kind: "earlier", before: "a:30" })), [{
    command: "HISTORY",
    limit: 50,
    before: "a:30",
  }]);
  // Nothing for clients: the server has looked further.
  shown(page, end({ more: true, before: "a:12" }));
  assertEquals(asked(page.take({ kind: "earlier", before: "a:30" })), [{
    command: "HISTORY",
    limit: 50,
    before: "a:12",
  }]);
  shown(page, past(11), end({ begins: { id: "a:11", at: 5 }, forgotten: true }));
  const { hasMore, isForgotten, beginsAt } = page.session.talk.past;
  assertEquals([hasMore, isForgotten, beginsAt], [false, true, 5]);
});

Deno.test("a page that is cut off is forgotten, and one that a server cannot give is told", () => {
  const page = new Page();
  page.live(RESUME);
  page.line(past(29));
  page.close();
  page.untilDialing();
  page.take({ kind: "opened" });
  page.loggedIn(RESUME);
  const { past: told } = page.session.talk;
  assertEquals([told.isAsking, told.isKnown], [false, false]);
  page.take({ kind: "earlier", before: "a:9" });
  page.line({ command: "HISTORY_FAILED", reason: "UNKNOWN_ENTRY", info: "no such entry" });
  assertEquals([told.isAsking, told.problem], [false, "no such entry"]);
  // And nothing that nobody has asked for is shown.
  assertEquals(shown(page, past(1), end()), []);
});

Deno.test("a server that says much more than was asked fills no memory", () => {
  const told = new Past();
  told.ask(undefined, 20);
  for (let n = 1; n < 3_000; n++) told.take(past(n), "{}", "anna");
  assertEquals(told.take(end(), "{}", "anna")?.length, 2_000);
});

/** What the session says of these. */
function effectOf(sequences: readonly number[], isFirst = false): SessionEffect {
  const told = new Past();
  told.ask(undefined, 20);
  for (const sequence of sequences) told.take(past(sequence), JSON.stringify(past(sequence)), "anna");
  return { kind: "past", activities: told.take(end(), "", "anna")!, isFirst };
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

Deno.test("StreamModel puts the past before all else, once each, and says where the person came", () => {
  const model = new StreamModel();
  model.take({ kind: "note", tone: "good", text: "connected", at: 1 }, "anna");
  model.takeChanges();
  model.take(effectOf([8, 9], true), "anna");
  model.take(effectOf([6, 7, 8]), "anna");
  assertEquals(model.rows.map(({ text }) => text), [
    ...["text 6", "text 7", "text 8", "text 9", "You came here", "connected"],
  ]);
  const { before, added } = model.takeChanges();
  assertEquals([before.map(({ text }) => text), added], [model.rows.slice(0, 5).map(({ text }) => text), []]);
  assertEquals([model.oldest()?.id, model.oldest()?.at, model.isFull], ["a:6", 6, false]);
  model.take(effectOf([]), "anna");
  assertEquals(model.takeChanges().before, []);
  // A reload keeps them, and knows where they begin.
  assertEquals(new StreamModel(JSON.parse(JSON.stringify(model.kept))).oldest()?.id, "a:6");
});

Deno.test("StreamModel lets what is said now push the past out, and no more than fits come in", () => {
  const model = new StreamModel();
  model.take(effectOf(range(1, MAX_ROWS)), "anna");
  model.takeChanges();
  const live = { kind: "activity", id: "b:1", user: "bob", activity: {}, json: "{}", lamport: 1, at: 1 } as const;
  for (let n = 0; n < MAX_ROWS; n++) model.take({ ...live, messageId: undefined, isOwn: false, channel: "" }, "anna");
  const { removed, added } = model.takeChanges();
  assertEquals([added.length, removed.length, model.dropped], [MAX_ROWS, MAX_ROWS / 2, MAX_ROWS / 2]);
  assertEquals(model.oldest()?.id, `a:${MAX_ROWS / 2 + 1}`);
  for (let n = 0; n < 20; n++) {
    const first = 10_000 - 300 * n;
    model.take(effectOf(range(first, first + 299)), "anna");
  }
  assertEquals(model.isFull, true);
  model.take({ ...live, messageId: undefined, isOwn: false, channel: "" }, "anna");
  assertEquals(model.rows.length >= MAX_ROWS_WITH_PAST, true);
});

Deno.test("pastText() says how far the past is shown, and where it begins", () => {
  const when = (at: number) => `day ${at}`;
  const all = { isAsking: false, isFull: false, isForgotten: false, problem: "", now: 110 };
  const more = { ...all, hasMore: true, beginsAt: 10, oldestAt: 60 };
  assertEquals(pastText(more, when), {
    text: "Shown back to day 60, kept since day 10.",
    canAsk: true,
    progress: 0.5,
  });
  assertEquals(
    pastText({ ...more, isForgotten: true, isFull: true }, when).text,
    "Shown back to day 60, kept since day 10. What was said before that is no longer kept. No more fits into this page.",
  );
  const begun = { ...all, hasMore: false, beginsAt: 10, oldestAt: 10 };
  assertEquals(pastText(begun, when).text, "This is the beginning, on day 10: nothing was said before.");
  assertEquals(
    pastText({ ...begun, isForgotten: true }, when).text,
    "What is kept begins here, on day 10. What was said before that is no longer kept.",
  );
  const nothing = { ...all, hasMore: false, beginsAt: undefined, oldestAt: 0 };
  assertEquals(pastText(nothing, when).text, "Nothing that was said before is kept.");
  assertEquals(pastText({ ...more, problem: "no such entry" }, when), {
    text: "It did not come: no such entry.",
    canAsk: true,
    progress: undefined,
  });
});
