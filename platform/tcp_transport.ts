/**
 * TCP over `node:net`, which costs a tenth of the memory of `Deno.Conn` for an idle connection and takes one buffer for many sockets
 * (figures in docs/architecture.md). The only place that knows sockets.
 */

import { getLogger } from "@logtape/logtape";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate } from "node:timers";
import type { Link, LinkHandler, Listener, Transport } from "./transport.ts";

/**
 * How many connections the operating system may hold for us while we do not accept: as many as it can, since bursts of logins must not be refused.
 * It cuts this down to its own limit. node:net in Deno 2.5 takes it for a limit too, on all the connections that it ever accepts.
 */
const BACKLOG = 2 ** 29;
/** Links at once from which on file descriptors may have run out: no system allows fewer. */
const CROWD = 48;
/** Between two calls to ourselves, how long one may take to be accepted, and between closing and listening again. */
const SELF_CALL_INTERVAL_MS = 5_000;
const SELF_CALL_PATIENCE_MS = 2_000;
const REOPEN_MS = 100;
const logger = getLogger(["thrum", "server"]);

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
    // "drain" only follows a write that the socket itself calls full.
    return socket.write(bytes) || socket.writableLength <= this.#highWaterBytes;
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

async function listen(host: string, port: number, onSocket: (socket: Socket) => void): Promise<Listener> {
  const listener = new TcpListener(onSocket);
  await listener.open(host, port);
  return listener;
}

/**
 * A listening socket that goes on accepting. Deno's `node:net` accepts nothing more, and as a rule says nothing, once an accept has failed because no
 * file descriptor was left. So after a crowd we call ourselves now and then, and listen anew when nobody answers: links that exist are not touched.
 */
class TcpListener implements Listener {
  host = "";
  port = 0;
  readonly #onSocket: (socket: Socket) => void;
  #server: Server | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Links that came and are not gone, and the most of them since the last call to ourselves. */
  #open = 0;
  #mostOpen = 0;
  /** Our end of a call to ourselves, until it was accepted. */
  #ownCall: Socket | undefined;

  constructor(onSocket: (socket: Socket) => void) {
    this.#onSocket = onSocket;
  }

  open(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      // Half open, so that a client that sends half a line and then FIN can still be told what was wrong.
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accepted(socket));
      server.once("error", reject);
      server.listen({ host, port, backlog: BACKLOG }, () => {
        server.off("error", reject);
        server.on("error", () => this.#reopen());
        const address = server.address();
        if (address === null || typeof address === "string") throw new TypeError("Cannot read the address listened on");
        this.host = address.address;
        this.port = address.port;
        this.#server = server;
        this.#timer = setTimeout(() => this.#callOurselves(), SELF_CALL_INTERVAL_MS);
        resolve();
      });
    });
  }

  close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#ownCall?.destroy();
    // It would call back only when the last link is gone too, and its owners see to these. What is meant here is the listening socket.
    this.#server?.close();
    this.#server = undefined;
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accepted(socket: Socket): void {
    const call = this.#ownCall;
    if (call?.connecting) {
      // Whether it is our own call can be told when that knows its port, which is this moment's business.
      setImmediate(() => this.#accepted(socket));
      return;
    }
    if (call !== undefined && socket.remotePort === call.localPort) {
      socket.on("error", () => {});
      socket.destroy();
      this.#ownCall = undefined;
      return;
    }
    this.#mostOpen = Math.max(this.#mostOpen, ++this.#open);
    socket.once("close", () => this.#open--);
    this.#onSocket(socket);
  }

  #callOurselves(): void {
    if (this.#mostOpen < CROWD) {
      this.#timer = setTimeout(() => this.#callOurselves(), SELF_CALL_INTERVAL_MS);
      return;
    }
    const host = this.host === "0.0.0.0" ? "127.0.0.1" : this.host === "::" ? "::1" : this.host;
    const call = this.#ownCall = connect({ host, port: this.port });
    // Without a file descriptor for the call itself there is none to accept with either: the same remedy.
    call.on("error", () => {});
    // A process that stood still meanwhile reads what has arrived before it judges.
    this.#timer = setTimeout(() => setImmediate(() => this.#judge(call)), SELF_CALL_PATIENCE_MS);
  }

  #judge(call: Socket): void {
    call.destroy();
    if (this.#server === undefined) return;
    const wasAccepted = this.#ownCall === undefined;
    this.#ownCall = undefined;
    if (!wasAccepted) return this.#reopen();
    this.#mostOpen = this.#open;
    this.#timer = setTimeout(() => this.#callOurselves(), SELF_CALL_INTERVAL_MS);
  }

  #reopen(): void {
    this.#mostOpen = this.#open;
    logger.warning(
      "nothing is accepted any more with {count} connections, as a rule because no more files may be open (ulimit -n): listening again",
      { count: this.#open },
    );
    clearTimeout(this.#timer);
    this.#server?.close();
    this.#timer = setTimeout(() => this.open(this.host, this.port).catch(() => this.#reopen()), REOPEN_MS);
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
