/** A client on the real world: real clock, sockets and chance. What `mod.ts` offers and `client.ts` runs. */

import { DEFAULT_CONFIG } from "../config/config.ts";
import { random } from "../platform/random.ts";
import { realClock } from "../platform/real_clock.ts";
import { tcpTransport } from "../platform/tcp_transport.ts";
import { openClient } from "./client.ts";
import type { Client, ConnectOptions } from "./options.ts";

/**
 * Connects to a server and logs in. When the connection is lost later, the client comes back by itself.
 * @throws {ConnectError} when no server can be reached, or none answers the login.
 * @throws {RefusedError} when the server refuses the registration or the login.
 * @throws {ConnectionEndedError} when the server ends the connection before the client is logged in.
 * @throws {TypeError} when a username comes without a secret.
 */
export function connect(options: ConnectOptions): Promise<Client> {
  const transport = tcpTransport(DEFAULT_CONFIG.limits.maxPendingBytes);
  return openClient(options, { clock: realClock, transport, random });
}
