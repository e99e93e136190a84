/**
 * Guests: users who came through a door of another protocol. The door vouches for them. To the network a guest is a
 * client that can neither resume nor be moved. It is online, it publishes, it has a cursor at the end of the log, and
 * the server can end it. The door knows the words for it.
 */

import { getLogger } from "@logtape/logtape";
import { endpointText } from "../../config/values.ts";
import { Reader, type ReaderOwner } from "../hub/reader.ts";
import { cursorAt } from "../../log/cursor.ts";
import { NO_CHANNEL } from "../../protocol/channels/channel_name.ts";
import { PatternSet, WITHOUT_CHANNEL } from "../../protocol/channels/pattern_set.ts";
import { CLOSE_REASONS, type CloseReason } from "../../protocol/close_reason.ts";
import { formatEntryId } from "../../protocol/entry_id.ts";
import { quoteUsername } from "../../protocol/server_codec.ts";
import type { ConnectionView } from "../../view/network_view.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Backplane } from "../backplane/backplane.ts";
import type { Hub } from "../hub/hub.ts";
import type { Journal } from "../journal/journal.ts";
import type { Tracer } from "../observe/tracer.ts";
import type { PresenceBoard } from "../presence/presence_board.ts";
import type { ReaderBoard } from "../presence/reader_board.ts";
import type { ConnectionOwner, ServedConnection } from "../session/served_connection.ts";
import { mayPublishIn, type Permissions } from "../rights/permissions.ts";
import type { Rights } from "../rights/rights.ts";
import { type GuestItem, GuestQueue, type Notice } from "./guest_queue.ts";
import type { ClientSession, Sessions } from "../hub/sessions.ts";
import { unlessUnreadable } from "../journal/unreadable_store.ts";

/** What guests are made with. */
export interface GuestParts {
  readonly clock: Pick<Clock, "wallMs">;
  readonly journal: Journal;
  readonly sessions: Pick<Sessions, "add" | "remove">;
  readonly presence: Pick<PresenceBoard, "came" | "went">;
  readonly hub: Pick<Hub, "join" | "leave" | "readOn">;
  readonly rights: Pick<Rights, "areStill">;
  readonly readers: Pick<ReaderBoard, "came" | "went">;
  readonly backplane: Pick<Backplane, "whenSafe">;
  /** Is told how a guest ends. */
  readonly served: Pick<ConnectionOwner, "ended" | "gone">;
  /** Puts events on record; absent while nobody does. */
  tracer(): Pick<Tracer, "trace" | "published"> | undefined;
}

/** The door of a guest. It is never called from inside one of its own calls. */
export interface GuestOwner {
  /** There may be a line or a notice to take. */
  arrived(): void;
  /** The server has ended it. */
  ended(reason: CloseReason): void;
}

/** Who comes in. */
export interface NewGuest {
  readonly name: string;
  /** Where it can be reached, for people. */
  readonly host: string;
  readonly port: number;
  /** The door's Lamport time. */
  readonly lamport: number;
  /** It publishes there, and reads that alone; absent for what is for everyone. */
  readonly channel?: string | undefined;
}

/** An activity that a guest has published. */
export interface GuestPublication {
  /** The entry's `id`. */
  readonly id: string;
  /** Its Lamport time. */
  readonly lamport: number;
  /** Resolves when it is as safe as is configured. Never resolves if the server ends before. */
  readonly safe: Promise<void>;
}

const logger = getLogger(["thrum", "guest"]);

/** One guest. Made by `Guests`. */
export class Guest<N> implements ClientSession, ServedConnection, ReaderOwner {
  readonly id: string;
  readonly #parts: GuestParts;
  readonly #newcomer: NewGuest & { readonly may: Permissions };
  readonly #owner: GuestOwner;
  readonly #queue: GuestQueue<N>;
  readonly #reader: Reader;
  readonly #since: number;
  #isGone = false;

  constructor(
    id: string,
    parts: GuestParts,
    newcomer: NewGuest & { readonly may: Permissions },
    owner: GuestOwner,
  ) {
    this.id = id;
    this.#parts = parts;
    this.#newcomer = newcomer;
    this.#owner = owner;
    this.#since = parts.clock.wallMs();
    this.#queue = new GuestQueue(() => owner.arrived());
    const { channel } = newcomer;
    const wants = channel === undefined ? WITHOUT_CHANNEL : new PatternSet([channel]);
    // Without a name the reader gets no direct messages.
    this.#reader = new Reader(this.#queue, cursorAt(parts.journal.head, undefined), this, wants);
  }

  /** It is here from now on. Called once, by `Guests`. */
  begin(): void {
    const { journal, sessions, presence, readers, hub } = this.#parts;
    logger.info("{username} came as a guest from {address}", { username: this.username, address: this.address });
    journal.reach(this.#newcomer.lamport);
    this.#note("login", this.username);
    sessions.add(this);
    presence.came(this);
    readers.came(this);
    hub.join(this.#reader);
  }

  get username(): string {
    return this.#newcomer.name;
  }

  get reads(): PatternSet {
    return this.#reader.wants;
  }

  /** Whether it may publish where it is. */
  get mayPublish(): boolean {
    return mayPublishIn(this.may, this.#newcomer.channel ?? NO_CHANNEL);
  }

  /** What it may do. */
  get may(): Permissions {
    return this.#newcomer.may;
  }

  /** Where it comes from. */
  get remoteHost(): string {
    return this.#newcomer.host;
  }

  /** Host and port, as the log shows them. */
  get address(): string {
    return endpointText(this.#newcomer);
  }

  /** Takes an activity, JSON text of an object, into the log. `lamport` is the door's time. */
  publish(activity: string, lamport: number): GuestPublication {
    const { journal, backplane } = this.#parts;
    const tracer = this.#parts.tracer();
    const received = tracer === undefined ? 0 : journal.tickInTurn(lamport);
    const { username } = this;
    const { channel } = this.#newcomer;
    const quotedUsername = quoteUsername(username);
    const entry = journal.publish({
      activity,
      username,
      quotedUsername,
      messageId: undefined,
      channel,
      lamport,
      after: undefined,
    });
    tracer?.published(username, entry, undefined, received, journal.lamport);
    const safe = new Promise<void>((resolve) => {
      let isWithinTurn = true;
      // An entry that others have is committed here. If this server's own commit is enough, the commit is still to
      // come.
      backplane.whenSafe(entry, () => {
        if (isWithinTurn) journal.whenCommitted({ committed: resolve });
        else resolve();
      });
      isWithinTurn = false;
    });
    return { id: formatEntryId(entry), lamport: journal.lamport, safe };
  }

  /** Tells it something that is in no log. */
  tell(notice: Notice<N>): void {
    if (this.#isGone) return;
    this.#queue.add(notice);
    if (this.#queue.isOverfull) this.end("FELL_BEHIND");
  }

  /** The next thing for it; `undefined` when there is nothing. `arrived` says when to ask again. */
  take(): GuestItem<N> | undefined {
    const { hub } = this.#parts;
    if (this.#queue.isEmpty) unlessUnreadable(() => hub.readOn(this.#reader));
    return this.#isGone ? undefined : this.#queue.take(this.#reader.state !== "behind");
  }

  /** Its door lets it go, for this `reason`, and says `why`. */
  leave(lamport: number, reason: CloseReason, why: string = CLOSE_REASONS[reason].sentence): void {
    if (this.#isGone) return;
    this.#parts.journal.reach(lamport);
    this.#close(reason, why);
  }

  // ---- the network speaks ----------------------------------------------------------------------------------------

  /** Ends it of the server's own will. */
  end(reason: CloseReason): void {
    if (this.#isGone) return;
    this.#close(reason, CLOSE_REASONS[reason].sentence);
    // The door acts on others when it hears this, so it hears it later.
    queueMicrotask(() => this.#owner.ended(reason));
  }

  reviewRights(): void {
    const { username, remoteHost: address } = this;
    if (!this.#parts.rights.areStill(this.may, { username, address, isGuest: true })) this.end("RIGHTS_CHANGED");
  }

  readonly canResume = false;
  readonly isQuiet = false;

  canBeMoved(): boolean {
    return false;
  }

  /** It gets no direct messages. */
  renumbered(): void {}

  sendBackups(): void {}

  redirect(): void {}

  /** The door is told of who comes and goes once, and not by each of its guests. */
  tellPresence(): void {}

  describe(): ConnectionView {
    return {
      user: this.username,
      address: this.address,
      kind: "guest",
      over: "grpc",
      since: this.#since,
      state: "unwatched",
      heardAt: 0,
      attempt: 0,
      of: 0,
      heartbeats: 0,
      roundTripMs: null,
      waitingBytes: this.#queue.pendingBytes,
      behind: this.#reader.state === "behind",
    };
  }

  // ---- the hub speaks --------------------------------------------------------------------------------------------

  caughtUp(): void {
    // A notice may have waited for that.
    this.#owner.arrived();
  }

  passedAhead(): void {}

  movedOn(): void {}

  forUser(_segment: unknown, bytes: Uint8Array): Uint8Array {
    return bytes;
  }

  fellBehind(): void {
    this.end("FELL_BEHIND");
  }

  faulted(): void {
    this.end("FELL_BEHIND");
  }

  #close(reason: CloseReason, why: string): void {
    this.#isGone = true;
    const { sessions, presence, readers, hub } = this.#parts;
    hub.leave(this.#reader);
    this.#queue.end();
    sessions.remove(this);
    // It cannot come back to where it was, so nobody has to wait for it.
    presence.went(this.username, "left");
    readers.went(this, "left");
    logger.info("{username} ({address}) is gone: {why} ({reason})", {
      username: this.username,
      address: this.address,
      why,
      reason,
    });
    this.#note("closed", reason);
    const { username: user, address } = this;
    this.#parts.served.ended({ since: this.#since, user, address, reason, why, heartbeats: [] });
    this.#parts.served.gone(this);
  }

  #note(event: "login" | "closed", what: string): void {
    const { journal, tracer } = this.#parts;
    tracer()?.trace({ event, peer: this.username, what }, journal.tick());
  }
}
