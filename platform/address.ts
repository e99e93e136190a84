/** Addresses as people write them, and the machine that an address belongs to. Pure. */

/** Where a program listens, or whom it calls. Can be written, like all sections of the configuration. */
export interface Endpoint {
  /** A host name or an address. */
  host: string;
  /** 1 to 65535; 0 takes a free one when listening. */
  port: number;
}

/** An IPv4 address that came in on an IPv6 socket, without what IPv6 puts before it. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}

/**
 * Whom `address` belongs to, as one key: of IPv6 everybody has a whole network of 64 bits, and could come from each of
 * its addresses. What can be read as no address stands for itself.
 */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const plain = plainAddress(address.toLowerCase());
  if (!plain.includes(":")) return plain;
  const [left, right] = plain.split("::").map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = Array<string>(Math.max(0, 8 - left!.length - (right?.length ?? 0))).fill("0");
  return [...left!, ...zeros, ...right ?? []].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}

/** Whether an address that a server listens on says nothing about where it can be reached. */
export function isUnspecified(host: string): boolean {
  return host === "" || host === "0.0.0.0" || host === "::";
}

/**
 * Whether a program that listens at `own` is who answers at `called`. The host of `called` is an address; that of `own`
 * may be a name, which nobody looks up here.
 */
export function answersAt(own: Endpoint, called: Endpoint): boolean {
  if (own.port !== called.port) return false;
  const host = plainAddress(called.host);
  if (own.host === host) return true;
  if (isUnspecified(own.host)) return isLoopbackAddress(host);
  return own.host === "localhost" && (host === "127.0.0.1" || host === "::1");
}

/** Whether a numeric address, as `plainAddress` gives it, is of this machine alone. */
export function isLoopbackAddress(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
