/**
 * How much of a disk a data folder may take: whether there is space for what clients publish, and for entries of other
 * servers. Reads no disk: `SqliteStore.diskUse()` does, and `disk_budget.ts` calls it. Pure.
 */

/** The size of a data folder, and the free space of its disk, in bytes. */
export interface DiskUse {
  /** By part. Their sum is what counts. */
  readonly parts: Readonly<Record<DiskPart, number>>;
  /** The bytes that this program may still write to the disk. */
  readonly freeBytes: number;
}

/**
 * The parts of a data folder. `reusable` is free room inside the database, which is filled before the file grows; it
 * does not count.
 */
export const DISK_PARTS = [
  "logFiles",
  "database",
  "writeAheadLog",
  "messageIds",
  "audit",
  "other",
  "reusable",
] as const;
/** One of these. */
export type DiskPart = typeof DISK_PARTS[number];

/** How much there may be. */
export interface DiskLimits {
  /** For the whole data folder. */
  readonly maxBytes: number;
  /** Space that stays free on the disk, no matter who fills it. */
  readonly minFreeBytes: number;
}

/** From the best to the worst. */
export const SPACES = ["open", "full", "exhausted"] as const;
/**
 * `open`: the server takes everything. `full`: it refuses what clients publish. `exhausted`: it takes nothing from
 * other servers either, because their reserve would be exceeded.
 */
export type Space = typeof SPACES[number];

/**
 * A full folder takes clients' activities again below this part of its limit. Without this margin the state would
 * change with each look.
 */
const OPEN_AGAIN = 0.98;
/**
 * The part of the limit that is reserved for entries of other servers. Without a reserve, the logs of a network would
 * differ as soon as one disk is full.
 */
const RESERVE = 0.1;
/** The share of the free space, with the present size of the folder, that a folder may take by default. */
const DEFAULT_SHARE = 0.8;

/** What counts against the limit. */
export function usedBytes({ parts }: DiskUse): number {
  return DISK_PARTS.reduce((sum, part) => part === "reusable" ? sum : sum + parts[part], 0);
}

/** The most that a folder may take by default, decided at its first start. */
export function defaultMaxBytes(use: DiskUse): number {
  return Math.floor((use.freeBytes + usedBytes(use)) * DEFAULT_SHARE);
}

/** The new state; `before` is the state until now. */
export function spaceOf(before: Space, use: DiskUse, { maxBytes, minFreeBytes }: DiskLimits): Space {
  const used = usedBytes(use);
  const { freeBytes } = use;
  if (used >= maxBytes * (1 + RESERVE) || freeBytes < minFreeBytes / 2) return "exhausted";
  if (used >= maxBytes || freeBytes < minFreeBytes) return "full";
  const isClear = used < maxBytes * OPEN_AGAIN && freeBytes >= minFreeBytes / OPEN_AGAIN;
  return isClear || before === "open" ? "open" : "full";
}
