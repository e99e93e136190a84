/**
 * The secret that the servers of one network share, where nobody gave one: the first server makes it, and keeps it in its data folder so that it
 * is the same after a restart. For the program; a server in somebody's own code has the secret that it is given.
 */

import { type Config, dataFolder } from "../config/config.ts";
import { isSecret } from "../config/values.ts";
import { makeNetworkSecret } from "../platform/crypto.ts";
import { FileError, readTextFile, writePrivateFile } from "../platform/text_file.ts";

/** A secret, and where it came from: the configuration, the data folder, or nowhere, so that it was made. */
export interface NetworkSecret {
  readonly secret: string;
  readonly from: "given" | "kept" | "made";
  /** The file in the data folder that keeps it; `undefined` with a store in memory. */
  readonly file: string | undefined;
}

/**
 * Finds or makes the secret for a server of this configuration. Writes nothing.
 * @throws {FileError} when the file that keeps it cannot be read, or holds none.
 */
export async function findNetworkSecret(config: Config): Promise<NetworkSecret> {
  const file = config.store.ephemeral ? undefined : `${dataFolder(config)}/secret`;
  if (config.cluster.secret !== "") return { secret: config.cluster.secret, from: "given", file };
  const kept = file === undefined ? "" : await readSecret(file);
  return kept === "" ? { secret: makeNetworkSecret(), from: "made", file } : { secret: kept, from: "kept", file };
}

/**
 * Keeps one that was made, for its owner alone. The data folder has to be there, and be held: its file is no other server's.
 * @throws {FileError}
 */
export async function keepNetworkSecret({ secret, from, file }: NetworkSecret): Promise<void> {
  if (from === "made" && file !== undefined) await writePrivateFile(file, `${secret}\n`);
}

/** What is in `file`; empty where there is none, or was not written any more when the machine went down. */
async function readSecret(file: string): Promise<string> {
  let text: string;
  try {
    text = (await readTextFile(file) ?? "").trim();
  } catch (error) {
    throw new FileError(`Cannot read ${JSON.stringify(file)}: ${(error as Error).message}`, { cause: error });
  }
  // Without what stands there, which may be a secret with a mistake in it.
  if (!isSecret(text)) throw new FileError(`Cannot use ${JSON.stringify(file)}: it holds no secret of a network`);
  return text;
}
