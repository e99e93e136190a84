/**
 * A socket as a `Link`. On a port that speaks both, its first byte tells whether it comes by TLS. Then the same link
 * goes on over what TLS makes of the socket. Until the handshake is over, its owner sees a connection that says
 * nothing.
 */

import { Buffer } from "node:buffer";
import { getLogger } from "@logtape/logtape";
import type { Socket } from "node:net";
import { plainAddress } from "../address.ts";
import { type FaultGuard, guarded } from "../faults.ts";
import { TLS_FIRST_BYTE } from "../tls/first_byte.ts";
import type { TlsIntake } from "../tls/tls_intake.ts";
import type { Link, LinkHandler } from "../transport.ts";
import type { SecureChannel } from "../tls/secure_channel.ts";
import { readableOf, ReadSwitch } from "./read_switch.ts";
import { UnsentBytes } from "./unsent_bytes.ts";

/** What a link is made with. */
export interface TcpLinkParts {
  /** As much may wait before `write` says `false`. */
  readonly highWaterBytes: number;
  readonly faults: FaultGuard;
  /** Where it goes when it comes by TLS; absent where nobody may. */
  readonly intake?: TlsIntake | undefined;
  /** How it is protected already. */
  readonly channel?: SecureChannel | undefined;
}

const logger = getLogger(["thrum", "server"]);

/** One socket as a `Link`. Its state is the socket's; only what the socket does not know is kept here. */
export class TcpLink implements Link {
  readonly remoteHost: string;
  readonly remotePort: number;
  channel: SecureChannel | undefined;
  /** What TCP gave. */
  readonly #raw: Socket;
  /** What is read and written: the same, or what TLS made of it. */
  #socket: Socket;
  readonly #highWaterBytes: number;
  readonly #reading: ReadSwitch;
  readonly #faults: FaultGuard;
  readonly #unsent: UnsentBytes;
  /** Until the first byte tells whether it comes by TLS. */
  #intake: TlsIntake | undefined;
  /** A chunk that came when nobody wanted it. */
  #kept: Uint8Array | undefined;
  /** Who is told; nobody before the first is attached, and after the end. */
  #handler: LinkHandler | undefined;
  #endedHere = false;
  #reset = false;
  /** How long what ends it may take; before, how long its handshake may. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isInHandshake = false;

  constructor(socket: Socket, { highWaterBytes, faults, intake, channel }: TcpLinkParts) {
    this.#raw = socket;
    this.#socket = socket;
    this.#unsent = new UnsentBytes(socket);
    this.#faults = faults;
    this.#highWaterBytes = highWaterBytes;
    this.#intake = intake;
    this.channel = channel;
    this.#reading = new ReadSwitch(readableOf(socket), () => this.#takeKept());
    this.remoteHost = plainAddress(socket.remoteAddress ?? "");
    this.remotePort = socket.remotePort ?? 0;
    socket.setNoDelay(true);
    // Without a listener a reset would end the process; "close" follows and tells the owner.
    socket.on("error", () => this.#reset = true);
  }

  get pendingBytes(): number {
    return this.#unsent.count;
  }

  attach(handler: LinkHandler): void {
    const isTakenOver = this.#handler !== undefined;
    this.#handler = handler;
    if (isTakenOver) return;
    this.#hear(this.#socket);
    if (this.#socket.destroyed) queueMicrotask(() => this.#closed());
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    // In the middle of a handshake there is nobody who could read it.
    if (this.#isInHandshake) return true;
    if (socket.destroyed || socket.writableEnded) {
      this.#unsent.refuse(bytes.length);
      return true;
    }
    // "drain" only follows a write that the socket itself calls full.
    return this.#unsent.write(bytes) || socket.writableLength <= this.#highWaterBytes;
  }

  pause(): void {
    this.#reading.pause();
  }

  resume(): void {
    this.#reading.resume();
  }

  keepAlive(idleMs: number): void {
    this.#raw.setKeepAlive(true, idleMs);
  }

  end(lingerMs: number): void {
    if (this.#endedHere) return;
    this.#endedHere = true;
    const socket = this.#socket;
    if (socket.destroyed) return;
    if (this.#isInHandshake) return void socket.destroy();
    // What still comes in is thrown away: closing with unread bytes would reset the connection and lose our last line.
    socket.removeAllListeners("data");
    socket.on("data", (bytes: Uint8Array) => this.#reading.tookChunk(bytes.length));
    this.#kept = undefined;
    this.#reading.throwAway();
    this.#timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.end();
  }

  destroy(): void {
    this.#endedHere = true;
    this.#socket.destroy();
  }

  /** What `socket` does is told to the owner, while it is the one that is read. */
  #hear(socket: Socket): void {
    socket.on("data", (bytes: Uint8Array) => {
      const intake = this.#intake;
      this.#intake = undefined;
      if (intake !== undefined && bytes[0] === TLS_FIRST_BYTE) return this.#shakeHands(intake, bytes);
      try {
        if (this.#reading.isOn) this.#handler?.onData(bytes);
        else this.#kept = bytes.slice();
      } catch (error) {
        this.#faults.caught("tcp", error);
        this.destroy();
      }
      this.#reading.tookChunk(bytes.length);
    });
    const heard = (tell: () => void) => () => {
      if (this.#socket === socket && !this.#isInHandshake) this.#guarded(tell);
    };
    socket.on("end", heard(() => this.#handler?.onFinish()));
    socket.on("drain", heard(() => this.#handler?.onDrain()));
    socket.on("close", () => {
      if (this.#socket === socket) this.#closed();
    });
  }

  /** The owner hears nothing of this, and reads from then on what TLS gives. */
  #shakeHands(intake: TlsIntake, first: Uint8Array): void {
    const raw = this.#raw;
    this.#isInHandshake = true;
    raw.removeAllListeners("data");
    raw.pause();
    raw.unshift(Buffer.from(first));
    this.#timer = setTimeout(() => raw.destroy(), intake.handshakeTimeoutMs);
    intake.take(raw, {
      secured: (socket, channel) => {
        clearTimeout(this.#timer);
        this.#isInHandshake = false;
        this.#socket = socket;
        this.#unsent.moveTo(socket);
        this.channel = channel;
        this.#reading.moveTo(readableOf(socket));
        socket.on("error", () => this.#reset = true);
        this.#hear(socket);
        if (raw.destroyed) socket.destroy();
      },
      failed: (why) => {
        logger.debug("{host}:{port} fails in its TLS handshake: {why}", {
          host: this.remoteHost,
          port: this.remotePort,
          why,
        });
        this.#reset = true;
        // Deno has cut it already as a rule, without an alert.
        raw.destroy();
      },
    });
  }

  #takeKept(): void {
    const bytes = this.#kept;
    this.#kept = undefined;
    if (bytes !== undefined) this.#guarded(() => this.#handler?.onData(bytes));
  }

  /** A fault of the owner ends this link, and nobody else's. */
  #guarded(tell: () => void): void {
    guarded(this.#faults, "tcp", tell, () => this.destroy());
  }

  #closed(): void {
    clearTimeout(this.#timer);
    this.#reading.end();
    const handler = this.#handler;
    this.#handler = undefined;
    this.#guarded(() => handler?.onEnd(this.#endedHere ? "local" : this.#reset ? "reset" : "closed"));
  }
}
