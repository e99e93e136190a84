/** Opens the files of the index that count, and says which positions of the log they leave out. */

import { getLogger } from "@logtape/logtape";
import { toHex } from "../../../platform/hex.ts";
import type { Position } from "../../../log/segment.ts";
import type { Run } from "./run.ts";
import { type NumberOf, openRuns, remove, serialOf } from "./run_files.ts";
import { planOpening, type Positions } from "./run_plan.ts";
import { makeSecret } from "./secret.ts";

/** What there is in a folder. */
export interface OpenedRuns {
  /** In the order of the log. */
  readonly live: readonly Run[];
  /** The key of the hashes. */
  readonly secret: string;
  /** Up to this position the log is not read for ids. */
  readonly baseline: Position;
  /** In order; the last ones lead up to the head. */
  readonly gaps: readonly Positions[];
  /** The highest number of a file. */
  readonly lastSerial: number;
  /**
   * Removes the files that do not count, and gives the numbers of those that stay. To be called when what they had was
   * read out of the log.
   */
  removeOthers(): readonly number[];
}

const logger = getLogger(["thrum", "store"]);

/** Opens them, for a log that is kept up to `head`. Throws the errors of node:fs. */
export function openFound(folder: string, baseline: Position, head: Position, numberOf: NumberOf): OpenedRuns {
  const { runs, unreadable } = openRuns(folder, numberOf);
  const newest = runs.reduce<Run | undefined>(
    (newest, run) => newest === undefined || run.meta.serial > newest.meta.serial ? run : newest,
    undefined,
  );
  const secret = newest?.meta.secret ?? toHex(makeSecret());
  // One folder has one key. In a file that somebody put there from another folder nothing would be found.
  const strange = runs.filter(({ meta }) => meta.secret !== secret);
  const own = runs.filter((run) => !strange.includes(run));
  const isNew = runs.length + unreadable.length === 0;
  const known = Math.max(isNew ? baseline : 0, ...own.map(({ meta }) => Math.min(meta.baseline, head)));
  const plan = planOpening(own.map((run) => ({ ...run.meta, run })), known, head);
  const others = [...strange, ...[...plan.replaced, ...plan.beyond].map(({ run }) => run)];
  for (const run of others) run.close();
  const lost = [...unreadable, ...strange.map(({ name }) => name)];
  for (const file of lost) {
    logger.error("{file} is damaged: the used message ids in it are read out of the log, as far as that has them", {
      file,
    });
  }
  for (const { run: { name: file } } of plan.beyond) {
    logger.warn("{file} names entries that the log has lost: the used message ids in it are read out of the log", {
      file,
    });
  }
  return {
    live: plan.live.map(({ run }) => run),
    secret,
    baseline: known,
    gaps: plan.gaps,
    lastSerial: Math.max(0, ...runs.map(({ meta }) => meta.serial), ...unreadable.map(serialOf)),
    removeOthers: () =>
      [...unreadable, ...others.map(({ name }) => name)].filter((name) => !remove(folder, name)).map(serialOf),
  };
}
