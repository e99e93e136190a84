/**
 * Another server as a reader of the log: the pump of a client's, but each server is sent the entries in a form of its
 * own. So nothing is written to all at once as `hub.ts` does it. `server/node/after_commit.ts` says when which of them
 * is delivered to.
 */

import type { LogPosition } from "../../log/cursor.ts";
import type { Segment } from "../../log/segment.ts";
import type { Clock } from "../../platform/clock.ts";
import { type FaultGuard, guarded } from "../../platform/faults.ts";
import type { ReadableLog } from "./hub.ts";
import { Pump, type ReadOutcome, type Share } from "./pump.ts";

/** What a reader's owner says, and is told. */
export interface ServerReaderOwner {
  /** Whether it takes nothing now: `readOn` follows when it does. */
  readonly isFull: boolean;
  /** Whether it takes nothing any more. */
  readonly isOver: boolean;
  /** Sends what the server gets of `segment`, the next one in the log, and moves the cursor over it. */
  pass(segment: Segment): void;
  /** A fault on the way to it, which is nobody else's: it is not known what it got. */
  faulted(): void;
}

/** What a reader is made with. */
export interface ServerReaderParts {
  readonly log: Pick<ReadableLog, "segmentsAfter">;
  readonly clock: Pick<Clock, "nowMs" | "after">;
  readonly faults: FaultGuard;
  readonly share: Share;
  /** Read at once. */
  readonly readBytes: number;
}

/** One server's. */
export class ServerReader {
  readonly #parts: ServerReaderParts;
  readonly #cursor: LogPosition;
  readonly #owner: ServerReaderOwner;
  readonly #pump: Pump;

  constructor(parts: ServerReaderParts, cursor: LogPosition, owner: ServerReaderOwner) {
    this.#parts = parts;
    this.#cursor = cursor;
    this.#owner = owner;
    const { clock, share } = parts;
    this.#pump = new Pump({
      clock,
      share,
      readOnce: () => this.#readPortion(),
      guarded: (goOn) => this.#guarded(goOn),
    });
  }

  /** Reads on: the server takes data, or its cursor was moved. */
  readOn(): void {
    this.#pump.run();
  }

  /**
   * More is committed. With `segments`, that is what it is: who is at the end of the log gets them as they are, and
   * nothing is read.
   */
  committed(segments?: readonly Segment[]): void {
    this.#guarded(() => {
      const isNext = segments !== undefined && this.#cursor.position === segments[0]!.position - 1;
      if (isNext && !this.#owner.isFull) this.#pass(segments);
      else this.#pump.run();
    });
  }

  #readPortion(): ReadOutcome {
    if (this.#owner.isFull || this.#owner.isOver) return "full";
    const segments = this.#parts.log.segmentsAfter(this.#cursor.position, this.#parts.readBytes);
    if (segments.length === 0) return "end";
    this.#pass(segments);
    return "more";
  }

  #pass(segments: readonly Segment[]): void {
    for (const segment of segments) this.#owner.pass(segment);
  }

  #guarded(act: () => void): void {
    guarded(this.#parts.faults, "peers", act, () => this.#owner.faulted());
  }
}
