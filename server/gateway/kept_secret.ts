/**
 * Secrets of a server without a given one: the server makes one, and keeps it in its data folder for the next start.
 * This is for the program. A server in a program of your own has the secrets that you give it.
 */

import { type Config, dataFolder } from "../../config/config.ts";
import { layered } from "../../config/load.ts";
import { FileError, readTextFile, writePrivateFile } from "../../platform/files/text_file.ts";

/** A secret, and its source: the configuration, the data folder, or neither, if it is new. */
export interface KeptSecret {
  readonly secret: string;
  readonly from: "given" | "kept" | "made";
  /** The file in the data folder that keeps it; `undefined` with a store in memory. */
  readonly file: string | undefined;
}

/** One kind of secret. */
export interface SecretKind {
  /** Of the file in the data folder. */
  readonly fileName: string;
  /** Its name, after "it holds". */
  readonly name: string;
  /** Whether a text that is not empty can be one. */
  readonly isAllowed: (text: string) => boolean;
  readonly make: () => string;
}

/**
 * Finds or makes the secret for a server of this configuration. `given` is the value of the configuration, empty for
 * none. Writes nothing.
 * @throws {FileError} when the file of the secret cannot be read, or holds none.
 */
export async function findSecret(config: Config, given: string, kind: SecretKind): Promise<KeptSecret> {
  const file = config.store.ephemeral ? undefined : `${dataFolder(config)}/${kind.fileName}`;
  if (given !== "") return { secret: given, from: "given", file };
  const kept = file === undefined ? "" : await readSecret(file, kind);
  return kept === "" ? { secret: kind.make(), from: "made", file } : { secret: kept, from: "kept", file };
}

/**
 * Keeps a new secret, readable for its owner only. The server has to hold the data folder, so that the file is no other
 * server's.
 * @throws {FileError}
 */
export async function keepSecret({ secret, from, file }: KeptSecret): Promise<void> {
  if (from === "made" && file !== undefined) await writePrivateFile(file, `${secret}\n`);
}

/** `config` with these secrets where it has none itself. */
export function withSecrets(config: Config, network: KeptSecret, http: KeptSecret | undefined): Config {
  const { cluster, gateway } = config;
  const hasToken = http === undefined || gateway.http.token !== "";
  return layered(
    config,
    cluster.secret === "" ? { cluster: { secret: network.secret } } : {},
    hasToken ? {} : { gateway: { http: { token: http.secret } } },
  );
}

/**
 * The content of `file`; empty if it is missing, or if the machine stopped before it was written.
 * @throws {FileError} when it cannot be read, or holds no such secret.
 */
export async function readSecret(file: string, { name, isAllowed }: SecretKind): Promise<string> {
  let text: string;
  try {
    text = (await readTextFile(file) ?? "").trim();
  } catch (error) {
    throw new FileError(`Cannot read ${JSON.stringify(file)}: ${(error as Error).message}`, { cause: error });
  }
  // Without the content, which may be a secret with a mistake in it.
  if (text !== "" && !isAllowed(text)) throw new FileError(`Cannot use ${JSON.stringify(file)}: it holds no ${name}`);
  return text;
}
