/** The files of an audit log in a data folder: opened for a server, and read to check them. */

import { linesOf, listNumbered, type NumberedFile, NumberedFiles } from "../../platform/files/numbered_files.ts";
import type { AuditFiles } from "./audit_log.ts";
import { CHAIN_BEGINNING, type ChainEnd, type HashLine, placeOf } from "./audit_line.ts";
import { ChainCheck, type ChainReport } from "./chain_check.ts";

/** How much an audit log may take: the section `audit` of the configuration. */
export interface AuditSize {
  readonly maxFileBytes: number;
  readonly maxFiles: number;
}

/** The files are `audit-00000001.jsonl` and so on. */
const NAME = "audit";

/** Opens the audit log in `folder`, or begins one. @throws {FileError} */
export async function openAuditFiles(folder: string, size: AuditSize, hash: HashLine): Promise<AuditFiles> {
  const files = await NumberedFiles.open({ folder, name: NAME, ...size });
  try {
    return {
      opened: await endOf(folder, await files.list(), hash),
      repairedBytes: files.repairedBytes,
      append: (text) => files.append(text),
      hashOf: async (number) => await hashIn(folder, await files.list(), number, hash),
      close: () => files.close(),
    };
  } catch (error) {
    await files.close();
    throw error;
  }
}

/** Reads the whole audit log in `folder`; `undefined` when there is none. @throws {FileError} */
export async function checkAuditFolder(folder: string, hash: HashLine): Promise<ChainReport | undefined> {
  const files = await listNumbered(folder, NAME);
  if (files.length === 0) return undefined;
  const check = new ChainCheck(hash);
  // One file is in memory at a time.
  for (const { name } of files) {
    const { lines, rest } = await linesOf(`${folder}/${name}`);
    lines.forEach((line, index) => check.take(name, index + 1, line));
    if (rest !== "") check.unfinished(name, lines.length + 1);
  }
  return check.report;
}

/** Where the chain ends. The newest file is empty when the server ended before it wrote there. */
async function endOf(folder: string, files: readonly NumberedFile[], hash: HashLine): Promise<ChainEnd> {
  for (const { name } of files.toReversed()) {
    const { lines } = await linesOf(`${folder}/${name}`);
    const last = lines.at(-1);
    if (last === undefined) continue;
    // A line that somebody changed has a hash, too. Its number is that of the place where it stands.
    const known = lines.findLastIndex((line) => placeOf(line) !== undefined);
    const number = known < 0 ? lines.length : placeOf(lines[known]!)!.number + lines.length - 1 - known;
    return { number, hash: hash(last) };
  }
  return CHAIN_BEGINNING;
}

async function hashIn(
  folder: string,
  files: readonly NumberedFile[],
  number: number,
  hash: HashLine,
): Promise<string | undefined> {
  for (const { name } of files.toReversed()) {
    const { lines } = await linesOf(`${folder}/${name}`);
    const first = lines[0] === undefined ? undefined : placeOf(lines[0])?.number;
    if (first === undefined || first > number) continue;
    // Lines are found by how they begin: a file may have many, and the event loop waits meanwhile.
    const line = lines.find((line) => line.startsWith(`{"number":${number},`));
    return line === undefined ? "" : hash(line);
  }
  return undefined;
}
