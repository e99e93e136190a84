/**
 * Secrets of a server where nobody gave one: it makes one, and keeps it in its data folder so that it is the same after a restart. For the program; a server in
 * somebody's own code has the secrets that it is given.
 */

import { type Config, dataFolder } from "../../config/config.ts";
import { FileError, readTextFile, writePrivateFile } from "../../platform/files/text_file.ts";

/** A secret, and where it came from: the configuration, the data folder, or nowhere, so that it was made. */
export interface KeptSecret {
  readonly secret: string;
  readonly from: "given" | "kept" | "made";
  /** The file in the data folder that keeps it; `undefined` with a store in memory. */
  readonly file: string | undefined;
}

/** What is to be kept. */
export interface SecretKind {
  /** Of the file in the data folder. */
  readonly fileName: string;
  /** What it is, after "it holds". */
  readonly name: string;
  /** Whether a text that is not empty can be one. */
  readonly isAllowed: (text: string) => boolean;
  readonly make: () => string;
}

/**
 * Finds or makes the secret for a server of this configuration; `given` is what the configuration says, empty for nothing. Writes nothing.
 * @throws {FileError} when the file that keeps it cannot be read, or holds none.
 */
export async function findSecret(config: Config, given: string, kind: SecretKind): Promise<KeptSecret> {
  const file = config.store.ephemeral ? undefined : `${dataFolder(config)}/${kind.fileName}`;
  if (given !== "") return { secret: given, from: "given", file };
  const kept = file === undefined ? "" : await readSecret(file, kind);
  return kept === "" ? { secret: kind.make(), from: "made", file } : { secret: kept, from: "kept", file };
}

/**
 * Keeps one that was made, for its owner alone. The data folder has to be there, and be held: its file is no other server's.
 * @throws {FileError}
 */
export async function keepSecret({ secret, from, file }: KeptSecret): Promise<void> {
  if (from === "made" && file !== undefined) await writePrivateFile(file, `${secret}\n`);
}

/** What is in `file`; empty where there is none, or was not written any more when the machine went down. */
async function readSecret(file: string, { name, isAllowed }: SecretKind): Promise<string> {
  let text: string;
  try {
    text = (await readTextFile(file) ?? "").trim();
  } catch (error) {
    throw new FileError(`Cannot read ${JSON.stringify(file)}: ${(error as Error).message}`, { cause: error });
  }
  // Without what stands there, which may be a secret with a mistake in it.
  if (text !== "" && !isAllowed(text)) throw new FileError(`Cannot use ${JSON.stringify(file)}: it holds no ${name}`);
  return text;
}
