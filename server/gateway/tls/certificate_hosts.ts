/** The names and addresses that a certificate is for: what people write, in the form that certificates have. Pure. */

import { isAddress } from "../../../config/values.ts";

/** How every machine calls itself: tools on the server's own machine call it so. */
export const OWN_HOSTS: readonly string[] = ["localhost", "127.0.0.1", "::1"];

/** A label of a name in DNS; the underscore is not meant to be there, and is. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const MAX_NAME = 253;

/**
 * `text` as a certificate has it: a name in small letters, other scripts as `xn--…`, an address in its shortest form. A
 * name may begin with `*.`, which stands for one label. `undefined` where it can be in no certificate, or stands for
 * no single machine.
 */
export function certificateHost(text: string): string | undefined {
  const address = isAddress(text) ? addressOf(text) : undefined;
  if (address !== undefined) return address === "0.0.0.0" || address === "::" ? undefined : address;
  if (isAddress(text)) return undefined;
  const isWild = text.startsWith("*.");
  const name = urlHost(isWild ? text.slice(2) : text)?.replace(/\.$/, "");
  // What is left of "1.2.3" is an address, which nobody has written.
  if (name === undefined || isAddress(name) || name.length > MAX_NAME) return undefined;
  const labels = name.split(".");
  if (!labels.every((label) => LABEL.test(label))) return undefined;
  return isWild ? `*.${name}` : name;
}

/** Each of `hosts` once, and what every machine calls itself behind them. */
export function withOwnHosts(hosts: readonly string[]): string[] {
  return [...new Set([...hosts, ...OWN_HOSTS])];
}

/** The address in its shortest form; `undefined` where it is none. */
function addressOf(text: string): string | undefined {
  if (text.includes(":")) return urlHost(`[${text}]`)?.slice(1, -1);
  // A URL would take 1.2.3.08, and anything that is too large, for something else.
  return text.split(".").every((part) => String(Number(part)) === part && Number(part) <= 255) ? text : undefined;
}

function urlHost(host: string): string | undefined {
  // A URL ends its host at these, and takes the rest for something else.
  if (/[/?#@\\\s]/.test(host) || (host.includes(":") && !host.startsWith("["))) return undefined;
  try {
    return new URL(`http://${host}`).hostname || undefined;
  } catch {
    // It can be the host of no URL.
    return undefined;
  }
}
