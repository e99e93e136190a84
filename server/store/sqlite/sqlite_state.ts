/** The one row of the table `state`: a part of `sqlite_store.ts`, which owns the transactions. */

import { readableLamport } from "./index_row.ts";
import { damagedRow, rowChecksum } from "./checksum.ts";
import { one, type Statements, type StateRow } from "./sqlite_statements.ts";

/** The single values of the store. */
export type State = Omit<StateRow, "checksum">;

/** The state of an empty store without a name. */
export const NEW_STATE: State = { serverId: "", lamport: 0, synced: 0, head: 0, turn: 0, file: 0, end: 0, boot: "" };

/** The values of the row; `undefined` if there is none, or if it has changed since it was written. */
export function stateOf(row: StateRow | undefined): State | undefined {
  if (row === undefined) return undefined;
  const { checksum, ...state } = row;
  return rowChecksum("state", ...valuesOf(state)) === checksum ? state : undefined;
}

/** Reads it. Throws the errors of SQLite, and `DamagedFileError`. */
export function readState(statements: Statements): State {
  const state = stateOf(one<StateRow>(statements.state));
  if (state === undefined) throw damagedRow("state");
  return state;
}

/** Makes it in a new file, with a name that `makeServerId` gives. */
export function beginState(statements: Statements, makeServerId: () => string): void {
  const isNew = one(statements.state) === undefined && one(statements.origins) === undefined;
  if (isNew) writeState(statements, { ...NEW_STATE, serverId: makeServerId() });
}

/** Writes it, in place of the former row. */
export function writeState(statements: Statements, state: State): void {
  const values = stateValues(state);
  statements.putState.run(...values);
}

/** The values of its row, with the checksum at the end. */
export function stateValues(state: State): (string | number)[] {
  const values = valuesOf(state);
  return [...values, rowChecksum("state", ...values)];
}

function valuesOf({ serverId, lamport, synced, head, turn, file, end, boot }: State): (string | number)[] {
  return [serverId, readableLamport(lamport), synced, head, turn, file, end, boot];
}
