/** Ranges of addresses in CIDR form, such as `10.0.0.0/8`, `2001:db8::/32` or a single address. Pure. */

import { plainAddress } from "../platform/address.ts";

/** A range, as bits: the first `prefix` bits of its addresses are those of `bits`. */
export interface AddressRange {
  readonly bits: bigint;
  /** How many bits an address has: 32 or 128. */
  readonly width: 32 | 128;
  readonly prefix: number;
}

/** The range in `text`; `undefined` if it is none. Bits behind the prefix do not count. */
export function parseAddressRange(text: string): AddressRange | undefined {
  const [, address = "", digits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const read = readAddress(address);
  if (read === undefined) return undefined;
  const prefix = digits === undefined ? read.width : Number(digits);
  return prefix <= read.width ? { ...read, prefix } : undefined;
}

/** Whether `address` is in `range`. What is no address is in none. */
export function isWithin(range: AddressRange, address: string): boolean {
  const read = readAddress(plainAddress(address.toLowerCase()));
  if (read?.width !== range.width) return false;
  const behind = BigInt(range.width - range.prefix);
  return read.bits >> behind === range.bits >> behind;
}

function readAddress(address: string): { readonly bits: bigint; readonly width: 32 | 128 } | undefined {
  if (!address.includes(":")) {
    const bits = ipv4Bits(address);
    return bits === undefined ? undefined : { bits, width: 32 };
  }
  // The zone says which network card: not part of the address.
  const bits = ipv6Bits(address.replace(/%.*$/s, ""));
  return bits === undefined ? undefined : { bits, width: 128 };
}

function ipv4Bits(address: string): bigint | undefined {
  const parts = address.split(".");
  const isAddress = parts.length === 4 &&
    parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return isAddress ? parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n) : undefined;
}

function ipv6Bits(address: string): bigint | undefined {
  const halves = address.split("::");
  if (halves.length > 2) return undefined;
  const [left, right] = halves.map(groupsOf);
  if (left === undefined || (halves.length === 2 && right === undefined)) return undefined;
  const missing = 8 - left.length - (right?.length ?? 0);
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...left, ...Array<bigint>(missing).fill(0n), ...right ?? []];
  return groups.reduce((bits, group) => (bits << 16n) | group, 0n);
}

/** The 16-bit groups in a part of an IPv6 address. Its last two may be written as IPv4. */
function groupsOf(part: string): bigint[] | undefined {
  if (part === "") return [];
  const groups: bigint[] = [];
  const texts = part.split(":");
  for (const [index, text] of texts.entries()) {
    const ipv4 = index === texts.length - 1 && text.includes(".") ? ipv4Bits(text) : undefined;
    if (ipv4 !== undefined) groups.push(ipv4 >> 16n, ipv4 & 0xffffn);
    else if (/^[0-9a-f]{1,4}$/i.test(text)) groups.push(BigInt(`0x${text}`));
    else return undefined;
  }
  return groups;
}
