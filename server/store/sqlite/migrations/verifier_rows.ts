/**
 * Replaces verifiers of earlier versions in a folder, in the table of accounts and in the log, and erases what they
 * were. Rows are overwritten, the file is written anew without the pages that are free, and the write-ahead log is cut.
 * A folder that was taken away in between is gone on with at the next start.
 */

import { getLogger } from "@logtape/logtape";
import type { VerifierChange } from "../../store.ts";
import { checkRow, damagedRow, rowChecksum } from "../checksum.ts";
import { decodeFrame, encodeFrame } from "../frame.ts";
import { checkedRow, indexValues } from "../index_row.ts";
import { all, one, type SegmentRow, type Statements } from "../sqlite_statements.ts";

type AccountRow = { username: string; verifier: string; lamport: number; origin: string; checksum: number };

/** Says how far it has come. */
const NOTE = "verifiers";
const logger = getLogger(["thrum", "store"]);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Carries out `change` with `run`, which runs a statement. Without a change, notes that earlier verifiers may come
 * again. Throws the errors of SQLite, and `DamagedFileError`.
 */
export function changeVerifiers(
  run: (sql: string) => unknown,
  statements: Statements,
  change: VerifierChange | undefined,
): void {
  const state = one<{ value: string }>(statements.note, NOTE)?.value;
  if (change === undefined) {
    if (state !== undefined) statements.deleteNote.run(NOTE);
    return;
  }
  // A turn that a killed server had not settled yet may have brought one later.
  if (state === "changed" && earlierAccounts(statements, change).length === 0) return;
  // What is written here has to be on the disk before anything is erased.
  run("PRAGMA synchronous = FULL");
  run("PRAGMA secure_delete = ON");
  try {
    let changed = 0;
    run("BEGIN");
    try {
      changed = changeAccounts(statements, change) + changeLog(statements, change);
      putNote(statements, changed > 0 || state === "changing" ? "changing" : "changed");
      run("COMMIT");
    } catch (error) {
      run("ROLLBACK");
      throw error;
    }
    if (changed > 0) logger.info("changed {changed} verifiers of accounts, and erases what they were", { changed });
    if (changed > 0 || state === "changing") erase(run, statements);
  } finally {
    run("PRAGMA secure_delete = OFF");
    run("PRAGMA synchronous = OFF");
  }
}

/** Pages that are free may have earlier verifiers in them, and so may the write-ahead log. */
function erase(run: (sql: string) => unknown, statements: Statements): void {
  try {
    run("VACUUM");
    run("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (error) {
    // It takes as much space again as the database. The rows themselves are overwritten all the same.
    logger.warning("cannot erase former verifiers in free pages, and tries again at the next start: {error}", {
      error,
    });
    return;
  }
  putNote(statements, "changed");
}

function changeAccounts(statements: Statements, change: VerifierChange): number {
  const rows = earlierAccounts(statements, change);
  for (const { username, verifier, lamport, origin, checksum } of rows) {
    checkRow(checksum, "accounts", username, verifier, lamport, origin);
    const values = [username, change.verifier(verifier), lamport, origin] as const;
    statements.putAccount.run(...values, rowChecksum("accounts", ...values));
  }
  return rows.length;
}

function earlierAccounts(statements: Statements, { earlier }: VerifierChange): AccountRow[] {
  // Deno 2.5 takes no parameter that stands twice.
  return all<AccountRow>(statements.accountsLike, earlier, earlier);
}

/** Registrations are in segments for servers, which are never in files. Gives how many lines were changed. */
function changeLog(statements: Statements, change: VerifierChange): number {
  const positions = all<{ position: number }>(statements.segmentsForServers);
  let changed = 0;
  for (const { position } of positions) {
    const row = one<SegmentRow>(statements.segmentAt, position)!;
    const decoded = decodeFrame(row.bytes!);
    // Damage is found, and told, by who reads it.
    if (!decoded.ok) continue;
    const text = decoder.decode(decoded.frame.bytes);
    if (!text.includes(change.earlier)) continue;
    const lines = text.split("\n");
    const written = lines.map((line) => change.line(line));
    const count = written.filter((line, index) => line !== lines[index]).length;
    if (count === 0) continue;
    changed += count;
    const bytes = encoder.encode(written.join("\n"));
    const values = indexValues({ ...checkedRow(row), size: bytes.length });
    const { changes } = statements.rewriteSegment.run(
      bytes.length,
      values.at(-1)!,
      encodeFrame({ ...decoded.frame, bytes }),
      position,
    );
    if (Number(changes) !== 1) throw damagedRow("segments");
  }
  return changed;
}

function putNote(statements: Statements, value: string): void {
  statements.putNote.run(NOTE, value, rowChecksum("notes", NOTE, value));
}
