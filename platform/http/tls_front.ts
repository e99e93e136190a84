/**
 * Stands before a server of `node:http` or `node:http2` on a port that speaks both: the first byte tells whether a
 * connection comes by TLS. What the server is given is a socket like any other. `platform/tls/tls_intake.ts`
 * has TLS itself.
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { getLogger } from "@logtape/logtape";
import { plainAddress } from "../address.ts";
import { type FaultGuard, type FaultPlace, guarded } from "../faults.ts";
import { TLS_FIRST_BYTE } from "../tls/first_byte.ts";
import type { TlsIntake } from "../tls/tls_intake.ts";
import type { SecureChannel } from "../tls/secure_channel.ts";
import type { HttpCallers } from "./http_callers.ts";

/** Whom sockets are given to. What it throws ends the socket. */
export interface SocketTaker {
  /** Its first bytes are read again. */
  plain(socket: Socket): void;
  /** Hands were shaken. `socket` is what TLS made of the one that came. */
  secured(socket: Socket, channel: SecureChannel): void;
}

/** What a front is made with. */
export interface TlsFrontParts {
  readonly intake: TlsIntake;
  readonly faults: FaultGuard;
  /** Where faults of the taker are said to be. */
  readonly place: FaultPlace;
  /** Counts the sockets until they are given away. */
  readonly callers: HttpCallers;
}

/** What a server of `node:http` is here: it has one listener of `connection`, which reads requests. */
interface SocketServer {
  listeners(name: "connection"): readonly unknown[];
  removeAllListeners(name: "connection"): unknown;
  on(name: "connection", took: (socket: Socket) => void): unknown;
}

const logger = getLogger(["thrum", "tls"]);

/** Stands before one server. */
export class TlsFront {
  readonly #parts: TlsFrontParts;
  /** Sockets that were given to nobody yet. */
  readonly #waiting = new Set<Socket>();

  constructor(parts: TlsFrontParts) {
    this.#parts = parts;
  }

  /**
   * Takes the place of all that listens for connections of `server`. `mayCome` says whether one that shook hands is
   * given to them. The server still listens itself: with Deno it ends connections after one answer if it does not.
   */
  standBefore(server: SocketServer, mayCome: (channel: SecureChannel) => boolean): void {
    const listeners = server.listeners("connection") as ((socket: Socket) => void)[];
    server.removeAllListeners("connection");
    const give = (socket: Socket) => listeners.forEach((listener) => listener.call(server, socket));
    const secured = (socket: Socket, channel: SecureChannel) => mayCome(channel) ? give(socket) : void socket.destroy();
    server.on("connection", (socket) => this.receive(socket, { plain: give, secured }));
  }

  /** Gives `socket` to `taker`, as soon as it is known what it is. */
  receive(socket: Socket, taker: SocketTaker): void {
    const { intake, faults, place, callers } = this.#parts;
    const cut = () => void socket.destroy();
    const timer = setTimeout(cut, intake.handshakeTimeoutMs);
    const forget = () => {
      clearTimeout(timer);
      socket.off("end", cut);
      this.#waiting.delete(socket);
    };
    const give = (act: () => void) => {
      forget();
      // Its owner counts what it is given.
      callers.release(socket);
      guarded(faults, place, act, cut);
    };
    this.#waiting.add(socket);
    callers.add(socket);
    // A reset that nobody hears of would end the process.
    socket.on("error", () => {});
    socket.once("close", forget);
    socket.once("end", cut);
    socket.once("data", (first: Uint8Array) => {
      socket.pause();
      // The socket reads into the same memory again.
      socket.unshift(Buffer.from(first));
      if (first[0] !== TLS_FIRST_BYTE) {
        give(() => taker.plain(socket));
        // Whoever took it listens by now.
        return queueMicrotask(() => socket.resume());
      }
      const owner = {
        secured: (secure: Socket, channel: SecureChannel) => {
          secure.on("error", () => {});
          give(() => taker.secured(secure, channel));
        },
        failed: (why: string) => {
          const { remoteAddress = "", remotePort } = socket;
          const from = { host: plainAddress(remoteAddress), port: remotePort };
          logger.debug("{host}:{port} fails in its TLS handshake: {why}", { ...from, why });
          cut();
        },
      };
      guarded(faults, place, () => intake.take(socket, owner), cut);
    });
  }

  /** Cuts whoever has said nothing yet, or is in a handshake. */
  cut(): void {
    for (const socket of this.#waiting) socket.destroy();
  }
}
