/** The life of the page's connection: logging in, losing it, coming back, leaving. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { CONNECT_TIMEOUT_MS } from "../../dashboard/client/line_session.js";
import {
  ANNA,
  broadcast,
  commands,
  dialed,
  FEATURES,
  HEARTBEAT,
  HOME_URL,
  OTHER_URL,
  Page,
  VIEW,
  written,
} from "./_page.ts";

Deno.test("the page logs in with all features, and with what it has from before", () => {
  const page = new Page();
  assertEquals(dialed(page.take({ kind: "signIn", plan: ANNA })), [HOME_URL]);
  assertEquals(written(page.take({ kind: "opened" })), [
    { command: "LOGIN", username: "anna", secret: "open sesame", features: FEATURES, pass: true },
  ]);
  const back = new Page();
  const saved = { username: "anna", received: { vector: { a: 7 } }, lamport: 3, last: "a:5", outbox: [] };
  back.signIn(ANNA, { saved });
  assertEquals(written(back.effects), [
    {
      command: "LOGIN",
      username: "anna",
      secret: "open sesame",
      features: FEATURES,
      resume: { vector: { a: 7 } },
      pass: true,
      last: "a:5",
    },
  ]);
});

Deno.test("who has no name sends no secret, and a plain client asks for nothing", () => {
  const page = new Page();
  page.signIn({ username: "anonymous", secret: "", register: false, isPlain: true });
  assertEquals(written(page.effects), [{ command: "LOGIN", username: "anonymous" }]);
  page.line({ command: "LOGIN_SUCCESS", info: "logged in as anonymous" });
  assertEquals([page.kind, page.session.isPlain, page.session.wakeAt], ["live", true, undefined]);
});

Deno.test("the page registers first where that is wanted", () => {
  const page = new Page();
  page.signIn({ ...ANNA, register: true });
  assertEquals(commands(page.effects), ["REGISTER"]);
  assertEquals(commands(page.line({ command: "REGISTER_SUCCESS", info: "registered anna" })), ["LOGIN"]);
  page.loggedIn();
  assertEquals(page.kind, "live");
});

Deno.test("a registration whose answer was lost is no name that somebody else has", () => {
  const page = new Page();
  page.signIn({ ...ANNA, register: true });
  page.close();
  page.untilDialing();
  page.take({ kind: "opened" });
  page.line({ command: "REGISTER_FAILED", reason: "NAME_TAKEN", info: "this name is taken" });
  assertEquals(commands(page.take({ kind: "opened" })), ["LOGIN"]);
  page.loggedIn();
  assertEquals(page.kind, "live");
});

Deno.test("a registration that somebody else was faster with ends with the name being taken", () => {
  const page = new Page();
  page.signIn({ ...ANNA, register: true });
  page.close();
  page.untilDialing();
  page.take({ kind: "opened" });
  page.line({ command: "REGISTER_FAILED", reason: "NAME_TAKEN", info: "this name is taken" });
  page.take({ kind: "opened" });
  page.line({ command: "LOGIN_FAILED", reason: "WRONG_SECRET", info: "the secret is another one" });
  const { status } = page.session;
  assert(status.kind === "signedOut");
  assertEquals(status.refusal?.reason, "NAME_TAKEN");
});

Deno.test("a refused login says why, and nothing is tried again", () => {
  const page = new Page();
  page.signIn();
  page.line({ command: "LOGIN_FAILED", reason: "UNKNOWN_USER", info: "there is no such user" });
  assertEquals(page.session.status, {
    kind: "signedOut",
    refusal: { reason: "UNKNOWN_USER", info: "there is no such user", username: "anna" },
  });
  assertEquals(page.close(), []);
  assertEquals(page.session.wakeAt, undefined);
});

Deno.test("a server that has just joined and does not know the user yet is not believed", () => {
  const page = new Page();
  page.take({ kind: "learned", view: VIEW });
  page.live();
  page.close();
  page.pass(1_000);
  page.take({ kind: "opened" });
  page.line({ command: "LOGIN_FAILED", reason: "UNKNOWN_USER", info: "there is no such user" });
  page.pass(10_000);
  assertEquals(dialed(page.effects).at(-1), HOME_URL);
  assertEquals(page.session.username, "anna");
});

Deno.test("the page answers heartbeats, unless the person wants to see what happens otherwise", () => {
  const page = new Page();
  page.live();
  const heartbeat = { command: "HEARTBEAT", sequence: 4, of: 3, intervalMs: 500 };
  assertEquals(written(page.line(heartbeat)), [{ command: "HEARTBEAT_ACK", sequence: 4 }]);
  page.take({ kind: "answering", isOn: false });
  assertEquals(written(page.line(heartbeat)), []);
});

Deno.test("a silent server is asked, given up, told so, and another one is called", () => {
  const page = new Page();
  page.take({ kind: "learned", view: VIEW });
  page.live();
  const { idleTimeoutMs, intervalMs, count } = HEARTBEAT;
  page.line({ command: "NEWER" });
  page.effects.length = 0;
  page.pass(idleTimeoutMs + intervalMs - 1);
  assertEquals(commands(page.effects), []);
  page.pass(1);
  assertEquals(written(page.effects), [{ command: "HEARTBEAT", sequence: 1, of: count, intervalMs }]);
  page.pass(count * intervalMs - 1);
  assertEquals([commands(page.effects).length, page.kind], [3, "live"]);
  page.pass(1);
  assertEquals(written(page.effects).at(-1), {
    command: "END_CONNECTION",
    reason: "HEARTBEAT_TIMEOUT",
    info: "no heartbeat was answered",
    reconnect: "now",
  });
  assertEquals(page.effects.filter(({ kind }) => kind === "hangUp").length, 1);
  page.pass(1_000);
  assertEquals(dialed(page.effects), [OTHER_URL]);
});

Deno.test("any line is life", () => {
  const page = new Page();
  page.live();
  page.effects.length = 0;
  for (let n = 1; n <= 20; n++) {
    page.pass(HEARTBEAT.idleTimeoutMs);
    page.line(broadcast(`a:${n}`));
  }
  assertEquals([commands(page.effects), page.kind], [[], "live"]);
});

Deno.test("a page that stood still accuses nobody, but a server that is gone is given up also by a page that browsers wake late", () => {
  const page = new Page();
  page.live();
  const wakeLate = () => {
    const wanted = page.session.wakeAt!;
    page.at = wanted + 60_000;
    page.effects.length = 0;
    page.take({ kind: "woke", lateMs: page.at - wanted });
  };
  // The laptop slept, and again while the server was asked.
  for (let n = 1; n <= HEARTBEAT.count; n++) {
    wakeLate();
    assertEquals([commands(page.effects), page.kind], [["HEARTBEAT"], "live"]);
  }
  wakeLate();
  assertEquals([commands(page.effects), page.kind], [[], "live"]);
  // The answer lay in the socket.
  page.line({ command: "HEARTBEAT_ACK", sequence: 1 });
  page.pass(HEARTBEAT.idleTimeoutMs);
  assertEquals(page.kind, "live");
  for (let n = 0; n <= HEARTBEAT.count; n++) wakeLate();
  assertEquals(page.kind, "live");
  wakeLate();
  assertEquals([commands(page.effects), page.kind], [["END_CONNECTION"], "waiting"]);
});

Deno.test("a lost connection goes to the backup that the network names, after a random part of a second", () => {
  const page = new Page();
  page.take({ kind: "learned", view: VIEW });
  page.live();
  page.line({ command: "BACKUP_LIST", servers: [{ serverId: "b", host: "127.0.0.1", port: 8001 }] });
  page.effects.length = 0;
  page.chance = 0.25;
  page.close();
  assertEquals(page.session.status, { kind: "waiting", until: page.at + 250 });
  page.pass(250);
  assertEquals(dialed(page.effects), [OTHER_URL]);
});

Deno.test("without another gateway the page calls its own again, later and later, until it is there", () => {
  const page = new Page();
  page.live();
  page.close();
  const delays: number[] = [];
  for (let n = 0; n < 12; n++) {
    assertEquals(dialed(page.effects.slice(-1)), [HOME_URL]);
    const before = page.at;
    page.close();
    if (page.session.wakeAt !== undefined && page.kind === "waiting") page.pass(page.session.wakeAt - page.at);
    delays.push(page.at - before);
  }
  assertEquals(delays.slice(0, 5), [100, 200, 400, 800, 1_600]);
  assertEquals(delays.at(-1), 5_000);
  page.take({ kind: "opened" });
  page.loggedIn();
  assertEquals(page.kind, "live");
});

Deno.test("a connection that is never answered is given up", () => {
  const page = new Page();
  page.take({ kind: "signIn", plan: ANNA });
  page.pass(CONNECT_TIMEOUT_MS);
  assertEquals(page.effects.some(({ kind }) => kind === "hangUp"), true);
  page.pass(10_000);
  page.take({ kind: "opened" });
  page.pass(CONNECT_TIMEOUT_MS);
  assertMatch(page.session.lossText, /does not answer/);
});

Deno.test("a redirect is followed to the gateway of the server that it names, and said at the login there", () => {
  const page = new Page();
  page.take({ kind: "learned", view: VIEW });
  page.signIn();
  // Nothing has begun yet: there is no resume.
  page.loggedIn({ resume: undefined });
  assertEquals(page.kind, "greeting");
  assertEquals(dialed(page.line({ command: "REDIRECT", hostname: "127.0.0.1", port: 8001 })), [OTHER_URL]);
  assertEquals(written(page.take({ kind: "opened" })).map(({ redirects }) => redirects), [1]);
});

Deno.test("a redirect to a server without a gateway leads back to the same one, which keeps the page in the end", () => {
  const page = new Page();
  page.signIn();
  for (let n = 1; n <= 3; n++) {
    page.loggedIn({ resume: undefined });
    assertEquals(dialed(page.line({ command: "REDIRECT", hostname: "10.0.0.9", port: 1 })), [HOME_URL]);
    assertEquals(written(page.take({ kind: "opened" })).map(({ redirects }) => redirects), [n]);
  }
  page.loggedIn();
  assertEquals(page.kind, "live");
});

Deno.test("END_CONNECTION is followed as it advises", () => {
  const ends = (message: object) => {
    const page = new Page();
    page.take({ kind: "learned", view: VIEW });
    page.live();
    page.line({ command: "END_CONNECTION", info: "because", ...message });
    return page;
  };
  // A server that stops sends its clients away one by one: nobody has to wait.
  assertEquals(ends({ reason: "SERVER_STOPPING", reconnect: "now" }).kind, "dialing");
  assertEquals(ends({ reason: "FELL_BEHIND", reconnect: "now" }).kind, "waiting");
  const late = ends({ reason: "SERVER_FAILED", reconnect: "backoff", retryAfterMs: 7_000 });
  assertEquals(late.session.wakeAt! - late.at >= 7_000, true);
  const over = ends({ reason: "SESSION_REPLACED", reconnect: "never" });
  assertEquals(over.session.status, {
    kind: "ended",
    reason: "SESSION_REPLACED",
    sentence: "The server ended the connection: because",
  });
  assertEquals(over.session.wakeAt, undefined);
});

Deno.test("a line that is not allowed ends the page's session with what the server says, and the person may go on", () => {
  const page = new Page();
  page.live();
  page.take({ kind: "raw", text: '{"command":"LIST_ROOMS"}' });
  page.line({ command: "INVALID_MESSAGE", info: "the command is not known: LIST_ROOMS" });
  assertEquals(page.session.status, {
    kind: "ended",
    reason: "INVALID_MESSAGE",
    sentence: "The connection ended: the command is not known: LIST_ROOMS",
  });
  assertEquals(dialed(page.take({ kind: "retry" })), [HOME_URL]);
});

Deno.test("logging out is for good, and keeps nothing", () => {
  const page = new Page();
  page.live();
  assertEquals(commands(page.take({ kind: "leave" })), ["LOGOUT"]);
  const effects = page.close();
  assertEquals([page.kind, page.session.saved, effects.at(-1)?.kind], ["signedOut", undefined, "forget"]);
});

Deno.test("a server that does not close after LOGOUT is not waited for", () => {
  const page = new Page();
  page.live();
  page.take({ kind: "leave" });
  page.pass(2_000);
  assertEquals(page.kind, "signedOut");
});

Deno.test("LOGOUT by hand is meant", () => {
  const page = new Page();
  page.live();
  page.take({ kind: "raw", text: '{"command": "LOGOUT"}' });
  page.close();
  assertEquals(page.kind, "signedOut");
});

Deno.test("the plain switch logs out and comes in again, the same user, without features", () => {
  const page = new Page();
  page.live();
  assertEquals(commands(page.take({ kind: "plain", isPlain: true })), ["LOGOUT"]);
  assertEquals(dialed(page.close()), [HOME_URL]);
  assertEquals(written(page.take({ kind: "opened" })), [{ command: "LOGIN", username: "anna", secret: "open sesame" }]);
});

Deno.test("by hand nothing is said but what the person writes, and heartbeats", () => {
  const page = new Page();
  page.byHand();
  assertEquals([commands(page.effects), page.kind], [[], "byHand"]);
  page.take({ kind: "raw", text: '{"command":"LOGIN","username":"anonymous"}' });
  page.line({ command: "LOGIN_SUCCESS", info: "logged in as anonymous" });
  page.line({ command: "HEARTBEAT", sequence: 1, of: 3, intervalMs: 1 });
  assertEquals(commands(page.effects), ["LOGIN", "HEARTBEAT_ACK"]);
  page.line({ command: "INVALID_MESSAGE", info: "the line is empty" });
  page.close();
  assertEquals(page.session.status, {
    kind: "ended",
    reason: "CLOSED_BY_OTHER_SIDE",
    sentence: "The connection ended: the server said INVALID_MESSAGE: the line is empty",
  });
});

Deno.test("what makes no sense closes the connection and breaks nothing", () => {
  for (const text of ["", "{", "[]", "7", "null", '{"command":7}']) {
    const page = new Page();
    page.live();
    page.take({ kind: "line", text });
    assertEquals(page.session.status.kind === "live", false, text);
  }
  const page = new Page();
  page.live();
  for (
    const command of [
      "ACTIVITY_BROADCAST",
      "DIRECT_MESSAGE",
      "RECEIPT",
      "PRESENCE",
      "USER_LIST",
      "BACKUP_LIST",
      "ACTIVITY_ACK",
      "NEWER",
    ]
  ) {
    page.line({ command });
  }
  assertEquals(page.kind, "live");
});

Deno.test("no secret is kept for a reload", () => {
  const page = new Page();
  page.live({ ticket: "s-a.key.abc" });
  page.take({ kind: "say", messageId: "m", to: undefined, text: '{"text":"hello"}' });
  const saved = JSON.stringify(page.session.saved);
  assertEquals([saved.includes("sesame"), saved.includes("s-a.key"), saved.includes("hello")], [false, false, true]);
});

Deno.test("a page that was loaded again logs in with the pass that it kept, without the secret, and keeps the next one", () => {
  const page = new Page();
  page.live({ pass: "pass 1" });
  const back = new Page();
  back.signIn({ ...ANNA, secret: "" }, { saved: page.session.saved });
  const [login] = written(back.effects);
  assertEquals([login!.pass, login!.secret], ["pass 1", undefined]);
  // It is spent with that.
  assertEquals(back.session.saved?.pass, undefined);
  back.loggedIn({ pass: "pass 2" });
  assertEquals(back.session.saved?.pass, "pass 2");
  // And goes on after a lost connection.
  back.close();
  back.pass(1_000);
  assertEquals(written(back.take({ kind: "opened" })).map(({ pass }) => pass), ["pass 2"]);
  back.loggedIn({ pass: "pass 3" });
  back.take({ kind: "leave" });
  assertEquals(back.session.saved?.pass, undefined);
});

Deno.test("a pass that is over is no wrong password, and the person is asked for the password", () => {
  const page = new Page();
  page.live({ pass: "pass 1" });
  const back = new Page();
  back.signIn({ ...ANNA, secret: "" }, { saved: page.session.saved });
  back.line({ command: "LOGIN_FAILED", reason: "WRONG_SECRET", info: "the secret is another one" });
  const { status } = back.session;
  assert(status.kind === "signedOut");
  assertEquals(status.refusal?.reason, "PASS_OVER");
});

Deno.test("the next login shows the ticket of the last one", () => {
  const page = new Page();
  page.live({ ticket: "s-a.key.abc" });
  page.close();
  page.pass(1_000);
  assertEquals(written(page.take({ kind: "opened" })).map(({ ticket }) => ticket), ["s-a.key.abc"]);
});

Deno.test("when a connection has ended for good, nobody is said to be online any more", () => {
  const page = new Page();
  page.live();
  page.line({ command: "USER_LIST", scope: "online", users: ["anna", "bob"] });
  page.line({ command: "END_CONNECTION", reason: "SESSION_REPLACED", info: "elsewhere", reconnect: "never" });
  assertEquals([page.kind, [...page.session.surroundings.online]], ["ended", []]);
});
