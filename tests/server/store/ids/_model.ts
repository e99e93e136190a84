/** A log in memory with lines as a server writes them, and what an index of its message ids should say. */

import { EVERYONE, type Segment } from "../../../../log/segment.ts";
import { encodeDirectMessage } from "../../../../protocol/entry_codec.ts";
import { ANONYMOUS } from "../../../../protocol/names.ts";
import { encodeBroadcast } from "../../../../protocol/server_codec.ts";
import type { IndexedLog, IndexSizes } from "../../../../server/store/ids/index_parts.ts";
import type { UsedMessageId } from "../../../../server/store/store.ts";

/** So small that a test sees files being written and merged. */
export const SMALL: IndexSizes = { tableIds: 20, mostTableIds: 70, logBytes: 20_000, filterBytes: 1_000 };

/** One entry of a turn. */
export interface Use {
  readonly username: string;
  readonly messageId: string | undefined;
}

/** The log. */
export class ModelLog implements IndexedLog {
  segments: Segment[] = [];
  buried = new Set<string>();
  /** As in a log of SQLite: never goes back unless it is cut. */
  head = 0;
  readonly #sequences = new Map<string, number>();

  segmentsAfter(position: number, maxBytes: number): readonly Segment[] {
    const after = this.segments.filter((segment) => segment.position > position);
    let bytes = 0;
    const end = after.findIndex((segment, index) => (bytes += segment.bytes.length) > maxBytes && index > 0);
    return end < 0 ? after : after.slice(0, end);
  }

  isBuried(name: string): boolean {
    return this.buried.has(name);
  }

  /** Adds a segment, and gives the uses in it. */
  add(origin: string, takenAt: number, uses: readonly Use[], isDirect = false): UsedMessageId[] {
    const first = (this.#sequences.get(origin) ?? 0) + 1;
    const used: UsedMessageId[] = [];
    const lines = uses.map(({ username, messageId }, index) => {
      const sequence = first + index;
      if (messageId !== undefined) used.push({ username, messageId, origin, sequence, usedAt: takenAt });
      const facts = { origin, sequence, lamport: 1, sentAt: 1, messageId, after: undefined };
      if (isDirect) return encodeDirectMessage({ ...facts, from: username, to: "eve", text: "t" });
      return encodeBroadcast({ ...facts, activity: `{"n":${sequence}}`, quotedUsername: JSON.stringify(username) });
    });
    const last = first + uses.length - 1;
    this.#sequences.set(origin, last);
    const bytes = new TextEncoder().encode(lines.join(""));
    this.segments.push({ position: ++this.head, origin, first, last, audience: EVERYONE, takenAt, bytes });
    return used;
  }

  /** Takes out the segments of `origin` after `sequence`; gives the position that the first of them stands behind. */
  cut(origin: string, sequence: number): number {
    const gone = this.segments.filter((segment) => segment.origin === origin && segment.last > sequence);
    this.segments = this.segments.filter((segment) => !gone.includes(segment));
    this.#sequences.set(origin, sequence);
    return (gone[0]?.position ?? this.head + 1) - 1;
  }

  /** Loses everything after `position`, as in a power cut. The lost numbers are not given out again. */
  lose(position: number): readonly Segment[] {
    const lost = this.segments.filter((segment) => segment.position > position);
    this.segments = this.segments.filter((segment) => segment.position <= position);
    this.head = position;
    return lost;
  }
}

/** What is used, as a plain map says it. */
export class ModelIds {
  readonly used = new Map<string, UsedMessageId & { readonly ordinal: number }>();
  /** All that ever were. */
  readonly ever = new Map<string, Use & { readonly messageId: string }>();
  usedBefore = 0;
  readonly #log: ModelLog;
  readonly #maxAnonymous: number;
  #ordinal = 0;

  constructor(log: ModelLog, maxAnonymous: number) {
    this.#log = log;
    this.#maxAnonymous = maxAnonymous;
  }

  find(username: string, messageId: string): UsedMessageId | undefined {
    const found = this.used.get(JSON.stringify([username, messageId]));
    if (found === undefined || found.usedAt < this.usedBefore || this.#log.isBuried(found.origin)) return undefined;
    if (found.ordinal > 0 && found.ordinal <= this.#ordinal - this.#maxAnonymous) return undefined;
    const { ordinal: _, ...used } = found;
    return used;
  }

  /** Takes a use in, if the id is not used. It is not, if `isNew`. */
  add(used: UsedMessageId, isNew = false): void {
    const { username, messageId } = used;
    this.ever.set(JSON.stringify([username, messageId]), { username, messageId });
    if (!isNew && this.find(username, messageId) !== undefined) return;
    const ordinal = username === ANONYMOUS ? ++this.#ordinal : 0;
    this.used.set(JSON.stringify([username, messageId]), { ...used, ordinal });
  }

  drop(isGone: (used: UsedMessageId) => boolean): void {
    for (const [key, used] of this.used) if (isGone(used)) this.used.delete(key);
  }
}
