/** A client on the real world: real clock, sockets and chance. What `mod.ts` offers and `client.ts` runs. */

import { DEFAULT_CONFIG, type Endpoint } from "../config/config.ts";
import { random } from "../platform/random.ts";
import { realClock } from "../platform/real_clock.ts";
import { tcpTransport } from "../platform/tcp_transport.ts";
import type { Transport } from "../platform/transport.ts";
import { DEFAULT_CONNECT_TIMEOUT_MS, openClient } from "./client.ts";
import { unreachable } from "./errors.ts";
import type { Client, ConnectOptions } from "./options.ts";
import { endpointText } from "./server_list.ts";

/**
 * Connects to a server and logs in. When the connection is lost later, the client comes back by itself.
 * @throws {ConnectError} when no server can be reached, or none answers the login.
 * @throws {RefusedError} when the server refuses the registration or the login.
 * @throws {ConnectionEndedError} when the server ends the connection before the client is logged in.
 * @throws {TypeError} when a username comes without a secret.
 */
export function connect(options: ConnectOptions): Promise<Client> {
  return openClient(options, { clock: realClock, transport: transport(), random });
}

/**
 * Finds out whether something listens at `server`, and says nothing to it.
 * @throws {ConnectError} when nothing does.
 */
export async function reach({ host, port }: Endpoint): Promise<void> {
  try {
    const link = await transport().dial({ host, port, timeoutMs: DEFAULT_CONNECT_TIMEOUT_MS });
    link.destroy();
  } catch (error) {
    throw unreachable(endpointText({ host, port }), error as Error);
  }
}

function transport(): Transport {
  return tcpTransport(DEFAULT_CONFIG.limits.maxPendingBytes);
}
