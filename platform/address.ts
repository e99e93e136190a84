/** Addresses as people write them. */

/** An IPv4 address that came in on an IPv6 socket, without what IPv6 puts before it. */
export function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}
