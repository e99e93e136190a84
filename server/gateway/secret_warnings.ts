/** What an operator is told at the start about secrets that others could hear. Pure. */

import type { Config } from "../../config/config.ts";
import { isLoopbackAddress, plainAddress } from "../../platform/address.ts";

/** The sentences for a server of this configuration; none where no secret can leave the machine unasked. */
export function secretWarnings({ server: { host }, auth, cluster, tls }: Config): string[] {
  const warnings: string[] = [];
  const isHere = host === "localhost" || isLoopbackAddress(plainAddress(host));
  if (!isHere && auth.clearSecrets && !tls.required) {
    warnings.push(
      "other machines can reach this server, and registrations and plain clients tell their secrets in clear: " +
        '"auth.clearSecrets" set to false refuses these where they do not come by TLS',
    );
  }
  if (cluster.clearSecret === "upgrade") {
    warnings.push(
      'servers may tell the secret of the network in clear, as "cluster.clearSecret" is "upgrade": take that out when ' +
        "no server of an earlier version is left",
    );
  }
  return warnings;
}
