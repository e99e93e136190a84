/**
 * The figures of a run on the disk: a JSON file for each part. A part that has one need not be measured again, and
 * tables and pictures can be made from the files alone.
 */

import type { PartResult } from "../part.ts";

/** What a file holds. */
export interface SavedPart extends PartResult {
  readonly part: string;
  /** When and on what it was taken, in words. */
  readonly taken: string;
  readonly isBrief: boolean;
}

/** Saves `saved` in `folder`, which is made. */
export async function savePart(folder: string, saved: SavedPart): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const path = pathOf(folder, saved.part);
  await Deno.writeTextFile(`${path}.new`, JSON.stringify(saved) + "\n");
  await Deno.rename(`${path}.new`, path);
}

/** What `folder` has of `part`; `undefined` when there is nothing. */
export async function loadPart(folder: string, part: string): Promise<SavedPart | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(pathOf(folder, part)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The machine, and the versions of all programs, in words. */
export function takenOn(versions: readonly string[], now: Date): string {
  const info = Deno.readTextFileSync("/proc/cpuinfo");
  const processor = /^model name\s*:\s*(.*)$/m.exec(info)?.[1] ?? "an unknown processor";
  const cores = navigator.hardwareConcurrency;
  const gigabytes = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  const [load] = Deno.loadavg();
  return [
    now.toISOString().slice(0, 10),
    `${cores} cores (${processor}), ${gigabytes} GB, Linux ${Deno.osRelease()}`,
    ...versions,
    `load average at the start ${load!.toFixed(1)}`,
  ].join(" · ");
}

function pathOf(folder: string, part: string): string {
  return `${folder}/${part}.json`;
}
