/** What the section `tls` of a door may say, beside each key. Decides it with what this Deno can do. Pure. */

import type { DoorTlsConfig } from "../../../config/config.ts";
import type { TlsSupport } from "../../../platform/tls/tls_support.ts";

/**
 * Why a server cannot have this door, as the end of a sentence; `undefined` if it can. `hasTls` says whether the door
 * has TLS at all, and `deno` is a version.
 */
export function doorTlsProblem(
  door: "http" | "grpc",
  { use, cert, key, ca, clientAuth }: DoorTlsConfig,
  { hasOnePort, hasClientAuth }: TlsSupport,
  deno: string,
  hasTls: boolean,
): string | undefined {
  const section = `gateway.${door}.tls`;
  if (use === "own") {
    if (cert === "" || key === "") {
      return `"${section}.use" is "own", so "${section}.cert" and "${section}.key" are needed`;
    }
    if (clientAuth && !hasClientAuth) return `"${section}.clientAuth" needs Deno 2.8.1, and this is ${deno}`;
    if (clientAuth && ca === "") {
      return `"${section}.clientAuth" needs "${section}.ca", which says whose certificates are good`;
    }
  } else {
    const lonely = Object.entries({ cert, key, ca, clientAuth }).find(([, value]) => Boolean(value));
    if (lonely !== undefined) return `"${section}.${lonely[0]}" needs "${section}.use" to be "own"`;
  }
  // Deno 2.5 speaks HTTP/2 to browsers there, and tells nobody by which name a server was called.
  if (hasTls && !hasOnePort) {
    return `a door has TLS from Deno 2.8 on, and this is ${deno}: "${section}.use" can be "off"`;
  }
  return undefined;
}
