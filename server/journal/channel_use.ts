/**
 * Whether the log has ever had an activity of a channel. From then on every server of the network has to understand
 * channels, also after a restart: one that does not would show such an activity to everyone. And what is kept of them.
 */

import type { Segment } from "../../log/segment.ts";
import type { KeptByChannel } from "../store/channels/channel_counts.ts";
import type { Store } from "../store/store.ts";
import type { TurnBatch } from "./turn_batch.ts";

/** The note that the store keeps. */
const NOTE = "channels";
const USED = "used";

/** Of one log. */
export class ChannelUse {
  readonly #store: Pick<Store, "keptByChannel">;
  #isUsed: boolean;

  /** Of the log in `store`. */
  constructor(store: Pick<Store, "opened" | "keptByChannel">) {
    this.#store = store;
    this.#isUsed = store.opened.notes[NOTE] === USED;
  }

  /** As the store's. */
  get kept(): KeptByChannel {
    return this.#store.keptByChannel();
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
