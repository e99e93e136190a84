/**
 * The size of a data folder, file by file, and the free space of its disk. `SqliteStore` looks with this;
 * `server/store/budget.ts` decides.
 */

import { readdirSync, statfsSync, statSync } from "node:fs";
import type { DiskPart, DiskUse } from "../budget.ts";

/** Looks at `folder`. The database will fill `reusableBytes` before it grows. Throws the errors of node:fs. */
export function lookAtDisk(folder: string, reusableBytes: number): DiskUse {
  const parts: Record<DiskPart, number> = {
    ...{ logFiles: 0, database: 0, writeAheadLog: 0, messageIds: 0, audit: 0, other: 0 },
    reusable: 0,
  };
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    // A file that was removed in the meantime takes nothing.
    const size = statSync(`${folder}/${entry.name}`, { throwIfNoEntry: false })?.size ?? 0;
    parts[partOf(entry.name)] += size;
  }
  parts.reusable = Math.min(reusableBytes, parts.database);
  parts.database -= parts.reusable;
  return { parts, freeBytes: freeBytesOf(folder) };
}

function partOf(name: string): DiskPart {
  if (name.endsWith(".bytes")) return "logFiles";
  if (name.startsWith("ids-")) return "messageIds";
  if (name.startsWith("audit-")) return "audit";
  if (name === "thrum.sqlite") return "database";
  return name.startsWith("thrum.sqlite-") ? "writeAheadLog" : "other";
}

/** Without the permission `--allow-sys=statfs` the disk counts as endless. The folder's own limit still holds. */
function freeBytesOf(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch (error) {
    if ((error as Error).name === "NotCapable") return Infinity;
    throw error;
  }
}
