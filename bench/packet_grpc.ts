/**
 * Packets for the gRPC door: HTTP/2 by hand, as small as it can be said, so that as much as possible
 * fits into one packet.
 */

/** Kinds of frames, by number. */
const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  window: 8,
  continuation: 9,
  strange: 32,
};
const END_STREAM = 1;
const END_HEADERS = 4;
const encoder = new TextEncoder();
const PREFACE = encoder.encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/**
 * POST over http to "x", of gRPC: all of it goes into the table of headers, and the next request names it by number.
 */
const NEW_HEADERS = (path: string) =>
  concat(
    ...[Uint8Array.of(0x83, 0x86, 0x41), sized("x"), Uint8Array.of(0x44), sized(path)],
    ...[Uint8Array.of(0x5f), sized("application/grpc"), Uint8Array.of(0x40), sized("te"), sized("trailers")],
  );
const SAME_HEADERS = Uint8Array.of(0x83, 0x86, 0xc1, 0xc0, 0xbf, 0xbe);
/** What the answer to the last frame has in it. */
export const LAST_PING = "the last";

/** A packet, and how often what it is full of is in it. */
export interface GrpcPacket {
  readonly packet: Uint8Array<ArrayBuffer>;
  readonly count: number;
}

/** What a packet for the gRPC door can be full of. `bytes`: of the packet. */
export const GRPC_PACKETS: Readonly<Record<string, (bytes: number) => GrpcPacket>> = {
  "gRPC: Join of one participant": (bytes) => requests(bytes, "Join", () => text(1, "9")),
  "gRPC: Join of many participants": (bytes) => requests(bytes, "Join", (n) => text(1, `${n + 1}`)),
  "gRPC: Publish of a stranger": (bytes) => requests(bytes, "Publish", () => concat(text(1, "x"), text(3, "9"))),
  "gRPC: Publish of a participant": (bytes) => {
    const join = call("Join", text(1, "9"));
    return requests(bytes, "Publish", () => concat(text(1, "x"), text(3, "9")), join);
  },
  "gRPC: Leave": (bytes) => requests(bytes, "Leave", () => text(1, "9")),
  "gRPC: a call of nothing": (bytes) => requests(bytes, "Nope", () => text(1, "x")),
  "gRPC: requests without an end": (bytes) =>
    filled(bytes, (n) => frame(FRAME.headers, END_HEADERS, 2 * n + 1, headersOf(n, "Join"))),
  "HTTP/2: requests that are reset at once": (bytes) =>
    filled(bytes, (n) =>
      concat(
        frame(FRAME.headers, END_HEADERS, 2 * n + 1, headersOf(n, "Join")),
        frame(FRAME.reset, 0, 2 * n + 1, Uint8Array.of(0, 0, 0, 8)),
      )),
  "HTTP/2: PING": (bytes) => filled(bytes, () => frame(FRAME.ping, 0, 0, new Uint8Array(8))),
  "HTTP/2: SETTINGS": (bytes) => filled(bytes, () => frame(FRAME.settings, 0, 0)),
  "HTTP/2: WINDOW_UPDATE": (bytes) => filled(bytes, () => frame(FRAME.window, 0, 0, Uint8Array.of(0, 0, 0, 1))),
  "HTTP/2: PRIORITY": (bytes) => filled(bytes, () => frame(FRAME.priority, 0, 1, new Uint8Array(5))),
  "HTTP/2: empty DATA": (bytes) =>
    filled(
      bytes,
      (n) => n === 0 ? frame(FRAME.headers, END_HEADERS, 1, NEW_HEADERS(pathOf("Join"))) : frame(FRAME.data, 0, 1),
    ),
  "HTTP/2: empty CONTINUATION": (bytes) =>
    filled(
      bytes,
      (n) => n === 0 ? frame(FRAME.headers, 0, 1, NEW_HEADERS(pathOf("Join"))) : frame(FRAME.continuation, 0, 1),
    ),
  "HTTP/2: frames of a strange kind": (bytes) => filled(bytes, () => frame(FRAME.strange, 0, 0)),
};

/** Requests of one method; `before` is a request that was made by then. */
function requests(
  bytes: number,
  method: string,
  message: (number: number) => Uint8Array,
  before?: (stream: number) => Uint8Array,
): GrpcPacket {
  const first = before === undefined ? 0 : 1;
  return filled(bytes, (n) => {
    if (n < first) return before!(1);
    const stream = 2 * n + 1;
    // The path of another one stands in the table: this one takes its place there, and its number.
    const headers = n === first ? NEW_HEADERS(pathOf(method)) : SAME_HEADERS;
    return concat(
      frame(FRAME.headers, END_HEADERS, stream, headers),
      frame(FRAME.data, END_STREAM, stream, grpcMessage(message(n))),
    );
  });
}

function call(method: string, message: Uint8Array): (stream: number) => Uint8Array {
  return (stream) =>
    concat(
      frame(FRAME.headers, END_HEADERS, stream, NEW_HEADERS(pathOf(method))),
      frame(FRAME.data, END_STREAM, stream, grpcMessage(message)),
    );
}

function filled(bytes: number, one: (number: number) => Uint8Array): GrpcPacket {
  const parts = [PREFACE, frame(FRAME.settings, 0, 0)];
  let size = 0;
  let count = 0;
  for (;; count++) {
    const part = one(count);
    if (size + part.length > bytes) break;
    size += part.length;
    parts.push(part);
  }
  return { packet: concat(...parts, frame(FRAME.ping, 0, 0, encoder.encode(LAST_PING))), count };
}

function headersOf(number: number, method: string): Uint8Array {
  return number === 0 ? NEW_HEADERS(pathOf(method)) : SAME_HEADERS;
}

function pathOf(method: string): string {
  return `/chat.ChittyChatServiceIN/${method}`;
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length << 8);
  bytes[3] = type;
  bytes[4] = flags;
  view.setUint32(5, stream);
  bytes.set(payload, 9);
  return bytes;
}

/** Uncompressed, with its length. */
function grpcMessage(message: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(0, 0, 0, 0, message.length), message);
}

/** A field of protobuf. */
function text(field: number, value: string): Uint8Array {
  return concat(Uint8Array.of(field << 3 | 2), sized(value));
}

/** A text of less than 127 bytes, with its length. */
function sized(value: string): Uint8Array {
  const bytes = encoder.encode(value);
  return concat(Uint8Array.of(bytes.length), bytes);
}

function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
