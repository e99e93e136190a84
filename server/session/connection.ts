/**
 * One connection of this server: carries out what `session.ts` decides. It owns the link and the framer; once it is known who is at the other end, that is a `ServedClient` or
 * a `PeerLink`.
 */

import { getLogger } from "@logtape/logtape";
import type { Proven } from "../accounts/credential.ts";
import { endpointText } from "../../config/values.ts";
import type { SupervisorDeadline } from "../../heartbeat/mod.ts";
import type { Endpoint } from "../../platform/address.ts";
import { guarded } from "../../platform/faults.ts";
import type { Link, LinkEnd, LinkHandler, Outlet } from "../../platform/transport.ts";
import { parseClientLine } from "../../protocol/client_codec.ts";
import { CLOSE_REASONS, type CloseReason } from "../../protocol/close_reason.ts";
import { LineFramer } from "../../protocol/line_framer.ts";
import type {
  ActivityMessage,
  AuthenticateMessage,
  Feature,
  LoginMessage,
  WireServer,
} from "../../protocol/message.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import {
  featuresInForce,
  type Limit,
  NEW_SESSION,
  onLoginChecked,
  onMessage,
  onRegistered,
  PUBLISH,
  type Session,
  type SessionEffect,
  type SessionFacts,
  type SessionStep,
  standingOf,
  TOO_MANY_SECRETS,
  tooManyOf,
} from "./session.ts";
import { StoreError } from "../store/store.ts";
import type { ConnectionView, Door } from "../../view/network_view.ts";
import { checkLogin, register, type Waiting } from "./admission.ts";
import { type Answered, Answers } from "./replies.ts";
import { ClientRequests } from "./client_requests.ts";
import type { ConnectionOrigin, ConnectionServices, ServedConnection } from "./connection_services.ts";
import type { Admitted } from "../mesh/mesh.ts";
import type { LinkTaker } from "../mesh/peer_link.ts";
import { type Place, placeOf } from "./resume_point.ts";
import { type LoggedIn, ServedClient, type ServedClientOwner } from "./served_client.ts";
import type { ClientSession } from "../hub/sessions.ts";
import { ClockOutlet } from "./clock_outlet.ts";
import { guardedHandler, UnreadableError } from "../journal/unreadable_store.ts";
import { welcomeOf } from "./login_answers.ts";

/** A client that has published within this is in the middle of something. */
const BUSY_MS = 1_000;
/** One that has published nothing for so long has nothing to say. */
const QUIET_MS = 10_000;
/** How long a connection may take to log in while there are few places left. */
const SHORT_IDENTIFY_MS = 3_000;
/** How long a client waits for a place that has logged in. */
const PLACE_PATIENCE_MS = 30_000;
/** How long the last line may take to leave before the link is cut. */
const LINGER_MS = 2_000;
/** Activities between two looks at the clock. */
const CHEAP_LINES = 32;
const logger = getLogger(["thrum", "connection"]);

/** One client, or whatever else has connected. */
export class Connection
  implements LinkHandler, Answered, SessionFacts, ClientSession, ServedClientOwner, ServedConnection, Waiting {
  readonly id: string;
  readonly #over: Door;
  readonly #since: number;
  readonly #services: ConnectionServices;
  readonly link: Link;
  outlet: Outlet;
  readonly #framer: LineFramer;
  #session: Session = NEW_SESSION;
  #identifyDeadline: SupervisorDeadline | undefined;
  #proven: Proven | undefined;
  #username = "";
  /** Of a client that keeps a trace: what it is called there. */
  #tracedAs: string | undefined;
  #client: ServedClient | undefined;
  #requests: ClientRequests | undefined;
  /** Who is at the other end, when it is a server: from its greeting on, and when the link was handed over. */
  #admitted: Admitted | undefined;
  #peer: LinkTaker | undefined;
  /** Lines that came while a secret was derived, or that wait for this connection's next share of a turn. */
  #held: { lines: readonly string[]; problem: string | undefined } | undefined;
  #hasFinished = false;
  /** Whether its link is read. */
  isRead = true;
  readonly #answers: Answers;
  #closeReason: CloseReason | undefined;

  constructor(link: Link, services: ConnectionServices, { id, over }: ConnectionOrigin) {
    this.id = id;
    this.#over = over;
    this.#since = services.clock.wallMs();
    this.link = link;
    this.outlet = link;
    this.#services = services;
    const longLines = services.longLogins.of(link.remoteHost, () => this.#session.kind !== "client");
    this.#framer = new LineFramer(services.config.limits.maxLineBytes, longLines);
    this.#answers = new Answers(services.journal, this);
  }

  /** Begins to read. */
  start(): void {
    logger.info("connected with {address}", { address: this.address });
    this.#note("connect");
    this.#awaitIdentification();
    this.link.attach(guardedHandler(this));
  }

  /** Host and port, as the log shows them. */
  get address(): string {
    return endpointText({ host: this.link.remoteHost, port: this.link.remotePort });
  }

  get session(): Session {
    return this.#session;
  }

  get isGone(): boolean {
    return this.#closeReason !== undefined;
  }

  get isQuiet(): boolean {
    return this.#services.clock.nowMs() - (this.#client?.publishedAt ?? -Infinity) >= QUIET_MS;
  }

  /** Ends the connection of this server's own will. Peers are ended by the mesh. */
  end(reason: CloseReason, why: string = CLOSE_REASONS[reason].sentence, lingerMs = LINGER_MS): void {
    if (this.#closeReason !== undefined || this.#peer !== undefined) return;
    this.#guarded(() => this.#end(reason, why, lingerMs));
  }

  #end(reason: CloseReason, why: string, lingerMs: number): void {
    const session = this.#session;
    if (session.kind === "client" && session.isPlain && reason === "NAME_LOST") {
      this.#answers.send({ command: "AUTHENTICATION_FAIL", info: why });
    } else if (session.kind === "client" && !session.isPlain) {
      const { reconnect } = CLOSE_REASONS[reason];
      this.#answers.send({ command: "END_CONNECTION", reason, info: why, reconnect });
    } else if (reason === "TOO_MANY" && session.kind !== "client") {
      this.#answers.send(tooManyOf(session, why));
    } else if (reason === "IDENTIFY_TIMEOUT") {
      // Whoever this is knows INVALID_MESSAGE, if anything.
      this.#answers.send({ command: "INVALID_MESSAGE", info: why });
    }
    this.#session = { kind: "closed", reason };
    this.#close(reason, why, lingerMs);
  }

  // ---- the link speaks -------------------------------------------------------------------------------------------

  onData(bytes: Uint8Array): void {
    if (this.#closeReason !== undefined) return;
    this.#client?.heard();
    const { lines, problem } = this.#framer.push(bytes);
    const held = this.#held;
    if (held === undefined) this.#take(lines, problem);
    // It was on its way already when reading stopped.
    else this.#held = { lines: [...held.lines, ...lines], problem: held.problem ?? problem };
  }

  onFinish(): void {
    if (this.#closeReason !== undefined) return;
    this.#hasFinished = true;
    if (this.#session.kind === "verifying") {
      this.#services.accounts.letOthersGoFirst(this);
      return;
    }
    if (this.#held !== undefined) return;
    if (this.#framer.hasUnfinishedLine) {
      this.#apply(onMessage(
        this.#session,
        { command: "", info: "the connection was closed in the middle of a line" },
        this,
      ));
    } else {
      this.#answers.endTurn();
      this.#session = { kind: "closed", reason: "CLOSED_BY_OTHER_SIDE" };
      this.#close("CLOSED_BY_OTHER_SIDE", CLOSE_REASONS.CLOSED_BY_OTHER_SIDE.sentence);
    }
  }

  onDrain(): void {
    this.#answers.drained();
    this.#client?.drained();
    if (this.#held !== undefined) this.#services.shares.later(this);
    this.readOrNot();
  }

  onEnd(end: LinkEnd): void {
    try {
      if (this.#closeReason === undefined) {
        // Cut by this side, which did not mean to end it.
        const isFault = end === "local";
        const reason = isFault ? "SERVER_FAILED" : end === "reset" ? "CONNECTION_RESET" : "CLOSED_BY_OTHER_SIDE";
        this.#session = { kind: "closed", reason };
        this.#close(reason, isFault ? "a fault of this server" : CLOSE_REASONS[reason].sentence);
      }
    } finally {
      this.#services.gone(this);
    }
  }

  // ---- the network speaks ----------------------------------------------------------------------------------------

  /** Of the user that is logged in, and stays it; empty before. */
  get username(): string {
    return this.#username;
  }

  get canResume(): boolean {
    return this.#session.kind === "client" && this.#session.features.includes("resume");
  }

  tellPresence(username: string, line: Uint8Array): void {
    // Nobody is told of himself.
    if (this.#session.kind !== "client" || !this.#session.features.includes("presence")) return;
    if (username !== this.#username) this.#guarded(() => this.#answers.write(line));
  }

  canBeMoved(nowMs: number): boolean {
    // Without acknowledgements what is on its way just now would be lost.
    return this.canResume && (this.#session as LoggedIn).features.includes("ack") && !this.#answers.isWaiting &&
      this.#client!.isIdleFor(BUSY_MS, nowMs);
  }

  sendBackups(servers: readonly WireServer[]): void {
    this.#guarded(() => this.#answers.send({ command: "BACKUP_LIST", servers }));
  }

  redirect({ host, port }: Endpoint): void {
    if (this.#closeReason !== undefined) return;
    this.#guarded(() => {
      this.#answers.endTurn();
      this.#answers.send({ command: "REDIRECT", hostname: host, port });
      this.#session = { kind: "closed", reason: "REDIRECTED" };
      this.#close("REDIRECTED", `it was sent to ${host}:${port}`);
    });
  }

  // ---- people look -----------------------------------------------------------------------------------------------

  describe(nowWallMs: number): ConnectionView {
    const heartbeat = this.#client?.heartbeat;
    const kind = this.#peer !== undefined
      ? "server"
      : this.#session.kind !== "client"
      ? "new"
      : this.#session.isPlain
      ? "plain"
      : "client";
    return {
      user: this.#username,
      address: this.address,
      kind,
      over: this.#over,
      since: this.#since,
      state: heartbeat === undefined ? "unwatched" : heartbeat.state === "probing" ? "probing" : "watching",
      // Whole seconds: else every row would change with every look.
      heardAt: heartbeat === undefined ? 0 : Math.round((nowWallMs - heartbeat.silentMs) / 1000) * 1000,
      attempt: heartbeat?.attempt ?? 0,
      of: heartbeat?.of ?? 0,
      heartbeats: heartbeat?.heartbeats ?? 0,
      roundTripMs: heartbeat?.roundTripMs ?? null,
      waitingBytes: this.outlet.pendingBytes,
      behind: this.#client?.isBehind ?? false,
    };
  }

  // ---- facts for the session -------------------------------------------------------------------------------------

  get remoteHost(): string {
    return this.link.remoteHost;
  }

  get maxRegistrations(): number {
    return this.#services.config.limits.maxRegistrationsPerConnection;
  }

  peerProblem(message: AuthenticateMessage): string | Limit | undefined {
    const admission = this.#services.mesh.admit(message, this.remoteHost);
    if (admission.kind === "refused") return admission.info;
    if (admission.kind === "notNow") {
      this.#services.counters.limited("secrets");
      return { info: TOO_MANY_SECRETS, retryAfterMs: admission.retryAfterMs };
    }
    this.#admitted = admission;
    return undefined;
  }

  hasAccount(username: string): boolean {
    return this.#services.hasAccount(username);
  }

  get hasSpace(): boolean {
    return this.#services.budget.hasSpace;
  }

  isRepeated(username: string, messageId: string): boolean {
    return this.#services.journal.isRepeated(username, messageId);
  }

  matchesSecret(secret: string): boolean {
    const session = this.#session;
    return session.kind === "client" && this.#proven !== undefined &&
      this.#services.accounts.matches(session.username, secret, this.#proven.digest);
  }

  // ---- lines in, effects out -------------------------------------------------------------------------------------

  #take(lines: readonly string[], problem: string | undefined): void {
    const { shares } = this.#services;
    const untilMs = shares.begin();
    let isCheap = true;
    for (let index = 0; index < lines.length; index++) {
      const { kind } = this.#session;
      if (kind === "closed") return;
      if (this.#peer !== undefined) return this.#peer.take(lines.slice(index), problem);
      if (kind === "verifying") {
        this.#hold(lines.slice(index), problem);
        return;
      }
      // Of lines that cost almost nothing not each is worth a look at the clock.
      const isLook = index > 0 && (!isCheap || index % CHEAP_LINES === 0);
      if (isLook && (this.#isStuffed || shares.isUsedUp(untilMs))) {
        this.#hold(lines.slice(index), problem);
        return shares.later(this);
      }
      const message = parseClientLine(lines[index]!);
      const step = onMessage(this.#session, message, this);
      // What almost every line is, and needs nothing of what follows.
      isCheap = message.command === "ACTIVITY_MESSAGE" && step.effects === PUBLISH;
      if (isCheap) this.#requests!.publish(message as ActivityMessage);
      else this.#apply(step);
    }
    if (problem === undefined || this.#session.kind === "closed") return;
    if (this.#peer !== undefined) this.#peer.take([], problem);
    else if (this.#session.kind === "verifying") this.#hold([], problem);
    else this.#apply(onMessage(this.#session, { command: "", info: problem }, this));
  }

  #hold(lines: readonly string[], problem: string | undefined): void {
    this.#held = { lines, problem };
    this.readOrNot();
  }

  /** What has waited is taken, as far as the next share goes. */
  goOn(): void {
    this.#guarded(() => this.#goOn());
  }

  #goOn(): void {
    // Whoever does not take its answers gets no more of them; when it has, `onDrain` goes on.
    if (this.#closeReason !== undefined || this.#session.kind === "verifying" || this.#isStuffed) return;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#take(held.lines, held.problem);
    this.readOrNot();
    if (this.#hasFinished && this.#held === undefined) this.onFinish();
  }

  #apply(step: SessionStep): void {
    if (step.session.kind === "closed") this.#answers.endTurn();
    this.#session = step.session;
    for (const effect of step.effects) this.#perform(effect);
    this.readOrNot();
  }

  #perform(effect: SessionEffect): void {
    switch (effect.kind) {
      case "send":
        return this.#answers.send(effect.message);
      case "checkLogin":
        return this.#checkLogin(effect.login);
      case "redirect":
        return this.#sendAway(effect.login, effect.to);
      case "becomePeer":
        return this.#becomePeer();
      case "register":
        return this.#register(effect.username, effect.secret);
      case "beginSession":
        return this.#beginSession(effect.login);
      case "answerHeartbeat":
        return this.#answers.sendWithTurn({ command: "HEARTBEAT_ACK", sequence: effect.sequence });
      case "heartbeatAnswered":
        return this.#client?.answered(effect.sequence, effect.lamport);
      case "close":
        return this.#close(effect.reason, effect.why);
      case "acknowledged":
        return this.#client?.acknowledged(effect.vector, effect.lamport);
      case "sendDirect":
        return this.#requests!.sendDirect(effect.message);
      case "listUsers":
        return this.#requests!.listUsers(effect.scope);
      case "publish":
        // Done where the message is at hand.
        return;
    }
  }

  #checkLogin(login: LoginMessage): void {
    this.#stopIdentifyDeadline();
    this.#services.seats.tries(this, true);
    if (login.trace !== undefined) this.#traced(login, login.trace);
    checkLogin(login, this, this.#services, (outcome) => {
      this.#proven = outcome.proven;
      const isRefused = (outcome.problem ?? outcome.limit ?? outcome.redirect) !== undefined;
      const goOn = () => this.#guarded(() => this.#verified(onLoginChecked(this.#session, outcome)));
      if (isRefused || this.#services.seats.enter(this, standingOf(login), goOn)) goOn();
      else this.#deadline(PLACE_PATIENCE_MS, "TOO_MANY", `no place was left for ${PLACE_PATIENCE_MS / 1000} seconds`);
    });
  }

  #register(username: string, secret: string): void {
    this.#stopIdentifyDeadline();
    const limit = this.#services.rates.registration(this.remoteHost);
    if (limit !== undefined) return this.#verified(onRegistered(this.#session, { reason: "TOO_MANY", ...limit }));
    this.#services.seats.tries(this, true);
    register({ username, secret }, this, this.#services, (isRegistered) => {
      this.#services.seats.tries(this, false);
      this.#guarded(() => {
        if (isRegistered) {
          logger.info("registered {username} for {address}", { username, address: this.address });
          this.#note("register", username);
        }
        this.#verified(onRegistered(this.#session, isRegistered ? undefined : { reason: "NAME_TAKEN" }));
      });
    });
  }

  #becomePeer(): void {
    this.#stopIdentifyDeadline();
    this.#services.seats.enter(this, { kind: "peer" }, () => {});
    this.#peer = this.#services.mesh.accept(this.link, this.#framer, this.#admitted!, () => this.#services.gone(this));
  }

  /** A client that is sent away is logged in for a moment, as some know no other order. */
  #sendAway(login: LoginMessage, { host, port }: Endpoint): void {
    this.#username = login.username;
    this.#welcome(login, featuresInForce(login));
    this.#answers.send({ command: "REDIRECT", hostname: host, port });
    this.#note("redirect", `to ${host}:${port}`);
  }

  /** Says LOGIN_SUCCESS. */
  #welcome(login: LoginMessage, features: readonly Feature[], place?: Place): void {
    const { journal, tracer } = this.#services;
    if (login.trace !== undefined && login.features.length > 0) {
      tracer?.trace({ event: "send", peer: this.tracedAs, id: `login:${login.trace.attempt}` }, journal.tick());
    }
    this.#answers.send(welcomeOf(login, { features, place, proven: this.#proven }, this.#services));
  }

  /** What waited for an account can go on. */
  #verified(step: SessionStep): void {
    if (this.#closeReason !== undefined) return;
    this.#awaitIdentification();
    this.#apply(step);
    this.#goOn();
  }

  brokeDown(error: unknown): void {
    if (this.#closeReason !== undefined) return;
    if (error instanceof UnreadableError) return;
    if (error instanceof StoreError) return this.#services.failed(error);
    logger.error("cannot check the secret of {address}: {error}", { address: this.address, error });
    this.#services.faults.noted("session", error);
    this.end("SERVER_FAILED");
  }

  #beginSession(login: LoginMessage): void {
    const session = this.#session as LoggedIn;
    const { journal, placeKeeper, placeTalk, sessions, balancer, presence } = this.#services;
    const { username, features } = session;
    this.#stopIdentifyDeadline();
    const brings = features.includes("resume") ? login.resume : undefined;
    const reads = login.reads !== false;
    const isNamed = username !== ANONYMOUS;
    const stood = isNamed && reads && brings === undefined ? placeKeeper.takeUp(username) : undefined;
    const place = placeOf(brings, stood, journal);
    this.#note("login", username);
    this.#welcome(login, features, place);
    const cameBack = place.missed > 0 ? `, ${place.missed} activities to catch up` : "";
    logger.info("{username} connected from {address}{cameBack}", { username, address: this.address, cameBack });
    this.#username = username;
    this.#client = new ServedClient(this.#services, this, { session, place, reads });
    this.#requests = new ClientRequests(this.#services, this.#client, session, this.#answers);
    sessions.add(this);
    presence.came(this);
    balancer.begin(this);
    // What it says that it has is known at once; where it was lost may only be found out in a moment.
    if (isNamed && brings !== undefined) placeTalk.whenKnown(username, () => placeKeeper.takeAway(username));
    this.#client.begin(login);
  }

  #awaitIdentification(): void {
    const { seats, config: { limits } } = this.#services;
    const { identifyTimeoutMs } = limits;
    if (seats.isShort && SHORT_IDENTIFY_MS < identifyTimeoutMs) {
      // It may come back: it has not had as long as is promised.
      const why = `no LOGIN came within ${SHORT_IDENTIFY_MS / 1000} seconds, and few places are left`;
      return this.#deadline(SHORT_IDENTIFY_MS, "TOO_MANY", why);
    }
    this.#deadline(identifyTimeoutMs, "IDENTIFY_TIMEOUT", `no LOGIN came within ${identifyTimeoutMs / 1000} seconds`);
  }

  #deadline(spanMs: number, reason: CloseReason, why: string): void {
    this.#stopIdentifyDeadline();
    this.#identifyDeadline = this.#services.supervisor.deadline(spanMs, () => this.end(reason, why));
  }

  /** What others call back later is this connection's own fault when it throws. */
  #guarded(act: () => void): void {
    guarded(this.#services.faults, "session", act, () => this.link.destroy());
  }

  /** A fault on the way to it. */
  cut(): void {
    this.link.destroy();
  }

  /** While a secret is derived it is the client that waits. */
  #stopIdentifyDeadline(): void {
    this.#identifyDeadline?.cancel();
    this.#identifyDeadline = undefined;
  }

  // ---- out -------------------------------------------------------------------------------------------------------

  /** Reads on only while nothing has to be waited for: lines that are not taken yet, or a client that takes no answers. */
  readOrNot(): void {
    if (this.#closeReason !== undefined || this.#peer !== undefined) return;
    const isRead = this.#held === undefined && !this.#isStuffed;
    if (isRead) this.link.resume();
    else this.link.pause();
    // What it sent meanwhile is still to come: its silence begins now.
    if (isRead && !this.isRead) this.#client?.heard();
    this.isRead = isRead;
  }

  /** Whether it does not take its answers. What comes from the log does not count: it may be much at once, and who is slow to read it still has to be heard. */
  get #isStuffed(): boolean {
    return this.#answers.untakenBytes > 2 * this.#services.config.limits.maxPendingBytes;
  }

  /** The one way out: everything that the connection holds is let go, and the log says why. */
  #close(reason: CloseReason, why: string, lingerMs = LINGER_MS): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    const { accounts, sessions, presence, shares } = this.#services;
    this.#stopIdentifyDeadline();
    this.#held = undefined;
    shares.forget(this);
    this.#framer.end();
    this.#client?.leave(reason);
    sessions.remove(this);
    if (this.#client !== undefined) presence.went(this.#username, reason === "LOGGED_OUT" ? "left" : "lost");
    accounts.giveUp(this);
    const byClient = reason === "CLOSED_BY_OTHER_SIDE" || reason === "CONNECTION_RESET" || reason === "LOGGED_OUT";
    logger.info(byClient ? "closed by client {address}: {why}" : "closed by server {address}: {why} ({reason})", {
      address: this.name,
      why,
      reason,
    });
    if (this.#client !== undefined) logger.info("{username} disconnected", { username: this.#username });
    this.#note("closed", reason);
    const heartbeats = this.#client?.moments ?? [];
    this.#services.ended({ since: this.#since, user: this.#username, address: this.address, reason, why, heartbeats });
    this.link.end(lingerMs);
  }

  /** The user where there is one, and the address. */
  get name(): string {
    return this.#username === "" ? this.address : `${this.#username} (${this.address})`;
  }

  /** Its own name in its trace, if it keeps one. */
  get tracedAs(): string {
    return this.#tracedAs ?? this.name;
  }

  /** A client that keeps a trace: from here on it is told the time. */
  #traced({ username, features }: LoginMessage, { node, attempt, lamport }: NonNullable<LoginMessage["trace"]>): void {
    const { journal, tracer } = this.#services;
    const time = journal.tick(lamport);
    const isFirst = this.#tracedAs === undefined;
    this.#tracedAs = `${username}#${node}`;
    tracer?.trace({ event: "receive", peer: this.#tracedAs, id: `login:${attempt}`, what: this.address }, time);
    if (isFirst && features.length > 0) this.outlet = new ClockOutlet(this.link, () => journal.lamport);
  }

  #note(event: "connect" | "register" | "login" | "redirect" | "closed", what?: string): void {
    const { journal, tracer } = this.#services;
    tracer?.trace({ event, peer: this.tracedAs, ...(what === undefined ? {} : { what }) }, journal.tick());
  }
}
