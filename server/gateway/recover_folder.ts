/**
 * Recovers the data folder of a server on the real world: asks the other servers of its network for their vectors, and
 * restores everything that is whole.
 */

import { nodeCrypto } from "../../platform/crypto.ts";
import { getLogger } from "@logtape/logtape";
import { type Config, dataFolder, DEFAULT_CONFIG } from "../../config/config.ts";
import { parseEndpoint } from "../../config/values.ts";
import { askPeers } from "../mesh/peer_vectors.ts";
import { realClock } from "../../platform/real_clock.ts";
import { tcpTransport } from "../../platform/tcp/tcp_transport.ts";
import { DENO_VERSION } from "../../platform/tls/own_version.ts";
import { makeServerId } from "../../platform/node_id.ts";
import { recoverFolder, type Recovery, serverIdIn } from "../store/recovery/recover.ts";
import { DamagedError, type Store } from "../store/store.ts";
import { openTls } from "./tls/tls_files.ts";
import { recoveryLines } from "./recovery_text.ts";

/** The recovery, and the number of other servers that answered. */
export interface FolderRecovery {
  readonly recovery: Recovery;
  readonly answered: number;
}

const logger = getLogger(["thrum", "store"]);

/**
 * Recovers the folder of a server of this configuration. With fewer than `leastAnswers` answers it does nothing and
 * gives `undefined`.
 * @throws {StoreError} when it is in use, or cannot be read or written at all.
 * @throws {ConfigError} when the TLS of the configuration cannot be used.
 */
export async function recoverDataFolder(config: Config, leastAnswers = 0): Promise<FolderRecovery | undefined> {
  const folder = dataFolder(config);
  const tls = await openTls(config, DENO_VERSION);
  const { vector, answered } = await askPeers({
    transport: tcpTransport(config.limits.maxPendingBytes, { ...tls }),
    clock: realClock,
    peers: config.cluster.join.flatMap((text) => parseEndpoint(text) ?? []),
    secret: config.cluster.secret,
    mayTellSecret: config.cluster.clearSecret === "upgrade",
    crypto: nodeCrypto,
    self: {
      serverId: serverIdIn(folder) ?? makeServerId(),
      host: config.cluster.advertise === "" ? config.server.host : config.cluster.advertise,
      // Nobody can call it before it has announced its address, and it leaves at once.
      port: config.server.port === 0 ? DEFAULT_CONFIG.server.port : config.server.port,
    },
  });
  if (answered < leastAnswers) return undefined;
  return { recovery: recoverFolder({ folder, makeServerId, peers: vector }), answered };
}

/**
 * Opens the store of a server of this configuration. Recovers a damaged one first, if the configuration says so and
 * another server answers.
 * @throws {StoreError}
 */
export async function openOrRecover(config: Config, open: () => Store): Promise<Store> {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof DamagedError) || !config.store.recover) throw error;
    logger.error("{problem} It is recovered, as store.recover says", { problem: error.message });
    const recovered = await recoverDataFolder(config, 1);
    // Alone it would go on with holes that nobody has agreed to.
    if (recovered === undefined) throw error;
    for (const line of recoveryLines(recovered.recovery)) logger.warning("recovered: {line}", { line });
    return open();
  }
}
