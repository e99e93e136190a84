/**
 * The form of a turn in a log file: the frames of its segments (`server/store/sqlite/frame.ts`), and behind them a
 * record that closes the turn. The record has everything that the turn changes beside the log. A turn counts when its
 * record is whole, and the frames before it are. So a turn is there whole or not at all. docs/storage.md describes the
 * form; written files keep it. Pure.
 */

import { checksumOf } from "../sqlite/checksum.ts";
import { decodeFrame, encodeHeader, type Frame } from "../sqlite/frame.ts";
import { readableLamport } from "../sqlite/index_row.ts";
import type { Segment } from "../../../log/segment.ts";
import type { Batch } from "../store.ts";

/** The first bytes of a record. The first one never occurs in UTF-8, as in a frame. Little-endian. */
export const RECORD_MAGIC = 0x727574f5;
const RECORD_FORM = 1;

/** Where the parts of a record begin. Its body follows: JSON, or nothing. */
const AT = {
  magic: 0,
  form: 4,
  flags: 5,
  bodyLength: 8,
  framesLength: 12,
  frameCount: 16,
  bodyChecksum: 20,
  turn: 24,
  lamport: 32,
  checksum: 40,
  body: 44,
} as const;

/** Bytes of a record without a body. */
export const RECORD_BYTES: number = AT.body;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** A turn as bytes, and where the frames of its segments stand in them. */
export interface EncodedTurn {
  /** Valid until the next turn is encoded. */
  readonly bytes: Uint8Array;
  readonly frames: readonly { readonly start: number; readonly length: number }[];
}

/** A turn that was read. */
export interface ReadTurn {
  readonly turn: number;
  readonly batch: Batch;
  /** Where its frames begin, from the beginning of the turn. */
  readonly frames: readonly { readonly start: number; readonly length: number }[];
  /** Bytes of all of it. */
  readonly length: number;
}

/** A turn, or why there is none: the bytes end before it does, or are not those of a turn. */
export type DecodedTurn =
  | { readonly ok: true; readonly turn: ReadTurn }
  | { readonly ok: false; readonly problem: "short" | "wrong" | "newer" };

/** Most turns fit. A larger one gets a buffer of its own. */
const SCRATCH_BYTES = 1_048_576;

/** Encodes turns, one after the other. */
export class TurnEncoder {
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);

  /** `batch` as turn number `turn`. */
  encode(turn: number, batch: Batch): EncodedTurn {
    const { segments } = batch;
    const lamport = readableLamport(batch.lamport);
    const headers = segments.map((segment) => encodeHeader({ ...segment, lamport }));
    const body = bodyOf(batch);
    let framesLength = 0;
    const frames = segments.map(({ bytes }, index) => {
      const frame = { start: framesLength, length: headers[index]!.length + bytes.length };
      framesLength += frame.length;
      return frame;
    });
    const length = framesLength + RECORD_BYTES + body.length;
    const bytes = length <= SCRATCH_BYTES ? this.#scratch.subarray(0, length) : new Uint8Array(length);
    frames.forEach(({ start }, index) => {
      bytes.set(headers[index]!, start);
      bytes.set(segments[index]!.bytes, start + headers[index]!.length);
    });
    writeRecord(bytes.subarray(framesLength), { turn, lamport, framesLength, frameCount: frames.length, body });
    return { bytes, frames };
  }
}

/** Reads the turn that begins at `at` in `bytes`, without a copy of its segments' bytes. */
export function decodeTurn(bytes: Uint8Array, at = 0): DecodedTurn {
  const found: Frame[] = [];
  const frames: { start: number; length: number }[] = [];
  for (let next = at;;) {
    const left = bytes.length - next;
    if (left < RECORD_BYTES) return { ok: false, problem: "short" };
    const view = new DataView(bytes.buffer, bytes.byteOffset + next, left);
    if (view.getUint32(0, true) === RECORD_MAGIC) {
      const record = decodeRecord(bytes.subarray(next), view);
      if (typeof record === "string") return { ok: false, problem: record };
      const isWhole = record.framesLength === next - at && record.frameCount === frames.length;
      if (!isWhole) return { ok: false, problem: "wrong" };
      const batch = batchOf(record.body, found, record.lamport);
      if (batch === undefined) return { ok: false, problem: "wrong" };
      return { ok: true, turn: { turn: record.turn, batch, frames, length: next + record.length - at } };
    }
    const decoded = decodeFrame(bytes, next);
    if (!decoded.ok) return { ok: false, problem: isShort(view, left) ? "short" : "wrong" };
    found.push(decoded.frame);
    frames.push({ start: next - at, length: decoded.length });
    next += decoded.length;
  }
}

/** Whether the frame of which this is the beginning would end behind the bytes that are left. */
function isShort(view: DataView, left: number): boolean {
  return left < 64 || view.getUint32(8, true) + view.getUint32(12, true) > left;
}

/** Whether the head of a record stands anywhere in `bytes`. */
export function findRecord(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const first = RECORD_MAGIC & 0xff;
  for (let at = bytes.indexOf(first); at >= 0 && at + RECORD_BYTES <= bytes.length; at = bytes.indexOf(first, at + 1)) {
    if (view.getUint32(at, true) !== RECORD_MAGIC) continue;
    if (checksumOf(bytes.subarray(at, at + AT.checksum)) === view.getUint32(at + AT.checksum, true)) return true;
  }
  return false;
}

interface Record {
  readonly turn: number;
  readonly lamport: number;
  readonly framesLength: number;
  readonly frameCount: number;
  readonly body: Uint8Array;
}

function writeRecord(to: Uint8Array, { turn, lamport, framesLength, frameCount, body }: Record): void {
  const view = new DataView(to.buffer, to.byteOffset, to.length);
  view.setUint32(AT.magic, RECORD_MAGIC, true);
  // Form, flags and two bytes that are free.
  view.setUint32(AT.form, RECORD_FORM, true);
  view.setUint32(AT.bodyLength, body.length, true);
  view.setUint32(AT.framesLength, framesLength, true);
  view.setUint32(AT.frameCount, frameCount, true);
  view.setUint32(AT.bodyChecksum, checksumOf(body), true);
  view.setFloat64(AT.turn, turn, true);
  view.setFloat64(AT.lamport, lamport, true);
  view.setUint32(AT.checksum, checksumOf(to.subarray(0, AT.checksum)), true);
  to.set(body, AT.body);
}

function decodeRecord(
  bytes: Uint8Array,
  view: DataView,
): Record & { readonly length: number } | "short" | "wrong" | "newer" {
  if (checksumOf(bytes.subarray(0, AT.checksum)) !== view.getUint32(AT.checksum, true)) return "wrong";
  // After the checksum, as a flipped bit is no newer program.
  if (view.getUint8(AT.form) !== RECORD_FORM || view.getUint8(AT.flags) !== 0) return "newer";
  const bodyLength = view.getUint32(AT.bodyLength, true);
  const length = AT.body + bodyLength;
  if (length > bytes.length) return "short";
  const body = bytes.subarray(AT.body, length);
  if (checksumOf(body) !== view.getUint32(AT.bodyChecksum, true)) return "wrong";
  return {
    turn: view.getFloat64(AT.turn, true),
    lamport: view.getFloat64(AT.lamport, true),
    framesLength: view.getUint32(AT.framesLength, true),
    frameCount: view.getUint32(AT.frameCount, true),
    body,
    length,
  };
}

/** What a turn changes beside the log, as JSON: parts that it does not have are left out. */
interface Beside extends Partial<Omit<Batch, "segments" | "lamport" | "messageIds" | "directMessages" | "isSynced">> {
  /** Direct messages; their lines are in the segments. */
  readonly messages?: readonly (readonly [origin: string, sequence: number, to: string])[];
}

const NO_BODY = new Uint8Array(0);

function bodyOf(batch: Batch): Uint8Array {
  // The lines of the segments have the message ids.
  const { segments: _, lamport: _lamport, isSynced: _isSynced, messageIds: _ids, directMessages = [], ...others } =
    batch;
  const beside: globalThis.Record<string, unknown> = {};
  let isEmpty = true;
  for (const [name, value] of Object.entries(others)) {
    // An empty list changes nothing, but for the members: it takes the place of all that were known.
    if (value === undefined || (name !== "members" && Array.isArray(value) && value.length === 0)) continue;
    beside[name] = value;
    isEmpty = false;
  }
  if (directMessages.length > 0) {
    beside["messages"] = directMessages.map(({ origin, sequence, to }) => [origin, sequence, to]);
  }
  if (isEmpty && directMessages.length === 0) return NO_BODY;
  return encoder.encode(JSON.stringify(beside));
}

/** The batch that was written; `undefined` if the body makes no sense. */
function batchOf(body: Uint8Array, segments: readonly Segment[], lamport: number): Batch | undefined {
  let beside: Beside = {};
  try {
    if (body.length > 0) beside = JSON.parse(decoder.decode(body)) as Beside;
  } catch {
    // The checksum was right, so a program wrote it like this.
    return undefined;
  }
  const { messages = [], ...others } = beside;
  return {
    accounts: [],
    // JSON has no `undefined`: a cursor at the end of the log has no position.
    cursors: [],
    endedCursors: [],
    ...others,
    ...(others.cursors === undefined
      ? {}
      : { cursors: others.cursors.map((cursor) => ({ ...cursor, position: cursor.position })) }),
    segments: segments.map(({ position, origin, first, last, audience, takenAt, bytes }) => (
      { position, origin, first, last, audience, takenAt, bytes }
    )),
    messageIds: [],
    ...(messages.length === 0
      ? {}
      : { directMessages: messages.map(([origin, sequence, to]) => ({ origin, sequence, to, line: "" })) }),
    lamport,
  };
}
