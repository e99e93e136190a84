/**
 * When an entry counts as safe, so that whoever waits for that may be told: the setting
 * `cluster.durability`, in one place.
 */

import type { EntryId } from "../../protocol/entry_id.ts";
import type { ConnectionServices } from "./connection_services.ts";

/** Whether the entry is safe once it is committed here; otherwise another server has to have it too. */
export function isSafeOnceCommitted(
  { origin }: EntryId,
  { config: { cluster }, journal, mesh }: Pick<ConnectionServices, "config" | "journal" | "mesh">,
): boolean {
  // What came from another server is at two already.
  return cluster.durability === "local" || origin !== journal.serverId || mesh.isAlone;
}
