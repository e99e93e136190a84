/** Takes ids out of the files of the index whose entries a repair of the folder could not keep. Waits for the disk. */

import { OriginNames } from "./origin_names.ts";
import { syncFolder } from "../../../platform/files/in_place.ts";
import { openRuns, remove, writeRun } from "./run_files.ts";
import { RunEncoder } from "./run_format.ts";
import { stepsOfMerge } from "./run_steps.ts";

/**
 * Writes the files in `folder` anew without the ids of entries that are gone: whoever sends them again is to have them
 * taken. No server may use the folder meanwhile. Throws the errors of node:fs.
 */
export function dropIds(folder: string, isGone: (origin: string, sequence: number) => boolean): void {
  const origins = new OriginNames();
  const { runs } = openRuns(folder, origins.numberOf);
  let serial = Math.max(0, ...runs.map(({ meta }) => meta.serial));
  try {
    for (const run of runs) {
      const given = { ...run.meta, serial: ++serial, replaces: [run.meta.serial] };
      const encoder = new RunEncoder(given, run.meta.ids, origins.nameOf);
      const isKept = ({ origin, sequence }: { origin: number; sequence: number }) =>
        !isGone(origins.nameOf(origin), sequence);
      writeRun(folder, serial, stepsOfMerge([run], encoder, isKept), origins.numberOf).run.close();
      remove(folder, run.name);
    }
    syncFolder(folder);
  } finally {
    for (const run of runs) run.close();
  }
}
