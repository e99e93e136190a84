/**
 * What the TLS of a version of Deno can do. Each answer is a fact that was tried. Pure.
 */

/** What can be had. */
export interface TlsSupport {
  /** One port speaks both, plain and TLS. Else TLS needs a port of its own. */
  readonly hasOnePort: boolean;
  /** A server can ask clients for certificates, and refuses those without. */
  readonly hasClientAuth: boolean;
  /** A server takes another certificate without a restart. */
  readonly hasReload: boolean;
}

/** A TLS server takes over a socket that was accepted elsewhere, with the certificate of that moment. */
const ONE_PORT_SINCE = [2, 8, 0];
/** Until 2.7.13 a server ignores `requestCert`. Until 2.8.0 a client without a certificate counts as authorised. */
const CLIENT_AUTH_SINCE = [2, 8, 1];

/** What Deno `version` can do, such as `"2.9.6"`. A version before a release, such as `"2.8.1-rc.1"`, counts as it. */
export function tlsSupport(version: string): TlsSupport {
  const hasOnePort = isSince(version, ONE_PORT_SINCE);
  return { hasOnePort, hasClientAuth: isSince(version, CLIENT_AUTH_SINCE), hasReload: hasOnePort };
}

/** A version that cannot be read is none that anything is known of. */
function isSince(version: string, since: readonly number[]): boolean {
  const parts = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
  if (parts === undefined) return false;
  const at = since.findIndex((part, index) => part !== parts[index]);
  return at === -1 || parts[at]! > since[at]!;
}
