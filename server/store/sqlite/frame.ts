/**
 * Frames: the form of a segment on the disk, in a row of the database or in a file. A frame says everything about its
 * segment and is checked as a whole, so an index can be rebuilt from frames alone. docs/storage.md describes the form;
 * written files keep it. Pure.
 */

import { type Audience, type ChannelLines, EVERYONE, type Segment, SERVERS } from "../../../log/segment.ts";
import { checksumOf } from "./checksum.ts";

/** A segment as it is kept. */
export interface Frame extends Segment {
  /** Of the turn that took it in: this server's Lamport clock at its end. */
  readonly lamport: number;
}

/** A frame that was found whole, and how many bytes it takes; or why it was not. */
export type Decoded =
  | { readonly ok: true; readonly frame: Frame; readonly length: number }
  | { readonly ok: false; readonly problem: string };

/**
 * The first bytes of a frame. The first one never occurs in UTF-8, so no line of a segment can look like a frame.
 * Little-endian.
 */
export const MAGIC = 0x726874f5;
/** The form that is written. */
export const FRAME_FORM = 1;

/** How audiences are written down. Append only. A segment with lines of channels is one for everyone, with a table. */
export const AUDIENCE_NUMBERS = { everyone: 0, user: 1, servers: 2 } as const;
/** An audience, as it is written down. */
export type StoredKind = keyof typeof AUDIENCE_NUMBERS;
/** The flag of a frame with a table of channels. A program that does not know channels takes it for a newer one's. */
const HAS_CHANNELS = 1;
/** The flag of a frame of which lines are forgotten: the names of their channels have the highest bit of the length. */
const HAS_FORGOTTEN = 2;
const IS_FORGOTTEN = 0x8000;

/**
 * Where the parts of a header begin. Parts without a fixed length follow `names`; the last four bytes are the header's
 * checksum.
 */
const AT = {
  magic: 0,
  form: 4,
  flags: 5,
  audience: 6,
  headerLength: 8,
  bodyLength: 12,
  bodyChecksum: 16,
  lines: 20,
  position: 24,
  first: 32,
  takenAt: 40,
  lamport: 48,
  originLength: 56,
  usernameLength: 58,
  channelCount: 60,
  names: 64,
} as const;
const CHECKSUM_BYTES = 4;
/** `originLength` and the like have two bytes. */
const MAX_NAME_BYTES = 0xffff;

const NO_CHANNELS: readonly ChannelLines[] = [];

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The header of a frame: `frame.bytes` come behind it. */
export function encodeHeader(
  { position, origin, first, last, audience, takenAt, bytes, lamport }: Frame,
): Uint8Array {
  const channels = audience.kind === "channels" ? audience.channels : NO_CHANNELS;
  const originBytes = encodeName(origin);
  const usernameBytes = encodeName(audience.kind === "user" ? audience.username : "");
  const table = channels.map((lines) => ({ ...lines, name: encodeName(lines.name) }));
  const tableLength = table.reduce((sum, { name, ranges }) => sum + 6 + name.length + 8 * ranges.length, 0);
  const headerLength = AT.names + originBytes.length + usernameBytes.length + tableLength + CHECKSUM_BYTES;
  const header = new Uint8Array(headerLength);
  const view = new DataView(header.buffer);
  view.setUint32(AT.magic, MAGIC, true);
  view.setUint8(AT.form, FRAME_FORM);
  view.setUint8(AT.flags, flagsOf(channels));
  view.setUint8(AT.audience, AUDIENCE_NUMBERS[storedKind(audience)]);
  view.setUint32(AT.headerLength, headerLength, true);
  view.setUint32(AT.bodyLength, bytes.length, true);
  view.setUint32(AT.bodyChecksum, checksumOf(bytes), true);
  view.setUint32(AT.lines, last - first + 1, true);
  // Whole numbers up to 2^53 are exact in a double, and a clock may give fractions.
  view.setFloat64(AT.position, position, true);
  view.setFloat64(AT.first, first, true);
  view.setFloat64(AT.takenAt, takenAt, true);
  view.setFloat64(AT.lamport, lamport, true);
  view.setUint16(AT.originLength, originBytes.length, true);
  view.setUint16(AT.usernameLength, usernameBytes.length, true);
  view.setUint32(AT.channelCount, table.length, true);
  header.set(originBytes, AT.names);
  header.set(usernameBytes, AT.names + originBytes.length);
  let at = AT.names + originBytes.length + usernameBytes.length;
  for (const { name, ranges, isForgotten } of table) {
    view.setUint16(at, name.length | (isForgotten ? IS_FORGOTTEN : 0), true);
    view.setUint32(at + 2, ranges.length, true);
    header.set(name, at + 6);
    at += 6 + name.length;
    for (const { start, end } of ranges) {
      view.setUint32(at, start, true);
      view.setUint32(at + 4, end, true);
      at += 8;
    }
  }
  view.setUint32(at, checksumOf(header.subarray(0, at)), true);
  return header;
}

/** A whole frame. */
export function encodeFrame(frame: Frame): Uint8Array {
  const header = encodeHeader(frame);
  const whole = new Uint8Array(header.length + frame.bytes.length);
  whole.set(header);
  whole.set(frame.bytes, header.length);
  return whole;
}

/** Reads the frame at `at` in `bytes`, without a copy of its bytes. */
export function decodeFrame(bytes: Uint8Array, at = 0): Decoded {
  const left = bytes.length - at;
  if (left < AT.names + CHECKSUM_BYTES) return { ok: false, problem: "it is too short for a frame" };
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, left);
  if (view.getUint32(AT.magic, true) !== MAGIC) return { ok: false, problem: "no frame begins here" };
  const headerLength = view.getUint32(AT.headerLength, true);
  const bodyLength = view.getUint32(AT.bodyLength, true);
  if (headerLength < AT.names + CHECKSUM_BYTES || headerLength + bodyLength > left) {
    return { ok: false, problem: "it is shorter than its frame says" };
  }
  const end = headerLength - CHECKSUM_BYTES;
  if (checksumOf(bytes.subarray(at, at + end)) !== view.getUint32(end, true)) {
    return { ok: false, problem: "the head of its frame has changed" };
  }
  // After the checksum, as a flipped bit is no newer program.
  if (view.getUint8(AT.form) !== FRAME_FORM || (view.getUint8(AT.flags) & ~(HAS_CHANNELS | HAS_FORGOTTEN)) !== 0) {
    return { ok: false, problem: `its frame has form ${view.getUint8(AT.form)}, which a newer program wrote` };
  }
  const body = bytes.subarray(at + headerLength, at + headerLength + bodyLength);
  if (checksumOf(body) !== view.getUint32(AT.bodyChecksum, true)) {
    return { ok: false, problem: "its bytes have changed" };
  }
  const names = readNames(bytes.subarray(at, at + end), view);
  const known = names && audienceOf(view.getUint8(AT.audience), names.username);
  const audience = known && withChannels(known, names.channels);
  // The checksum was right, so a program wrote it like this.
  if (names === undefined || audience === undefined) return { ok: false, problem: "its frame makes no sense" };
  const first = view.getFloat64(AT.first, true);
  return {
    ok: true,
    length: headerLength + bodyLength,
    frame: {
      position: view.getFloat64(AT.position, true),
      origin: names.origin,
      first,
      last: first + view.getUint32(AT.lines, true) - 1,
      audience,
      takenAt: view.getFloat64(AT.takenAt, true),
      bytes: body,
      lamport: view.getFloat64(AT.lamport, true),
    },
  };
}

/** The audience of this number; `undefined` when there is none. */
export function audienceOf(number: number, username: string | null): Audience | undefined {
  if (number === AUDIENCE_NUMBERS.everyone) return EVERYONE;
  if (number === AUDIENCE_NUMBERS.servers) return SERVERS;
  if (number !== AUDIENCE_NUMBERS.user || username === null) return undefined;
  return { kind: "user", username };
}

/** What is written down of it, beside its table of channels. */
export function storedKind({ kind }: Audience): StoredKind {
  return kind === "channels" ? "everyone" : kind;
}

function flagsOf(channels: readonly ChannelLines[]): number {
  if (channels.length === 0) return 0;
  return HAS_CHANNELS | (channels.some(({ isForgotten }) => isForgotten) ? HAS_FORGOTTEN : 0);
}

/** Only lines for everyone can be for a channel. */
function withChannels(audience: Audience, channels: readonly ChannelLines[]): Audience | undefined {
  if (channels.length === 0) return audience;
  return audience.kind === "everyone" ? { kind: "channels", channels } : undefined;
}

interface Names {
  readonly origin: string;
  readonly username: string;
  readonly channels: readonly ChannelLines[];
}

/** The parts of a header without a fixed length. */
function readNames(header: Uint8Array, view: DataView): Names | undefined {
  let at: number = AT.names;
  const take = (length: number) => header.subarray(at, at += length);
  try {
    const origin = decoder.decode(take(view.getUint16(AT.originLength, true)));
    const username = decoder.decode(take(view.getUint16(AT.usernameLength, true)));
    const channels: ChannelLines[] = [];
    for (let left = view.getUint32(AT.channelCount, true); left > 0 && at < header.length; left--) {
      const [nameLength, count] = [view.getUint16(at, true), view.getUint32(at + 2, true)];
      at += 6;
      const name = decoder.decode(take(nameLength & ~IS_FORGOTTEN));
      const ranges = [];
      for (let range = 0; range < count; range++, at += 8) {
        ranges.push({ start: view.getUint32(at, true), end: view.getUint32(at + 4, true) });
      }
      channels.push({ name, ranges, ...(nameLength & IS_FORGOTTEN ? { isForgotten: true } : {}) });
    }
    return at === header.length ? { origin, username, channels } : undefined;
  } catch {
    // No UTF-8, or beyond the end.
    return undefined;
  }
}

function encodeName(name: string): Uint8Array {
  const bytes = encoder.encode(name);
  if (bytes.length > MAX_NAME_BYTES) throw new RangeError(`A name of ${bytes.length} bytes does not fit into a frame`);
  return bytes;
}
