/**
 * What a logged-in client has of this server: its place in the log and what is read to it from there, its supervision,
 * and what it publishes. The connection owns it, from the login to the end.
 */

import { getLogger } from "@logtape/logtape";
import type { HeartbeatSnapshot, OtherSign, Supervised, Watch } from "../../heartbeat/supervisor.ts";
import { Reader, type ReaderOwner } from "../hub/reader.ts";
import { cursorAt } from "../../log/cursor.ts";
import type { Position, Segment } from "../../log/segment.ts";
import { beyond, type Vector } from "../../log/vector.ts";
import type { Timer } from "../../platform/clock.ts";
import { guarded } from "../../platform/faults.ts";
import type { Link, Outlet } from "../../platform/transport.ts";
import type { CloseReason } from "../../protocol/close_reason.ts";
import { type EntryId, parseEntryId } from "../../protocol/entry_id.ts";
import type { ActivityMessage, LoginMessage, SendDirectMessage } from "../../protocol/message.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import { lineBytes, quoteUsername } from "../../protocol/server_codec.ts";
import type { LoggedIn } from "./session.ts";
import type { ConnectionServices } from "./connection_services.ts";
import { Mailbox } from "./mailbox.ts";
import type { HeartbeatMoment } from "../../view/network_view.ts";
import { HeartbeatChannel } from "./heartbeat_channel.ts";
import { RecentHeartbeats } from "../../heartbeat/recent_heartbeats.ts";
import type { ResumePoint } from "./resume_point.ts";
import { unlessUnreadable } from "../journal/unreadable_store.ts";
import type { Renumbering } from "../../log/renumbering.ts";

/** The connection, as its client's part needs it. */
export interface ServedClientOwner {
  readonly link: Link;
  /** What is said to it goes here: the link, or what stands before it. */
  readonly outlet: Outlet;
  /** The user and the address, for the log. */
  readonly name: string;
  /** The same, for the trace. */
  readonly tracedAs: string;
  /** Whether what it sends is read: not while lines of it wait, or it takes no answers. */
  readonly isRead: boolean;
  end(reason: CloseReason): void;
}

const logger = getLogger(["thrum", "connection"]);

/** One logged-in client. */
export class ServedClient implements Supervised, ReaderOwner {
  readonly #services: ConnectionServices;
  readonly #owner: ServedClientOwner;
  readonly #session: LoggedIn;
  readonly #quotedUsername: string;
  readonly #tracedAs: string;
  /** The client does, and is told the time with each heartbeat. */
  #keepsTrace = false;
  /** The answer to a heartbeat that is being looked at, and when it came. */
  #answer: { readonly id: string; readonly received: number } | undefined;
  readonly #reader: Reader;
  readonly #mailbox: Mailbox | undefined;
  /** The position after which it is read to. */
  readonly #beganAfter: Position;
  /** What CAUGHT_UP will say. */
  #comesTo: Pick<ResumePoint, "reaches" | "isComplete"> | undefined;
  /** What the client had of the log when it logged in. */
  readonly #has: Vector;
  /** Under which its place is kept, in case that its connection is lost. */
  #placeId: number | undefined;
  #watch: Watch | undefined;
  #channel: HeartbeatChannel | undefined;
  /** Until its port may be called. */
  #dialling: Timer | undefined;
  #publishedAt = -Infinity;
  readonly #moments = new RecentHeartbeats();
  /** Heartbeats that went unanswered so far. */
  #attempt = 0;
  /** What had not left this process when it was asked for a sign of life last. */
  #untakenBytes = 0;
  /** Whether all of it has left since. */
  #hasDrained = false;
  /** What an anonymous client has published before, at another server; a user's entries are known by the name. */
  #after: EntryId | undefined;

  constructor(
    services: ConnectionServices,
    owner: ServedClientOwner,
    { session, resumePoint, reads }: {
      readonly session: LoggedIn;
      readonly resumePoint: ResumePoint;
      readonly reads: boolean;
    },
  ) {
    this.#services = services;
    this.#owner = owner;
    this.#tracedAs = owner.tracedAs;
    this.#session = session;
    this.#has = resumePoint.has;
    const { username } = session;
    this.#quotedUsername = quoteUsername(username);
    this.#beganAfter = resumePoint.after;
    if (username !== ANONYMOUS) {
      const knowsChat = session.features.includes("chat");
      this.#mailbox = new Mailbox({
        journal: services.journal,
        clock: services.clock,
        outlet: owner.outlet,
        username,
        knowsChat,
        shares: services.shares,
        opened: () => services.hub.readOn(this.#reader),
        delivered: (message, receipt) => services.tracer?.delivered(owner.tracedAs, message, receipt),
      });
    }
    const { vector } = services.journal;
    if (session.features.includes("chat")) {
      // What the log has moves on; else it is this client's own already.
      const reaches = resumePoint.reaches === vector ? { ...vector } : resumePoint.reaches;
      this.#comesTo = { reaches, isComplete: resumePoint.isComplete };
    }
    // At the end of the log only what is not in it at all lies ahead.
    const ahead = resumePoint.isAtEnd ? beyond(resumePoint.has, vector) : resumePoint.has;
    this.#reader = new Reader(owner.outlet, cursorAt(resumePoint.after, username, ahead), this);
    if (username !== ANONYMOUS && reads) {
      const reading = { username, canResume: session.features.includes("resume"), standsAt: () => this.#standsAt() };
      this.#placeId = services.placeKeeper.begin(reading, resumePoint.isAtEnd ? undefined : resumePoint.after);
    }
  }

  /** Begins to supervise it, and to read to it. It has said nothing for `silentMs` of awake time. */
  begin(login: LoginMessage, silentMs: number): void {
    const { journal } = this.#services;
    const last = login.last === undefined ? undefined : parseEntryId(login.last);
    const isElsewhere = last !== undefined && last.origin !== journal.serverId;
    // Also of one that has a name: what is known of its user may be of another client that has the same.
    if (isElsewhere && journal.lastOf(last.origin) >= last.sequence) this.#after = last;
    this.#supervise(login, silentMs);
    const { hub } = this.#services;
    // Who brings a vector gets from the log what it misses, messages and all.
    const { features } = this.#session;
    const bringsVector = login.resume !== undefined && features.includes("resume");
    if (this.#mailbox === undefined || (bringsVector && !features.includes("chat"))) return hub.join(this.#reader);
    // What waited comes first, however long that takes: who says that it has taken a later one has said
    // so of all before it.
    hub.enter(this.#reader);
    this.#mailbox.open(bringsVector ? this.#has : undefined);
    // Should this server crash meanwhile: it is not at the end of the log any more as soon as that goes on.
    if (this.#mailbox.isOpening) this.movedOn();
  }

  /** Milliseconds, on a monotonic clock, since it last published; whether it has all that there is. */
  isIdleFor(spanMs: number, nowMs: number): boolean {
    return this.#reader.state === "live" && nowMs - this.#publishedAt >= spanMs;
  }

  /** When it published last, in milliseconds on a monotonic clock; `-Infinity` for never. */
  get publishedAt(): number {
    return this.#publishedAt;
  }

  /** How its heartbeats stand; `undefined` when it is not supervised. */
  get heartbeat(): HeartbeatSnapshot | undefined {
    return this.#watch?.snapshot();
  }

  /** The newest of its heartbeats. */
  get moments(): readonly HeartbeatMoment[] {
    return this.#moments.list(this.#services.heartbeat.count);
  }

  /** Whether it is still to be read something of the log. */
  get isBehind(): boolean {
    return this.#reader.state === "behind";
  }

  /** Takes an activity of its into the log. */
  publish({ activity, messageId, lamport }: ActivityMessage): EntryId {
    const { username } = this.#session;
    const { journal, tracer } = this.#services;
    const after = this.#after;
    const received = tracer === undefined ? 0 : journal.tickInTurn(lamport);
    const next = tracer === undefined ? 0 : journal.lastOf(journal.serverId) + 1;
    const id = journal.publish({ activity, username, quotedUsername: this.#quotedUsername, messageId, lamport, after });
    // Also where it was sent before, to another server that gave no answer.
    if (after !== undefined || id.origin !== journal.serverId) this.#hasSent(id);
    // Not read from the clock: for each activity that would be a noticeable part of what it costs.
    this.#publishedAt = journal.turnMs;
    tracer?.published(this.#tracedAs, id, messageId, received, id.sequence === next ? journal.lamport : undefined);
    return id;
  }

  /** Takes a message of its to another user into the log; `undefined` when too many wait for that user. */
  send({ to, text, messageId, lamport }: SendDirectMessage): EntryId | undefined {
    const { journal, tracer } = this.#services;
    const received = tracer === undefined ? 0 : journal.tickInTurn(lamport);
    const next = tracer === undefined ? 0 : journal.lastOf(journal.serverId) + 1;
    const message = { from: this.#session.username, to, text, messageId, lamport, after: this.#after };
    const id = journal.directMessages.send(message);
    this.#publishedAt = journal.turnMs;
    if (id === undefined) return undefined;
    if (this.#after !== undefined || id.origin !== journal.serverId) this.#hasSent(id);
    tracer?.published(this.#tracedAs, id, messageId, received, id.sequence === next ? journal.lamport : undefined);
    return id;
  }

  /** What it sends next comes after `id`, which matters to others only as long as that is of another server. */
  #hasSent(id: EntryId): void {
    const { journal } = this.#services;
    if (id.origin !== journal.serverId) this.#after = id;
    // One that was here already says nothing.
    else if (id.sequence === journal.lastOf(id.origin)) this.#after = undefined;
  }

  /** It has taken all of this, and said so at its time `lamport`. */
  acknowledged(vector: Vector, lamport: number | undefined): void {
    // That something was delivered comes after all that the client has seen.
    if (lamport !== undefined) this.#services.journal.tick(lamport);
    this.#mailbox?.acknowledged(vector);
  }

  /** What it was sent stands under other numbers. */
  renumbered(renumbering: Renumbering): void {
    this.#mailbox?.renumbered(renumbering);
  }

  /** Bytes came from it. */
  heard(): void {
    this.#watch?.heard();
  }

  /** It answered a heartbeat, at its time `lamport` if it keeps a trace. */
  answered(sequence: number, lamport?: number): void {
    if (lamport === undefined) return this.#watch?.answered(sequence);
    const { tracer, journal } = this.#services;
    const received = journal.tick(lamport);
    this.#answer = { id: heartbeatId(sequence), received };
    this.#watch?.answered(sequence);
    // Only the answer to the newest one says anything.
    if (this.#answer !== undefined) {
      tracer?.trace({ event: "receive", peer: this.#tracedAs, id: this.#answer.id, what: "late answer" }, received);
    }
    this.#answer = undefined;
  }

  /** Its link takes data again. */
  drained(): void {
    this.#hasDrained = true;
    const isOpening = this.#mailbox?.isOpening;
    // First: the hub writes more.
    this.#mailbox?.drained();
    // Else the mailbox has told the hub, or will.
    if (!isOpening) this.#services.hub.readOn(this.#reader);
  }

  /** Its connection ends. */
  leave(reason: CloseReason): void {
    const { hub, placeKeeper } = this.#services;
    // When it cannot be read nothing can be noted any more, and where it stood before is in the store.
    const position = this.#placeId === undefined ? undefined : unlessUnreadable(() => this.#standsAt());
    hub.leave(this.#reader);
    this.#watch?.end();
    this.#dialling?.cancel();
    this.#channel?.close();
    this.#mailbox?.close();
    const id = this.#placeId;
    if (id === undefined || position === undefined) return;
    // Who was replaced went on elsewhere, and whose name is somebody else's does not come back.
    if (reason === "LOGGED_OUT" || reason === "SESSION_REPLACED" || reason === "NAME_LOST") placeKeeper.end(id);
    else unlessUnreadable(() => placeKeeper.lost(id, position));
  }

  /** How far it was sent the log, without what is still here. */
  #standsAt(): Position {
    const { hub, journal } = this.#services;
    return journal.positionBefore({
      position: hub.positionOf(this.#reader),
      // Of what has not left some was no part of the log: what waited.
      unsentBytes: this.#owner.outlet.pendingBytes,
      began: this.#beganAfter,
      username: this.#session.username,
    });
  }

  // ---- the supervisor speaks -------------------------------------------------------------------------------------

  sendHeartbeat(sequence: number, attempt: number, of: number): void {
    const { heartbeat: { intervalMs, idleTimeoutMs }, tracer, clock } = this.#services;
    const { name } = this.#owner;
    this.#attempt = attempt;
    this.#services.counters.clientHeartbeats.sent++;
    this.#moments.add(clock.wallMs(), "sent", attempt);
    if (attempt === 1) {
      const seconds = idleTimeoutMs / 1000;
      logger.info("no data for the past {seconds} from {address}", {
        seconds: seconds === 1 ? "second" : `${seconds} seconds`,
        address: name,
      });
    }
    logger.info("sending heartbeat {attempt} of {of} to {address}", { attempt, of, address: name });
    tracer?.trace(
      { event: "heartbeat", peer: this.#tracedAs, id: heartbeatId(sequence), what: `${attempt} of ${of}` },
      this.#services.journal.tick(),
    );
    const time = this.#keepsTrace ? { lamport: this.#services.journal.lamport } : {};
    const line = lineBytes({ command: "HEARTBEAT", sequence, of, intervalMs, ...time });
    if (!this.#channel?.send(line)) this.#owner.outlet.write(line);
  }

  alive(roundTripMs: number | undefined): void {
    const { name } = this.#owner;
    this.#moments.add(this.#services.clock.wallMs(), "answered", this.#attempt, roundTripMs);
    if (roundTripMs === undefined) logger.info("connection is alive: data from {address}", { address: name });
    else {
      logger.info("heartbeat answered by {address} after {milliseconds} ms; connection is alive", {
        address: name,
        milliseconds: Math.round(roundTripMs * 10) / 10,
      });
    }
    const { tracer, journal } = this.#services;
    const what = roundTripMs === undefined ? "data came" : `after ${Math.round(roundTripMs)} ms`;
    const { id, received } = this.#answer ?? {};
    this.#answer = undefined;
    tracer?.trace(
      { event: "answered", peer: this.#tracedAs, ...(id === undefined ? {} : { id }), what },
      received ?? journal.tick(),
    );
  }

  /**
   * Whether it takes what waits for it. Whoever is not read is judged by that alone; with nothing left to take it is
   * its lines that wait, for this server.
   */
  otherSign(): OtherSign {
    const { isRead, outlet: { pendingBytes } } = this.#owner;
    const takes = this.#hasDrained || pendingBytes < this.#untakenBytes;
    this.#hasDrained = false;
    this.#untakenBytes = pendingBytes;
    if (isRead) return takes ? "takes" : "none";
    return takes || pendingBytes === 0 ? "alive" : "none";
  }

  gaveUp(): void {
    const { tracer, journal, heartbeat: { count }, clock } = this.#services;
    this.#moments.add(clock.wallMs(), "unanswered", count);
    this.#services.counters.clientHeartbeats.unanswered++;
    tracer?.trace({ event: "unanswered", peer: this.#tracedAs, what: `${count} heartbeats` }, journal.tick());
    this.#owner.end("HEARTBEAT_TIMEOUT");
  }

  // ---- the hub speaks --------------------------------------------------------------------------------------------

  caughtUp(): void {
    this.#saveCursor(undefined);
    if (this.#comesTo === undefined) return;
    const { reaches: vector, isComplete } = this.#comesTo;
    const complete = isComplete ? { complete: true } as const : {};
    this.#owner.outlet.write(lineBytes({ command: "CAUGHT_UP", vector, ...complete }));
    this.#comesTo = undefined;
  }

  forUser(segment: Segment, bytes: Uint8Array): Uint8Array {
    return this.#mailbox!.take(segment, bytes);
  }

  movedOn(): void {
    this.#saveCursor(this.#reader.cursor.position);
  }

  faulted(): void {
    this.#owner.link.destroy();
  }

  fellBehind(): void {
    this.#owner.end("FELL_BEHIND");
  }

  #saveCursor(position: number | undefined): void {
    if (this.#placeId !== undefined) this.#services.placeKeeper.moved(this.#placeId, position);
  }

  #supervise(login: LoginMessage, silentMs: number): void {
    const { config, heartbeat, supervisor, transport } = this.#services;
    const { isPlain, features } = this.#session;
    this.#keepsTrace = login.trace !== undefined;
    const { link, name } = this.#owner;
    const isSupervised = isPlain ? config.heartbeat.plainClients === "supervise" : features.includes("heartbeat");
    if (!isSupervised) {
      link.keepAlive(heartbeat.idleTimeoutMs);
      return;
    }
    this.#watch = supervisor.watch(this, heartbeat, silentMs);
    if (login.heartbeatPort === undefined || isPlain) return;
    const { heartbeatDials, clock, faults } = this.#services;
    const endpoint = { host: link.remoteHost, port: login.heartbeatPort };
    const delayMs = heartbeatDials.delayFor(endpoint, clock.nowMs());
    if (delayMs === undefined) {
      logger.info("{address} named a heartbeat port that was called too often; its heartbeats go over the connection", {
        address: name,
      });
      return;
    }
    const dial = () => {
      this.#channel = new HeartbeatChannel(transport, endpoint, {
        name,
        heard: () => this.heard(),
        answered: (sequence, lamport) => this.answered(sequence, lamport),
      }, faults);
    };
    if (delayMs === 0) dial();
    else this.#dialling = clock.after(delayMs, () => guarded(faults, "heartbeat", dial, () => link.destroy()));
  }
}

/** What a heartbeat is called in traces, here and at the client. */
function heartbeatId(sequence: number): string {
  return `heartbeat:${sequence}`;
}
