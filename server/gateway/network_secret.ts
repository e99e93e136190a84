/** The secret that the servers of one network share. If none is given, the first server makes it. */

import type { Config } from "../../config/config.ts";
import { isSecret } from "../../config/values.ts";
import { makeNetworkSecret } from "../../platform/crypto.ts";
import { findSecret, keepSecret, type KeptSecret } from "./kept_secret.ts";

/** The secret of a network, and its source. */
export type NetworkSecret = KeptSecret;

/**
 * Finds or makes the secret for a server of this configuration. Writes nothing.
 * @throws {FileError} when the file that keeps it cannot be read, or holds none.
 */
export function findNetworkSecret(config: Config): Promise<NetworkSecret> {
  return findSecret(config, config.cluster.secret, {
    fileName: "secret",
    name: "secret of a network",
    isAllowed: isSecret,
    make: makeNetworkSecret,
  });
}

/**
 * Keeps a new secret, readable for its owner only. The server has to hold the data folder, so that the file is no other
 * server's.
 * @throws {FileError}
 */
export function keepNetworkSecret(secret: NetworkSecret): Promise<void> {
  return keepSecret(secret);
}
