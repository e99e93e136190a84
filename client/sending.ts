/**
 * The messages that a client sends: activities, direct messages, questions about users, and acknowledgements of direct
 * messages. Keeps unanswered ones over all connections, and sends them again on each. `client.ts` knows the connection.
 */

import { DEFAULT_CONFIG } from "../config/config.ts";
import type { Vector } from "../log/vector.ts";
import type { Clock } from "../platform/clock.ts";
import type { Feature } from "../protocol/message.ts";
import type { UserListFailedMessage, UserListMessage, UserScope } from "../protocol/presence/presence_message.ts";
import type { ClientClock } from "./client_clock.ts";
import { unlessAborted } from "../platform/abort.ts";
import type { Connection } from "./connection.ts";
import { noFeature, noReaders, notTaken } from "./errors.ts";
import { formatEntryId, parseEntryId } from "../protocol/entry_id.ts";
import { Outbox, type Unacknowledged } from "./outbox/outbox.ts";
import { activityText, encodeDirectMessage, encodePublication } from "./publication.ts";
import { ComingPage, historyMessage, noPage, type PageQuestion, type PastMessage, type WholePage } from "./past.ts";
import { SentOrder } from "./outbox/sent_order.ts";
import { type AnswerMessage, type Asked, Questions } from "./questions.ts";

/** The client, as its sending needs it. */
export interface SendingOwner {
  readonly clock: Clock;
  readonly time: ClientClock;
  /** The beginning of all its message ids, unique to this client. */
  readonly nonce: string;
  readonly maxLineBytes: number | undefined;
  /** The connection, while it is logged in. */
  open(): Pick<Connection, "send" | "say"> | undefined;
  /** Its other side, for the trace. */
  toServer(): { readonly peer?: string };
  /** The features in force. */
  features(): readonly Feature[];
  /** The fields that every activity needs. */
  user(): { readonly username: string; readonly secret: string | undefined } | undefined;
  /** The direct messages that were taken, for an acknowledgement. */
  delivered(): Vector;
}

/** The fields of every line that needs an acknowledgement. */
interface Stamp {
  readonly messageId: string;
  readonly lamport: number;
}

/** Makes a line, if it has at most `maxLineBytes` without its end. */
type Encode = (stamp: Stamp, maxLineBytes: number) => Uint8Array;

/** Sends, and sends again. */
export class Sending {
  readonly #owner: SendingOwner;
  readonly #maxLineBytes: number;
  readonly #outbox = new Outbox((entry) => this.#transmit(entry));
  readonly #sentOrder = new SentOrder();
  readonly #questions = new Questions();
  readonly #comingPage = new ComingPage();
  #count = 0;
  #last: string | undefined;
  #onDrained: (() => void) | undefined;
  #mustAcknowledge = false;

  constructor(owner: SendingOwner) {
    this.#owner = owner;
    this.#maxLineBytes = owner.maxLineBytes ?? DEFAULT_CONFIG.limits.maxLineBytes;
  }

  /** How much was published or sent and is not acknowledged yet. */
  get unacknowledged(): number {
    return this.#outbox.size;
  }

  /** Whether anything is waited for that a server has to say. */
  get isWaiting(): boolean {
    return this.#outbox.size > 0 || this.#questions.isWaiting;
  }

  /** The identity of the newest that was acknowledged. */
  get last(): string | undefined {
    return this.#last;
  }

  /**
   * Like `Client.publish`, for a client that is not closed. Throws at once. Resolves with the activity's identity, if
   * the server gives one.
   */
  publish(activity: object | string, channel: string | undefined, signal?: AbortSignal): Promise<string | undefined> {
    const text = activityText(activity);
    const user = this.#owner.user();
    const encode: Encode = (stamp, maxBytes) =>
      encodePublication({ activity: text, ...stamp, channel, user }, maxBytes);
    return this.#add(undefined, encode, signal, channel === undefined ? undefined : "channels");
  }

  /** As `Client.send`, for a client that is not closed; throws at once. Resolves with the message's identity. */
  send(to: string, text: string, signal?: AbortSignal): Promise<string> {
    const message = { command: "DIRECT_MESSAGE", to, text } as const;
    const encode: Encode = (stamp, maxBytes) => encodeDirectMessage({ ...message, ...stamp }, maxBytes);
    // A receipt always names its message.
    return this.#add(to, encode, signal, "chat") as Promise<string>;
  }

  /** As `Client.users`, for a client that is not closed; throws at once. */
  users(scope: UserScope, signal?: AbortSignal): Promise<readonly string[]> {
    return this.#ask<readonly string[]>(
      { message: { command: "LIST_USERS", scope }, needs: "chat" },
      (said) => {
        if (!isList(said) || said.scope !== scope || said.channel !== undefined) return undefined;
        return said.command === "USER_LIST" ? said.users : noReaders(said);
      },
      signal,
    );
  }

  /** As `Client.readers`, for a client that is not closed; throws at once. */
  readers(channel: string, signal?: AbortSignal): Promise<readonly string[]> {
    return this.#ask<readonly string[]>(
      { message: { command: "LIST_USERS", scope: "online", channel }, needs: "channels" },
      (said) => {
        if (!isList(said) || said.channel !== channel) return undefined;
        return said.command === "USER_LIST" ? said.users : noReaders(said);
      },
      signal,
    );
  }

  /** One page of the past, for a client that is not closed; throws at once. */
  page(question: PageQuestion, signal?: AbortSignal): Promise<WholePage> {
    return this.#ask<WholePage>({ message: historyMessage(question), needs: "history" }, (said) => {
      if (isList(said)) return undefined;
      return said.command === "HISTORY_FAILED" ? noPage(said) : said;
    }, signal);
  }

  /** There is a new connection. */
  opened(): void {
    for (const entry of [...this.#outbox]) this.#transmit(entry, true);
    for (const message of this.#questions.again(this.#owner.features(), noFeature)) this.#owner.open()?.say(message);
    // Whether the last one arrived is not known.
    this.acknowledgeSoon();
  }

  /** The server has the message `messageId` safely, as `id`. */
  acknowledged(messageId: string, id: string | undefined): void {
    this.#outbox.acknowledge(messageId, id);
    this.#answered();
  }

  /**
   * The server has all activities of this connection up to the number `upTo` safely, of which the last one is `id`, and
   * each one before has the number before.
   */
  acknowledgedUpTo(upTo: number, id: string): void {
    const safe = this.#sentOrder.takeUpTo(upTo, this.#waits);
    const last = parseEntryId(id);
    // Whoever says this is no server of ours.
    if (last === undefined || last.sequence < safe.length) return;
    safe.forEach(({ messageId }, index) => {
      const sequence = last.sequence - (safe.length - 1 - index);
      this.#outbox.acknowledge(messageId, formatEntryId({ origin: last.origin, sequence }));
    });
    this.#answered();
  }

  /** The activities up to the number `upTo` that wait for another server, as events; each is told once. */
  waitingUpTo(upTo: number): { readonly kind: "pending"; readonly messageId: string }[] {
    return this.#sentOrder.waitingUpTo(upTo, this.#waits).map(({ messageId }) => ({ kind: "pending", messageId }));
  }

  /** The server refused the message `messageId`. */
  refused(messageId: string, info: string, reason: string | undefined): void {
    this.#refuse(messageId, ({ to }) => notTaken(to, info, reason));
  }

  /** The answer to a question came. */
  answered(answer: AnswerMessage): void {
    this.#questions.answered(answer);
  }

  /** A part of a page of the past came, or its end. */
  past(message: PastMessage): void {
    const answer = this.#comingPage.take(message);
    if (answer !== undefined) this.answered(answer);
  }

  /** The connection is over: the rest of a page does not come. The next connection counts anew. */
  cutOff(): void {
    this.#sentOrder.clear();
    this.#comingPage.cutOff();
  }

  /** Acknowledges direct messages at the end of the turn, all of the turn together. */
  acknowledgeSoon(): void {
    if (this.#mustAcknowledge) return;
    this.#mustAcknowledge = true;
    this.#owner.clock.endOfTurn(() => this.acknowledgeNow());
  }

  /** The same before the turn ends, as the connection does. */
  acknowledgeNow(): void {
    if (!this.#mustAcknowledge) return;
    this.#mustAcknowledge = false;
    const vector = this.#owner.delivered();
    const isEmpty = Object.keys(vector).length === 0;
    // The deliveries come after everything that the client has seen.
    const lamport = this.#owner.time.time;
    if (!isEmpty && this.#canChat) this.#owner.open()?.say({ command: "ACK", vector, lamport });
  }

  /** Resolves when all is acknowledged, when that has taken too long, or when `fail` is called. */
  async drained(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#owner.clock.after(timeoutMs, resolve);
    this.#onDrained = resolve;
    await promise;
    timer.cancel();
  }

  /** Gives everything up. */
  fail(error: Error): void {
    this.#outbox.fail(error);
    this.#questions.fail(error);
    this.#onDrained?.();
  }

  get #canChat(): boolean {
    return this.#owner.features().includes("chat");
  }

  /** Asks now, and again on each new connection, until there is an answer as of `Questions.add`. Throws at once. */
  #ask<Answer>(
    asked: Asked,
    answerIn: (said: AnswerMessage) => Answer | Error | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    if (!this.#owner.features().includes(asked.needs)) throw noFeature(asked.needs);
    const { answer, abandon } = this.#questions.add(asked, answerIn);
    this.#owner.open()?.say(asked.message);
    return unlessAborted(answer, signal, abandon);
  }

  #add(
    to: string | undefined,
    encode: Encode,
    signal: AbortSignal | undefined,
    needs: Feature | undefined,
  ): Promise<string | undefined> {
    const { time } = this.#owner;
    const messageId = `${this.#owner.nonce}-${++this.#count}`;
    const lamport = time.publish();
    const line = encode({ messageId, lamport }, this.#maxLineBytes);
    const lineAt = (now: number) => {
      if (now === lamport) return line;
      const later = encode({ messageId, lamport: now }, Infinity);
      // A line without room for another digit stays as it is: the server would refuse a longer one.
      return later.length - 1 > this.#maxLineBytes ? line : later;
    };
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
    const onAcknowledged = (id: string | undefined) => {
      if (id !== undefined) time.note({ event: "acknowledged", ...this.#owner.toServer(), id, what: messageId });
      this.#last = id ?? this.#last;
      resolve(id);
    };
    if (this.#owner.open() === undefined) time.note({ event: "queued", id: messageId });
    const entry = { messageId, to, needs, line, lineAt, onAcknowledged, onFailed: reject, isSent: false };
    this.#outbox.add(entry);
    return unlessAborted(promise, signal, () => {
      this.#outbox.withdraw(entry);
      this.#checkDrained();
    });
  }

  #transmit(entry: Unacknowledged, isLate = this.#owner.time.isRecorded): void {
    const { messageId, to, needs, line, lineAt } = entry;
    const { time } = this.#owner;
    const connection = this.#owner.open();
    if (connection === undefined) return;
    // A server that does not know channels would show everybody what is for one.
    const canSend = needs === undefined || this.#owner.features().includes(needs);
    if (canSend) {
      entry.isSent = true;
      if (to === undefined) this.#sentOrder.add(entry);
      // A line that waited is sent after everything that the client saw in the meantime.
      connection.send(isLate ? lineAt(time.send({ event: "send", id: messageId, ...this.#owner.toServer() })) : line);
    }
    // Not at once, as the outbox is in the middle of something.
    if (!canSend) queueMicrotask(() => this.#refuse(messageId, () => noFeature(needs)));
    // Nothing will tell that it arrived. Likewise.
    else if (to === undefined && !this.#owner.features().includes("ack")) {
      queueMicrotask(() => this.acknowledged(messageId, undefined));
    }
  }

  #refuse(messageId: string, error: (entry: Unacknowledged) => Error): void {
    this.#outbox.refuse(messageId, error);
    this.#answered();
  }

  /** Whether there was no answer for it. */
  readonly #waits = ({ messageId }: Unacknowledged): boolean => this.#outbox.has(messageId);

  #answered(): void {
    this.#sentOrder.answered(this.#waits);
    this.#checkDrained();
  }

  #checkDrained(): void {
    if (this.#outbox.size === 0) this.#onDrained?.();
  }
}

function isList(said: AnswerMessage): said is UserListMessage | UserListFailedMessage {
  return said.command === "USER_LIST" || said.command === "USER_LIST_FAILED";
}
