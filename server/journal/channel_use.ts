/**
 * Whether the log has ever had an activity of a channel. From then on every server of the network has to understand
 * channels, also after a restart: one that does not would show such an activity to everyone.
 */

import type { Segment } from "../../log/segment.ts";
import type { TurnBatch } from "./turn_batch.ts";

/** The note that the store keeps. */
const NOTE = "channels";
const USED = "used";

/** Of one log. */
export class ChannelUse {
  #isUsed: boolean;

  /** With the notes of the store. */
  constructor(notes: Readonly<Record<string, string>>) {
    this.#isUsed = notes[NOTE] === USED;
  }

  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** A turn with these segments ends; `turn` is what the store gets of it beside them. */
  come(segments: readonly Segment[], turn: Pick<TurnBatch, "note">): void {
    if (this.#isUsed || !segments.some(({ audience }) => audience.kind === "channels")) return;
    this.#isUsed = true;
    turn.note(NOTE, USED);
  }
}
