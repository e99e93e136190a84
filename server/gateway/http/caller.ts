/** Whom a request comes from, where proxies that the operator trusts hand requests on. Pure. */

import { plainAddress } from "../../../platform/address.ts";
import type { HttpRequest } from "../../../platform/http/http_server.ts";

/** The longest way that is followed: more proxies than any request passes. */
const MAX_HOPS = 16;

/**
 * The address that `request` comes from: that of the connection, or, when that is of one of `proxies`, the last one in `X-Forwarded-For` that is of none of them. What stands
 * before that one may be made up. Where the header says nothing that can be an address, it is the last proxy that is known to have handed it on.
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
