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
  /** How many programs wanted a processor before it began. Files of earlier versions lack it. */
  readonly load?: number;
  readonly isBrief: boolean;
}

/** The benchmark's own last part leaves less than this behind on two cores. */
const BUSY_LOAD = 2.5;

/** What a reader of its tables has to know of a part, in lines of its own. `before` is the part shown before it. */
export function circumstances(saved: SavedPart, before: SavedPart | undefined): string[] {
  const { load = 0 } = saved;
  return [
    ...(saved.taken === before?.taken ? [] : [`Taken: ${saved.taken}.`]),
    ...(load < BUSY_LOAD
      ? []
      : [`The machine did other things as well: load average ${load.toFixed(1)} at the start.`]),
    ...(saved.isBrief ? ["This was a brief run: its figures say nothing."] : []),
  ];
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
  return [
    now.toISOString().slice(0, 10),
    `${cores} cores (${processor}), ${gigabytes} GB, Linux ${Deno.osRelease()}`,
    ...versions,
  ].join(" · ");
}

function pathOf(folder: string, part: string): string {
  return `${folder}/${part}.json`;
}
