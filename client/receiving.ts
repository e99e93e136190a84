/**
 * Received entries on their way to their readers. Repeated entries are left out, the progress is noted, and the rest is
 * fanned out. Lives as long as the client, over all its connections. Sends nothing itself.
 */

import { getLogger } from "@logtape/logtape";
import type { Vector } from "../log/vector.ts";
import { parseEntryId } from "../protocol/entry_id.ts";
import type {
  ActivityBroadcastMessage,
  DirectMessage,
  LoginSuccessMessage,
  ReceiptMessage,
  WireVector,
} from "../protocol/message.ts";
import type { PresenceMessage } from "../protocol/presence/presence_message.ts";
import { activityOf } from "./activity.ts";
import type { BeginsAt } from "./calls/known_options.ts";
import { Fanout, type IteratedPart } from "./fanout.ts";
import type { Activity, ClientEvent, Message, Presence } from "./options.ts";
import { Progress } from "./progress.ts";
import { MAX_SEEN_MESSAGES, SeenKeys, SeenMessages } from "./seen_messages.ts";

/** The calls to the client. */
export interface ReceivingOwner {
  tell(event: ClientEvent): void;
  /**
   * The entry `id` came, with its Lamport time, for the first time or again. Called before anything else happens to it.
   */
  onArrival(id: string, lamport: number, isNew: boolean): void;
  /** Reading should stop, unless an answer is waited for; or may go on. */
  onPressure(isHigh: boolean): void;
  /** There may be more in `delivered`. */
  onDelivered(): void;
  /** Whether a new login brings the entries that were left out. */
  canCatchUp(): boolean;
}

const logger = getLogger(["thrum", "client"]);

/** Takes in received entries. */
export class Receiving {
  readonly #owner: ReceivingOwner;
  readonly #progress: Progress;
  readonly #seen = new SeenMessages();
  /** Direct messages that came. Messages that waited have no place in the order of the others. */
  readonly #cameMessages = new SeenKeys(MAX_SEEN_MESSAGES);
  /** Message ids, as this user's clients gave them, of messages that are known to be delivered. */
  readonly #deliveredIds = new SeenKeys(MAX_SEEN_MESSAGES);
  readonly #activities: Fanout<Activity>;
  readonly #messages: Fanout<Message>;
  readonly #presences: Fanout<Presence>;
  readonly #pressing = new Set<string>();
  /** More came than is kept. Entries of the log are left out until the next login, and do not count as received. */
  #isOverfull = false;
  /** The same of news of who is there, which come only once. */
  #leavesOutPresence = false;
  /** All iterators have ended. What still comes is left out as well: it is a later client's. */
  #isEnded = false;
  /** The first and the last direct message of each origin, by their sequence. */
  readonly #oldestMessages: Record<string, number> = {};
  readonly #newestMessages: Record<string, number> = {};
  /** Direct messages that nobody took were dropped. They wait with the server. */
  #hasLeftMessages = false;
  /** Some messages that waited at the first login did not come, until a later login has brought all waiting ones. */
  #lacksMessages = false;
  /** The first login has not been answered to its end, where those come that waited. */
  #isFirst = false;
  /** The server of this connection has said that all has come that was missed. */
  #isCaughtUp = false;
  /** The vector that was taken when the last iterator of activities was left. */
  #left: Vector | undefined;
  /** The client begins now: what came before the end of its first login is not given to anybody. */
  #leavesOutMissed: boolean;
  /** The client wants nothing of the log. A server that does not know this sends it all the same. */
  readonly #wantsNothing: boolean;
  #replayed = 0;
  #offline = 0;

  /**
   * Begins with what the client has from earlier, with the login, with what comes after it, or never. `isUsual` says
   * which activities an iterator gives that names no channels; all of them when it is not given.
   */
  constructor(from: BeginsAt, owner: ReceivingOwner, isUsual?: (activity: Activity) => boolean) {
    this.#owner = owner;
    this.#progress = new Progress(typeof from === "string" ? undefined : from);
    this.#leavesOutMissed = from === "now";
    this.#wantsNothing = from === "never";
    const keepsForFirst = from !== "now";
    this.#activities = new Fanout(
      {
        onPressure: (isHigh) => this.#press("activities", isHigh),
        onUnread: () => owner.tell({ kind: "unread" }),
        onLeft: () => this.#left = this.#takenActivities(),
      },
      { keepsForFirst },
      isUsual,
    );
    this.#messages = new Fanout({
      onPressure: (isHigh) => this.#press("messages", isHigh),
      onUnread: () => this.#hasLeftMessages = true,
      onTaken: () => owner.onDelivered(),
      // Whenever the client begins: nobody would get those that are kept for nobody.
    }, { comesAgain: true });
    this.#presences = new Fanout(
      {
        onPressure: (isHigh) => this.#press("presences", isHigh),
        // Who asks later who is there learns it from `users`.
        onUnread: () => {},
      },
      { keepsForFirst },
      ({ channel }) => channel === undefined,
    );
  }

  /** The vector after which the server should go on; `undefined` while the client has nothing. */
  get received(): Vector | undefined {
    return this.#progress.hasBegun && !this.#wantsNothing ? this.#progress.received : undefined;
  }

  /**
   * Received entries that were taken out of the iterators. Entries that an iterator still has, or had when the last one
   * was left, do not count. Nor do direct messages that waited: the server itself knows which of them were delivered.
   */
  get vector(): Vector {
    if (this.#wantsNothing) return {};
    const taken = { ...this.#left ?? this.#takenActivities() };
    for (const { id, offline } of this.#messages.waiting()) {
      if (!offline) lower(taken, id);
    }
    return taken;
  }

  /** The direct messages that were taken, and all before them; of each origin that there were any of. */
  get delivered(): Vector {
    // A vector cannot say later that these messages were not taken.
    if (this.#hasLeftMessages || this.#lacksMessages) return {};
    const delivered = { ...this.#newestMessages };
    for (const { id } of this.#messages.waiting()) lower(delivered, id);
    // The result does not name an origin of which nothing was taken.
    for (const [origin, sequence] of Object.entries(delivered)) {
      if (sequence < (this.#oldestMessages[origin] ?? Infinity)) delete delivered[origin];
    }
    return delivered;
  }

  activities(signal?: AbortSignal, part?: IteratedPart<Activity>): AsyncIterableIterator<Activity> {
    this.#refuseIfUnwanted("activities");
    if (!signal?.aborted) this.#left = undefined;
    return this.#activities.iterate(signal, part);
  }

  /** The server says what the client has: what came up to there and did not reach it was not for it. */
  stands(vector: WireVector): void {
    if (!this.#isLeftOut) this.#progress.stands(vector);
  }

  messages(signal?: AbortSignal): AsyncIterableIterator<Message> {
    this.#refuseIfUnwanted("messages");
    return this.#messages.iterate(signal);
  }

  presences(signal?: AbortSignal, part?: IteratedPart<Presence>): AsyncIterableIterator<Presence> {
    return this.#presences.iterate(signal, part);
  }

  /** A server has answered the login. */
  begin({ serverId, resume, features }: LoginSuccessMessage): void {
    const isTold = features?.some((feature) => feature === "chat" || feature === "channels") ?? false;
    // What the server says beforehand may count what is of channels that the client does not read.
    this.#replayed = 0;
    this.#offline = 0;
    this.#isCaughtUp = false;
    const gaps = resume?.gap ?? [];
    if (gaps.length > 0) {
      logger.warn("The server no longer has some missed entries: {gaps}", { gaps });
      this.#owner.tell({ kind: "gap", gaps });
    }
    this.#isFirst = isTold && !this.#progress.hasBegun;
    if (resume !== undefined) this.#renumbered(this.#progress.begin({ serverId, ...resume, isTold }));
    if (!isTold && !this.#progress.isBehind) this.#tellCaughtUp();
  }

  /** Whether something was left out that a new login brings. */
  get hasLeftOut(): boolean {
    return this.#isOverfull;
  }

  /** Takes everything again, although something was left out: no login brings it. */
  goOn(): void {
    this.#isOverfull = false;
  }

  /** The connection is over. */
  cutOff(): void {
    this.#isOverfull = false;
    if (this.#isFirst) this.#lacksMessages = true;
    this.#isFirst = false;
    this.#progress.cutOff();
  }

  /**
   * The server says that all has come that was missed. It says so again, `isComplete` then, when it has got all that
   * the client has from other servers.
   */
  caughtUp(vector: WireVector, isComplete = false): void {
    // Not all of it was taken: this is said again when it has come again.
    if (this.#isLeftOut) return;
    this.#isFirst = false;
    if (isComplete && this.#lacksMessages) {
      this.#lacksMessages = false;
      this.#owner.onDelivered();
    }
    if (this.#isCaughtUp) return;
    this.#isCaughtUp = true;
    this.#progress.caughtUp(vector);
    this.#tellCaughtUp();
  }

  /** An activity came, in a line of `length` characters. */
  activity(broadcast: ActivityBroadcastMessage, length: number): void {
    if (this.#wantsNothing || this.#leavesOut("activities", this.#activities)) return;
    const wasBehind = this.#progress.isBehind;
    if (this.#isNew(broadcast)) {
      if (wasBehind) this.#replayed++;
      this.#deliver(broadcast, length);
    }
    if (wasBehind && !this.#progress.isBehind) this.#tellCaughtUp();
  }

  /** A direct message to this user came, in a line of `length` characters. */
  message({ from, to, text, id, lamport, sentAt, messageId, offline = false }: DirectMessage, length: number): void {
    if (this.#wantsNothing || this.#leavesOut("messages", this.#messages)) return;
    // A message that waited is older than much that the client has.
    if (!offline && !this.#isNew({ id, lamport })) return;
    const entry = parseEntryId(id);
    if (entry === undefined) return;
    // A server that lost its newest entries gives their numbers to others.
    const isNew = this.#cameMessages.isNew([id, lamport, sentAt, messageId].join(" "));
    if (offline) this.#owner.onArrival(id, lamport, isNew);
    const { origin, sequence } = entry;
    this.#oldestMessages[origin] = Math.min(this.#oldestMessages[origin] ?? sequence, sequence);
    this.#newestMessages[origin] = Math.max(this.#newestMessages[origin] ?? 0, sequence);
    // It waits because the server does not know yet that it was taken.
    if (!isNew) return this.#owner.onDelivered();
    if (offline) this.#offline++;
    if (messageId !== undefined && !this.#seen.isNew(from, messageId)) return this.#owner.onDelivered();
    this.#messages.push({ from, to, text, id, lamport, sentAt, offline }, length);
  }

  /** A direct message of this user has reached its receiver. */
  receipt({ id, lamport, messageId, of, to }: ReceiptMessage): void {
    if (this.#wantsNothing) return;
    if (id !== undefined && (this.#isLeftOut || !this.#isNew({ id, lamport }))) return;
    // Nobody's fault, and nothing to tell: two servers delivered the message, or two of them had taken it.
    if (this.#deliveredIds.isNew(messageId)) this.#owner.tell({ kind: "delivered", messageId, of, to });
  }

  /** A user came or went; the line had `length` characters. */
  presence({ event, username, lamport, channel }: PresenceMessage, length: number): void {
    if (!this.#presences.isOverfull) {
      this.#presences.push({ event, username, lamport, ...(channel === undefined ? {} : { channel }) }, length);
    } else if (!this.#leavesOutPresence) {
      this.#leavesOutPresence = true;
      this.#tellOverflow("presence", false);
    }
  }

  /** Nobody takes more. The rest of what the iterators have can still be taken. */
  end(error: Error | undefined): void {
    this.#isEnded = true;
    this.#activities.end(error);
    this.#messages.end(error);
    this.#presences.end(error);
  }

  #refuseIfUnwanted(what: string): void {
    if (this.#wantsNothing) throw new TypeError(`Cannot give ${what}: this client was told to receive none`);
  }

  /** Notes an arrival. A repeated entry is told and left out. */
  #isNew({ id, lamport }: { readonly id: string; readonly lamport: number }): boolean {
    const isNew = this.#progress.receive(id) === "new";
    this.#owner.onArrival(id, lamport, isNew);
    if (isNew) return true;
    logger.warn("Left out an entry that came twice, or has no identity: {id}", { id });
    this.#owner.tell({ kind: "duplicate", id });
    return false;
  }

  #deliver(broadcast: ActivityBroadcastMessage, length: number): void {
    const { messageId } = broadcast;
    const activity = activityOf(broadcast);
    // Nobody's fault, and nothing to tell: two servers took the same message.
    if (messageId !== undefined && !this.#seen.isNew(activity.user, messageId)) return;
    if (!this.#leavesOutMissed) this.#activities.push(activity, length);
  }

  #takenActivities(): Vector {
    const taken: Record<string, number> = { ...this.#progress.received };
    for (const { id } of this.#activities.waiting()) lower(taken, id);
    return taken;
  }

  /**
   * Whether there is no room for new entries. Then all entries of the log are left out, because progress is one number
   * for each origin. The entries up to now are the client's, and the next login brings the rest.
   */
  #leavesOut(what: "activities" | "messages", waiting: { readonly isOverfull: boolean }): boolean {
    if (this.#isLeftOut || !waiting.isOverfull) return this.#isLeftOut;
    this.#isOverfull = true;
    // The replay of this connection will not come to its end.
    this.#progress.cutOff();
    this.#tellOverflow(what, this.#owner.canCatchUp());
    return true;
  }

  /** Whether entries of the log are left out. */
  get #isLeftOut(): boolean {
    return this.#isOverfull || this.#isEnded;
  }

  /**
   * `origin` gives numbers anew. What was taken under them says nothing of the messages that get them now.
   */
  #renumbered(origin: string | undefined): void {
    if (origin === undefined) return;
    delete this.#oldestMessages[origin];
    delete this.#newestMessages[origin];
  }

  #tellOverflow(what: "activities" | "messages" | "presence", comesAgain: boolean): void {
    logger.warn("The program reads {what} too slowly: the client leaves out new ones from here on", { what });
    this.#owner.tell({ kind: "overflow", what, comesAgain });
  }

  /** Reading stops as long as anything is too far behind. */
  #press(what: string, isHigh: boolean): void {
    const wasHigh = this.#pressing.size > 0;
    if (isHigh) this.#pressing.add(what);
    else this.#pressing.delete(what);
    if (!isHigh && what === "presences") this.#leavesOutPresence = false;
    if (this.#pressing.size > 0 !== wasHigh) this.#owner.onPressure(!wasHigh);
  }

  #tellCaughtUp(): void {
    this.#leavesOutMissed = false;
    this.#owner.tell({ kind: "caughtUp", replayed: this.#replayed, offline: this.#offline });
  }
}

/** Takes `id` and all later entries of its origin out of `vector`. */
function lower(vector: Record<string, number>, id: string): void {
  const { origin, sequence } = parseEntryId(id)!;
  vector[origin] = Math.min(vector[origin] ?? 0, sequence - 1);
}
