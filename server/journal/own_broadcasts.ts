/** Writes what clients of this server publish into the turn, as lines of the log. */

import { EVERYONE } from "../../log/segment.ts";
import type { SegmentBuilder } from "../../log/segment_builder.ts";
import { broadcastRoom, BroadcastWriter } from "../../protocol/publication/broadcast_bytes.ts";
import type { OwnEntry, Publication } from "./entries.ts";

/** Of one server. */
export class OwnBroadcasts {
  readonly #builder: SegmentBuilder;
  readonly #writer = new BroadcastWriter();

  constructor(builder: SegmentBuilder) {
    this.#builder = builder;
  }

  /** Adds `publication` as the entry `own`. `after` is the `id` of the one before it, if another server has that. */
  add(own: OwnEntry, publication: Publication, after: string | undefined): void {
    const builder = this.#builder;
    const { origin, sequence, lamport, sentAt } = own;
    const { activity, quotedUsername, messageId, channel, via, traceparent } = publication;
    // Written out: a spread costs memory for each activity.
    const line = {
      activity,
      quotedUsername,
      origin,
      sequence,
      lamport,
      sentAt,
      messageId,
      channel,
      after,
      via,
      traceparent,
    };
    const into = builder.reserve(broadcastRoom(line));
    const audience = channel === undefined ? EVERYONE : { kind: "channel", name: channel } as const;
    builder.append(origin, sequence, audience, this.#writer.write(into, builder.length, line));
  }
}
