/**
 * A WebSocket as a `Link`: each incoming frame is a line, each outgoing line is a frame. So a session over it is a
 * session over TCP, with the same heartbeats, limits and answers. `ws` reads frames and shakes hands. Outgoing frames
 * are made here, and written to the socket itself.
 */

import { WebSocket, WebSocketServer } from "ws";
import type { Clock, Timer } from "../../../platform/clock.ts";
import { type FaultGuard, guarded, UNGUARDED } from "../../../platform/faults.ts";
import type { HttpUpgrade, UpgradedSocket } from "../../../platform/http/http_server.ts";
import { ReadSwitch } from "../../../platform/tcp/read_switch.ts";
import { UnsentBytes } from "../../../platform/tcp/unsent_bytes.ts";
import type { Link, LinkHandler } from "../../../platform/transport.ts";
import { joinBytes } from "../../../protocol/join_bytes.ts";
import { FrameCache } from "./text_frames.ts";

/** What all links of a gateway have in common. */
export interface WebSocketParts {
  /** Longest line, as for TCP: a longer frame is answered with INVALID_MESSAGE. */
  readonly maxLineBytes: number;
  /** `write` says `false` when this many bytes wait for a link. */
  readonly highWaterBytes: number;
  readonly clock: Clock;
  /** Takes exceptions of the links' owners, which end their links. Without it they are thrown on. */
  readonly faults?: FaultGuard;
}

/** Makes links of upgrades. */
export interface WebSocketAcceptor {
  /** Shakes hands, and hands over the link; a request that is no good it answers by itself. */
  accept(upgrade: HttpUpgrade, caller: WebSocketCaller, onLink: (link: Link) => void): void;
  /** Shakes hands only to say why nothing comes of it. */
  turnAway(upgrade: HttpUpgrade, why: string): void;
}

/** Who has asked for an upgrade. */
export interface WebSocketCaller {
  readonly remoteHost: string;
  /** Whether nobody on the way reads what is said. */
  readonly isProtected: boolean;
}

/** Browsers tell no page what certificate they have seen, so nothing can be bound to it. */
const CHANNEL = { serverEndPoint: undefined, isResumed: false } as const;
/** Codes of RFC 6455, section 7.4.1. */
const NORMAL = 1000;
const TOO_BIG = 1009;
const ABNORMAL = 1006;
const REFUSED = 1008;
/** What a WebSocket is while frames can be sent. */
const OPEN = 1;
/** How long the other side may take to close after it has broken the rules. */
const FAILED_LINGER_MS = 1_000;
/** How long earlier lines, such as a LOGIN, may take before the answer to a frame that is too long. */
const TOO_LONG_LINGER_MS = 10_000;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const NOTHING = new Uint8Array(0);

/** Makes what turns upgrades into links. */
export function webSocketAcceptor(parts: WebSocketParts): WebSocketAcceptor {
  const { maxLineBytes, highWaterBytes, clock, faults = UNGUARDED } = parts;
  const server = new WebSocketServer({
    noServer: true,
    // Compression would cost memory for each connection and time for each line, and lines are usually short.
    perMessageDeflate: false,
    maxPayload: maxLineBytes,
    // Wrong UTF-8 is answered in words, as over TCP.
    skipUTF8Validation: true,
    autoPong: false,
    clientTracking: false,
    WebSocket: LineSocket,
  });
  const shared = { highWaterBytes, clock, faults, cache: new FrameCache(clock), tooLong: tooLongLine(maxLineBytes) };
  return {
    accept({ request, raw }, caller, onLink) {
      const { remotePort } = request;
      server.handleUpgrade(raw.request, raw.socket, raw.head, (socket) => {
        const link = new WebSocketLink(
          socket as LineSocket,
          raw.socket,
          { ...caller, remotePort },
          shared,
        );
        guarded(faults, "websocket", () => onLink(link), () => link.destroy());
      });
    },
    turnAway({ raw }, why) {
      server.handleUpgrade(raw.request, raw.socket, raw.head, (socket) => {
        const cut = clock.after(FAILED_LINGER_MS, () => socket.terminate());
        socket.on("error", () => {});
        socket.on("close", () => cut.cancel());
        socket.close(REFUSED, new TextEncoder().encode(why));
      });
    },
  };
}

/** Says what `ws` is about to answer by itself, as long as something else can still be sent. */
class LineSocket extends WebSocket {
  onTooLong: (() => void) | undefined;
  onFinish: (() => void) | undefined;

  override close(code?: number, reason?: Uint8Array): void {
    // The other side's own code, or that it gave none: it sends nothing more, and may still be answered.
    const isEcho = code === undefined || reason !== undefined;
    if (isEcho && this.onFinish !== undefined && this.readyState === OPEN) return this.onFinish();
    // The link says so in its own words, and closes when earlier lines have had their effect.
    if (code === TOO_BIG && this.onTooLong !== undefined) return this.onTooLong();
    super.close(code, reason);
  }
}

interface Shared {
  readonly highWaterBytes: number;
  readonly clock: Clock;
  readonly faults: FaultGuard;
  readonly cache: FrameCache;
  /** The answer to a frame that is too long. */
  readonly tooLong: Uint8Array;
}

/** One WebSocket. */
class WebSocketLink implements Link {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly channel: Link["channel"];
  readonly #webSocket: LineSocket;
  readonly #socket: UpgradedSocket;
  readonly #shared: Shared;
  readonly #reading: ReadSwitch;
  readonly #unsent: UnsentBytes;
  #handler: LinkHandler | undefined;
  /** Lines that have come and were not handed on: a chunk may hold many, and all of them are handed on as one. */
  #arrived: Uint8Array[] = [];
  #willHandOn = false;
  /** The beginning of a line whose end is not written yet. */
  #rest: Uint8Array = NOTHING;
  #endedHere = false;
  /** The other side sends nothing more; whether its owner knows. */
  #isFinished = false;
  #hasToldFinish = false;
  #hasFin = false;
  #isGone = false;
  /** A frame was too long. Nothing is read any more. */
  #isTooLong = false;
  #endCode: number | undefined;
  #linger: Timer | undefined;

  constructor(
    webSocket: LineSocket,
    socket: UpgradedSocket,
    { remoteHost, remotePort, isProtected }: WebSocketCaller & { readonly remotePort: number },
    shared: Shared,
  ) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#unsent = new UnsentBytes(socket);
    this.remoteHost = remoteHost;
    this.remotePort = remotePort;
    this.channel = isProtected ? CHANNEL : undefined;
    this.#shared = shared;
    this.#reading = new ReadSwitch(webSocket, () => this.#guarded(() => this.#handOn()));
    // Until somebody reads.
    this.#reading.pause();
    webSocket.on("message", (line) => this.#guarded(() => this.#arrive(line)));
    webSocket.on("ping", (data) => this.#guarded(() => this.#answerPing(data)));
    webSocket.onTooLong = () => this.#guarded(() => this.#tooLong());
    webSocket.onFinish = () => this.#finished();
    webSocket.on("error", () => this.#failed());
    webSocket.on("close", (code) => this.#guarded(() => this.#closed(code)));
    socket.on("data", (bytes: Uint8Array) => this.#heard(bytes.length));
    socket.on("drain", () => this.#guarded(() => this.#handler?.onDrain()));
    socket.on("end", () => this.#hasFin = true);
  }

  get pendingBytes(): number {
    return this.#unsent.count;
  }

  attach(handler: LinkHandler): void {
    const isTakenOver = this.#handler !== undefined;
    this.#handler = handler;
    if (isTakenOver) return;
    this.resume();
    // It was closed while it waited for an owner.
    const code = this.#endCode;
    if (code !== undefined) queueMicrotask(() => this.#guarded(() => this.#closed(code)));
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    if (this.#endedHere || socket.destroyed || socket.writableEnded) {
      this.#unsent.refuse(bytes.length);
      return true;
    }
    const { frames, rest } = this.#rest.length === 0
      ? this.#shared.cache.framesOf(bytes)
      : this.#shared.cache.framesOf(joinBytes([this.#rest, bytes]));
    this.#rest = rest;
    if (frames.length === 0) return true;
    // "drain" only follows a write that the socket itself calls full.
    return this.#unsent.write(frames) || socket.writableLength <= this.#shared.highWaterBytes;
  }

  pause(): void {
    this.#reading.pause();
  }

  resume(): void {
    this.#reading.resume();
  }

  keepAlive(idleMs: number): void {
    this.#socket.setKeepAlive(true, idleMs);
  }

  end(lingerMs: number): void {
    if (this.#endedHere || this.#isGone) return;
    this.#endedHere = true;
    this.#arrived = [];
    // Later data is thrown away, except for the answer to the close frame.
    this.#reading.throwAway();
    this.#cutAfter(lingerMs);
    this.#webSocket.close(NORMAL);
  }

  destroy(): void {
    this.#endedHere = true;
    this.#webSocket.terminate();
  }

  /** A fault of the owner, or of the frame reader, ends only this link. */
  #guarded(act: () => void): void {
    guarded(this.#shared.faults, "websocket", act, () => this.destroy());
  }

  /** Bytes came. They are a sign of life before they are a line. */
  #heard(size: number): void {
    this.#handOnSoon();
    this.#reading.tookChunk(size);
  }

  #arrive(line: Uint8Array): void {
    if (this.#endedHere) return;
    // A frame is one line. If JSON allows a line break there, a space does as well. Elsewhere the line is no JSON with
    // either.
    if (line.includes(NEWLINE)) line = line.map((byte) => byte === NEWLINE ? SPACE : byte);
    this.#arrived.push(line, LINE_END);
    this.#handOnSoon();
  }

  /** When the chunk has been taken apart. */
  #handOnSoon(): void {
    if (this.#willHandOn || this.#handler === undefined) return;
    this.#willHandOn = true;
    queueMicrotask(() => {
      this.#willHandOn = false;
      this.#guarded(() => this.#handOn());
    });
  }

  #handOn(): void {
    // A chunk is read to its end, even if somebody stops reading in between.
    if (!this.#reading.isOn || this.#endedHere) return;
    const bytes = joinBytes(this.#arrived);
    this.#arrived = [];
    this.#handler?.onData(bytes);
    if (!this.#isFinished || !this.#reading.isOn || this.#endedHere || this.#hasToldFinish) return;
    this.#hasToldFinish = true;
    this.#handler?.onFinish();
  }

  /** The other side has sent its close frame. Earlier data is handled first. */
  #finished(): void {
    this.#isFinished = true;
    this.#handOnSoon();
  }

  #tooLong(): void {
    this.#isTooLong = true;
    if (this.#endedHere) return;
    this.#arrived.push(this.#shared.tooLong);
    this.#handOnSoon();
  }

  /** The data is no WebSocket, which `ws` has said to the other side; or it is too long, which the owner says. */
  #failed(): void {
    if (!this.#endedHere) this.#cutAfter(this.#isTooLong ? TOO_LONG_LINGER_MS : FAILED_LINGER_MS);
  }

  #cutAfter(delayMs: number): void {
    this.#linger?.cancel();
    this.#linger = this.#shared.clock.after(delayMs, () => this.#webSocket.terminate());
  }

  #answerPing(data: Uint8Array): void {
    // A client that pings without end and reads nothing gets no more answers than fit.
    if (this.#socket.writableLength <= this.#shared.highWaterBytes) this.#webSocket.pong(data);
  }

  #closed(code: number): void {
    this.#isGone = true;
    this.#linger?.cancel();
    this.#reading.end();
    const handler = this.#handler;
    if (handler === undefined) {
      this.#endCode = code;
      return;
    }
    this.#handler = undefined;
    handler.onEnd(this.#endedHere ? "local" : code === ABNORMAL && !this.#hasFin ? "reset" : "closed");
  }
}

const LINE_END = new Uint8Array([NEWLINE]);

/** A line that is as much too long as any other that is. */
function tooLongLine(maxLineBytes: number): Uint8Array {
  return new Uint8Array(maxLineBytes + 2).fill(SPACE);
}
