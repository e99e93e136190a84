// @ts-check
/**
 * The browser client's life, over all its connections: what happens to it (a line, a closed socket, a timer, a person)
 * goes in, and what is to be done comes out. It knows no socket, no timer, no clock and no page: moments and chance
 * come with the events. `line_client.js` carries out what it says. What is said and heard is the business of `talk.js`,
 * and where to go next is decided by `failover.js`.
 *
 *     signedOut ─▶ dialing ─▶ greeting ─▶ live ─▶ leaving ─▶ signedOut
 *                    ▲  │         │         │
 *                    └──┴─ waiting ◀────────┴─▶ ended     (by hand: dialing ─▶ byHand ─▶ ended)
 */

import { OwnChange } from "./account/own_change.js";
import { Failover } from "./failover.js";
import { lineUrl } from "./gateways.js";
import { loginLine, registerLine } from "./lines.js";
import { firstMessage, questionIn } from "./login_proof.js";
import { dueAt, heard, startLiveness, stepLiveness } from "./liveness.js";
import { Surroundings } from "./surroundings.js";
import { Talk } from "./talk.js";
import { adviceFor, endSentence } from "./words.js";

/** @typedef {import("./session_types.js").Plan} Plan */
/** @typedef {import("./session_types.js").Moment} Moment */
/** @typedef {import("./session_types.js").Message} Message */
/** @typedef {import("./session_types.js").Saved} Saved */
/** @typedef {import("./session_types.js").Status} Status */
/** @typedef {import("./session_types.js").SignIn} SignIn */
/** @typedef {import("./session_types.js").SessionEvent} SessionEvent */
/** @typedef {import("./session_types.js").SessionEffect} SessionEffect */

/** Time allowed to connect and to log in, each: as in the client library. */
export const CONNECT_TIMEOUT_MS = 10_000;
/** How long a server may take to close after LOGOUT. */
const LEAVE_TIMEOUT_MS = 2_000;
/** When a line may be written by hand. */
const OPEN = ["greeting", "live", "byHand", "leaving"];

/** @type {Status} */
const SIGNED_OUT = Object.freeze({ kind: "signedOut" });

/** The client of one page. */
export class LineSession {
  #home;
  #failover;
  /** Who is online, and which servers there are. */
  surroundings;
  /** What is said and heard. */
  talk = new Talk();
  /** @type {Status} */
  #status = SIGNED_OUT;
  /** @type {SessionEffect[]} */
  #effects = [];
  /** Nobody's while lines are written by hand. @type {Plan | undefined} */
  #plan;
  #mayHaveRegistered = false;
  #hasBeenLive = false;
  /** @type {string | undefined} */
  #ticket;
  /** Of the connection. Without one the secret is told in clear. @type {string | undefined} */
  #nonce;
  /** @type {import("./session_types.js").ProofStage | undefined} */
  #proof;
  /** For one login without the secret. @type {string | undefined} */
  #pass;
  /** The answer to the login, while logged in. @type {Message | undefined} */
  #login;
  /** @type {import("./liveness.js").Liveness | undefined} */
  #liveness;
  #answersHeartbeats = true;
  #lossText = "";
  /** This page's own change of its account. */
  #change = new OwnChange();

  /** @param {import("./gateways.js").Home} home */
  constructor(home) {
    this.#home = home;
    this.#failover = new Failover(home.host);
    this.surroundings = new Surroundings(home);
  }

  /** Where the client stands. */
  get status() {
    return this.#status;
  }

  /** The gateway that is or was called last. */
  get gateway() {
    return this.#failover.current;
  }

  /** Whether the page knows another one. */
  get hasOthers() {
    return this.#failover.hasOthers;
  }

  /** How many attempts failed in a row. */
  get failures() {
    return this.#failover.failures;
  }

  get username() {
    return this.#plan?.username;
  }

  /** Whether without features; while the page leaves to come in otherwise, how it will be. */
  get isPlain() {
    const next = this.#status.kind === "leaving" ? this.#status.next : undefined;
    return (next ?? this.#plan)?.isPlain ?? false;
  }

  get isByHand() {
    return this.#plan === undefined && this.#status.kind !== "signedOut";
  }

  /** Whether this user was logged in before: then a lost connection is an outage and no failed login. */
  get hasBeenLive() {
    return this.#hasBeenLive;
  }

  /** Why there is no connection, while there is none. */
  get lossText() {
    return this.#lossText;
  }

  /** Those in force. @returns {string[]} */
  get features() {
    return Array.isArray(this.#login?.features) ? this.#login.features.map(String) : [];
  }

  get serverId() {
    return typeof this.#login?.serverId === "string" ? this.#login.serverId : undefined;
  }

  /** @returns {import("./liveness.js").HeartbeatSettings | undefined} */
  get heartbeat() {
    return this.#login?.heartbeat;
  }

  get answersHeartbeats() {
    return this.#answersHeartbeats;
  }

  /** When to hand in `woke`; undefined for never. */
  get wakeAt() {
    if ("until" in this.#status) return this.#status.until;
    return this.#liveness && this.heartbeat && dueAt(this.#liveness, this.heartbeat);
  }

  /** What a reload needs; undefined when nobody is logged in. @returns {Saved | undefined} */
  get saved() {
    if (this.#plan === undefined) return undefined;
    return {
      username: this.#plan.username,
      ...this.talk.saved,
      ...this.#pass === undefined ? {} : { pass: this.#pass },
    };
  }

  /**
   * The one entrance.
   * @param {SessionEvent} event
   * @returns {SessionEffect[]}
   */
  take(event) {
    this.#effects = [];
    switch (event.kind) {
      case "signIn":
        this.#signIn(event);
        break;
      case "opened":
        this.#nonce = event.nonce;
        if (this.#status.kind === "dialing") this.#greet(event);
        break;
      case "proved":
      case "notProved":
        this.#proved(event);
        break;
      case "line":
        this.#line(event.text, event);
        break;
      case "closed":
        this.#closed("CLOSED_BY_OTHER_SIDE", "", event);
        break;
      case "woke":
        this.#woke(event);
        break;
      case "say":
        this.#say(event);
        break;
      case "join":
        this.#do(...this.talk.join(event.channel, event.at));
        break;
      case "leaveChannel":
        this.#do(...this.talk.leave(event.channel));
        break;
      case "raw":
        this.#raw(event);
        break;
      case "earlier":
        if (this.#status.kind === "live") this.#do(...this.talk.earlier(event.before, event.place));
        break;
      case "seen":
        this.#do(...this.talk.seen());
        break;
      case "retry":
        if (this.#status.kind !== "waiting" && this.#status.kind !== "ended") break;
        this.#failover.anew();
        this.#dial(event);
        break;
      case "leave":
        this.#leave(undefined, event);
        break;
      case "plain":
        if (this.#plan !== undefined) this.#leave({ ...this.#plan, isPlain: event.isPlain }, event);
        break;
      case "answering":
        this.#answersHeartbeats = event.isOn;
        break;
      case "changing":
        this.#change.begin(event.newSecret);
        break;
      case "changed":
        this.#changed(event);
        break;
      case "learned":
        this.surroundings.learn(event.view);
        this.#failover.learn(this.surroundings.gateways);
    }
    return this.#effects;
  }

  // ---- From somebody who comes in to a connection that is logged in

  /** @param {SignIn} event */
  #signIn({ plan, saved, fromStart = false, channels, ...now }) {
    this.#plan = plan;
    this.#failover.forget(this.#home.host);
    this.surroundings.forget();
    this.#failover.learn(this.surroundings.gateways);
    this.talk = new Talk(saved, fromStart, channels);
    this.#ticket = undefined;
    this.#pass = saved?.pass;
    this.#hasBeenLive = false;
    this.#mayHaveRegistered = false;
    this.#lossText = "";
    this.#dial(now);
  }

  /** @param {Moment} now */
  #dial({ at }) {
    this.#drop();
    this.#status = { kind: "dialing", until: at + CONNECT_TIMEOUT_MS };
    this.#do({ kind: "dial", url: lineUrl(this.#failover.current, this.#home) });
  }

  /** The socket is open. @param {Moment} now */
  #greet({ at }) {
    if (this.#plan === undefined) {
      this.#status = { kind: "byHand" };
      return;
    }
    this.#status = { kind: "greeting", until: at + CONNECT_TIMEOUT_MS };
    if (this.#plan.register === false) this.#logIn(this.#plan);
    else this.#write(registerLine(this.#plan));
  }

  /** @param {Plan} plan */
  #logIn(plan) {
    const { vector, last } = this.talk;
    const pass = this.#pass;
    // It is spent by that, whatever comes of it.
    this.#pass = undefined;
    // After a reload there is no secret to prove.
    const isProved = this.#nonce !== undefined && plan.secret !== "" && !plan.isPlain;
    const scram = isProved ? firstMessage(plan.username, this.#nonce ?? "") : undefined;
    this.#proof = scram === undefined ? undefined : { kind: "begun", first: scram };
    const { redirects } = this.#failover;
    const channels = this.talk.joined.login();
    this.#write(loginLine(plan, { vector, redirects, ticket: this.#ticket, pass, last, scram, channels }));
    if (pass !== undefined) this.#do({ kind: "save" });
  }

  /** The server asks for a proof. @param {Message} message @param {Moment} now */
  #challenged(message, now) {
    if (this.#plan === undefined || this.#status.kind !== "greeting") return;
    const first = this.#proof?.kind === "begun" ? this.#proof.first : undefined;
    const question = first === undefined ? undefined : questionIn(first, String(message.scram));
    if (first === undefined || question === undefined) {
      return this.#closed("INVALID_MESSAGE", "the server asks for a proof in a way that cannot be trusted", now);
    }
    this.#proof = { kind: "asked", first };
    this.#do({ kind: "prove", first, question, secret: this.#plan.secret });
  }

  /** @param {Extract<SessionEvent, { kind: "proved" | "notProved" }>} event */
  #proved(event) {
    // It may be the answer to a question on an earlier connection.
    if (this.#status.kind !== "greeting" || this.#proof?.kind !== "asked" || this.#proof.first !== event.first) return;
    if (event.kind === "notProved") return this.#closed("INVALID_MESSAGE", event.why, event);
    this.#proof = { kind: "given", serverFinal: event.serverFinal };
    this.#write(JSON.stringify({ command: "RESPONSE", scram: event.response }));
  }

  #registered() {
    if (this.#plan === undefined || this.#status.kind !== "greeting") return;
    this.#plan = { ...this.#plan, register: false };
    this.#logIn(this.#plan);
  }

  /** @param {Message} message @param {Moment} now */
  #opened(message, now) {
    const proof = this.#status.kind === "greeting" ? this.#proof : undefined;
    // Whoever lets everybody in may want to hear what is said then.
    if (proof !== undefined && !(proof.kind === "given" && message.scram === proof.serverFinal)) {
      return this.#closed("INVALID_MESSAGE", "the server has not proved that it knows this account", now);
    }
    this.#login = message;
    if (this.#plan === undefined || this.#status.kind !== "greeting") return;
    if (typeof message.ticket === "string") this.#ticket = message.ticket;
    if (typeof message.pass === "string") {
      this.#pass = message.pass;
      this.#do({ kind: "save" });
    }
    // A server that sends the page on at once says nothing of what it has: the session begins at the next one.
    if (message.resume === undefined && this.features.includes("resume")) return;
    if (this.#hasBeenLive) this.#note("good", `Connected again, to ${this.gateway}`, now);
    this.#plan = { ...this.#plan, register: false };
    this.#mayHaveRegistered = false;
    this.#hasBeenLive = true;
    this.#status = { kind: "live" };
    this.#lossText = "";
    this.#failover.opened(now.at);
    this.#liveness = this.heartbeat === undefined ? undefined : startLiveness(now.at);
    this.#do(...this.talk.opened(message, this.#plan, now.at));
    if (this.features.length > 0) this.#write('{"command":"LIST_USERS","scope":"online"}');
    else this.surroundings.forgetOnline();
    this.#do({ kind: "poll" });
  }

  // ---- Lines

  /** @param {string} text @param {Moment} now */
  #line(text, now) {
    if (this.#liveness !== undefined) this.#liveness = heard(this.#liveness, now.at);
    const message = readLine(text);
    if (message !== undefined) return this.#message(message, text, now);
    if (this.#plan !== undefined) this.#closed("INVALID_MESSAGE", "the server sent something that cannot be read", now);
  }

  /** @param {Message} message @param {string} text The line. @param {Moment} now */
  #message(message, text, now) {
    switch (message.command) {
      case "HEARTBEAT":
        if (!this.#answersHeartbeats) return;
        return this.#write(JSON.stringify({ command: "HEARTBEAT_ACK", sequence: message.sequence }));
      case "REGISTER_SUCCESS":
        return this.#registered();
      case "CHALLENGE":
        return this.#challenged(message, now);
      case "LOGIN_SUCCESS":
        return this.#opened(message, now);
      case "REGISTER_FAILED":
      case "LOGIN_FAILED":
      case "AUTHENTICATION_FAIL":
      case "INVALID_MESSAGE":
        return this.#refused(message, now);
      case "USER_LIST":
        return this.surroundings.listed(message);
      case "PRESENCE":
        this.surroundings.changed(String(message.event), String(message.username));
        break;
      case "BACKUP_LIST":
        this.surroundings.named(message.servers, this.serverId);
        this.#failover.learn(this.surroundings.gateways);
        return this.#do({ kind: "poll" });
      case "REDIRECT":
        return this.#redirected(message, now);
      case "END_CONNECTION":
        return this.#endedByServer(message, now);
    }
    // HEARTBEAT_ACK was life, and no more; what a newer server says may be nothing to this page.
    const arrived = this.talk.take(message, text, this.#plan, now.at) ?? [];
    for (const effect of arrived) {
      if (effect.kind === "activity") this.surroundings.met(effect.user);
      else if (effect.kind === "direct") this.surroundings.met(effect.from);
    }
    this.#do(...arrived);
  }

  // ---- How a connection ends

  /** @param {Message} message @param {Moment} now */
  #refused(message, now) {
    // The answer of a server that does not know of proofs, to a login without a secret.
    const isInClear = this.#proof?.kind === "begun" && message.reason === "WRONG_SECRET";
    const info = isInClear
      ? "it wants the secret in clear, and this page does not tell it"
      : String(message.info ?? "");
    if (this.#plan === undefined) {
      this.#lossText = `the server said ${message.command}: ${info}`;
      return;
    }
    if (this.#status.kind !== "greeting") return this.#end(String(message.command), `The connection ended: ${info}`);
    const { username, register, secret } = this.#plan;
    const isTaken = message.command === "REGISTER_FAILED" && (message.reason ?? "NAME_TAKEN") === "NAME_TAKEN";
    if (isTaken && register === "ifNew") {
      // It may be our own registration, whose answer never came.
      this.#plan = { ...this.#plan, register: false };
      return this.#dial(now);
    }
    // What it does take, it is asked for one by one.
    if (message.reason === "TOO_MANY_CHANNELS" && this.talk.joined.tooMany()) return this.#dial(now);
    const delayMs = message.command === "LOGIN_FAILED" ? this.#failover.refused(now, message.reason) : undefined;
    if (delayMs !== undefined) return this.#wait(delayMs, info, now);
    const isWrong = message.reason === "WRONG_SECRET";
    const reason = isInClear
      ? "CLEAR_ONLY"
      : isWrong && secret === ""
      ? "PASS_OVER"
      : isWrong && this.#mayHaveRegistered
      ? "NAME_TAKEN"
      : message.reason;
    this.#drop();
    this.#plan = undefined;
    this.#status = { kind: "signedOut", refusal: { reason, info, username } };
  }

  /** @param {Message} message @param {Moment} now */
  #redirected({ hostname, port }, now) {
    if (this.#status.kind === "leaving") return this.#closed("LOGGED_OUT", "", now);
    if (this.#plan === undefined) return;
    const gateway = this.surroundings.gatewayAt(String(hostname), Number(port));
    const delayMs = this.#failover.redirected(now, gateway);
    const where = `${hostname}:${port}${gateway === undefined ? ", which has no gateway for this page" : ""}`;
    if (this.#hasBeenLive) this.#note("plain", `Sent on to ${where}`, now);
    this.#wait(delayMs, "the server sent this client on", now, false);
  }

  /** @param {Message} message @param {Moment} now */
  #endedByServer({ reason, info, reconnect = "now", retryAfterMs = 0 }, now) {
    const name = String(reason);
    const sentence = endSentence(name, String(info ?? ""));
    if (this.#status.kind === "leaving") return this.#closed("LOGGED_OUT", "", now);
    if (this.#plan === undefined) {
      this.#lossText = `the server said ${name}: ${sentence}`;
      return;
    }
    const isOwn = name === "SECRET_CHANGED" && this.#change.endsConnection();
    if (isOwn) this.#takeSecret();
    const isOrderly = isOwn || name === "SERVER_STOPPING" && reconnect === "now";
    const delayMs = this.#failover.lost(now, { advice: isOwn ? "now" : reconnect, retryAfterMs, isOrderly });
    if (isOwn) this.#note("good", "Your password was changed, and the page has logged in again with the new one", now);
    if (isOwn && delayMs !== undefined) return this.#wait(delayMs, sentence, now, false);
    if (delayMs === undefined) this.#end(name, `The server ended the connection: ${sentence}`);
    else this.#wait(delayMs, sentence, now);
  }

  /**
   * The socket is closed, or has to be: the server did not say why.
   * @param {string} reason
   * @param {string} info
   * @param {Moment} now
   */
  #closed(reason, info, now) {
    const { kind } = this.#status;
    const sentence = endSentence(reason, info);
    if (kind === "signedOut" || kind === "ended" || kind === "waiting") return;
    if (kind === "leaving") return this.#left(this.#status.next, now);
    if (this.#plan === undefined) {
      const text = kind === "dialing"
        ? `Cannot connect to ${this.gateway}`
        : `The connection ended: ${this.#lossText || sentence}`;
      return this.#end(reason, text);
    }
    // It may have come to the account without our being told: then the name is taken by us.
    if (kind === "greeting" && this.#plan.register === true) {
      this.#plan = { ...this.#plan, register: "ifNew" };
      this.#mayHaveRegistered = true;
    }
    const called = this.gateway;
    // Something that is no server of ours now may be one again later.
    const advice = reason === "INVALID_MESSAGE" ? "backoff" : adviceFor(reason);
    const delayMs = kind === "dialing"
      ? this.#failover.unreachable(now)
      : this.#failover.lost(now, { advice, retryAfterMs: 0, isOrderly: false });
    // Why the connection was lost says more than that the next server does not answer either.
    const isTold = this.#lossText !== "" && kind !== "live";
    this.#wait(
      delayMs ?? 0,
      isTold ? this.#lossText : kind === "dialing" ? `${called} does not answer` : sentence,
      now,
    );
  }

  /**
   * There is no connection, and the next is tried after `delayMs`.
   * @param {number} delayMs
   * @param {string} why
   * @param {Moment} now
   * @param {boolean} [isLoss] Whether the person is to be told.
   */
  #wait(delayMs, why, now, isLoss = true) {
    if (isLoss && this.#status.kind === "live") this.#note("warn", `The connection was lost: ${why}`, now);
    this.#lossText = why;
    if (delayMs <= 0) return this.#dial(now);
    this.#drop();
    this.#status = { kind: "waiting", until: now.at + delayMs };
    this.#do({ kind: "save" });
  }

  /** @param {string} reason @param {string} sentence */
  #end(reason, sentence) {
    this.#drop();
    // Nobody tells who comes and goes any more, and nobody comes back by itself.
    this.surroundings.forgetOnline();
    this.#status = { kind: "ended", reason, sentence };
    this.#do({ kind: "save" });
  }

  /** The server has changed the account, or has not. @param {{ isDone: boolean } & Moment} event */
  #changed({ isDone, ...now }) {
    const username = this.username ?? "";
    const { isForgotten } = this.#change.end(isDone);
    this.#takeSecret();
    if (!isForgotten) return;
    this.#left(undefined, now);
    this.#status = { kind: "signedOut", forgotten: username };
  }

  /** The secret was changed here: nothing of the one before is of use. */
  #takeSecret() {
    const secret = this.#change.take();
    if (secret === undefined || this.#plan === undefined) return;
    this.#plan = { ...this.#plan, secret };
    this.#ticket = undefined;
    this.#pass = undefined;
    this.#do({ kind: "save" });
  }

  /** There is no connection any more. */
  #drop() {
    if (this.#status.kind !== "signedOut") this.#do({ kind: "hangUp" });
    this.talk.closed();
    this.#proof = undefined;
    this.#login = undefined;
    this.#liveness = undefined;
  }

  /** @param {Plan | undefined} next Who logs in after that. @param {Moment} now */
  #leave(next, now) {
    if (this.#status.kind === "signedOut") return;
    if (this.#status.kind !== "live") return this.#left(next, now);
    this.#write('{"command":"LOGOUT"}');
    // The server takes it back.
    this.#pass = undefined;
    this.#leaving(next, now);
  }

  /** LOGOUT was said. @param {Plan | undefined} next @param {Moment} now */
  #leaving(next, { at }) {
    this.talk.closed();
    this.#liveness = undefined;
    this.#status = { kind: "leaving", until: at + LEAVE_TIMEOUT_MS, next };
  }

  /** @param {Plan | undefined} next @param {Moment} now */
  #left(next, now) {
    this.#drop();
    this.#failover.anew();
    this.#plan = next;
    this.#lossText = "";
    if (next !== undefined) return this.#dial(now);
    this.#status = SIGNED_OUT;
    this.#do({ kind: "forget" });
  }

  // ---- Time, and what the person says

  /** @param {{ lateMs: number } & Moment} event */
  #woke({ lateMs, ...now }) {
    const status = this.#status;
    if ("until" in status) {
      if (now.at < status.until) return;
      if (status.kind === "waiting") return this.#dial(now);
      if (status.kind === "leaving") return this.#left(status.next, now);
      return this.#closed("IDENTIFY_TIMEOUT", "the server did not answer in time", now);
    }
    if (this.#liveness === undefined || this.heartbeat === undefined) return;
    const step = stepLiveness(this.#liveness, now.at, lateMs, this.heartbeat);
    this.#liveness = step.liveness;
    if (step.decision === "ask") {
      const { count: of, intervalMs } = this.heartbeat;
      this.#write(JSON.stringify({ command: "HEARTBEAT", sequence: step.liveness.sequence, of, intervalMs }));
    } else if (step.decision === "giveUp") {
      const reason = "HEARTBEAT_TIMEOUT";
      const info = endSentence(reason);
      this.#write(JSON.stringify({ command: "END_CONNECTION", reason, info, reconnect: "now" }));
      this.#closed(reason, "", now);
    }
  }

  /** @param {Extract<SessionEvent, { kind: "say" }>} event */
  #say({ messageId, to, text, channel, at }) {
    this.#do(...this.talk.say({ messageId, to, text, ...channel === undefined ? {} : { channel } }, at));
  }

  /** A line that somebody wrote by hand. @param {{ text: string } & Moment} event */
  #raw({ text, ...now }) {
    if (!OPEN.includes(this.#status.kind)) return;
    this.#write(text);
    // Whoever says that means it.
    if (this.#status.kind === "live" && readLine(text)?.command === "LOGOUT") this.#leaving(undefined, now);
  }

  /** @param {"plain" | "good" | "warn"} tone @param {string} text @param {Moment} now */
  #note(tone, text, { at }) {
    this.#do({ kind: "note", tone, text, at });
  }

  /** @param {string} line */
  #write(line) {
    this.#do({ kind: "write", line });
  }

  /** @param {...SessionEffect} effects */
  #do(...effects) {
    this.#effects.push(...effects);
  }
}

/** @param {string} text @returns {Message | undefined} */
function readLine(text) {
  try {
    const message = JSON.parse(text);
    return typeof message === "object" && message !== null && typeof message.command === "string" ? message : undefined;
  } catch {
    // The answer for what cannot be read.
    return undefined;
  }
}
