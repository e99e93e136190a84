/**
 * How much of a disk a data folder may take: whether there is space for what clients publish, and for what other servers send. Reads no disk:
 * `SqliteStore.diskUse()` does, and `disk_budget.ts` asks it. Pure.
 */

/** What a data folder takes, and what is left of its disk, in bytes. */
export interface DiskUse {
  /** By part. Their sum is what counts. */
  readonly parts: Readonly<Record<DiskPart, number>>;
  /** What this program may still write to the disk. */
  readonly freeBytes: number;
}

/** The parts of a data folder. `reusable` is room inside the database that is written to again before the file grows: it does not count. */
export const DISK_PARTS = ["logFiles", "database", "writeAheadLog", "other", "reusable"] as const;
/** One of these. */
export type DiskPart = typeof DISK_PARTS[number];

/** How much there may be. */
export interface DiskLimits {
  /** For the whole data folder. */
  readonly maxBytes: number;
  /** Left free on the disk, whoever fills it. */
  readonly minFreeBytes: number;
}

/** From the best to the worst. */
export const SPACES = ["open", "full", "exhausted"] as const;
/**
 * `open`: everything is taken. `full`: nothing that clients publish. `exhausted`: nothing that other servers have either, as it would be
 * more than the reserve for that.
 */
export type Space = typeof SPACES[number];

/** A full folder takes clients' activities again when it is below this part of its limit: else it would change with each look. */
const OPEN_AGAIN = 0.98;
/** Of its limit, for what other servers have accepted: without it the logs of a network would part as soon as one disk is full. */
const RESERVE = 0.1;
/** Of the free space and what the folder takes already, where nobody said how much it may take. */
const DEFAULT_SHARE = 0.8;

/** What counts against the limit. */
export function usedBytes({ parts }: DiskUse): number {
  return DISK_PARTS.reduce((sum, part) => part === "reusable" ? sum : sum + parts[part], 0);
}

/** How much a folder may take where nobody said it, at its first start. */
export function defaultMaxBytes(use: DiskUse): number {
  return Math.floor((use.freeBytes + usedBytes(use)) * DEFAULT_SHARE);
}

/** What is taken from now on. `before` is what was until now. */
export function spaceOf(before: Space, use: DiskUse, { maxBytes, minFreeBytes }: DiskLimits): Space {
  const used = usedBytes(use);
  const { freeBytes } = use;
  if (used >= maxBytes * (1 + RESERVE) || freeBytes < minFreeBytes / 2) return "exhausted";
  if (used >= maxBytes || freeBytes < minFreeBytes) return "full";
  const isClear = used < maxBytes * OPEN_AGAIN && freeBytes >= minFreeBytes / OPEN_AGAIN;
  return isClear || before === "open" ? "open" : "full";
}
