/**
 * Answers to one connection, beside the log: at once, or with the turn, when the turn is committed. Counts the bytes
 * that the link had no room for, as a client that does not take its answers is not read any further.
 */

import type { PeerChallengeMessage } from "../../protocol/peer/peer_message.ts";
import type { Outlet } from "../../platform/transport.ts";
import type { ServerMessage } from "../../protocol/message.ts";
import { encodeLine, lineBytes } from "../../protocol/server_codec.ts";
import type { AwaitingCommit } from "../journal/commit.ts";
import type { Journal } from "../journal/journal.ts";

/** The connection. */
export interface RepliesOwner {
  readonly outlet: Outlet;
  /** Whether it gets no more answers. */
  readonly isGone: boolean;
  /** More waits than the link had room for. */
  readOrNot(): void;
  /** It will not get an answer that it is owed. Its link is cut. */
  cut(): void;
}

/** Something that makes answers when the turn is committed. */
export interface TurnAnswers {
  /** Says them, with `sendWithTurn`. */
  answers(): void;
}

const encoder = new TextEncoder();

/** One connection's. */
export class Replies implements AwaitingCommit {
  readonly #journal: Journal;
  readonly #owner: RepliesOwner;
  /** Lines that are sent when the turn is committed. */
  #withTurn = "";
  /** What is still to be made then. */
  #due: TurnAnswers | undefined;
  #isAnswering = false;
  /** Turns that have ended and are not committed yet, with answers for this connection. */
  #sealed = 0;
  /** Bytes that the link had no room for. */
  #untakenBytes = 0;

  constructor(journal: Journal, owner: RepliesOwner) {
    this.#journal = journal;
    this.#owner = owner;
  }

  /** Whether something waits for the end of the turn. */
  get isWaiting(): boolean {
    return this.#withTurn !== "" || this.#due !== undefined || this.#sealed > 0;
  }

  /** Whether none waits, and all bytes that were written to it have left this process. */
  get haveLeft(): boolean {
    return !this.isWaiting && this.#owner.outlet.pendingBytes === 0;
  }

  /** Bytes that were written since the link had room last. */
  get untakenBytes(): number {
    return this.#untakenBytes;
  }

  /** Says `message` now. */
  send(message: ServerMessage | PeerChallengeMessage): void {
    this.write(lineBytes(message));
  }

  /** Sends whole lines now. */
  write(bytes: Uint8Array): void {
    if (this.#owner.outlet.write(bytes)) return;
    this.#untakenBytes += bytes.length;
    this.#owner.readOrNot();
  }

  /** Says `message` with all others of the turn, when the turn is committed. */
  sendWithTurn(message: ServerMessage): void {
    this.#withTurn += encodeLine(message);
    if (!this.#isAnswering) this.#journal.whenCommitted(this);
  }

  /**
   * Says `message`, which tells of nothing stored: with all others of the turn, or at once if turns wait for the disk.
   */
  sendSoon(message: ServerMessage): void {
    if (this.#journal.queue.waitsForDisk) this.send(message);
    else this.sendWithTurn(message);
  }

  /** Lets `due` answer when the turn is committed. A connection has one of these. */
  answerWithTurn(due: TurnAnswers): void {
    if (this.#due !== undefined) return;
    this.#due = due;
    this.#journal.whenCommitted(this);
  }

  /**
   * Ends the turn if answers wait for it, as the connection is about to be closed. Gives whether all of them are said.
   * Where turns wait for the disk, that is later.
   */
  endTurn(): boolean {
    if (!this.isWaiting) return true;
    if (this.#journal.queue.waitsForDisk && !this.#journal.hasFailed) return false;
    this.#journal.flush();
    return true;
  }

  /** The turn is committed. */
  committed(): void {
    this.#say(this.#take());
  }

  /** The turn has ended: what waits now is said when that turn is committed, and nothing that comes later. */
  sealed(): AwaitingCommit {
    const lines = this.#take();
    this.#sealed++;
    return {
      committed: () => {
        this.#sealed--;
        this.#say(lines);
      },
      faulted: () => this.faulted(),
    };
  }

  #take(): string {
    this.#makeAnswers();
    const lines = this.#withTurn;
    this.#withTurn = "";
    return lines;
  }

  #say(lines: string): void {
    if (!this.#owner.isGone && lines !== "") this.write(encoder.encode(lines));
  }

  #makeAnswers(): void {
    const due = this.#due;
    this.#due = undefined;
    if (due === undefined || this.#owner.isGone) return;
    // What is said now is part of the answers of this turn, and needs no other one.
    this.#isAnswering = true;
    try {
      due.answers();
    } finally {
      this.#isAnswering = false;
    }
  }

  /** It could not be told, and is owed answers that it will not get. */
  faulted(): void {
    this.#owner.cut();
  }

  /** The link has room again. */
  drained(): void {
    this.#untakenBytes = 0;
  }
}
