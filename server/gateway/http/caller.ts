/** The sender of a request, if trusted proxies forward requests. Pure. */

import { plainAddress } from "../../../platform/address.ts";
import type { HttpRequest } from "../../../platform/http/http_server.ts";

/** The longest way that is followed: more proxies than any request passes. */
const MAX_HOPS = 16;

/**
 * The address that `request` comes from: that of the connection, unless it is one of `proxies`. Then it is the last
 * address in `X-Forwarded-For` that is none of them; addresses before it may be made up. If the header has no such
 * address, it is the last proxy that is known to have forwarded it.
 */
export function callerOf({ headers, remoteHost }: HttpRequest, proxies: ReadonlySet<string>): string {
  let caller = plainAddress(remoteHost);
  const hops = (headers["x-forwarded-for"] ?? "").split(",").slice(-MAX_HOPS);
  while (proxies.has(caller.toLowerCase()) && hops.length > 0) {
    const address = addressOf(hops.pop()!);
    if (address === undefined) break;
    caller = address;
  }
  return caller;
}

/**
 * Whether nobody on the way could read `request`: it came by TLS, or one of `proxies` says that it came to it so.
 */
export function isProtected({ headers, remoteHost, isSecure }: HttpRequest, proxies: ReadonlySet<string>): boolean {
  if (isSecure) return true;
  const hops = (headers["x-forwarded-proto"] ?? "").split(",");
  return proxies.has(plainAddress(remoteHost).toLowerCase()) && hops.at(-1)!.trim().toLowerCase() === "https";
}

/** The proxies of a configuration, as `callerOf` compares them. */
export function proxiesOf(addresses: readonly string[]): ReadonlySet<string> {
  return new Set(addresses.map((address) => plainAddress(address.toLowerCase())));
}

/** `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`. */
function addressOf(given: string): string | undefined {
  const [, bracketed, v4, v6] =
    /^\s*"?(?:\[([0-9a-f:.]{2,45})\](?::\d{1,5})?|(\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?|([0-9a-f:.]*:[0-9a-f:.]*))"?\s*$/i
      .exec(given) ?? [];
  const address = plainAddress(bracketed ?? v4 ?? v6 ?? "");
  return address === "" || address.length > 45 ? undefined : address;
}
