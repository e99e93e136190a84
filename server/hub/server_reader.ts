/**
 * Another server as a reader of the log. The pump is that of clients. But each server gets the entries in a form of its
 * own, so no buffer is shared as in `hub.ts`. `server/node/after_commit.ts` says which servers are served when.
 */

import type { LogPosition } from "../../log/cursor.ts";
import type { Position, Segment } from "../../log/segment.ts";
import type { Clock } from "../../platform/clock.ts";
import { type FaultGuard, guarded } from "../../platform/faults.ts";
import { Pump, type ReadOutcome, type Share } from "./pump.ts";

/** The owner of a reader: what it answers, and what it is told. */
export interface ServerReaderOwner {
  /** Whether it takes nothing now. `readOn` follows when it does again. */
  readonly isFull: boolean;
  /** Whether it takes nothing any more. */
  readonly isOver: boolean;
  /** Sends what the server gets of `segment`, the next one in the log, and moves the cursor over it. */
  pass(segment: Segment): void;
  /** A fault in writing to it. Nobody knows what it got. No other reader is touched. */
  faulted(): void;
}

/** What a reader is made with. */
export interface ServerReaderParts {
  readonly log: {
    /** As `Store.segmentsAfter`. */
    segmentsAfter(position: Position, maxBytes: number): readonly Segment[];
  };
  readonly clock: Pick<Clock, "nowMs" | "after">;
  readonly faults: FaultGuard;
  readonly share: Share;
  /** The bytes that one read takes. */
  readonly readBytes: number;
}

/** The reader of one other server. */
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

  /** Reads on: the server takes data again, or its cursor was moved. */
  readOn(): void {
    this.#pump.run();
  }

  /**
   * More is committed. A reader at the end of the log gets `segments` as they are, and nothing is read.
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
