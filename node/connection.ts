/**
 * One connection of this server: carries out what `session/` decides, on a link, with the node's accounts, journal and hub. It owns the link, the
 * framer, the watch of the supervisor and the reader; the session's state says which of them there are.
 */

import { getLogger } from "@logtape/logtape";
import type { Accounts } from "../accounts/accounts.ts";
import type { Digest } from "../accounts/credential.ts";
import type { Config } from "../config/config.ts";
import type { Supervised, Supervisor, SupervisorDeadline, Watch } from "../heartbeat/mod.ts";
import type { Hub } from "../hub/hub.ts";
import { Reader, type ReaderOwner } from "../hub/reader.ts";
import { cursorAt } from "../log/cursor.ts";
import type { Clock } from "../platform/clock.ts";
import type { Link, LinkEnd, LinkHandler, Transport } from "../platform/transport.ts";
import { parseClientLine } from "../protocol/client_codec.ts";
import { CLOSE_REASONS, type CloseReason } from "../protocol/close_reason.ts";
import { type EntryId, formatEntryId } from "../protocol/entry_id.ts";
import { LineFramer } from "../protocol/line_framer.ts";
import type {
  ActivityMessage,
  AuthenticateMessage,
  LoginMessage,
  ServerMessage,
  WireHeartbeat,
  WireServer,
} from "../protocol/message.ts";
import { ANONYMOUS } from "../protocol/names.ts";
import { encodeLine, quoteUsername } from "../protocol/server_codec.ts";
import {
  featuresInForce,
  NEW_SESSION,
  onLoginChecked,
  onMessage,
  onRegistered,
  type RedirectTarget,
  type Session,
  type SessionEffect,
  type SessionFacts,
  type SessionStep,
} from "../session/session.ts";
import type { Trace } from "../trace/trace_event.ts";
import type { Balancer } from "./balancer.ts";
import { HeartbeatChannel } from "./heartbeat_channel.ts";
import type { Committed, Journal } from "./journal.ts";
import type { Mesh } from "./mesh.ts";
import type { PeerLink } from "./peer_link.ts";
import type { PeerIdentity } from "../protocol/peer_message.ts";
import type { ClientSession, Sessions } from "./sessions.ts";
import { placeOf } from "./place.ts";
import type { PlainCursors } from "./plain_cursors.ts";
import { StoreError } from "../store/store.ts";

/** What a connection has of its node. */
export interface ConnectionServices {
  readonly config: Config;
  readonly clock: Clock;
  readonly heartbeat: WireHeartbeat;
  readonly transport: Transport;
  readonly supervisor: Supervisor;
  readonly hub: Hub;
  readonly journal: Journal;
  readonly accounts: Accounts;
  readonly mesh: Mesh;
  readonly balancer: Balancer;
  readonly sessions: Sessions;
  readonly plainCursors: PlainCursors;
  readonly trace: Trace | undefined;
  /** The connection's link is gone. */
  gone(connection: Connection): void;
  /** The store cannot be read: the whole server cannot go on. */
  failed(error: StoreError): void;
}

/** A client that has published within this is in the middle of something. */
const BUSY_MS = 1_000;
/** How long the last line may take to leave before the link is cut. */
const LINGER_MS = 2_000;
const logger = getLogger(["thrum", "connection"]);
const encoder = new TextEncoder();

/** One client, or whatever else has connected. */
export class Connection implements LinkHandler, Supervised, ReaderOwner, Committed, SessionFacts, ClientSession {
  readonly #services: ConnectionServices;
  readonly #link: Link;
  readonly #framer: LineFramer;
  #session: Session = NEW_SESSION;
  #identifyDeadline: SupervisorDeadline | undefined;
  #watch: Watch | undefined;
  #channel: HeartbeatChannel | undefined;
  #reader: Reader | undefined;
  #digest: Digest | undefined;
  #quotedUsername = "";
  #plainCursorId: number | undefined;
  /** Who is at the other end, when it is a server: from its greeting on, and when the link was handed over. */
  #admitted: PeerIdentity | undefined;
  #peer: PeerLink | undefined;
  #publishedAt = -Infinity;
  /** Lines that came while a secret was derived. */
  #held: { lines: readonly string[]; problem: string | undefined } | undefined;
  #hasFinished = false;
  /** Lines that are sent when the turn is stored. */
  #answers = "";
  #closeReason: CloseReason | undefined;

  constructor(link: Link, services: ConnectionServices) {
    this.#link = link;
    this.#services = services;
    this.#framer = new LineFramer(services.config.limits.maxLineBytes);
  }

  /** Begins to read. */
  start(): void {
    logger.info("connected with {address}", { address: this.address });
    this.#services.trace?.({ event: "connected", peer: this.address });
    this.#awaitIdentification();
    this.#link.attach(this);
  }

  /** Host and port, as the log shows them. */
  get address(): string {
    const { remoteHost, remotePort } = this.#link;
    return remoteHost.includes(":") ? `[${remoteHost}]:${remotePort}` : `${remoteHost}:${remotePort}`;
  }

  get session(): Session {
    return this.#session;
  }

  /** Ends the connection of this server's own will. Peers are ended by the mesh. */
  end(reason: CloseReason, why: string = CLOSE_REASONS[reason].sentence): void {
    if (this.#closeReason !== undefined || this.#peer !== undefined) return;
    const session = this.#session;
    if (session.kind === "client" && session.isPlain && reason === "NAME_LOST") {
      this.#send({ command: "AUTHENTICATION_FAIL", info: why });
    } else if (session.kind === "client" && !session.isPlain) {
      const { sentence: info, reconnect } = CLOSE_REASONS[reason];
      this.#send({ command: "END_CONNECTION", reason, info, reconnect });
    } else if (reason === "IDENTIFY_TIMEOUT") {
      // Whoever this is knows INVALID_MESSAGE, if anything.
      this.#send({ command: "INVALID_MESSAGE", info: why });
    }
    this.#session = { kind: "closed", reason };
    this.#close(reason, why);
  }

  // ---- the link speaks -------------------------------------------------------------------------------------------

  onData(bytes: Uint8Array): void {
    if (this.#peer !== undefined) return this.#peer.onData(bytes);
    if (this.#closeReason !== undefined) return;
    this.#watch?.heard();
    const { lines, problem } = this.#framer.push(bytes);
    this.#take(lines, problem);
  }

  onFinish(): void {
    if (this.#peer !== undefined) return this.#peer.onFinish();
    if (this.#closeReason !== undefined) return;
    this.#hasFinished = true;
    if (this.#session.kind === "verifying") {
      this.#services.accounts.letOthersGoFirst(this);
      return;
    }
    if (this.#framer.hasUnfinishedLine) {
      this.#apply(onMessage(
        this.#session,
        { command: "", info: "the connection was closed in the middle of a line" },
        this,
      ));
    } else {
      this.#answerNow();
      this.#session = { kind: "closed", reason: "CLOSED_BY_OTHER_SIDE" };
      this.#close("CLOSED_BY_OTHER_SIDE", CLOSE_REASONS.CLOSED_BY_OTHER_SIDE.sentence);
    }
  }

  onDrain(): void {
    if (this.#peer !== undefined) return this.#peer.onDrain();
    if (this.#reader !== undefined) this.#services.hub.drained(this.#reader);
    this.#readOrNot();
  }

  onEnd(end: LinkEnd): void {
    if (this.#peer !== undefined) this.#peer.onEnd(end);
    else if (this.#closeReason === undefined) {
      const reason = end === "reset" ? "CONNECTION_RESET" : "CLOSED_BY_OTHER_SIDE";
      this.#session = { kind: "closed", reason };
      this.#close(reason, CLOSE_REASONS[reason].sentence);
    }
    this.#services.gone(this);
  }

  // ---- the supervisor speaks -------------------------------------------------------------------------------------

  sendHeartbeat(sequence: number, attempt: number, of: number): void {
    const { intervalMs, idleTimeoutMs } = this.#services.heartbeat;
    if (attempt === 1) {
      const seconds = idleTimeoutMs / 1000;
      logger.info("no data for the past {seconds} from {address}", {
        seconds: seconds === 1 ? "second" : `${seconds} seconds`,
        address: this.name,
      });
    }
    logger.info("sending heartbeat {attempt} of {of} to {address}", { attempt, of, address: this.name });
    this.#services.trace?.({ event: "heartbeat", peer: this.name, what: `${attempt} of ${of}` });
    const line = encoder.encode(encodeLine({ command: "HEARTBEAT", sequence, of, intervalMs }));
    if (!this.#channel?.send(line)) this.#link.write(line);
  }

  alive(roundTripMs: number | undefined): void {
    if (roundTripMs === undefined) logger.info("connection is alive: data from {address}", { address: this.name });
    else {
      logger.info("heartbeat answered by {address} after {milliseconds} ms; connection is alive", {
        address: this.name,
        milliseconds: Math.round(roundTripMs * 10) / 10,
      });
    }
    this.#services.trace?.({ event: "answered", peer: this.name });
  }

  gaveUp(): void {
    this.end("HEARTBEAT_TIMEOUT");
  }

  // ---- the hub and the journal speak -----------------------------------------------------------------------------

  caughtUp(): void {
    this.#savePlainCursor(undefined);
  }

  movedOn(): void {
    this.#savePlainCursor(this.#reader?.cursor.position);
  }

  fellBehind(): void {
    this.end("FELL_BEHIND");
  }

  committed(): void {
    const answers = this.#answers;
    this.#answers = "";
    if (this.#closeReason === undefined && answers !== "") this.#write(encoder.encode(answers));
  }

  // ---- the network speaks ----------------------------------------------------------------------------------------

  get username(): string {
    return this.#session.kind === "client" ? this.#session.username : "";
  }

  get canResume(): boolean {
    return this.#session.kind === "client" && this.#session.features.includes("resume");
  }

  isIdle(nowMs: number): boolean {
    return this.#reader?.state === "live" && this.#answers === "" && nowMs - this.#publishedAt >= BUSY_MS;
  }

  sendBackups(servers: readonly WireServer[]): void {
    this.#send({ command: "BACKUP_LIST", servers });
  }

  redirect({ host, port }: RedirectTarget): void {
    if (this.#closeReason !== undefined) return;
    this.#answerNow();
    this.#send({ command: "REDIRECT", hostname: host, port });
    this.#session = { kind: "closed", reason: "REDIRECTED" };
    this.#close("REDIRECTED", `it was sent to ${host}:${port}`);
  }

  // ---- facts for the session -------------------------------------------------------------------------------------

  get remoteHost(): string {
    return this.#link.remoteHost;
  }

  get maxRegistrations(): number {
    return this.#services.config.limits.maxRegistrationsPerConnection;
  }

  peerProblem(message: AuthenticateMessage): string | undefined {
    const admission = this.#services.mesh.admit(message, this.remoteHost);
    if (admission.kind === "refused") return admission.info;
    this.#admitted = admission.peer;
    return undefined;
  }

  matchesSecret(secret: string): boolean {
    const session = this.#session;
    return session.kind === "client" && this.#digest !== undefined &&
      this.#services.accounts.matches(session.username, secret, this.#digest);
  }

  // ---- lines in, effects out -------------------------------------------------------------------------------------

  #take(lines: readonly string[], problem: string | undefined): void {
    for (let index = 0; index < lines.length; index++) {
      const { kind } = this.#session;
      if (kind === "closed") return;
      if (this.#peer !== undefined) return this.#peer.take(lines.slice(index), problem);
      if (kind === "verifying") {
        this.#hold(lines.slice(index), problem);
        return;
      }
      const message = parseClientLine(lines[index]!);
      const step = onMessage(this.#session, message, this);
      // What almost every line is, and needs nothing of what follows.
      if (message.command === "ACTIVITY_MESSAGE" && step.session === this.#session) this.#publish(message);
      else this.#apply(step);
    }
    if (problem === undefined || this.#session.kind === "closed") return;
    if (this.#peer !== undefined) this.#peer.take([], problem);
    else if (this.#session.kind === "verifying") this.#hold([], problem);
    else this.#apply(onMessage(this.#session, { command: "", info: problem }, this));
  }

  #hold(lines: readonly string[], problem: string | undefined): void {
    this.#held = { lines, problem };
    this.#readOrNot();
  }

  #apply(step: SessionStep): void {
    if (step.session.kind === "closed") this.#answerNow();
    this.#session = step.session;
    for (const effect of step.effects) this.#perform(effect);
    this.#readOrNot();
  }

  #perform(effect: SessionEffect): void {
    switch (effect.kind) {
      case "send":
        return this.#send(effect.message);
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
        return this.#answer({ command: "HEARTBEAT_ACK", sequence: effect.sequence });
      case "heartbeatAnswered":
        return this.#watch?.answered(effect.sequence);
      case "close":
        return this.#close(effect.reason, effect.why);
      case "acknowledged":
        // Resuming needs no help from the server: a client brings its vector, and the log is kept by age and size.
        return;
      case "publish":
        // Done where the message is at hand.
        return;
    }
  }

  #publish({ activity, messageId, lamport }: ActivityMessage): void {
    const session = this.#session as Extract<Session, { kind: "client" }>;
    const { journal, trace, clock } = this.#services;
    const id = journal.publish({
      activity,
      username: session.username,
      quotedUsername: this.#quotedUsername,
      messageId,
      lamport,
    });
    this.#publishedAt = clock.nowMs();
    if (trace !== undefined) trace({ event: "received", peer: this.name, id: formatEntryId(id) });
    if (messageId !== undefined && session.features.includes("ack")) this.#acknowledge(messageId, id);
  }

  #acknowledge(messageId: string, id: EntryId): void {
    const { config: { cluster }, journal, mesh } = this.#services;
    const answer = () => this.#answer({ command: "ACTIVITY_ACK", messageId, id: formatEntryId(id) });
    // What came from another server is at two already.
    if (cluster.durability === "local" || id.origin !== journal.serverId || mesh.isAlone) answer();
    else mesh.replication.whenOneHas(id.sequence, answer);
  }

  #checkLogin(login: LoginMessage): void {
    this.#stopIdentifyDeadline();
    const { mesh, accounts } = this.#services;
    const { username, secret = "", ticket } = login;
    mesh.whenJoined(() => {
      if (this.#closeReason !== undefined) return;
      if (username === ANONYMOUS) return this.#mayLogIn(login);
      accounts.checkLogin({ username, secret, ticket }, this).then(
        (result) => {
          if (!result.ok) return this.#verified(onLoginChecked(this.#session, { problem: result.reason }));
          this.#digest = result.digest;
          this.#mayLogIn(login);
        },
        (error) => this.#brokeDown(error),
      );
    });
  }

  /** Nothing is against it; what it comes after may have to come first. */
  #mayLogIn(login: LoginMessage): void {
    const { mesh, balancer } = this.#services;
    mesh.whenHere(login.username, login.last, () => {
      if (this.#closeReason !== undefined) return;
      const redirect = balancer.redirectFor(login, login.features.length === 0, this.remoteHost);
      this.#verified(onLoginChecked(this.#session, redirect === undefined ? {} : { redirect }));
    });
  }

  #register(username: string, secret: string): void {
    this.#stopIdentifyDeadline();
    const { accounts, mesh } = this.#services;
    mesh.whenJoined(() => {
      if (this.#closeReason !== undefined) return;
      accounts.register(username, secret, this).then(
        (result) => {
          if (!result.ok) return this.#verified(onRegistered(this.#session, result));
          // Nobody is told any more, so the name stays free for whoever tries again.
          if (this.#closeReason !== undefined) return accounts.settled(username);
          this.#claim(username, result.verifier);
        },
        (error) => this.#brokeDown(error),
      );
    });
  }

  /** The name is free here; if it is everywhere, the account is made, and usable at every server when that is told. */
  #claim(username: string, verifier: string): void {
    const { accounts, journal, mesh: { registrar, replication }, trace } = this.#services;
    const taken = () => {
      accounts.settled(username);
      this.#verified(onRegistered(this.#session, { reason: "NAME_TAKEN" }));
    };
    registrar.claim(username, (claim) => {
      if (claim === undefined) return taken();
      const id = journal.register({ username, verifier, claim: claim.lamport }, ({ sequence }) => {
        accounts.settled(username);
        replication.whenAllHave(sequence, () => {
          registrar.release(claim);
          logger.info("registered {username} for {address}", { username, address: this.address });
          trace?.({ event: "registered", peer: username });
          this.#verified(onRegistered(this.#session));
        });
      });
      if (id !== undefined) return;
      registrar.release(claim);
      taken();
    });
  }

  #becomePeer(): void {
    this.#stopIdentifyDeadline();
    this.#peer = this.#services.mesh.accept(this.#link, this.#framer, this.#admitted!);
  }

  /** A client that is sent away is logged in for a moment, as some know no other order. */
  #sendAway(login: LoginMessage, { host, port }: RedirectTarget): void {
    const { journal, accounts, heartbeat } = this.#services;
    const info = `logged in as ${login.username}`;
    const features = featuresInForce(login);
    const ticket = features.includes("resume") ? accounts.ticketFor(login.username) : undefined;
    this.#send({
      command: "LOGIN_SUCCESS",
      info,
      ...(login.features.length === 0 ? {} : {
        features,
        serverId: journal.serverId,
        lamport: journal.lamport,
        heartbeat,
        ...ticketField(ticket),
      }),
    });
    this.#send({ command: "REDIRECT", hostname: host, port });
  }

  /** What waited for an account can go on. */
  #verified(step: SessionStep): void {
    if (this.#closeReason !== undefined) return;
    this.#awaitIdentification();
    this.#apply(step);
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#take(held.lines, held.problem);
    this.#readOrNot();
    if (this.#hasFinished) this.onFinish();
  }

  #brokeDown(error: unknown): void {
    if (this.#closeReason !== undefined) return;
    if (error instanceof StoreError) return this.#services.failed(error);
    logger.error("cannot check the secret of {address}: {error}", { address: this.address, error });
    this.end("SERVER_FAILED");
  }

  #beginSession(login: LoginMessage): void {
    const session = this.#session as Extract<Session, { kind: "client" }>;
    const { journal, accounts, plainCursors, heartbeat, hub, trace, sessions, balancer } = this.#services;
    const { username, features, isPlain } = session;
    this.#stopIdentifyDeadline();
    this.#quotedUsername = quoteUsername(username);

    const isRemembered = isPlain && username !== ANONYMOUS;
    const lostAt = isRemembered ? plainCursors.takeOver(username) : undefined;
    const vector = features.includes("resume") ? login.resume : undefined;
    const place = placeOf(vector, lostAt, journal);
    // The server is coming to its end.
    if (place === undefined) return;
    const info = `logged in as ${username}`;
    if (isPlain) this.#send({ command: "LOGIN_SUCCESS", info: `${info}${place.lossInWords}` });
    else {
      this.#send({
        command: "LOGIN_SUCCESS",
        info,
        features,
        serverId: journal.serverId,
        lamport: journal.lamport,
        heartbeat,
        ...(features.includes("resume") ? { resume: place.resume, ...ticketField(accounts.ticketFor(username)) } : {}),
      });
    }
    const cameBack = place.resume.replayed > 0 ? `, ${place.resume.replayed} activities to catch up` : "";
    logger.info("{username} logged in from {address}{cameBack}", { username, address: this.address, cameBack });
    trace?.({ event: "logged in", peer: username });

    if (isRemembered) this.#plainCursorId = plainCursors.begin(username, place.isAtEnd ? undefined : place.after);
    this.#reader = new Reader(this.#link, cursorAt(place.after, username, place.has), this);
    this.#supervise(login);
    sessions.add(this);
    balancer.begin(this);
    hub.join(this.#reader);
  }

  #supervise(login: LoginMessage): void {
    const session = this.#session as Extract<Session, { kind: "client" }>;
    const { config, heartbeat, supervisor, transport } = this.#services;
    const isSupervised = session.isPlain
      ? config.heartbeat.plainClients === "supervise"
      : session.features.includes("heartbeat");
    if (!isSupervised) {
      this.#link.keepAlive(heartbeat.idleTimeoutMs);
      return;
    }
    this.#watch = supervisor.watch(this, heartbeat);
    if (login.heartbeatPort === undefined || session.isPlain) return;
    this.#channel = new HeartbeatChannel(transport, { host: this.remoteHost, port: login.heartbeatPort }, {
      name: this.name,
      heard: () => this.#watch?.heard(),
      answered: (sequence) => this.#watch?.answered(sequence),
    });
  }

  #awaitIdentification(): void {
    this.#stopIdentifyDeadline();
    const { identifyTimeoutMs } = this.#services.config.limits;
    this.#identifyDeadline = this.#services.supervisor.deadline(
      identifyTimeoutMs,
      () => this.end("IDENTIFY_TIMEOUT", `no LOGIN came within ${identifyTimeoutMs / 1000} seconds`),
    );
  }

  /** While a secret is derived it is the client that waits. */
  #stopIdentifyDeadline(): void {
    this.#identifyDeadline?.cancel();
    this.#identifyDeadline = undefined;
  }

  // ---- out -------------------------------------------------------------------------------------------------------

  #send(message: ServerMessage): void {
    this.#write(encoder.encode(encodeLine(message)));
  }

  #write(bytes: Uint8Array): void {
    if (!this.#link.write(bytes)) this.#readOrNot();
  }

  /** Sends `message` with all other answers of the turn, when the turn is stored. */
  #answer(message: ServerMessage): void {
    this.#answers += encodeLine(message);
    this.#services.journal.tell(this);
  }

  /** Ends the turn where a line still has to be answered, as the connection is about to be closed. */
  #answerNow(): void {
    if (this.#answers !== "") this.#services.journal.flush();
  }

  /** Reads on only while nothing has to be waited for: a derivation after which there are lines, or a client that takes no answers. */
  #readOrNot(): void {
    if (this.#closeReason !== undefined || this.#peer !== undefined) return;
    const isStuffed = this.#link.pendingBytes > 2 * this.#services.config.limits.maxPendingBytes;
    if (this.#held !== undefined || isStuffed) this.#link.pause();
    else this.#link.resume();
  }

  #savePlainCursor(position: number | undefined): void {
    const session = this.#session;
    if (this.#plainCursorId === undefined || session.kind !== "client") return;
    this.#services.plainCursors.moved(this.#plainCursorId, session.username, position);
  }

  /** The one way out: everything that the connection holds is let go, and the log says why. */
  #close(reason: CloseReason, why: string): void {
    if (this.#closeReason !== undefined) return;
    this.#closeReason = reason;
    const { hub, journal, plainCursors, trace } = this.#services;
    const reader = this.#reader;
    if (reader !== undefined) {
      const position = hub.positionOf(reader);
      hub.leave(reader);
      if (this.#plainCursorId !== undefined) {
        if (reason === "LOGGED_OUT") plainCursors.end(this.#plainCursorId);
        else {
          const username = reader.cursor.username!;
          plainCursors.lost(this.#plainCursorId, username, journal.positionBefore(position, this.#link.pendingBytes));
        }
      }
    }
    this.#stopIdentifyDeadline();
    this.#services.sessions.remove(this);
    this.#services.accounts.giveUp(this);
    this.#watch?.end();
    this.#channel?.close();
    const byClient = reason === "CLOSED_BY_OTHER_SIDE" || reason === "CONNECTION_RESET" || reason === "LOGGED_OUT";
    logger.info(byClient ? "closed by client {address}: {why}" : "closed by server {address}: {why} ({reason})", {
      address: this.name,
      why,
      reason,
    });
    trace?.({ event: "closed", peer: this.name, what: reason });
    this.#link.end(LINGER_MS);
  }

  /** The user where there is one, and the address. */
  get name(): string {
    const username = this.#reader?.cursor.username;
    return username === undefined ? this.address : `${username} (${this.address})`;
  }
}

function ticketField(ticket: string | undefined): { readonly ticket?: string } {
  return ticket === undefined ? {} : { ticket };
}
