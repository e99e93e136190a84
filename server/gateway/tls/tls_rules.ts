/** What the section `tls` of a configuration may say, beside each key. Decides it with what this Deno can do. Pure. */

import type { TlsConfig } from "../../../config/config.ts";
import type { TlsSupport } from "../../../platform/tls/tls_support.ts";

/** Why a server cannot run with this section, as the end of a sentence; `undefined` if it can. `deno` is a version. */
export function tlsProblem(
  { cert, key, ca, clientAuth, required, port }: TlsConfig,
  { hasOnePort, hasClientAuth }: TlsSupport,
  deno: string,
): string | undefined {
  if (cert === "" || key === "") {
    if (cert !== key) return '"tls.cert" and "tls.key" go together';
    const lonely = Object.entries({ ca, clientAuth, required, port }).find(([, value]) => Boolean(value));
    return lonely === undefined ? undefined : `"tls.${lonely[0]}" needs "tls.cert" and "tls.key"`;
  }
  if (!hasOnePort && port === 0) {
    return `"tls.port" has to be given: Deno ${deno} cannot take TLS on the port of the server, as 2.8 does`;
  }
  if (!clientAuth) return undefined;
  // Deno ignores that certificates are asked for, or takes callers without one for good ones.
  if (!hasClientAuth) return `"tls.clientAuth" needs Deno 2.8.1, and this is ${deno}`;
  if (ca === "") return '"tls.clientAuth" needs "tls.ca", which says whose certificates are good';
  return required ? undefined : '"tls.clientAuth" needs "tls.required": without it anybody comes in without TLS';
}
