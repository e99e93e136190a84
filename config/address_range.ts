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

/** A range in its one form: equal ranges have equal texts. A single address has no `/BITS`. */
export function addressRangeText({ bits, width, prefix }: AddressRange): string {
  const behind = BigInt(width - prefix);
  const first = bits >> behind << behind;
  const address = width === 32 ? ipv4Text(first) : ipv6Text(first);
  return prefix === width ? address : `${address}/${prefix}`;
}

/** Many ranges. A look-up costs one step for each length of prefix that there is, however many ranges there are. */
export class AddressRanges {
  /** By width and prefix: the first bits of each range. */
  readonly #byPrefix = new Map<
    string,
    { readonly width: 32 | 128; readonly prefix: number; readonly first: Set<bigint> }
  >();

  add(range: AddressRange): void {
    const { width, prefix } = range;
    const key = `${width}/${prefix}`;
    const known = this.#byPrefix.get(key) ?? { width, prefix, first: new Set<bigint>() };
    this.#byPrefix.set(key, known);
    known.first.add(firstOf(range.bits, known));
  }

  delete(range: AddressRange): void {
    const key = `${range.width}/${range.prefix}`;
    const known = this.#byPrefix.get(key);
    known?.first.delete(firstOf(range.bits, known));
    if (known?.first.size === 0) this.#byPrefix.delete(key);
  }

  /** The ranges that hold `address`, the widest first. What is no address is in none. */
  holding(address: string): AddressRange[] {
    if (this.#byPrefix.size === 0) return [];
    const read = readAddress(plainAddress(address.toLowerCase()));
    if (read === undefined) return [];
    return [...this.#byPrefix.values()]
      .filter((known) => known.width === read.width && known.first.has(firstOf(read.bits, known)))
      .map(({ width, prefix }) => ({ bits: read.bits, width, prefix }))
      .sort((a, b) => a.prefix - b.prefix);
  }
}

function firstOf(bits: bigint, { width, prefix }: Pick<AddressRange, "width" | "prefix">): bigint {
  return bits >> BigInt(width - prefix);
}

function ipv4Text(bits: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => bits >> shift & 0xffn).join(".");
}

/** As RFC 5952 wants it: the longest run of zeros, of two at least, is left out. */
function ipv6Text(bits: bigint): string {
  const text = Array.from({ length: 8 }, (_, index) => (bits >> BigInt(112 - 16 * index) & 0xffffn).toString(16))
    .join(":");
  const runs = [...text.matchAll(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g)];
  const [longest, at] = runs.reduce<readonly [string, number]>(
    (best, { 0: run, index }) => run.length > best[0].length ? [run, index] : best,
    ["", 0],
  );
  if (longest === "") return text;
  return `${text.slice(0, at).replace(/:$/, "")}::${text.slice(at + longest.length).replace(/^:/, "")}`;
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
