import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  beginSession,
  describeEnd,
  leave,
  onLost,
  onMessage,
  onSilence,
  type Session,
  type SessionPlan,
  type SessionStep,
} from "../../client/session.ts";
import { parseServerLine } from "../../protocol/server_codec.ts";

const ada: SessionPlan = {
  username: "ada",
  secret: "right",
  register: false,
  features: ["heartbeat", "resume"],
  resume: undefined,
  heartbeatPort: undefined,
  redirects: 0,
  ticket: undefined,
  last: undefined,
};

/** What the server's line, written as its fields, does to `session`. */
function hear(session: Session, fields: Record<string, unknown>): SessionStep {
  return onMessage(session, parseServerLine(JSON.stringify(fields)));
}

const loggingIn = beginSession(ada).session;
const opened = hear(loggingIn, { command: "LOGIN_SUCCESS", info: "welcome" }).session;

/** How `step` ends the connection. */
function endOf(step: SessionStep) {
  const last = step.effects.at(-1);
  assertEquals(last?.kind, "end");
  assertEquals(step.session, { kind: "over" });
  return last?.kind === "end" ? last.end : undefined;
}

/** The only message that `step` sends. */
function sentBy(step: SessionStep) {
  const sent = step.effects.filter(({ kind }) => kind === "send");
  assertEquals(sent.length, 1);
  return sent[0]!.kind === "send" ? sent[0]!.message : undefined;
}

Deno.test("beginSession() logs in, and says nothing that there is nothing to say about", () => {
  assertEquals(sentBy(beginSession(ada)), {
    command: "LOGIN",
    username: "ada",
    secret: "right",
    features: ["heartbeat", "resume"],
  });
});

Deno.test("beginSession() says all that the server has to know of a client that comes from elsewhere", () => {
  const plan = { ...ada, resume: { s: 4 }, heartbeatPort: 8001, redirects: 2, ticket: "t", last: "s:3" };
  assertEquals(sentBy(beginSession(plan)), {
    command: "LOGIN",
    username: "ada",
    secret: "right",
    features: ["heartbeat", "resume"],
    resume: { vector: { s: 4 } },
    heartbeat: { port: 8001 },
    redirects: 2,
    ticket: "t",
    last: "s:3",
  });
});

Deno.test("beginSession() of a plain anonymous client names neither secret nor features", () => {
  assertEquals(sentBy(beginSession({ ...ada, username: "anonymous", features: [] })), {
    command: "LOGIN",
    username: "anonymous",
  });
});

Deno.test("REGISTER_SUCCESS is followed by the login on the same connection", () => {
  const registering = beginSession({ ...ada, register: true });
  assertEquals(sentBy(registering)?.command, "REGISTER");
  const step = hear(registering.session, { command: "REGISTER_SUCCESS", info: "" });
  assertEquals(step.effects.map(({ kind }) => kind), ["registered", "send"]);
  assertEquals(sentBy(step)?.command, "LOGIN");
});

Deno.test("REGISTER_FAILED is a refusal, but for a client that registers only if it is new", () => {
  const taken = { command: "REGISTER_FAILED", info: "this name is taken", reason: "NAME_TAKEN" };
  const { session } = beginSession({ ...ada, register: true });
  assertEquals(endOf(hear(session, taken))?.kind, "refused");
  const ifNew = beginSession({ ...ada, register: "ifNew" }).session;
  assertEquals(endOf(hear(ifNew, taken))?.kind, "nameTaken");
  assertEquals(endOf(hear(ifNew, { command: "REGISTER_FAILED", info: "" }))?.kind, "nameTaken");
  assertEquals(endOf(hear(ifNew, { ...taken, reason: "NOT_ALLOWED" }))?.kind, "refused");
});

Deno.test("LOGIN_SUCCESS opens the session, once", () => {
  assertEquals(opened.kind, "open");
  const again = endOf(hear(opened, { command: "LOGIN_SUCCESS", info: "" }));
  assertEquals(again?.kind === "lost" && again.reason, "INVALID_MESSAGE");
});

Deno.test("Refusals end the connection, whenever they come", () => {
  for (const command of ["LOGIN_FAILED", "AUTHENTICATION_FAIL", "INVALID_MESSAGE"] as const) {
    for (const session of [loggingIn, opened]) {
      assertEquals(endOf(hear(session, { command, info: "no" })), {
        kind: "refused",
        refusal: { command, info: "no" },
      });
    }
  }
});

Deno.test("REDIRECT names the server to call", () => {
  assertEquals(endOf(hear(opened, { command: "REDIRECT", hostname: "b", port: 9 })), {
    kind: "redirected",
    server: { host: "b", port: 9 },
  });
});

Deno.test("REDIRECT says nothing to a client that is leaving anyway", () => {
  const step = hear(leave(opened).session, { command: "REDIRECT", hostname: "b", port: 9 });
  assertEquals(endOf(step), { kind: "loggedOut" });
});

Deno.test("BACKUP_LIST is passed on, and changes nothing else", () => {
  const servers = [{ serverId: "s2", host: "b", port: 9 }];
  assertEquals(hear(opened, { command: "BACKUP_LIST", servers }), {
    session: opened,
    effects: [{ kind: "backups", servers }],
  });
  assertEquals(hear(opened, { command: "BACKUP_LIST", servers: [] }).effects, [{ kind: "backups", servers: [] }]);
});

Deno.test("END_CONNECTION carries the advice of the server", () => {
  const message = { command: "END_CONNECTION", reason: "SERVER_STOPPING", info: "bye", reconnect: "backoff" };
  assertEquals(endOf(hear(opened, { ...message, retryAfterMs: 250 })), {
    kind: "endedByServer",
    reason: "SERVER_STOPPING",
    info: "bye",
    advice: "backoff",
    retryAfterMs: 250,
  });
});

Deno.test("An activity is delivered when logged in, and is a fault of the server before", () => {
  const broadcast = {
    command: "ACTIVITY_BROADCAST",
    activity: { a: 1 },

    id: "s:1",
    lamport: 2,
    sentAt: 3,
  };
  assertEquals(
    hear(opened, broadcast).effects,
    [{ kind: "deliver", broadcast: { ...broadcast, activityText: '{"a":1}' } }] as never,
  );
  assertEquals(endOf(hear(loggingIn, broadcast))?.kind, "lost");
});

Deno.test("Commands that only a newer server knows change nothing", () => {
  assertEquals(hear(opened, { command: "SOMETHING_NEW", of: 3 }), { session: opened, effects: [] });
});

Deno.test("A line that cannot be read ends the connection with what was wrong", () => {
  const end = endOf(onMessage(opened, parseServerLine("HTTP/1.1 400 Bad Request")));
  assertStringIncludes(end?.kind === "lost" ? end.info : "", "not valid JSON");
});

Deno.test("leave() says LOGOUT, and then every end is the one that was wanted", () => {
  const step = leave(opened);
  assertEquals(sentBy(step)?.command, "LOGOUT");
  assertEquals(endOf(onLost(step.session, "CLOSED_BY_OTHER_SIDE")), { kind: "loggedOut" });
  const message = { command: "END_CONNECTION", reason: "LOGGED_OUT", info: "" };
  assertEquals(endOf(hear(step.session, message)), { kind: "loggedOut" });
  const broadcast = { command: "ACTIVITY_BROADCAST", activity: {}, id: "s:1", lamport: 2, sentAt: 3 };
  assertEquals(hear(step.session, broadcast).effects.length, 1);
});

Deno.test("onSilence() tells the server why the connection ends", () => {
  const step = onSilence(opened);
  assertEquals(sentBy(step)?.reason, "HEARTBEAT_TIMEOUT");
  assertEquals(endOf(step), { kind: "lost", reason: "HEARTBEAT_TIMEOUT", info: "" });
});

Deno.test("Nothing follows the end", () => {
  const { session } = onLost(opened, "CONNECTION_RESET");
  assertEquals(hear(session, { command: "LOGIN_FAILED", info: "" }).effects, []);
  assertEquals(onLost(session, "CONNECTION_RESET").effects, []);
  assertEquals(leave(session).effects, []);
});

Deno.test("describeEnd() uses the server's words, then the table's, then the bare name", () => {
  assertEquals(describeEnd("SERVER_STOPPING", "for repairs"), "for repairs");
  assertEquals(describeEnd("SERVER_STOPPING", ""), "the server is stopping");
  assertEquals(describeEnd("SOMETHING_NEW", ""), "SOMETHING_NEW");
});

Deno.test("onMessage() hands on what is said about users when it is logged in, and takes it for a fault before", () => {
  for (
    const fields of [
      { command: "DIRECT_MESSAGE", from: "bob", to: "ada", text: "x", id: "s:1", lamport: 1, sentAt: 2 },
      { command: "RECEIPT", messageId: "m", state: "stored", of: "s:1", to: "bob", lamport: 1 },
      { command: "USER_LIST", scope: "all", users: ["ada"] },
      { command: "PRESENCE", event: "joined", username: "bob", lamport: 1 },
      { command: "CAUGHT_UP", vector: { s: 1 } },
    ] as const
  ) {
    assertEquals(hear(opened, fields).effects, [{ kind: "chat", message: fields }]);
    const end = endOf(hear(loggingIn, fields));
    assertStringIncludes(end?.kind === "lost" ? end.info : "", `sent ${fields.command}, which it may not send now`);
  }
});

Deno.test("onMessage() takes the acknowledgement of something else for a refusal of what was sent", () => {
  const refusal = {
    messageId: "m",
    reason: "MESSAGE_ID_USED",
    info: "something else was sent under its message id before",
  };
  const other = { messageId: "m", differs: true } as const;
  assertEquals(hear(opened, { command: "ACTIVITY_ACK", id: "s:1", ...other }).effects, [
    { kind: "refused", refusal: { command: "ACTIVITY_FAILED", ...refusal } },
  ]);
  const receipt = { command: "RECEIPT", state: "stored", of: "s:1", to: "bob", lamport: 1, ...other } as const;
  assertEquals(hear(opened, receipt).effects, [
    { kind: "refused", refusal: { command: "DIRECT_MESSAGE_FAILED", ...refusal } },
  ]);
});

Deno.test("onMessage() hands on what the server did not take, and goes on", () => {
  for (
    const refusal of [
      { command: "DIRECT_MESSAGE_FAILED", info: "no", messageId: "m" },
      { command: "ACTIVITY_FAILED", reason: "NO_SPACE", info: "no", messageId: "m" },
    ] as const
  ) {
    const step = hear(opened, refusal);
    assertEquals(step, { session: opened, effects: [{ kind: "refused", refusal }] });
    const end = endOf(hear(loggingIn, refusal));
    assertStringIncludes(end?.kind === "lost" ? end.info : "", `sent ${refusal.command}, which it may not send now`);
  }
});
