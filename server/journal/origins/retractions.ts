/**
 * Numbers that were given out twice, as an old copy of a server's data was put back
 * (`server/mesh/origins/new_server_name.ts`). Clients may have seen other entries under them than the log has, and a
 * vector cannot tell which. A client with a vector that ends there is given what the log has, from before these numbers
 * on, and is told so. Pure.
 */

import { RecentMap } from "../../../log/recent.ts";
import { sequenceOf, type Vector } from "../../../log/vector.ts";
import { isObject } from "../../../protocol/fields.ts";
import type { EntryRange } from "../../store/store.ts";

/** Beyond that the oldest are forgotten: each takes a backup that was put back while nobody could be reached. */
const MAX_RANGES = 64;

/** What is known of them in the network. */
export class Retractions {
  /** One for each origin, the newest last. */
  readonly #ranges = new RecentMap<string, EntryRange>(MAX_RANGES);

  /** Goes on with what `noted` had. What cannot be read says nothing. */
  constructor(noted: string | undefined) {
    if (noted === undefined) return;
    const ranges: unknown = JSON.parse(noted);
    if (!Array.isArray(ranges)) return;
    for (const range of ranges) if (isObject(range)) this.add(range as unknown as EntryRange);
  }

  /** All, the newest last. */
  get all(): readonly EntryRange[] {
    return [...this.#ranges.values()];
  }

  /** That of `origin`. */
  of(origin: string): EntryRange | undefined {
    return this.#ranges.get(origin);
  }

  /** As it is noted. */
  get text(): string {
    return JSON.stringify(this.all);
  }

  /** Whether that is new. */
  add({ origin, first, last, digest }: EntryRange): boolean {
    const known = this.#ranges.get(origin);
    const saysMore = digest !== undefined && known?.digest === undefined && first <= (known?.first ?? first);
    if (known !== undefined && known.first <= first && known.last >= last && !saysMore) return false;
    // Of the first entry: it goes with where the range begins.
    const kept = known === undefined || first < known.first
      ? digest
      : known.digest ?? (first === known.first ? digest : undefined);
    this.#ranges.renew(origin, {
      origin,
      first: Math.min(first, known?.first ?? first),
      last: Math.max(last, known?.last ?? last),
      ...(kept === undefined ? {} : { digest: kept }),
    });
    return true;
  }

  /** The first of them that `vector` ends in: what its owner has of these numbers may be something else. */
  in(vector: Vector): EntryRange | undefined {
    return this.all.find(({ origin, first, last }) => {
      const had = sequenceOf(vector, origin);
      return had >= first && had <= last;
    });
  }
}
