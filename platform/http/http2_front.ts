/** Listens for connections of HTTP/2, and hands them on as streams from which what Deno cannot bear was taken out: see `http2_filter.ts`. */

import { createServer, type Server, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { getLogger } from "@logtape/logtape";
import { type FaultGuard, guarded } from "../faults.ts";
import { Http2Filter } from "./http2_filter.ts";
import { HttpCallers } from "./http_callers.ts";

/** A server that listens. */
export interface Http2Front {
  readonly host: string;
  /** The port that it has, also when 0 was asked for. */
  readonly port: number;
  /** Accepts nothing more. */
  close(): void;
  /** Cuts what is still connected. */
  cut(): void;
}

/** What a front is made with. */
export interface Http2FrontOptions {
  readonly faults: FaultGuard;
  /** Connections at once; for one more the oldest has to go. */
  readonly maxCallers: number;
}

const logger = getLogger(["thrum", "grpc"]);

/**
 * Listens at `host`, on `port`, and gives each connection to `take`.
 * @throws {Error} with a `code` such as `EADDRINUSE` when the address cannot be had.
 */
export function listenHttp2(
  { host, port }: { readonly host: string; readonly port: number },
  take: (connection: Duplex) => void,
  { faults, maxCallers }: Http2FrontOptions,
): Promise<Http2Front> {
  const callers = new HttpCallers(maxCallers);
  const open = new Set<Socket>();
  return new Promise((resolve, reject) => {
    const server: Server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      open.add(socket);
      socket.once("close", () => open.delete(socket));
      callers.add(socket);
      guarded(faults, "grpc", () => take(new FilteredSocket(socket, faults)), () => socket.destroy());
    });
    server.once("error", (error: Error & { syscall?: string }) => reject(Object.assign(error, { syscall: "listen" })));
    server.listen({ host, port }, () => {
      server.removeAllListeners("error");
      // What an accept fails with is the next one's business too.
      server.on("error", () => {});
      const address = server.address();
      if (address === null || typeof address === "string") throw new TypeError("Cannot read the address listened on");
      resolve({
        host: address.address,
        port: address.port,
        close: () => void server.close(),
        cut: () => open.forEach((socket) => socket.destroy()),
      });
    });
  });
}

/** A socket of which not everything is heard. To `node:http2` it looks like one. */
class FilteredSocket extends Duplex {
  readonly #socket: Socket;
  readonly #filter = new Http2Filter();
  // Of a socket these are what it is called.
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;

  constructor(socket: Socket, faults: FaultGuard) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.remoteAddress = socket.remoteAddress;
    this.remotePort = socket.remotePort;
    this.localAddress = socket.localAddress;
    this.localPort = socket.localPort;
    const calmly = (act: () => void) => guarded(faults, "grpc", act, () => socket.destroy());
    socket.on("data", (bytes: Uint8Array) => calmly(() => this.#arrived(bytes)));
    socket.on("end", () => calmly(() => void this.push(null)));
    socket.on("close", () => calmly(() => void this.destroy()));
    this.on("error", () => {});
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#socket.destroyed) done();
    else this.#socket.write(bytes, () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  #arrived(received: Uint8Array): void {
    const { bytes, problem } = this.#filter.push(received);
    if (problem !== undefined) {
      logger.debug("a connection is cut: {problem}", { problem });
      this.destroy();
      return;
    }
    let hasRoom = true;
    for (const part of bytes) hasRoom = this.push(part) && hasRoom;
    if (!hasRoom) this.#socket.pause();
  }
}
