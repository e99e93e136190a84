/** When an entry counts as safe, so that whoever waits for that may be told: the setting `cluster.durability`, in one place. */

import type { EntryId } from "../../protocol/entry_id.ts";
import type { ConnectionServices } from "./connection_services.ts";

/** Whether it is enough that this server has stored the entry; otherwise another one has to have it too. */
export function isSafeOnceStored(
  { origin }: EntryId,
  { config: { cluster }, journal, mesh }: Pick<ConnectionServices, "config" | "journal" | "mesh">,
): boolean {
  // What came from another server is at two already.
  return cluster.durability === "local" || origin !== journal.serverId || mesh.isAlone;
}
