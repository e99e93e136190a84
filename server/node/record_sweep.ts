/**
 * Forgets records of operators that have ended long ago (`server/rights/ended_records.ts`). Each server does this
 * itself. A calendar that is wrong for a while must not undo a ban: what is forgotten had ended at two looks, an hour
 * apart by the clock that runs.
 */

import type { Clock, Timer } from "../../platform/clock.ts";
import type { RecordEntries } from "../journal/record_entries.ts";
import { endedRecords } from "../rights/ended_records.ts";

/** What it is made with. */
export interface RecordSweepParts {
  readonly clock: Pick<Clock, "after" | "wallMs">;
  readonly records: Pick<RecordEntries, "all" | "forget">;
  /** Such a record was forgotten. */
  forgot(of: string, key: string): void;
}

/** How long a record stays after its end. Servers that were away for less have heard of it. */
export const KEPT_AFTER_END_MS = 7 * 86_400_000;
/** Between two looks. */
export const SWEEP_MS = 3_600_000;

/** Of one server. */
export class RecordSweep {
  readonly #parts: RecordSweepParts;
  /** What had ended at the last look. */
  #ended: ReadonlySet<string> = new Set();
  #timer: Timer | undefined;

  constructor(parts: RecordSweepParts) {
    this.#parts = parts;
  }

  /** Looks from now on. */
  begin(): void {
    this.#timer = this.#parts.clock.after(SWEEP_MS, () => {
      this.look();
      this.begin();
    });
    this.#timer.unref?.();
  }

  /** Looks now. */
  look(): void {
    const { clock, records, forgot } = this.#parts;
    const found = endedRecords(records.all, clock.wallMs() - KEPT_AFTER_END_MS);
    const before = this.#ended;
    this.#ended = new Set(found.map(nameOf));
    for (const record of found) {
      if (!before.has(nameOf(record))) continue;
      records.forget(record.of, record.key);
      forgot(record.of, record.key);
    }
  }

  /** Looks no more. */
  stop(): void {
    this.#timer?.cancel();
  }
}

function nameOf({ of, key }: { readonly of: string; readonly key: string }): string {
  return `${of} ${key}`;
}
