/** The one row of the table `state`: a part of `sqlite_store.ts`, which owns the transactions. */

import { readableLamport } from "./index_row.ts";
import { checkRow, damagedRow, rowChecksum } from "./checksum.ts";
import { one, type Statements, type StateRow } from "./sqlite_statements.ts";

/** The single values of the store. */
export type State = Omit<StateRow, "checksum">;

/** Reads it. Throws the errors of SQLite, and `DamagedFileError`. */
export function readState(statements: Statements): State {
  const row = one<StateRow>(statements.state);
  if (row === undefined) throw damagedRow("state");
  const { serverId, lamport, synced, head, checksum } = row;
  checkRow(checksum, "state", serverId, lamport, synced, head);
  return { serverId, lamport, synced, head };
}

/** Makes it in a new file, with a name that `makeServerId` gives. */
export function beginState(statements: Statements, makeServerId: () => string): void {
  const isNew = one(statements.state) === undefined && one(statements.origins) === undefined;
  if (isNew) writeState(statements, { serverId: makeServerId(), lamport: 0, synced: 0, head: 0 });
}

/** Writes it, in place of the former row. */
export function writeState(statements: Statements, { serverId, lamport, synced, head }: State): void {
  const values = [serverId, readableLamport(lamport), synced, head] as const;
  statements.putState.run(...values, rowChecksum("state", ...values));
}
