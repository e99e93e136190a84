/**
 * One participant at this door. BroadCast brings it one message at a time, again until it answers. A participant that
 * does not answer is called again with the same message, and given up in the end. Nothing is queued for it: it has only
 * a place in the log.
 */

import type { Clock, Timer } from "../../../platform/clock.ts";
import { type FaultGuard, guarded, UNGUARDED } from "../../../platform/faults.ts";
import type { CloseReason } from "../../../protocol/close_reason.ts";
import type { Guest, GuestOwner } from "../../guests/guest.ts";
import type { GuestItem } from "../../guests/guest_queue.ts";
import type { DoorClock } from "./door_clock.ts";
import type { BroadCastReply, BroadCastRequest, Message } from "./messages.ts";
import { heardTime, wireTime } from "./rules.ts";

/** How a participant is called. Its channel is kept, until `close`. */
export interface Caller {
  /** Rejects without an answer within `timeoutMs`, also if nobody listens there yet. */
  broadCast(request: BroadCastRequest, timeoutMs: number): Promise<BroadCastReply>;
  close(): void;
}

/** News of this door that is in no log: who came, who left. */
export interface Announcement {
  readonly message: Message;
  /** The door's time. */
  readonly lamport: number;
}

/** Something to bring to a participant. */
export interface Errand {
  /** Its identity: the entry's `id`, or the announcement itself. */
  readonly key: unknown;
  readonly message: Message;
  /** The time that it follows from. */
  readonly lamport: number;
}

/** What the door is told. */
export interface ParticipantOwner {
  errandOf(item: GuestItem<Announcement>): Errand;
  /** The participant has something to be brought: the door calls `call`, now or when it is this participant's turn. */
  waits(participant: Participant): void;
  /** A BroadCast of it is on its way to the participant. */
  sent(participant: Participant, key: unknown): void;
  /** The participant has answered it. */
  answered(participant: Participant, key: unknown): void;
  /** A BroadCast was not answered, the `count`th in a row. */
  missed(participant: Participant, count: number, why: string): void;
  /** It is given up. */
  silent(participant: Participant): void;
  /** The server has ended it. */
  ended(participant: Participant, reason: CloseReason): void;
  /** There was a fault on the way to it. */
  faulted(participant: Participant): void;
}

/** How long a participant may take to answer, in milliseconds. */
export const DEADLINE_MS = 2_000;
/** Answers that may be missing in a row. */
export const MAX_MISSED = 3;
/** After a refusal, the earliest time for the next call, from the last one: the participant may be about to listen. */
const AGAIN_MS = 1_000;
/** A participant that takes longer to answer is slow. */
export const SLOW_MS = 100;

/** One participant. */
export class Participant implements GuestOwner {
  readonly id: string;
  /** The host for calls to it. */
  readonly host: string;
  /** Set right after it was made. */
  guest!: Guest<Announcement>;
  /** Whether the others were told that it has come, and that it leaves. */
  joinIsTold = false;
  leaveIsTold = false;
  /** Tells them that it has come, if it does not do so itself. */
  joinTimer: Timer | undefined;
  readonly #clock: Clock;
  readonly #lamport: DoorClock;
  readonly #owner: ParticipantOwner;
  readonly #caller: Caller;
  readonly #faults: FaultGuard;
  readonly #maxMissed: number;
  #errand: Errand | undefined;
  #calledAt = 0;
  #missed = 0;
  #isForgiven = false;
  #again: Timer | undefined;
  #isWaking = false;
  #isGone = false;

  constructor(
    { id, host }: { readonly id: string; readonly host: string },
    caller: Caller,
    { clock, lamport, faults = UNGUARDED, maxMissed = MAX_MISSED }: {
      readonly clock: Clock;
      readonly lamport: DoorClock;
      readonly faults?: FaultGuard;
      readonly maxMissed?: number;
    },
    owner: ParticipantOwner,
  ) {
    this.#faults = faults;
    this.#maxMissed = maxMissed;
    this.id = id;
    this.host = host;
    this.#caller = caller;
    this.#clock = clock;
    this.#lamport = lamport;
    this.#owner = owner;
  }

  /** Whether it answers, and soon: others wait only for such participants. */
  get keepsUp(): boolean {
    return this.#missed === 0 && (this.#errand === undefined || this.#clock.nowMs() - this.#calledAt < SLOW_MS);
  }

  /**
   * It joins again. Another program may have its port now, and the messages that the former one missed do not count.
   * Only once: a participant that joins again and again and answers nothing is not there.
   */
  joinsAgain(): void {
    if (this.#missed === 0 || this.#isForgiven) return;
    this.#missed = 0;
    this.#isForgiven = true;
  }

  arrived(): void {
    if (this.#isWaking || this.#errand !== undefined || this.#isGone) return;
    this.#isWaking = true;
    // The rest of the same packet may still be handled.
    queueMicrotask(() => {
      this.#isWaking = false;
      this.#guarded(() => this.#next());
    });
  }

  /** Brings it what waits for it. */
  call(): void {
    const errand = this.#errand;
    if (errand !== undefined && !this.#isGone) this.#guarded(() => this.#call(errand));
  }

  ended(reason: CloseReason): void {
    this.#owner.ended(this, reason);
  }

  /** Ends it. Nothing more is brought to it. */
  close(): void {
    this.#isGone = true;
    this.#again?.cancel();
    this.joinTimer?.cancel();
    this.#caller.close();
  }

  #next(): void {
    if (this.#isGone || this.#errand !== undefined) return;
    const item = this.guest.take();
    if (item === undefined) return;
    this.#errand = this.#owner.errandOf(item);
    this.#owner.waits(this);
  }

  #call(errand: Errand): void {
    this.#calledAt = this.#clock.nowMs();
    const lamport = this.#lamport.receive(errand.lamport, `BroadCast Request sent to ${this.id}`);
    const { message } = errand;
    const request = { participantID: message.participantID, message, lamportTime: wireTime(lamport) };
    this.#caller.broadCast(request, DEADLINE_MS).then(
      (reply) => this.#guarded(() => this.#answered(errand, reply)),
      (error) => this.#guarded(() => this.#unanswered(errand, error)),
    );
    this.#owner.sent(this, errand.key);
  }

  #answered(errand: Errand, reply: BroadCastReply): void {
    if (this.#isGone) return;
    this.#lamport.receive(heardTime(reply.lamportTime), `Response from ${this.id}`);
    this.#missed = 0;
    this.#isForgiven = false;
    this.#errand = undefined;
    this.#owner.answered(this, errand.key);
    this.#next();
  }

  #unanswered(errand: Errand, error: unknown): void {
    if (this.#isGone) return;
    this.#missed++;
    this.#owner.missed(this, this.#missed, error instanceof Error ? error.message : String(error));
    if (this.#missed >= this.#maxMissed) return this.#owner.silent(this);
    const delayMs = Math.max(0, this.#calledAt + AGAIN_MS - this.#clock.nowMs());
    this.#again = this.#clock.after(delayMs, () => this.#guarded(() => this.#call(errand)));
  }

  /** A fault on the way to it harms nobody else: it is given up. */
  #guarded(act: () => void): void {
    guarded(this.#faults, "grpc", act, () => guarded(this.#faults, "grpc", () => this.#owner.faulted(this), () => {}));
  }
}
