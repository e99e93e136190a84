/** Makes segments and batches as a server would: positions and sequences that follow each other. */

import { type Audience, EVERYONE, type Segment } from "../../log/segment.ts";
import { encodeBroadcast } from "../../protocol/server_codec.ts";
import type { Batch } from "../../server/store/store.ts";

/** What is particular about a segment. */
export interface SegmentParts {
  readonly origin?: string;
  /** How many entries before it are left out: forgotten before they came here. */
  readonly skip?: number;
  /** How many entries it has. */
  readonly lines?: number;
  readonly audience?: Audience;
  readonly takenAt?: number;
  /** What each line has after its number. */
  readonly text?: string;
  /** The first lines are activities of these users under these message ids. */
  readonly uses?: readonly { readonly username: string; readonly messageId: string }[];
}

/** The end of a log. */
export class LogWriter {
  #head = 0;
  readonly #sequences = new Map<string, number>();

  /** The next segment. Its lines are `ORIGIN:SEQUENCE` and the text, if nobody uses a message id for them. */
  segment(
    { origin = "a", skip = 0, lines = 1, audience = EVERYONE, takenAt = 1_000, text = "", uses = [] }: SegmentParts =
      {},
  ): Segment {
    const first = (this.#sequences.get(origin) ?? 0) + skip + 1;
    const last = first + lines - 1;
    this.#sequences.set(origin, last);
    const sequences = Array.from({ length: lines }, (_, index) => first + index);
    const written = sequences.map((sequence, index) => {
      const use = uses[index];
      if (use === undefined) return `${origin}:${sequence}${text}\n`;
      const { username, messageId } = use;
      const activity = JSON.stringify({ text });
      const facts = { origin, sequence, lamport: 1, sentAt: 1, after: undefined };
      return encodeBroadcast({ ...facts, activity, quotedUsername: JSON.stringify(username), messageId });
    });
    const bytes = new TextEncoder().encode(written.join(""));
    return { position: ++this.#head, origin, first, last, audience, takenAt, bytes };
  }

  /** A batch with one segment for each of `parts`. */
  batch(...parts: SegmentParts[]): Batch {
    return batchOf({ segments: parts.map((part) => this.segment(part)) });
  }
}

/** A batch of these parts and nothing else. */
export function batchOf(parts: Partial<Batch>): Batch {
  return { segments: [], accounts: [], messageIds: [], cursors: [], endedCursors: [], lamport: 0, ...parts };
}
