/**
 * What a client of a WebSocket needs, for tests: requests to upgrade, masked frames out, lines in. It knows nothing of
 * the library that the server uses.
 */

/** Bytes that a client says, and what it makes of what it hears. */
export class ClientFrames {
  #heard = new Uint8Array(0);
  /** What was answered to the request to upgrade. */
  answer = "";
  get isUpgraded(): boolean {
    return this.answer.startsWith("HTTP/1.1 101 ");
  }

  /** The code of the close frame that came. */
  closeCode: number | undefined;
  /** Pongs that came. */
  pongs = 0;

  /** The request. */
  upgrade(host: string, headers: Readonly<Record<string, string>> = {}): Uint8Array {
    const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    return new TextEncoder().encode(
      `GET /line HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${lines}\r\n`,
    );
  }

  /** `bytes`, which are lines, as frames: one each. What follows the last newline is a line too. */
  lines(bytes: Uint8Array): Uint8Array {
    const frames: Uint8Array[] = [];
    let start = 0;
    for (let end; (end = bytes.indexOf(0x0a, start)) >= 0; start = end + 1) {
      frames.push(frame(1, bytes.subarray(start, end)));
    }
    if (start < bytes.length) frames.push(frame(1, bytes.subarray(start)));
    return concat(frames);
  }

  /** Takes what came; gives the lines that are whole now, each with its newline. */
  hear(bytes: Uint8Array): Uint8Array {
    this.#heard = concat([this.#heard, bytes]);
    if (this.answer === "") {
      const text = new TextDecoder("latin1").decode(this.#heard);
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return new Uint8Array(0);
      this.answer = text.slice(0, end);
      this.#heard = this.#heard.slice(end + 4);
    }
    const lines: Uint8Array[] = [];
    // A refusal is no frame.
    if (!this.isUpgraded) return concat(lines);
    for (let found; (found = firstFrame(this.#heard)) !== undefined;) {
      this.#heard = this.#heard.slice(found.size);
      if (found.opcode === 1) lines.push(found.payload, new Uint8Array([0x0a]));
      else if (found.opcode === 8) this.closeCode = (found.payload[0]! << 8) + found.payload[1]!;
      else if (found.opcode === 10) this.pongs++;
      else throw new Error(`The server sent a frame with opcode ${found.opcode}`);
    }
    return concat(lines);
  }
}

/** A close frame. */
export function closeFrame(code = 1000): Uint8Array {
  return frame(8, new Uint8Array([code >> 8, code & 0xff]));
}

/** A frame of a client: whole, unless it is said that it is not, and masked. */
export function frame(opcode: number, payload: Uint8Array, isWhole = true): Uint8Array {
  const { length } = payload;
  const head = length < 126
    ? [0x80 | length]
    : length < 65_536
    ? [0x80 | 126, length >> 8, length & 0xff]
    : [0x80 | 127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff];
  const mask = [0x12, 0x34, 0x56, 0x78];
  const masked = payload.map((byte, index) => byte ^ mask[index % 4]!);
  return concat([new Uint8Array([(isWhole ? 0x80 : 0) | opcode, ...head, ...mask]), masked]);
}

function firstFrame(bytes: Uint8Array): { opcode: number; payload: Uint8Array; size: number } | undefined {
  if (bytes.length < 2) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if ((bytes[0]! & 0x70) !== 0 || (bytes[0]! & 0x80) === 0) {
    throw new Error("The server sent a frame of a strange kind");
  }
  if ((bytes[1]! & 0x80) !== 0) throw new Error("The server masked a frame");
  const short = bytes[1]!;
  const headSize = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < headSize) return undefined;
  const length = short < 126 ? short : short === 126 ? view.getUint16(2) : Number(view.getBigUint64(2));
  if (bytes.length < headSize + length) return undefined;
  return {
    opcode: bytes[0]! & 0x0f,
    payload: bytes.slice(headSize, headSize + length),
    size: headSize + length,
  };
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
