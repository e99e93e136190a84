/**
 * TCP over `node:net`, which costs a tenth of the memory of `Deno.Conn` for an idle connection and takes one buffer for many sockets
 * (figures in docs/architecture.md). The only place that knows sockets.
 */

import { connect, createServer, type Server, type Socket } from "node:net";
import type { Link, LinkHandler, Listener, Transport } from "./transport.ts";

/** How many connections the operating system may hold for us while we do not accept: bursts of logins must not be refused. */
const BACKLOG = 4096;

/** Makes a transport whose links have `highWaterBytes` waiting at most before `write` says `false`. */
export function tcpTransport(highWaterBytes: number): Transport {
  return {
    listen({ host, port }, onLink) {
      return listen(host, port, (socket) => onLink(new TcpLink(socket, highWaterBytes)));
    },
    dial({ host, port, timeoutMs, signal }) {
      return dial(host, port, timeoutMs, signal, highWaterBytes);
    },
  };
}

/** One socket as a `Link`. Its state is the socket's; only what the socket does not know is kept here. */
class TcpLink implements Link {
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly #socket: Socket;
  readonly #highWaterBytes: number;
  #handler: LinkHandler | undefined;
  #endedHere = false;
  #reset = false;
  #linger: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: Socket, highWaterBytes: number) {
    this.#socket = socket;
    this.#highWaterBytes = highWaterBytes;
    this.remoteHost = plainAddress(socket.remoteAddress ?? "");
    this.remotePort = socket.remotePort ?? 0;
    socket.setNoDelay(true);
    // Without a listener a reset would end the process; "close" follows and tells the owner.
    socket.on("error", () => this.#reset = true);
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  attach(handler: LinkHandler): void {
    this.#handler = handler;
    const socket = this.#socket;
    socket.on("data", (bytes: Uint8Array) => handler.onData(bytes));
    socket.on("end", () => handler.onFinish());
    socket.on("drain", () => handler.onDrain());
    socket.on("close", () => this.#closed());
    if (socket.destroyed) queueMicrotask(() => this.#closed());
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return true;
    socket.write(bytes);
    return socket.writableLength <= this.#highWaterBytes;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  keepAlive(idleMs: number): void {
    this.#socket.setKeepAlive(true, idleMs);
  }

  end(lingerMs: number): void {
    if (this.#endedHere) return;
    this.#endedHere = true;
    const socket = this.#socket;
    if (socket.destroyed) return;
    // What still comes in is thrown away: closing with unread bytes would reset the connection and lose our last line.
    socket.removeAllListeners("data");
    socket.on("data", () => {});
    socket.resume();
    this.#linger = setTimeout(() => socket.destroy(), lingerMs);
    socket.end();
  }

  destroy(): void {
    this.#endedHere = true;
    this.#socket.destroy();
  }

  #closed(): void {
    clearTimeout(this.#linger);
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.onEnd(this.#endedHere ? "local" : this.#reset ? "reset" : "closed");
  }
}

function listen(host: string, port: number, onSocket: (socket: Socket) => void): Promise<Listener> {
  return new Promise((resolve, reject) => {
    // Half open, so that a client that sends half a line and then FIN can still be told what was wrong.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, onSocket);
    server.once("error", reject);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off("error", reject);
      // An accept that fails (no file descriptor left, a connection already gone) concerns nobody else: go on listening.
      server.on("error", () => {});
      resolve(new TcpListener(server));
    });
  });
}

class TcpListener implements Listener {
  readonly host: string;
  readonly port: number;
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    const address = server.address();
    if (address === null || typeof address === "string") throw new TypeError("Cannot read the address listened on");
    this.host = address.address;
    this.port = address.port;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      // Calls back when the last link is gone too; its owners see to these. What is meant here is the listening socket.
      this.#server.close();
      resolve();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function dial(
  host: string,
  port: number,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  highWaterBytes: number,
): Promise<Link> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    const timer = setTimeout(
      () => fail(failure("ETIMEDOUT", `no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const onAbort = () => fail(failure("ABORT_ERR", "it was given up"));
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.once("error", fail);
    socket.once("connect", () => {
      settle();
      resolve(new TcpLink(socket, highWaterBytes));
    });
    if (signal?.aborted) onAbort();

    function settle(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", fail);
    }
    function fail(error: Error): void {
      settle();
      // A second error may come while it is torn down; there is nobody left to hear it.
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    }
  });

  function failure(code: string, why: string): Error {
    return Object.assign(new Error(`Cannot connect to ${host}:${port}: ${why}`), { code });
  }
}

/** An IPv4 address that came in on an IPv6 socket, as people write it. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}
