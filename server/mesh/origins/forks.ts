/**
 * Compares the entries of two servers under the same numbers. Entries of this server's own origin are compared with
 * each server that links, before that server is sent more of them. Entries of origins whose numbers were given out
 * twice are compared with all servers. `server/journal/origins/fork.ts` decides what a difference means, and the mesh
 * acts.
 */

import { comparedSequences, type Digests, forkOf } from "../../journal/origins/fork.ts";
import { FORMER_DIGEST_LENGTH, formerDigestOf } from "../../../protocol/former_digest.ts";
import type { DigestsAskMessage, DigestsMessage } from "../../../protocol/peer/origin_message.ts";
import { DIGESTS_FEATURE, type EntriesMessage } from "../../../protocol/peer/peer_message.ts";
import { sequenceOf } from "../../../log/vector.ts";
import type { EntryRange } from "../../store/store.ts";
import type { Journal } from "../../journal/journal.ts";
import type { PeerLink } from "../peer_link.ts";

/** What it works with. */
export interface ForksParts {
  readonly journal: Journal;
  digest(text: string): string;
  /** The other server has nothing else under numbers of this one; its newest entry of this one. */
  isSame(link: PeerLink, last: number): void;
  /** It has others beyond `after`. `isNextKnown`: the very next one of both is known, and not the same. */
  isFork(link: PeerLink, after: number, isNextKnown: boolean): void;
  /** What is here of `origin` beyond `after` has another name by now, and others have what belongs there. */
  isRetracted(origin: string, after: number): void;
}

/** Whether the server at the other end can be asked. */
export function answersDigests(link: PeerLink): boolean {
  return link.peer.features?.includes(DIGESTS_FEATURE) ?? false;
}

/** One server's comparisons. */
export class Forks {
  readonly #parts: ForksParts;

  constructor(parts: ForksParts) {
    this.#parts = parts;
  }

  /**
   * Asks the other server for its entries of this one, of which it `has` so many. Whether there is anything to be
   * compared: then `isSame` or `isFork` follows.
   */
  ask(link: PeerLink, has: number): boolean {
    const { journal } = this.#parts;
    if (!answersDigests(link)) return false;
    const sequences = comparedSequences(this.#own);
    if (sequences.length === 0 || has === 0) return false;
    this.#send(link, { command: "DIGESTS_ASK", origin: journal.serverId, sequences });
    return true;
  }

  /**
   * Asks for what stands under numbers that were given out twice, of which this server has those that count no more.
   */
  askForRetracted(link: PeerLink, ranges: Iterable<EntryRange>): void {
    if (!answersDigests(link)) return;
    for (const range of ranges) {
      if (!this.#hasRetracted(range)) continue;
      this.#send(link, { command: "DIGESTS_ASK", origin: range.origin, sequences: [range.first] });
    }
  }

  /** The digest of an entry; `undefined` where it is not kept. */
  digestOf(origin: string, sequence: number): string | undefined {
    const line = this.#parts.journal.origins.lineOf(origin, sequence);
    return line === undefined ? undefined : this.#digest(line);
  }

  /** Whether lines that came are the entries of a number that was given out twice which count no more. */
  isRetracted({ origin, first, last }: EntriesMessage, lines: readonly string[]): boolean {
    const range = this.#parts.journal.origins.retractions.of(origin);
    if (range?.digest === undefined || range.first < first || range.first > last) return false;
    const line = lines[range.first - first];
    // There is none of an entry that is forgotten.
    return line !== undefined && this.#digest(line) === range.digest;
  }

  onMessage(link: PeerLink, message: DigestsAskMessage | DigestsMessage): void {
    if (message.command === "DIGESTS_ASK") return this.#answer(link, message);
    const { origin } = message;
    const theirs = new Map(Object.entries(message.digests).map(([sequence, digest]) => [Number(sequence), digest]));
    if (origin === this.#parts.journal.serverId) this.#compareOwn(link, theirs);
    else this.#compareRetracted(origin, theirs);
  }

  #digest(line: string): string {
    return formerDigestOf(line) ?? this.#parts.digest(line).slice(0, FORMER_DIGEST_LENGTH);
  }

  get #own(): { last: number; bases: readonly number[] } {
    const { journal } = this.#parts;
    return { last: sequenceOf(journal.vector, journal.serverId), bases: journal.origins.bases };
  }

  #answer(link: PeerLink, { origin, sequences }: DigestsAskMessage): void {
    const digests: Record<string, string> = {};
    for (const sequence of [...sequences, sequenceOf(this.#parts.journal.vector, origin)]) {
      const digest = this.digestOf(origin, sequence);
      if (digest !== undefined) digests[sequence] = digest;
    }
    this.#send(link, { command: "DIGESTS", origin, digests });
  }

  #compareOwn(link: PeerLink, theirs: Digests): void {
    const { journal, isFork, isSame } = this.#parts;
    const own = this.#own;
    const digests = new Map<number, string>();
    for (const sequence of theirs.keys()) {
      const digest = sequence > own.last ? undefined : this.digestOf(journal.serverId, sequence);
      if (digest !== undefined) digests.set(sequence, digest);
    }
    const after = forkOf({ ...own, digests }, theirs);
    if (after === undefined) isSame(link, Math.max(0, ...theirs.keys()));
    else isFork(link, after, theirs.has(after + 1) && digests.has(after + 1));
  }

  #compareRetracted(origin: string, theirs: Digests): void {
    const { journal, isRetracted } = this.#parts;
    const range = journal.origins.retractions.of(origin);
    const digest = range && theirs.get(range.first);
    if (digest === undefined || digest === range!.digest) return;
    if (this.#hasRetracted(range!)) isRetracted(origin, range!.first - 1);
  }

  #hasRetracted({ origin, first, digest }: EntryRange): boolean {
    return digest !== undefined && origin !== this.#parts.journal.serverId &&
      this.digestOf(origin, first) === digest;
  }

  #send(link: PeerLink, message: DigestsAskMessage | DigestsMessage): void {
    link.send(message);
  }
}
