/**
 * Protocol Buffers (proto3), as far as the door needs them: strings, bytes, 32-bit integers, booleans, messages within
 * messages, and lists of strings, bytes and messages. A table of fields describes a message, and its type follows from
 * the table. Pure. Wrong bytes cause a `RangeError` or a `TypeError`.
 */

/** The type of a field: a scalar type, or a message. */
export type FieldType = "string" | "bytes" | "int32" | "bool" | MessageFields;

/** One field. `isList`: it may come several times. */
export interface MessageField {
  readonly number: number;
  readonly type: FieldType;
  readonly isList?: boolean;
}

/** A message's fields, by name. */
export interface MessageFields {
  readonly [name: string]: MessageField;
}

/**
 * The value of a message with these fields. Scalars that were not sent are `""`, 0 and `false`. Bytes and messages that
 * were not sent are `undefined`, so a choice of one string of several is a choice of bytes.
 */
export type ValueOf<F extends MessageFields> = {
  readonly [Name in keyof F]: F[Name]["isList"] extends true ? readonly NonNullable<ValueOfType<F[Name]["type"]>>[]
    : ValueOfType<F[Name]["type"]>;
};

type ValueOfType<T extends FieldType> = T extends "string" ? string
  : T extends "bytes" ? Uint8Array | undefined
  : T extends "int32" ? number
  : T extends "bool" ? boolean
  : T extends MessageFields ? ValueOf<T> | undefined
  : never;

/** How a field's value is written; 3 and 4 are groups, which no longer exist. */
const WIRE_TYPE = { varint: 0, eightBytes: 1, lengthDelimited: 2, fourBytes: 5 } as const;

/** What stands for a scalar that was not sent. */
const UNSENT = { string: "", int32: 0, bool: false } as const;

/** Seven bits in each byte, for 64 bits. */
const MAX_VARINT_BYTES = 10;

const encoder = new TextEncoder();

/** A message as bytes. `""`, 0 and `false` are left out, as in proto3. */
export function encodeMessage<F extends MessageFields>(fields: F, value: ValueOf<F>): Uint8Array {
  const bytes: number[] = [];
  writeMessage(bytes, fields, value);
  return Uint8Array.from(bytes);
}

/**
 * A message of bytes. Fields that are not known are skipped, of a scalar that came twice the last counts.
 * @throws {RangeError} when it is cut off, or is no message. @throws {TypeError} when a string is not UTF-8.
 */
export function decodeMessage<F extends MessageFields>(fields: F, bytes: Uint8Array): ValueOf<F> {
  return readMessage(fields, bytes, undefined) as ValueOf<F>;
}

function writeMessage(bytes: number[], fields: MessageFields, value: Readonly<Record<string, unknown>>): void {
  for (const [name, field] of Object.entries(fields)) {
    const values = field.isList ? value[name] as readonly unknown[] : [value[name]];
    for (const each of values) writeField(bytes, field, each);
  }
}

function writeField(bytes: number[], { number, type, isList = false }: MessageField, value: unknown): void {
  if (value === undefined || !isList && (value === "" || value === 0 || value === false)) return;
  if (type === "int32" || type === "bool") {
    writeVarint(bytes, number << 3 | WIRE_TYPE.varint);
    writeInt32(bytes, Number(value));
    return;
  }
  let content: Iterable<number> & { readonly length: number };
  if (type === "string") content = encoder.encode(value as string);
  else if (type === "bytes") content = value as Uint8Array;
  else {
    const inner: number[] = [];
    writeMessage(inner, type, value as Readonly<Record<string, unknown>>);
    content = inner;
  }
  writeVarint(bytes, number << 3 | WIRE_TYPE.lengthDelimited);
  writeVarint(bytes, content.length);
  for (const byte of content) bytes.push(byte);
}

/** `value` is from 0 to 2^32 - 1. */
function writeVarint(bytes: number[], value: number): void {
  let left = value >>> 0;
  while (left > 0x7f) {
    bytes.push(left & 0x7f | 0x80);
    left >>>= 7;
  }
  bytes.push(left);
}

/** A negative one is written as its 64 bits: in ten bytes. */
function writeInt32(bytes: number[], value: number): void {
  if (value >= 0) return writeVarint(bytes, value);
  let left = value | 0;
  for (let count = 1; count < MAX_VARINT_BYTES; count++) {
    bytes.push(left & 0x7f | 0x80);
    left >>= 7;
  }
  bytes.push(1);
}

function readMessage(
  fields: MessageFields,
  bytes: Uint8Array,
  before: Readonly<Record<string, unknown>> | undefined,
): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  const byNumber = new Map<number, MessageField & { readonly name: string }>();
  for (const [name, field] of Object.entries(fields)) {
    value[name] = before?.[name] ?? (field.isList ? [] : UNSENT[field.type as keyof typeof UNSENT]);
    byNumber.set(field.number, { name, ...field });
  }
  const reader = new Reader(bytes);
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    if (tag >>> 3 === 0) throw new RangeError("a field has the number 0");
    const field = byNumber.get(tag >>> 3);
    const take = (sent: unknown): void => {
      if (field?.isList) (value[field.name] as unknown[]).push(sent);
      else if (field !== undefined) value[field.name] = sent;
    };
    switch (tag & 7) {
      case WIRE_TYPE.varint: {
        const number = reader.varint();
        if (field?.type === "int32") take(number | 0);
        else if (field?.type === "bool") take(reader.wasNonZero);
        break;
      }
      case WIRE_TYPE.eightBytes:
        reader.take(8);
        break;
      case WIRE_TYPE.fourBytes:
        reader.take(4);
        break;
      case WIRE_TYPE.lengthDelimited: {
        const content = reader.take(reader.varint());
        if (field?.type === "string") take(new TextDecoder("utf-8", STRICT).decode(content));
        else if (field?.type === "bytes") take(content);
        else if (typeof field?.type === "object") {
          // A message that comes in parts is put together.
          const known = field.isList ? undefined : value[field.name] as Record<string, unknown> | undefined;
          take(readMessage(field.type, content, known));
        }
        break;
      }
      default:
        throw new RangeError(`a field has the wire type ${tag & 7}`);
    }
  }
  return value;
}

/** A byte order mark at the beginning belongs to the string. */
const STRICT = { fatal: true, ignoreBOM: true } as const;

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Whether the last varint had any bit set, also beyond 32 bits. */
  wasNonZero = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The low 32 bits of the next one, as a number that is not negative. */
  varint(): number {
    let low = 0;
    this.wasNonZero = false;
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw new RangeError("it is cut off");
      this.#at++;
      if ((byte & 0x7f) !== 0) this.wasNonZero = true;
      // Shifts count modulo 32: higher bits have no room.
      if (count < 5) low |= (byte & 0x7f) << (7 * count);
      if (byte < 0x80) return low >>> 0;
    }
    throw new RangeError("a number does not end");
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw new RangeError("it is cut off");
    const content = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return content;
  }
}
