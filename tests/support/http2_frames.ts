/** HTTP/2 by hand, for tests: frames as they are on the wire, right or wrong. */

/** What a client says first. */
export const PREFACE: Uint8Array = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Kinds of frames, by number. */
export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;
/** Flags of DATA and HEADERS. */
export const END_STREAM = 1;
export const END_HEADERS = 4;

/** One frame. `length` is what it says of itself, where that is to be wrong. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = new Uint8Array(0),
  length = payload.length,
): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length << 8);
  bytes[3] = type;
  bytes[4] = flags;
  view.setUint32(5, stream);
  bytes.set(payload, 9);
  return bytes;
}

/** Headers of a POST, none of them indexed. */
export function requestHeaders(path: string, more: Readonly<Record<string, string>> = {}): Uint8Array {
  const parts = [new Uint8Array([0x83, 0x86, 0x41]), sized("x"), new Uint8Array([0x44]), sized(path)];
  for (const [name, value] of Object.entries(more)) parts.push(new Uint8Array([0]), sized(name), sized(value));
  return concat(...parts);
}

/** The headers that gRPC asks for. */
export const GRPC_HEADERS: Readonly<Record<string, string>> = { "content-type": "application/grpc", te: "trailers" };

/** `parts`, one after the other. */
export function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** A text of less than 128 bytes, with its length. */
function sized(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  return concat(new Uint8Array([bytes.length]), bytes);
}
