/** What an operator is told at the start about secrets that others could hear. Pure. */

import type { Config } from "../../config/config.ts";
import { parseListenAddress } from "../../config/values.ts";
import { isLoopbackAddress, plainAddress } from "../../platform/address.ts";

/** The sentences for a server of this configuration; none where no secret can leave the machine unasked. */
export function secretWarnings({ server: { host }, auth, cluster, tls, gateway: { http } }: Config): string[] {
  const warnings: string[] = [];
  if (!isHere(host) && auth.clearSecrets && !tls.required) {
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
  const gateway = parseListenAddress(http.listen);
  const hasTls = http.tls.use === "own" || (http.tls.use === "asServer" && tls.cert !== "");
  if (gateway !== undefined && !isHere(gateway.host) && !hasTls && http.clearToken) {
    warnings.push(
      "other machines can reach the HTTP gateway, and operators may show their tokens there in clear, as " +
        '"gateway.http.clearToken" is true: give it TLS, and take that out',
    );
  }
  return warnings;
}

function isHere(host: string): boolean {
  return host === "localhost" || isLoopbackAddress(plainAddress(host));
}
