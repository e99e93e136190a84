import { EVERYTHING } from "../../../server/rights/permissions.ts";
import { NAME_TAKEN } from "../../../server/rights/registration.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parseClientLine } from "../../../protocol/client_codec.ts";
import { usernameProblem } from "../../../protocol/names.ts";
import { onLoginChecked, onRegistered } from "../../../server/session/login/logging_in.ts";
import { onMessage } from "../../../server/session/session.ts";
import {
  NEW_SESSION,
  type Session,
  type SessionFacts,
  type SessionStep,
} from "../../../server/session/session_state.ts";

const facts: SessionFacts = {
  allowsAnonymous: true,
  registrationRefusal: () => undefined,
  takesClearSecrets: true,
  takesChannels: true,
  channelRefusal: (count) => count > 2 ? "a client may read 2 channels and patterns" : undefined,
  remoteHost: "127.0.0.1",
  maxRegistrations: 2,
  admit: ({ secret }) =>
    secret === "abc"
      ? { kind: "older", serverId: undefined }
      : { kind: "refused", info: "not the secret of this network" },
  hasAccount: (username) => {
    assertEquals(usernameProblem(username), undefined, "nobody can have this name: it is not looked up");
    return username === "bob" || username === "anna";
  },
  hasSpace: true,
  isRepeated: () => false,
  matchesSecret: (secret) => secret === "right",
};

/** What `message`, written as its fields, does to `session`. */
function say(session: Session, fields: Record<string, unknown>): SessionStep {
  return onMessage(session, parseClientLine(JSON.stringify(fields)), facts);
}

function loggedIn(username: string, features?: string[]): Session {
  const step = say(NEW_SESSION, { command: "LOGIN", username, secret: "right", features });
  return step.session.kind === "verifying" ? onLoginChecked(step.session, {}).session : step.session;
}

/** Asserts that the answer is `command`, and that the connection is closed after it. */
function assertRefused(step: SessionStep, command: string, words: string): void {
  assertEquals(step.effects.map(({ kind }) => kind), ["send", "close"]);
  const sent = step.effects[0];
  assert(sent?.kind === "send");
  assertEquals(sent.message.command, command);
  assertStringIncludes("info" in sent.message ? sent.message.info : "", words);
  assertEquals(step.session.kind, "closed");
}

Deno.test("LOGIN as anonymous needs no secret", () => {
  const step = say(NEW_SESSION, { command: "LOGIN", username: "anonymous" });
  assertEquals(step.effects.map(({ kind }) => kind), ["checkLogin"]);
  const accepted = onLoginChecked(step.session, {});
  assertEquals(accepted.session, {
    kind: "client",
    username: "anonymous",
    features: [],
    isPlain: true,
    may: EVERYTHING,
  });
  assertEquals(accepted.effects.map(({ kind }) => kind), ["beginSession"]);
});

Deno.test("LOGIN with a pass needs no secret; where no secrets come in clear, a pass is neither taken nor given", () => {
  const login = { command: "LOGIN", username: "anna", features: ["resume"] };
  const wanted = (fields: Record<string, unknown>, takesClearSecrets: boolean) =>
    onMessage(NEW_SESSION, parseClientLine(JSON.stringify({ ...login, ...fields })), { ...facts, takesClearSecrets });
  const [check] = wanted({ pass: "p" }, true).effects;
  assertEquals(check?.kind === "checkLogin" && check.login.pass, "p");
  assertRefused(wanted({ pass: true }, true), "LOGIN_FAILED", "a secret is needed");
  assertRefused(wanted({ pass: "p" }, false), "LOGIN_FAILED", "a secret is needed");
  const [proof] = wanted({ scram: `n,,n=anna,r=${"c".repeat(24)}`, pass: true }, false).effects;
  assertEquals(proof?.kind === "challenge" && proof.login.pass, undefined);
});

Deno.test("LOGIN is answered and sent away when another server has fewer clients", () => {
  const step = say(NEW_SESSION, { command: "LOGIN", username: "anna", secret: "right", redirects: 1 });
  const to = { host: "10.0.0.2", port: 8001 };
  const sent = onLoginChecked(step.session, { redirect: to });
  assertEquals(sent.session, { kind: "closed", reason: "REDIRECTED" });
  assertEquals(sent.effects.map(({ kind }) => kind), ["redirect", "close"]);
  assert(sent.effects[0]?.kind === "redirect");
  assertEquals(sent.effects[0].to, to);
  assertEquals(sent.effects[0].login.redirects, 1);
});

Deno.test("AUTHENTICATE makes a peer of a connection, with the right secret and as its first line", () => {
  const step = say(NEW_SESSION, { command: "AUTHENTICATE", secret: "abc", serverId: "s-2", port: 8002 });
  assertEquals(step.session, { kind: "peer" });
  assertEquals(step.effects.map(({ kind }) => kind), ["becomePeer"]);
  assertRefused(
    say(NEW_SESSION, { command: "AUTHENTICATE", secret: "abd" }),
    "AUTHENTICATION_FAIL",
    "not the secret of this network",
  );
  assertRefused(say(loggedIn("anna"), { command: "AUTHENTICATE", secret: "abc" }), "INVALID_MESSAGE", "first line");
});

Deno.test("LOGIN has its secret checked before anything else happens", () => {
  const step = say(NEW_SESSION, { command: "LOGIN", username: "anna", secret: "right", features: ["ack", "later"] });
  assertEquals(step.session.kind, "verifying");
  assertEquals(step.effects.map(({ kind }) => kind), ["checkLogin"]);
  const accepted = onLoginChecked(step.session, {});
  // Of what it asked for it gets what this version serves.
  assertEquals(accepted.session, {
    kind: "client",
    username: "anna",
    features: ["ack"],
    isPlain: false,
    may: EVERYTHING,
  });
  assertRefused(onLoginChecked(step.session, { problem: "UNKNOWN_USER" }), "LOGIN_FAILED", "no user with this name");
  assertRefused(onLoginChecked(step.session, { problem: "WRONG_SECRET" }), "LOGIN_FAILED", "the secret is not");
  const elsewhere = onLoginChecked(step.session, { problem: "LOGGED_IN_ELSEWHERE" });
  assertRefused(elsewhere, "LOGIN_FAILED", "logged in already");
  assert(elsewhere.effects[0]?.kind === "send");
  assertEquals((elsewhere.effects[0].message as { reason?: string }).reason, "LOGGED_IN_ELSEWHERE");
});

Deno.test("LOGIN is refused without a secret, twice, and with a heartbeat address that is not its own", () => {
  assertRefused(say(NEW_SESSION, { command: "LOGIN", username: "anna", secret: null }), "LOGIN_FAILED", "secret");
  const unknown = say(NEW_SESSION, { command: "LOGIN", username: "carl" });
  assertRefused(unknown, "LOGIN_FAILED", "there is no user with this name");
  assertRefused(
    say(loggedIn("anna"), { command: "LOGIN", username: "anna", secret: "right" }),
    "INVALID_MESSAGE",
    "already",
  );
  const heartbeat = { host: "10.0.0.1", port: 9 };
  assertRefused(
    say(NEW_SESSION, { command: "LOGIN", username: "anonymous", features: ["heartbeat"], heartbeat }),
    "INVALID_MESSAGE",
    "address that the connection comes from",
  );
  const own = { host: "127.0.0.1", port: 9 };
  assertEquals(say(NEW_SESSION, { command: "LOGIN", username: "anonymous", heartbeat: own }).session.kind, "verifying");
});

Deno.test("LOGIN under a name that nobody can have is refused before a store is asked", () => {
  for (const username of ["a\ud800", "a\0b", "a:b", "", "x".repeat(65)]) {
    assertRefused(say(NEW_SESSION, { command: "LOGIN", username, secret: "right" }), "LOGIN_FAILED", "no user");
  }
});

Deno.test("END_CONNECTION closes, and what the client writes into it is not passed on", () => {
  const why = (reason: unknown) => {
    const { session, effects } = say(loggedIn("anna"), { command: "END_CONNECTION", reason });
    assertEquals(session, { kind: "closed", reason: "CLOSED_BY_OTHER_SIDE" });
    return effects[0]?.kind === "close" ? effects[0].why : undefined;
  };
  assertEquals(why("SERVER_STOPPING"), "the client ended it: SERVER_STOPPING");
  for (const reason of ["hunter2 ".repeat(1000), "toString", "", undefined]) {
    assertEquals(why(reason), "the client ended it");
  }
});

Deno.test("a client's own INVALID_MESSAGE ends the connection, and is not answered with another one", () => {
  for (const session of [NEW_SESSION, loggedIn("anna")]) {
    for (const info of ["hunter2", undefined, 7]) {
      const step = say(session, { command: "INVALID_MESSAGE", info });
      assertEquals(step.session, { kind: "closed", reason: "CLOSED_BY_OTHER_SIDE" });
      const why = "the client answered INVALID_MESSAGE";
      assertEquals(step.effects, [{ kind: "close", reason: "CLOSED_BY_OTHER_SIDE", why }]);
    }
  }
});

Deno.test("REGISTER is answered when the account is stored, and the connection stays for LOGIN", () => {
  const step = say(NEW_SESSION, { command: "REGISTER", username: "anna", secret: "s" });
  assertEquals(step.effects, [{
    kind: "register",
    registrant: { username: "anna", secret: "s", invitation: undefined },
  }]);
  const registered = onRegistered(step.session);
  assertEquals(registered.session, { kind: "registered", registrations: 1 });
  assertEquals(registered.effects.length, 1);
  assertEquals(say(registered.session, { command: "LOGIN", username: "anna", secret: "s" }).session.kind, "verifying");
  assertRefused(onRegistered(step.session, NAME_TAKEN), "REGISTER_FAILED", "taken");
});

Deno.test("REGISTER is refused for a name or secret that is not allowed, when logged in, and too often", () => {
  const refused = (fields: Record<string, unknown>) => say(NEW_SESSION, { command: "REGISTER", ...fields });
  assertRefused(refused({ username: "a:b", secret: "s" }), "REGISTER_FAILED", "has one of");
  assertRefused(refused({ username: "anonymous", secret: "s" }), "REGISTER_FAILED", "cannot be registered");
  assertRefused(refused({ username: "a", secret: "" }), "REGISTER_FAILED", "secret is empty");
  assertRefused(
    say(loggedIn("anna"), { command: "REGISTER", username: "b", secret: "s" }),
    "INVALID_MESSAGE",
    "logged in",
  );
  const often: Session = { kind: "registered", registrations: 2 };
  assertRefused(say(often, { command: "REGISTER", username: "b", secret: "s" }), "REGISTER_FAILED", "may register 2");
});

Deno.test("ACTIVITY_MESSAGE needs a login, and the pair of that login", () => {
  const activity = { a: 1 };
  const message = (fields: Record<string, unknown>) => ({ command: "ACTIVITY_MESSAGE", activity, ...fields });
  assertRefused(say(NEW_SESSION, message({ username: "anna", secret: "right" })), "AUTHENTICATION_FAIL", "log in");
  const plain = loggedIn("anna");
  assertEquals(say(plain, message({ username: "anna", secret: "right" })).effects, [{ kind: "publish" }]);
  assertRefused(say(plain, message({ username: "bob", secret: "right" })), "AUTHENTICATION_FAIL", "username");
  assertRefused(say(plain, message({ username: "anna", secret: "wrong" })), "AUTHENTICATION_FAIL", "secret");
  assertRefused(say(plain, message({ username: "anna" })), "AUTHENTICATION_FAIL", "secret");
  assertRefused(say(plain, message({ secret: "right" })), "AUTHENTICATION_FAIL", "username");
});

Deno.test("ACTIVITY_MESSAGE may leave the pair out for a client that asked for features, but not claim another", () => {
  const activity = { a: 1 };
  const client = loggedIn("anna", ["ack"]);
  assertEquals(say(client, { command: "ACTIVITY_MESSAGE", activity }).effects, [{ kind: "publish" }]);
  assertRefused(
    say(client, { command: "ACTIVITY_MESSAGE", activity, username: "bob" }),
    "AUTHENTICATION_FAIL",
    "username",
  );
  assertRefused(
    say(client, { command: "ACTIVITY_MESSAGE", activity, secret: "wrong" }),
    "AUTHENTICATION_FAIL",
    "secret",
  );
});

Deno.test("an anonymous client may name itself or not, with any secret", () => {
  const anonymous = loggedIn("anonymous");
  for (const rest of [{}, { username: "anonymous" }, { username: "anonymous", secret: null }]) {
    assertEquals(say(anonymous, { command: "ACTIVITY_MESSAGE", activity: {}, ...rest }).effects, [{ kind: "publish" }]);
  }
  assertRefused(
    say(anonymous, { command: "ACTIVITY_MESSAGE", activity: {}, username: "anna" }),
    "AUTHENTICATION_FAIL",
    "username",
  );
});

Deno.test("LOGOUT closes, and is no first line", () => {
  const step = say(loggedIn("anna"), { command: "LOGOUT" });
  assertEquals(step.session, { kind: "closed", reason: "LOGGED_OUT" });
  assertEquals(step.effects.map(({ kind }) => kind), ["close"]);
  assertRefused(say(NEW_SESSION, { command: "LOGOUT" }), "INVALID_MESSAGE", "LOGOUT may only be sent when logged in");
});

Deno.test("DIRECT_MESSAGE is sent as the user of the login, with and without features", () => {
  for (const features of [undefined, ["ack"], ["chat"]]) {
    const client = loggedIn("anna", features);
    const step = say(client, { command: "DIRECT_MESSAGE", to: "bob", text: "hello", messageId: "m-1", from: "carl" });
    assertEquals(step.session, client);
    const message = {
      command: "DIRECT_MESSAGE",
      to: "bob",
      text: "hello",
      messageId: "m-1",
      lamport: undefined,
    } as const;
    assertEquals(step.effects, [{ kind: "sendDirect", message }]);
  }
});

Deno.test("DIRECT_MESSAGE that cannot be sent is answered with its messageId, and the connection stays", () => {
  const failure = (session: Session, fields: Record<string, unknown>) => {
    const step = say(session, { command: "DIRECT_MESSAGE", ...fields });
    assertEquals(step.session, session);
    assertEquals(step.effects.map(({ kind }) => kind), ["send"]);
    assert(step.effects[0]?.kind === "send" && step.effects[0].message.command === "DIRECT_MESSAGE_FAILED");
    return step.effects[0].message;
  };
  const anna = loggedIn("anna", ["chat"]);
  const unknown = "there is no user with this name";
  assertEquals(failure(anna, { to: "carl", text: "x", messageId: "m-1" }), {
    command: "DIRECT_MESSAGE_FAILED",
    info: unknown,
    messageId: "m-1",
  });
  assertEquals(failure(anna, { to: "carl", text: "x" }), { command: "DIRECT_MESSAGE_FAILED", info: unknown });
  // Names that nobody can have are not looked up: half a surrogate pair can be another name to a store.
  for (const to of ["", "anonymous", "bob\ud800", "bob:", "x".repeat(65)]) {
    assertEquals(failure(anna, { to, text: "x" }).info, unknown);
  }
  assertEquals(failure(anna, { to: "bob", text: "" }).info, "the text is empty");
  assertStringIncludes(failure(loggedIn("anonymous", ["chat"]), { to: "bob", text: "x" }).info, "who has a name");
});

Deno.test("DIRECT_MESSAGE and LIST_USERS need a login", () => {
  for (const session of [NEW_SESSION, { kind: "registered", registrations: 1 } as const]) {
    const message = { command: "DIRECT_MESSAGE", to: "bob", text: "x" };
    assertRefused(say(session, message), "AUTHENTICATION_FAIL", "log in before you send messages");
    assertRefused(say(session, { command: "LIST_USERS", scope: "all" }), "INVALID_MESSAGE", "when logged in");
  }
  const effects = say(loggedIn("anonymous"), { command: "LIST_USERS", scope: "online" }).effects;
  assertEquals(effects, [{ kind: "listUsers", scope: "online" }]);
});

Deno.test("HISTORY needs a login, and no feature", () => {
  for (const session of [NEW_SESSION, { kind: "registered", registrations: 1 } as const]) {
    assertRefused(say(session, { command: "HISTORY" }), "INVALID_MESSAGE", "when logged in");
  }
  const question = { command: "HISTORY" as const, limit: 20, before: undefined, since: undefined };
  assertEquals(say(loggedIn("anonymous"), { command: "HISTORY" }).effects, [{ kind: "tellPast", question }]);
});

Deno.test("what servers say to each other, or to clients, is refused from a client", () => {
  for (const command of ["ONLINE", "ONLINE_CHANGE", "RECEIPT", "PRESENCE", "USER_LIST", "CAUGHT_UP", "ENTRIES"]) {
    for (const session of [NEW_SESSION, loggedIn("anna", ["chat", "presence"])]) {
      assertRefused(say(session, { command, username: "bob", users: [] }), "INVALID_MESSAGE", "not known");
    }
  }
});

Deno.test("heartbeats and acknowledgements go both ways when logged in, and not before", () => {
  const client = loggedIn("anna", ["heartbeat", "resume"]);
  assertEquals(say(client, { command: "HEARTBEAT", sequence: 4 }).effects, [{ kind: "answerHeartbeat", sequence: 4 }]);
  assertEquals(say(client, { command: "HEARTBEAT_ACK", sequence: 4 }).effects, [{
    kind: "heartbeatAnswered",
    sequence: 4,
  }]);
  assertEquals(say(client, { command: "ACK", vector: { s: 1 } }).effects, [{ kind: "acknowledged", vector: { s: 1 } }]);
  for (
    const fields of [{ command: "HEARTBEAT", sequence: 1 }, { command: "HEARTBEAT_ACK", sequence: 1 }, {
      command: "ACK",
      vector: {},
    }]
  ) {
    assertRefused(say(NEW_SESSION, fields), "INVALID_MESSAGE", "when logged in");
  }
});

Deno.test("what cannot be read is answered with what was wrong, whatever the session is", () => {
  for (const session of [NEW_SESSION, loggedIn("anna"), { kind: "registered", registrations: 1 } as const]) {
    assertRefused(onMessage(session, parseClientLine("{"), facts), "INVALID_MESSAGE", "not valid JSON");
  }
});

Deno.test("a check that comes back after the connection has closed changes nothing", () => {
  const closed: Session = { kind: "closed", reason: "CLOSED_BY_OTHER_SIDE" };
  assertEquals(onLoginChecked(closed, {}), { session: closed, effects: [] });
  assertEquals(onRegistered(closed), { session: closed, effects: [] });
});

const withoutSpace: SessionFacts = {
  ...facts,
  hasSpace: false,
  isRepeated: (username, messageId) => username === "bob" && messageId === "known",
};

function sayWithoutSpace(session: Session, fields: Record<string, unknown>): SessionStep {
  return onMessage(session, parseClientLine(JSON.stringify(fields)), withoutSpace);
}

Deno.test("without space what is published or sent is refused, and the session goes on", () => {
  const session = loggedIn("bob", ["ack"]);
  const about = { reason: "NO_SPACE", info: "this server has no space left for it" };
  for (const messageId of [undefined, "m"]) {
    const id = messageId === undefined ? {} : { messageId };
    assertEquals(sayWithoutSpace(session, { command: "ACTIVITY_MESSAGE", activity: {}, ...id }), {
      session,
      effects: [{ kind: "refuseActivity", message: { command: "ACTIVITY_FAILED", ...id, ...about } }],
    });
    assertEquals(sayWithoutSpace(session, { command: "DIRECT_MESSAGE", to: "anna", text: "x", ...id }), {
      session,
      effects: [{ kind: "send", message: { command: "DIRECT_MESSAGE_FAILED", ...id, ...about } }],
    });
  }
});

Deno.test("without space what was taken before is answered as it was then", () => {
  const session = loggedIn("bob", ["ack"]);
  const messageId = "known";
  const published = sayWithoutSpace(session, { command: "ACTIVITY_MESSAGE", activity: {}, messageId });
  assertEquals(published.effects.map(({ kind }) => kind), ["publish"]);
  const sent = sayWithoutSpace(session, { command: "DIRECT_MESSAGE", to: "anna", text: "x", messageId });
  assertEquals(sent.effects.map(({ kind }) => kind), ["sendDirect"]);
});

Deno.test("without space a plain client that publishes is closed, as it knows no command that says so", () => {
  const step = sayWithoutSpace(loggedIn("bob"), {
    command: "ACTIVITY_MESSAGE",
    username: "bob",
    secret: "right",
    activity: {},
  });
  assertEquals(step.session, { kind: "closed", reason: "NO_SPACE" });
  assertEquals(step.effects.map(({ kind }) => kind), ["close"]);
});

Deno.test("without space nobody registers, and who has an account logs in", () => {
  const refused = sayWithoutSpace(NEW_SESSION, { command: "REGISTER", username: "carl", secret: "x" });
  assertRefused(refused, "REGISTER_FAILED", "no space");
  const login = sayWithoutSpace(NEW_SESSION, { command: "LOGIN", username: "bob", secret: "right" });
  assertEquals(login.effects.map(({ kind }) => kind), ["checkLogin"]);
});
