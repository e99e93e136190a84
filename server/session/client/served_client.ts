/**
 * A logged-in client: its place in the log and the reading from there, its supervision (`client_supervision.ts`), and
 * its publications. The connection owns it, from the login to the end.
 */

import { Reader, type ReaderOwner } from "../../hub/reader.ts";
import { cursorAt } from "../../../log/cursor.ts";
import type { Position, Segment } from "../../../log/segment.ts";
import { beyond, merge, type Vector } from "../../../log/vector.ts";
import { NO_CHANNEL } from "../../../protocol/channels/channel_name.ts";
import { PatternSet, WITHOUT_CHANNEL } from "../../../protocol/channels/pattern_set.ts";
import type { CloseReason } from "../../../protocol/close_reason.ts";
import { type EntryId, parseEntryId } from "../../../protocol/entry_id.ts";
import type { ActivityMessage, LoginMessage, SendDirectMessage } from "../../../protocol/message.ts";
import { ANONYMOUS } from "../../../protocol/names.ts";
import { lineBytes, quoteUsername } from "../../../protocol/server_codec.ts";
import { getsMessages, readingLimit } from "../../rights/permissions.ts";
import type { LoggedIn } from "../session_state.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { Hub } from "../../hub/hub.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Tracer } from "../../observe/tracer.ts";
import type { PlaceKeeper } from "../../places/place_keeper.ts";
import { ClientSupervision, type ClientSupervisionOwner, type ClientSupervisionParts } from "./client_supervision.ts";
import type { WorkShares } from "../limits/work_shares.ts";
import { Mailbox } from "./mailbox.ts";
import type { ResumePoint } from "./resume_point.ts";
import { unlessUnreadable } from "../../journal/unreadable_store.ts";
import type { Renumbering } from "../../../log/renumbering.ts";

/** What clients are served with. */
export interface ServedClientParts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly hub: Pick<Hub, "join" | "enter" | "finish" | "leave" | "readOn" | "positionOf" | "wants">;
  readonly shares: WorkShares;
  readonly placeKeeper: Pick<PlaceKeeper, "begin" | "moved" | "lost" | "end">;
  readonly supervision: ClientSupervisionParts;
  /** Puts events on record; absent while nobody does. */
  tracer(): Pick<Tracer, "published" | "delivered"> | undefined;
}

/** From where on a client reads something else. */
export interface ReadingFrom {
  readonly position: Position;
  /** What it has of all that it read up to there. */
  readonly vector: Vector;
}

/** The connection of the client. */
export type ServedClientOwner = ClientSupervisionOwner;

/** One logged-in client. */
export class ServedClient implements ReaderOwner {
  /** Whether it is alive. */
  readonly supervision: ClientSupervision;
  readonly #parts: ServedClientParts;
  readonly #owner: ServedClientOwner;
  readonly #session: LoggedIn;
  readonly #quotedUsername: string;
  /** Absent for a client that gets nothing of the log. */
  readonly #reader: Reader | undefined;
  readonly #mailbox: Mailbox | undefined;
  /** The position after which it is read to. */
  readonly #beganAfter: Position;
  /** What CAUGHT_UP will say. */
  #comesTo: Vector | undefined;
  /** Whether CAUGHT_UP has still to say that all has come which the client's vector names. */
  #waitsForAll: boolean;
  /** What the client had of the log when it logged in. */
  readonly #has: Vector;
  /** Whether the others were told that it is gone. */
  hasDeparted = false;
  /** Whether it sends no more. */
  #isFinishing = false;
  /** Under which its place is kept, in case that its connection is lost. */
  #placeId: number | undefined;
  #publishedAt = -Infinity;
  /** Whether it finishes when what it has published is on the disk. */
  #isToFinish = false;
  #hasLeft = false;
  /** What an anonymous client published before, at another server. The entries of a user are known by the name. */
  #after: EntryId | undefined;
  /** The end of the log that it had read when it changed its channels last. */
  #filteredSince: Position = 0;

  constructor(
    parts: ServedClientParts,
    owner: ServedClientOwner,
    { session, resumePoint, reads, receives, channels }: {
      readonly session: LoggedIn;
      readonly resumePoint: ResumePoint;
      /** Whether it takes up and leaves a place. */
      readonly reads: boolean;
      /** Whether it gets anything of the log. */
      readonly receives: boolean;
      /** The patterns that it reads; absent for what has no channel. */
      readonly channels?: readonly string[] | undefined;
    },
  ) {
    this.#parts = parts;
    this.#owner = owner;
    this.supervision = new ClientSupervision(parts.supervision, owner);
    this.#session = session;
    this.#has = resumePoint.has;
    const { username } = session;
    this.#quotedUsername = quoteUsername(username);
    this.#beganAfter = resumePoint.after;
    const inbox = username !== ANONYMOUS && getsMessages(session.may) ? username : undefined;
    if (inbox !== undefined && receives) {
      const knowsChat = session.features.includes("chat");
      this.#mailbox = new Mailbox({
        journal: parts.journal,
        clock: parts.clock,
        outlet: owner.outlet,
        username: inbox,
        knowsChat,
        shares: parts.shares,
        opened: () => parts.hub.readOn(this.#reader!),
        delivered: (message, receipt) => parts.tracer()?.delivered(owner.tracedAs, message, receipt),
      });
    }
    const { vector } = parts.journal;
    const knowsChannels = session.features.includes("channels");
    const isTold = knowsChannels || session.features.includes("chat");
    this.#waitsForAll = isTold && resumePoint.isBrought;
    // The vector of the log moves on. Any other vector is this client's own already.
    if (isTold) this.#comesTo = resumePoint.reaches === vector ? { ...vector } : resumePoint.reaches;
    if (!receives) return;
    // At the end of the log, only entries that are not in it at all lie ahead.
    const ahead = resumePoint.isAtEnd ? beyond(resumePoint.has, vector) : resumePoint.has;
    const wants = wantsAtFirst(session, channels);
    const isToldWhere = knowsChannels && session.features.includes("resume");
    this.#reader = new Reader(owner.outlet, cursorAt(resumePoint.after, inbox, ahead), this, wants, isToldWhere);
    if (username !== ANONYMOUS && reads) {
      const reading = { username, canResume: session.features.includes("resume"), standsAt: () => this.#standsAt() };
      const { isAtEnd, after, has } = resumePoint;
      this.#placeId = parts.placeKeeper.begin(reading, isAtEnd ? undefined : after, has);
    }
  }

  /** Begins to supervise it, and to read to it. It has said nothing for `silentMs` of awake time. */
  begin(login: LoginMessage, silentMs: number): void {
    const { journal } = this.#parts;
    const last = login.last === undefined ? undefined : parseEntryId(login.last);
    const isElsewhere = last !== undefined && last.origin !== journal.serverId;
    // A user with a name may have several clients. So what is known of the user may be of another client.
    if (isElsewhere && journal.lastOf(last.origin) >= last.sequence) this.#after = last;
    this.supervision.begin(login, this.#session, silentMs);
    const { hub } = this.#parts;
    // Nothing of the log is to come, so all of that has come.
    if (this.#reader === undefined) return this.#tellCaughtUp();
    // A client that brings a vector gets from the log what it misses, messages too.
    const { features } = this.#session;
    const bringsVector = login.resume !== undefined && features.includes("resume");
    if (this.#mailbox === undefined || (bringsVector && !features.includes("chat"))) return hub.join(this.#reader);
    // Messages that waited come first, however long they take. A client that has taken a later message says so of all
    // messages before it.
    hub.enter(this.#reader);
    this.#mailbox.open(bringsVector ? this.#has : undefined);
    // This server may crash meanwhile. As soon as the log goes on, the client is not at its end any more.
    if (this.#mailbox.isOpening) this.movedOn();
  }

  /** Whether it has all of the log, and has published nothing for `spanMs`. `nowMs` is on a monotonic clock. */
  isIdleFor(spanMs: number, nowMs: number): boolean {
    return (this.#reader === undefined || this.#reader.state === "live") && nowMs - this.#publishedAt >= spanMs;
  }

  /** When it published last, in milliseconds on a monotonic clock; `-Infinity` for never. */
  get publishedAt(): number {
    return this.#publishedAt;
  }

  /** Whether it still has to get a part of the log. */
  get isBehind(): boolean {
    return this.#reader?.state === "behind";
  }

  /** Takes an activity of the client into the log. */
  publish(message: ActivityMessage): EntryId {
    const { activity, messageId, lamport, traceparent } = message;
    const { username, isPlain } = this.#session;
    const channel = isPlain ? undefined : message.channel;
    const { journal } = this.#parts;
    const tracer = this.#parts.tracer();
    const after = this.#after;
    const received = tracer === undefined ? 0 : journal.tickInTurn(lamport);
    const next = tracer === undefined ? 0 : journal.lastOf(journal.serverId) + 1;
    const quotedUsername = this.#quotedUsername;
    // Written out: a spread costs memory for each activity.
    const publication = { activity, username, quotedUsername, messageId, channel, lamport, after, traceparent };
    const id = journal.publish(publication);
    // The client may also have sent this before, to another server that gave no answer.
    if (after !== undefined || id.origin !== journal.serverId) this.#hasSent(id);
    // The time of the turn, as a look at the clock would be a noticeable part of what an activity costs.
    this.#publishedAt = journal.turnMs;
    tracer?.published(
      this.#owner.tracedAs,
      id,
      messageId,
      received,
      id.sequence === next ? journal.lamport : undefined,
    );
    return id;
  }

  /** The channels and patterns that it reads; `undefined` where it gets nothing of the log. */
  get wants(): PatternSet | undefined {
    return this.#reader?.wants;
  }

  /** From where it stands in the log on, it reads these. Gives that place; `undefined` where it gets nothing. */
  reads(wants: PatternSet): ReadingFrom | undefined {
    const reader = this.#reader;
    if (reader === undefined) return undefined;
    const { hub, journal } = this.#parts;
    const position = hub.positionOf(reader);
    const { ahead } = reader.cursor;
    // What it was sent for certain: a lower number does no harm.
    const has = position === journal.head ? { ...journal.vector } : journal.vectorAt(position);
    hub.wants(reader, wants);
    this.#filteredSince = position;
    return { position, vector: ahead.size === 0 ? has : merge(has, Object.fromEntries(ahead)) };
  }

  /** Takes a message to another user into the log. Returns `undefined` when too many wait for this user. */
  send({ to, text, messageId, lamport }: SendDirectMessage): EntryId | undefined {
    const { journal } = this.#parts;
    const tracer = this.#parts.tracer();
    const received = tracer === undefined ? 0 : journal.tickInTurn(lamport);
    const next = tracer === undefined ? 0 : journal.lastOf(journal.serverId) + 1;
    const message = { from: this.#session.username, to, text, messageId, lamport, after: this.#after };
    const id = journal.directMessages.send(message);
    this.#publishedAt = journal.turnMs;
    if (id === undefined) return undefined;
    if (this.#after !== undefined || id.origin !== journal.serverId) this.#hasSent(id);
    tracer?.published(
      this.#owner.tracedAs,
      id,
      messageId,
      received,
      id.sequence === next ? journal.lamport : undefined,
    );
    return id;
  }

  /** What the client sends next comes after `id`. Others need to know this only while `id` is of another server. */
  #hasSent(id: EntryId): void {
    const { journal } = this.#parts;
    if (id.origin !== journal.serverId) this.#after = id;
    // An entry that was here already says nothing.
    else if (id.sequence === journal.lastOf(id.origin)) this.#after = undefined;
  }

  /** The client has taken all of this, and said so at its time `lamport`. */
  acknowledged(vector: Vector, lamport: number | undefined): void {
    // The delivery comes after all that the client has seen.
    if (lamport !== undefined) this.#parts.journal.tick(lamport);
    this.#mailbox?.acknowledged(vector, lamport);
  }

  /** What it was sent stands under other numbers. */
  renumbered(renumbering: Renumbering): void {
    this.#mailbox?.renumbered(renumbering);
  }

  /** It sends no more. It gets what it has asked for so far, and is asked nothing. */
  finish(): void {
    if (this.#isFinishing || this.#isToFinish) return;
    const { journal } = this.#parts;
    // What it has published is about to come.
    this.#isToFinish = journal.queue.waitsForDisk && this.#publishedAt > -Infinity;
    if (this.#isToFinish) return journal.whenDelivered(() => this.#finishNow());
    if (this.#publishedAt === journal.turnMs) journal.flush();
    this.#finishNow();
  }

  #finishNow(): void {
    if (this.#hasLeft) return;
    this.#isFinishing = true;
    this.supervision.end();
    if (this.#reader === undefined) return;
    this.#parts.hub.finish(this.#reader);
    this.movedOn();
  }

  /** Its link takes data again. */
  drained(): void {
    this.supervision.drained();
    const isOpening = this.#mailbox?.isOpening;
    // The mailbox first, as the hub writes more.
    this.#mailbox?.drained();
    // A mailbox that was opening has told the hub, or will.
    if (!isOpening && this.#reader !== undefined) this.#parts.hub.readOn(this.#reader);
  }

  /** Its connection ends. */
  leave(reason: CloseReason): void {
    this.#hasLeft = true;
    const { hub, placeKeeper } = this.#parts;
    // If the log cannot be read, nothing can be noted any more. The store has where the client stood before.
    const position = this.#placeId === undefined ? undefined : unlessUnreadable(() => this.#standsAt());
    if (this.#reader !== undefined) hub.leave(this.#reader);
    this.supervision.end();
    this.#mailbox?.close();
    const id = this.#placeId;
    if (id === undefined || position === undefined) return;
    // A client that was replaced went on elsewhere. A client that lost its name does not come back.
    if (reason === "LOGGED_OUT" || reason === "SESSION_REPLACED" || reason === "NAME_LOST") placeKeeper.end(id);
    else unlessUnreadable(() => placeKeeper.lost(id, position));
  }

  /** How far the client was sent the log, without the bytes that are still here. */
  #standsAt(): Position {
    const { hub, journal } = this.#parts;
    return journal.positionBefore({
      position: hub.positionOf(this.#reader!),
      // Some of these bytes were no part of the log, but messages that waited.
      unsentBytes: this.#owner.outlet.pendingBytes,
      began: this.#beganAfter,
      username: this.#reader!.cursor.username,
      filter: this.#reader!.wants,
      filteredSince: this.#filteredSince,
    });
  }

  // ---- the hub speaks --------------------------------------------------------------------------------------------

  caughtUp(): void {
    // A client that sends no more does not stay at the end of the log.
    this.#saveCursor(this.#isFinishing ? this.#reader!.cursor.position : undefined);
    this.#tellCaughtUp();
  }

  passedAhead(): void {
    this.#tellCaughtUp();
  }

  /** Says it once, and once more if something was missing then that the client has from elsewhere, and has come now. */
  #tellCaughtUp(): void {
    const isComplete = this.#waitsForAll && this.#reader?.cursor.ahead.size === 0;
    const vector = this.#comesTo ?? (isComplete ? this.#parts.journal.vector : undefined);
    if (vector === undefined) return;
    const complete = isComplete ? { complete: true } as const : {};
    this.#owner.outlet.write(lineBytes({ command: "CAUGHT_UP", vector, ...complete }));
    this.#comesTo = undefined;
    if (isComplete) this.#waitsForAll = false;
  }

  forUser(segment: Segment, bytes: Uint8Array): Uint8Array {
    return this.#mailbox!.take(segment, bytes);
  }

  movedOn(): void {
    this.#saveCursor(this.#reader!.cursor.position);
  }

  faulted(): void {
    this.#owner.link.destroy();
  }

  fellBehind(): void {
    this.#owner.end("FELL_BEHIND");
  }

  #saveCursor(position: number | undefined): void {
    if (this.#placeId !== undefined) this.#parts.placeKeeper.moved(this.#placeId, position);
  }
}

/** What a client wants of the log that names these channels when it logs in, and may read. */
export function wantsAtFirst(
  { features, may }: Pick<LoggedIn, "features" | "may">,
  channels: readonly string[] | undefined,
): PatternSet {
  const limit = readingLimit(may);
  const named = features.includes("channels") ? channels : undefined;
  return (named ?? limit) === undefined ? WITHOUT_CHANNEL : new PatternSet(named ?? [NO_CHANNEL], limit);
}
