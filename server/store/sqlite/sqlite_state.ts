/** The one row of the table `state`: a part of `sqlite_store.ts`, which owns the transactions. */

import type { Position } from "../../../log/segment.ts";
import type { Batch } from "../store.ts";
import { readableLamport } from "./index_row.ts";
import { damagedRow, rowChecksum } from "./checksum.ts";
import { one, type Statements, type StateRow } from "./sqlite_statements.ts";

/** The single values of the store. */
export type State = Omit<StateRow, "checksum">;

/** The values of the row; `undefined` if there is none, or if it has changed since it was written. */
export function stateOf(row: StateRow | undefined): State | undefined {
  if (row === undefined) return undefined;
  const { serverId, lamport, synced, head, checksum } = row;
  const isWhole = rowChecksum("state", serverId, lamport, synced, head) === checksum;
  return isWhole ? { serverId, lamport, synced, head } : undefined;
}

/** Reads it. Throws the errors of SQLite, and `DamagedFileError`. */
export function readState(statements: Statements): State {
  const state = stateOf(one<StateRow>(statements.state));
  if (state === undefined) throw damagedRow("state");
  return state;
}

/** The row after `batch`; the same object if nothing changes. */
export function nextState(
  now: { readonly state: State; readonly lamport: number; readonly synced: number },
  { segments, buried, renamed, lamport }: Batch,
  head: Position,
): State {
  const { state, synced } = now;
  const dropsSegments = buried !== undefined || renamed !== undefined;
  // Segments tell head and Lamport time of a turn, which saves a page for each commit.
  const isToldElsewhere = segments.length > 0 || lamport === now.lamport;
  if (isToldElsewhere && !dropsSegments && synced <= state.synced) return state;
  return {
    serverId: renamed?.serverId ?? state.serverId,
    synced: Math.max(synced, state.synced),
    lamport: isToldElsewhere && !dropsSegments ? state.lamport : lamport,
    // The newest segment may be dropped, too.
    head: dropsSegments ? head : state.head,
  };
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
