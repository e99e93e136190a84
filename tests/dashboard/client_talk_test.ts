/** What the page says and hears: once each, in order, over however many connections. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { SessionEffect } from "../../dashboard/client/session_types.js";
import { activityIds, ANNA, broadcast, commands, Page, written } from "./_page.ts";

const HELLO = '{"text":"hello"}';

function say(page: Page, messageId: string, to?: string): SessionEffect[] {
  return page.take({ kind: "say", messageId, to, text: to === undefined ? HELLO : "at five?" });
}

function direct(id: string, more: object = {}): object {
  return { command: "DIRECT_MESSAGE", from: "bob", to: "anna", text: `as ${id}`, id, lamport: 9, sentAt: 1, ...more };
}

/** Lost, and logged in again. */
function back(page: Page, login: object = {}): SessionEffect[] {
  page.close();
  page.untilDialing();
  const login1 = page.take({ kind: "opened" });
  return [...login1, ...page.loggedIn(login)];
}

function of<K extends SessionEffect["kind"]>(
  effects: readonly SessionEffect[],
  kind: K,
): Extract<SessionEffect, { kind: K }>[] {
  return effects.filter((effect) => effect.kind === kind) as Extract<SessionEffect, { kind: K }>[];
}

Deno.test("an activity goes out as it was written, with an identity and the page's time", () => {
  const page = new Page();
  page.live();
  const text = '{"n": 1.0, "big":9007199254740993}';
  const [line] = of(page.take({ kind: "say", messageId: "m-1", to: undefined, text }), "write");
  assertEquals(line?.line, `{"command":"ACTIVITY_MESSAGE","messageId":"m-1","lamport":7,"activity":${text}}`);
});

Deno.test("what was not acknowledged is sent again on the next connection, in order, and what was is not", () => {
  const page = new Page();
  page.live();
  for (const id of ["m-1", "m-2", "m-3"]) say(page, id);
  page.line({ command: "ACTIVITY_ACK", messageId: "m-1", id: "a:1" });
  page.close();
  say(page, "m-4");
  page.untilDialing();
  const [login] = written(page.take({ kind: "opened" }));
  assertEquals(login?.last, "a:1");
  const again = written(page.loggedIn()).filter(({ command }) => command === "ACTIVITY_MESSAGE");
  assertEquals(again.map(({ messageId }) => messageId), ["m-2", "m-3", "m-4"]);
  // Each later than all that was seen before.
  const times = again.map(({ lamport }) => lamport as number);
  assertEquals(times, times.toSorted((a, b) => a - b));
});

Deno.test("what came back as a broadcast is not sent again, though nobody acknowledged it", () => {
  const page = new Page();
  page.live();
  say(page, "m-1");
  page.line(broadcast("a:1", { messageId: "m-1", activity: { text: "hello", authenticated_user: "anna" } }));
  assertEquals(commands(back(page)).includes("ACTIVITY_MESSAGE"), false);
});

Deno.test("the page asks for what follows on what it has, and shows nothing twice", () => {
  const page = new Page();
  page.live();
  page.line(broadcast("a:1"));
  page.line(broadcast("b:4"));
  const [login] = written(back(page, { serverId: "b", resume: { vector: { a: 2, b: 4 }, replayed: 1 } }));
  assertEquals(login?.resume, { vector: { a: 1, b: 4 } });
  page.line(broadcast("a:1"));
  page.line(broadcast("a:2"));
  page.line({ command: "CAUGHT_UP", vector: { a: 2, b: 5 } });
  page.line(broadcast("b:5"));
  page.line(broadcast("b:6"));
  assertEquals(activityIds(page.effects), ["a:1", "b:4", "a:2", "b:6"]);
  assertEquals(page.session.talk.vector, { a: 2, b: 6 });
});

Deno.test("a message that two servers took is shown once", () => {
  const page = new Page();
  page.live();
  page.line(broadcast("a:1", { messageId: "x" }));
  page.line(broadcast("b:1", { messageId: "x" }));
  page.line(broadcast("b:2", { messageId: "x", activity: { text: "another's", authenticated_user: "eve" } }));
  assertEquals(activityIds(page.effects), ["a:1", "b:2"]);
  assertEquals(page.session.talk.vector, { a: 1, b: 2 });
});

Deno.test("a server that has lost its data gives its numbers anew, and what is new is shown", () => {
  const page = new Page();
  page.live();
  page.line(broadcast("a:5"));
  const gap = [{ origin: "a", first: 3, last: 5 }];
  const effects = back(page, { resume: { vector: { a: 2 }, replayed: 0, gap } });
  assertEquals(
    of(effects, "note").map(({ text }) => text).at(-1),
    "The server no longer has some missed entries: a 3 to 5",
  );
  page.line({ command: "CAUGHT_UP", vector: { a: 2 } });
  page.line(broadcast("a:3"));
  assertEquals(activityIds(page.effects), ["a:5", "a:3"]);
});

Deno.test("a server that gives its numbers anew has other messages under them, which were not seen", () => {
  const page = new Page();
  page.live();
  page.line(direct("a:4"));
  page.line(direct("a:5"));
  page.take({ kind: "seen" });
  const logIn = () => back(page, { resume: { vector: { a: 4 }, replayed: 0 } });
  assertEquals(commands(logIn()).includes("ACK"), false);
  page.line(direct("a:4", { text: "another one", sentAt: 2, offline: true }));
  assertEquals(written(page.line({ command: "CAUGHT_UP", vector: { a: 4 } })), []);
  page.line(direct("a:5", { text: "the next one", sentAt: 3 }));
  assertEquals(of(page.effects, "direct").map(({ text }) => text).slice(2), ["another one", "the next one"]);
  assertEquals(written(page.take({ kind: "seen" })), [{ command: "ACK", vector: { a: 5 } }]);
});

Deno.test("a replay that is cut off promises nothing", () => {
  const page = new Page();
  page.live();
  page.line(broadcast("a:1"));
  back(page, { resume: { vector: { a: 9 }, replayed: 5 } });
  page.line(broadcast("a:2"));
  assertEquals(written(back(page)).at(0)?.resume, { vector: { a: 2 } });
});

Deno.test("a direct message gets its marks: stored, then delivered, each once", () => {
  const page = new Page();
  page.live();
  say(page, "d-1", "bob");
  const receipt = { command: "RECEIPT", messageId: "d-1", of: "a:3", to: "bob", lamport: 8 };
  const stored = page.line({ ...receipt, state: "stored" });
  assertEquals(of(stored, "stored").map(({ messageId, id }) => [messageId, id]), [["d-1", "a:3"]]);
  assertEquals(of(page.line({ ...receipt, state: "delivered", id: "b:1" }), "delivered").length, 1);
  assertEquals(of(page.line({ ...receipt, state: "delivered", id: "b:1" }), "delivered").length, 0);
  assertEquals(page.session.talk.vector, { b: 1 });
});

Deno.test("the word that it was stored may be lost: what was delivered was stored", () => {
  const page = new Page();
  page.live();
  say(page, "d-1", "bob");
  const effects = back(page);
  assertEquals(written(effects).filter(({ command }) => command === "DIRECT_MESSAGE").length, 1);
  const receipt = {
    command: "RECEIPT",
    messageId: "d-1",
    state: "delivered",
    of: "a:3",
    to: "bob",
    id: "b:1",
    lamport: 8,
  };
  assertEquals(page.line(receipt).map(({ kind }) => kind).filter((kind) => kind !== "save"), ["stored", "delivered"]);
  assertEquals(page.session.talk.waiting, 0);
});

Deno.test("a direct message that cannot be sent is said to be so, and not sent again", () => {
  const page = new Page();
  page.live();
  say(page, "d-1", "eve");
  const effects = page.line({
    command: "DIRECT_MESSAGE_FAILED",
    messageId: "d-1",
    info: "there is no user with this name",
  });
  assertEquals(of(effects, "refused").map(({ info }) => info), ["there is no user with this name"]);
  assertEquals(commands(back(page)).includes("DIRECT_MESSAGE"), false);
});

Deno.test("an activity that the server has no space for is said to be refused, and not sent again", () => {
  const page = new Page();
  page.live();
  say(page, "a-1");
  const info = "this server has no space left for it";
  const effects = page.line({ command: "ACTIVITY_FAILED", messageId: "a-1", reason: "NO_SPACE", info });
  assertEquals(of(effects, "refused").map(({ messageId, info }) => [messageId, info]), [["a-1", info]]);
  assertEquals(commands(back(page)).includes("ACTIVITY_MESSAGE"), false);
});

Deno.test("ACK names what the person has seen, not what has only arrived", () => {
  const page = new Page();
  page.live();
  page.line(direct("a:4"));
  assertEquals(commands(page.effects).includes("ACK"), false);
  assertEquals(written(page.take({ kind: "seen" })), [{ command: "ACK", vector: { a: 4 } }]);
  assertEquals(written(page.take({ kind: "seen" })), []);
  page.line(direct("a:6"));
  assertEquals(written(page.take({ kind: "seen" })), [{ command: "ACK", vector: { a: 6 } }]);
  // Whether that one arrived is not known.
  back(page);
  assertEquals(written(page.line({ command: "CAUGHT_UP", vector: {} })), [{ command: "ACK", vector: { a: 6 } }]);
});

Deno.test("ACK waits until all that waited has come", () => {
  const page = new Page();
  page.signIn();
  page.loggedIn({ resume: { vector: { a: 9 }, replayed: 0 } });
  page.line(direct("a:7", { offline: true }));
  assertEquals(commands(page.take({ kind: "seen" })), []);
  page.line(direct("b:2", { offline: true }));
  page.take({ kind: "seen" });
  assertEquals(written(page.line({ command: "CAUGHT_UP", vector: { a: 9 } })), [{
    command: "ACK",
    vector: { a: 7, b: 2 },
  }]);
});

Deno.test("a direct message that waited is shown though it is older than what the page has, and once", () => {
  const page = new Page();
  page.signIn();
  page.loggedIn({ resume: { vector: { a: 9 }, replayed: 0 } });
  page.line(direct("a:4", { offline: true }));
  page.line({ command: "CAUGHT_UP", vector: { a: 9 } });
  back(page, { resume: { vector: { a: 9 }, replayed: 0 } });
  page.line(direct("a:4", { offline: true }));
  assertEquals(of(page.effects, "direct").map(({ id }) => id), ["a:4"]);
  assertEquals(page.session.talk.vector, { a: 9 });
});

Deno.test("a page that was loaded again goes on: what it had, what it called its own, what it said", () => {
  const first = new Page();
  first.live();
  first.line(broadcast("a:1", { messageId: "x" }));
  first.line(direct("a:2"));
  say(first, "m-1");
  const saved = JSON.parse(JSON.stringify(first.session.saved));
  const page = new Page();
  page.signIn(ANNA, { saved });
  const effects = page.loggedIn({ serverId: "b" });
  assertEquals(written(effects).map(({ command, messageId }) => [command, messageId]), [
    ["ACTIVITY_MESSAGE", "m-1"],
    ["LIST_USERS", undefined],
  ]);
  assertEquals(written(page.effects)[0]?.resume, { vector: { a: 2 } });
  page.line(broadcast("b:1", { messageId: "x" }));
  page.line(direct("a:2", { offline: true }));
  page.line(broadcast("b:2", { messageId: "m-1", activity: { text: "hello", authenticated_user: "anonymous" } }));
  const shown = of(page.effects, "activity");
  assertEquals([shown.map(({ id }) => id), shown.map(({ isOwn }) => isOwn), of(page.effects, "direct")], [["b:2"], [
    true,
  ], []]);
});

Deno.test("a plain client says who publishes, every time, and waits for no answer", () => {
  const page = new Page();
  page.signIn({ ...ANNA, isPlain: true });
  page.line({ command: "LOGIN_SUCCESS", info: "logged in as anna" });
  const effects = say(page, "m-1");
  assertEquals(written(effects), [
    { command: "ACTIVITY_MESSAGE", username: "anna", secret: "open sesame", activity: { text: "hello" } },
  ]);
  assertEquals([of(effects, "stored").length, page.session.talk.waiting], [1, 0]);
});

Deno.test("what a page saw as a plain client it does not show again when it asks with its vector", () => {
  const page = new Page();
  page.live();
  page.line(broadcast("a:1"));
  page.take({ kind: "plain", isPlain: true });
  page.close();
  page.take({ kind: "opened" });
  page.line({ command: "LOGIN_SUCCESS", info: "logged in as anna" });
  page.line(broadcast("a:3"));
  page.take({ kind: "plain", isPlain: false });
  page.close();
  assertEquals(written(page.take({ kind: "opened" }))[0]?.resume, { vector: { a: 1 } });
  page.loggedIn({ resume: { vector: { a: 4 }, replayed: 3 } });
  for (const id of ["a:2", "a:3", "a:4"]) page.line(broadcast(id));
  assertEquals(activityIds(page.effects), ["a:1", "a:3", "a:2", "a:4"]);
});

Deno.test("an activity is shown without what the server adds, digit by digit", () => {
  const page = new Page();
  page.live();
  const text =
    '{"command":"ACTIVITY_BROADCAST","activity":{"n": 1.0, "big": 9007199254740993,"authenticated_user":"bob"},' +
    '"id":"a:1","lamport":2,"sentAt":3}';
  const [shown] = of(page.take({ kind: "line", text }), "activity");
  assertEquals([shown?.user, shown?.json], ["bob", '{"n": 1.0, "big": 9007199254740993}']);
});

Deno.test("PRESENCE and USER_LIST say who is online", () => {
  const page = new Page();
  page.live();
  page.line({ command: "USER_LIST", scope: "online", users: ["anna", "bob"] });
  page.line({ command: "USER_LIST", scope: "all", users: ["anna", "bob", "eve"] });
  page.line({ command: "PRESENCE", event: "joined", username: "carl", lamport: 1 });
  page.line({ command: "PRESENCE", event: "lost", username: "bob", lamport: 1 });
  assertEquals([...page.session.surroundings.online], ["anna", "carl"]);
});

/**
 * A network as one log, which takes each messageId of a user once: what a page can lose a connection to at any moment.
 */
class Network {
  readonly log: { id: string; messageId: string; text: string }[] = [];

  publish(messageId: string, text: string): string {
    const known = this.log.find((entry) => entry.messageId === messageId);
    if (known !== undefined) return known.id;
    const id = `a:${this.log.length + 1}`;
    this.log.push({ id, messageId, text });
    return id;
  }

  since(sequence: number): object[] {
    return this.log.slice(sequence).map(({ id, messageId, text }) =>
      broadcast(id, { messageId, activity: { text, authenticated_user: "anna" } })
    );
  }
}

Deno.test("whatever is lost on the way, what is said is published once, in order, and shown once, in order", () => {
  const step = fc.constantFrom("say", "other", "deliver", "cutBefore", "cutAfter", "reload");
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const network = new Network();
    let page = new Page();
    /** What is on its way to the page. */
    let wire: object[] = [];
    const shown: string[] = [];
    let said = 0;

    const handle = (effects: readonly SessionEffect[]) => {
      shown.push(...activityIds(effects));
      for (const { command, messageId, activity } of written(effects)) {
        if (command !== "ACTIVITY_MESSAGE") continue;
        const before = network.log.length;
        const id = network.publish(String(messageId), (activity as { text: string }).text);
        wire.push({ command: "ACTIVITY_ACK", messageId, id }, ...network.since(before));
      }
    };
    const logIn = () => {
      const [login] = written(page.take({ kind: "opened" }));
      const vector = (login?.resume as { vector: Record<string, number> } | undefined)?.vector;
      const missed = vector === undefined ? [] : network.since(vector.a ?? 0);
      const end = { a: network.log.length };
      wire = [...missed, { command: "CAUGHT_UP", vector: end }];
      handle(page.loggedIn({ resume: { vector: end, replayed: missed.length } }));
    };
    const comeBack = () => {
      page.close();
      page.untilDialing();
      logIn();
    };
    const deliver = (count: number) => {
      for (const line of wire.splice(0, count)) handle(page.line(line));
    };

    page.take({ kind: "signIn", plan: ANNA });
    logIn();
    deliver(1);
    for (const one of steps) {
      if (one === "say") {
        handle(page.take({ kind: "say", messageId: `m-${++said}`, to: undefined, text: `{"text":"${said}"}` }));
      }
      if (one === "other") {
        wire.push(...network.since(Number(network.publish(`o-${network.log.length}`, "x").slice(2)) - 1));
      }
      if (one === "deliver") deliver(2);
      if (one === "cutBefore") {
        wire = [];
        comeBack();
      }
      if (one === "cutAfter") {
        deliver(1);
        wire = [];
        // Said while there is no connection.
        page.close();
        handle(page.take({ kind: "say", messageId: `m-${++said}`, to: undefined, text: `{"text":"${said}"}` }));
        page.untilDialing();
        logIn();
      }
      if (one === "reload") {
        const saved = JSON.parse(JSON.stringify(page.session.saved));
        page = new Page();
        page.take({ kind: "signIn", plan: ANNA, saved });
        logIn();
      }
    }
    wire = [];
    comeBack();
    deliver(Infinity);
    assertEquals(shown, network.log.map(({ id }) => id));
    const own = network.log.filter(({ messageId }) => messageId.startsWith("m-"));
    assertEquals(own.map(({ messageId }) => messageId), Array.from({ length: said }, (_, n) => `m-${n + 1}`));
    assertEquals(page.session.talk.waiting, 0);
  }));
});
