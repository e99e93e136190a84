/** The secret that the servers of one network share. If none is given, the first server makes it. */

import type { Config } from "../../config/config.ts";
import { isSecret } from "../../config/values.ts";
import { makeNetworkSecret } from "../../platform/crypto.ts";
import { FileError } from "../../platform/files/text_file.ts";
import { findSecret, keepSecret, type KeptSecret, readSecret, type SecretKind } from "./kept_secret.ts";

/** The secret of a network, and its source. */
export type NetworkSecret = KeptSecret;

const KIND: SecretKind = {
  fileName: "secret",
  name: "secret of a network",
  isAllowed: isSecret,
  make: makeNetworkSecret,
};

/**
 * Finds or makes the secret for a server of this configuration. Writes nothing.
 * @throws {FileError} when the file that keeps it cannot be read, or holds none.
 */
export function findNetworkSecret(config: Config): Promise<NetworkSecret> {
  return findSecret(config, config.cluster.secret, KIND);
}

/**
 * The secret in a file that the person named.
 * @throws {FileError} when the file cannot be read, or holds none.
 */
export async function readNetworkSecret(file: string): Promise<string> {
  const secret = await readSecret(file, KIND);
  if (secret === "") throw new FileError(`Cannot use ${JSON.stringify(file)}: it does not exist, or is empty`);
  return secret;
}

/**
 * Keeps a new secret, readable for its owner only. The server has to hold the data folder, so that the file is no other
 * server's.
 * @throws {FileError}
 */
export function keepNetworkSecret(secret: NetworkSecret): Promise<void> {
  return keepSecret(secret);
}
