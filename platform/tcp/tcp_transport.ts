/**
 * TCP over `node:net`, which costs a tenth of the memory of `Deno.Conn` for an idle connection and takes one buffer for
 * many sockets (figures in docs/architecture.md). The only place that knows sockets.
 */

import { getLogger } from "@logtape/logtape";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate } from "node:timers";
import { plainAddress } from "../address.ts";
import { type FaultGuard, guarded, UNGUARDED } from "../faults.ts";
import { realClock } from "../real_clock.ts";
import type { TlsCaller } from "../tls/tls_caller.ts";
import type { SecureChannel } from "../tls/secure_channel.ts";
import type { TlsIntake } from "../tls/tls_intake.ts";
import type { Link, Listener, Transport } from "../transport.ts";
import { TcpLink } from "./tcp_link.ts";

/**
 * How many connections the operating system may hold for us while we do not accept: as many as it can, since bursts of
 * logins must not be refused. It cuts this down to its own limit. node:net in Deno 2.5 takes it for a limit too, on all
 * the connections that it ever accepts.
 */
const BACKLOG = 2 ** 29;
/** Links at once from which on file descriptors may have run out: no system allows fewer. */
const CROWD = 48;
/** Between two calls to ourselves, how long one may take to be accepted, and between closing and listening again. */
const SELF_CALL_INTERVAL_MS = 5_000;
const SELF_CALL_PATIENCE_MS = 2_000;
const REOPEN_MS = 100;
/**
 * So often in a row nothing is accepted before the listener is taken for broken. Spans in which this process was busy
 * count for less, but count.
 */
const QUIET_SPANS = 2;
const BUSY_SPANS = 6;
/** A timer that is later than this was kept waiting by something else. */
const BUSY_MS = 200;
/** Between two words about the same. */
const TELL_MS = 10_000;
const logger = getLogger(["thrum", "server"]);

/** What a transport is made with besides. */
export interface TcpParts {
  /** Told what the owners of links throw, which ends their links. Without it that is thrown on. */
  readonly faults?: FaultGuard;
  /**
   * Sockets at once, of both kinds. One more that is accepted is closed at once; one more that is
   * optional is not dialled.
   */
  readonly maxSockets?: number;
  /** Connections that come by TLS are taken so. Without it they are bytes like any other. */
  readonly intake?: TlsIntake;
  /** Others are called by TLS. */
  readonly caller?: TlsCaller;
  /** For tests: how often a listener sees to it that it still accepts. */
  readonly selfCallIntervalMs?: number;
}

/** Makes a transport whose links have `highWaterBytes` waiting at most before `write` says `false`. */
export function tcpTransport(
  highWaterBytes: number,
  { faults = UNGUARDED, maxSockets = Infinity, intake, caller, selfCallIntervalMs = SELF_CALL_INTERVAL_MS }: TcpParts =
    {},
): Transport {
  const room = new SocketRoom(maxSockets);
  return {
    async listen({ host, port, isTls = false }, onLink) {
      const serve = (socket: Socket, channel?: SecureChannel) => {
        const how = channel === undefined && intake?.takesAnyPort ? { intake } : { channel };
        const begin = () => onLink(new TcpLink(socket, { highWaterBytes, faults, ...how }));
        guarded(faults, "tcp", begin, () => socket.destroy());
      };
      if (isTls && intake !== undefined && !intake.takesAnyPort) {
        return await intake.listen({ host, port }, (socket, channel) => {
          if (room.isFull) return void socket.destroy();
          room.add(socket);
          serve(socket, channel);
        });
      }
      const listener = new TcpListener(serve, room, selfCallIntervalMs);
      await listener.open(host, port);
      return listener;
    },
    dial(options) {
      if (options.isOptional && room.isFull) {
        const failure = new Error(`Cannot connect to ${options.host}:${options.port}: no file to spare for it`);
        return Promise.reject(Object.assign(failure, { code: "EMFILE" }));
      }
      const channelOf = (socket: Socket) => options.isPlain ? undefined : caller?.channelOf(socket);
      return dial(options, options.isPlain ? undefined : caller, (socket) => {
        room.add(socket);
        return new TcpLink(socket, { highWaterBytes, faults, channel: channelOf(socket) });
      });
    },
  };
}

/** The sockets that are open, as far as they count. */
class SocketRoom {
  readonly #most: number;
  #open = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get isFull(): boolean {
    return this.#open >= this.#most;
  }

  add(socket: Socket): void {
    this.#open++;
    // A socket closes once. `once` and a function for each socket would take 200 bytes of every idle connection.
    socket.on("close", this.#left);
  }

  readonly #left = (): void => void this.#open--;
}

/**
 * A listening socket that goes on accepting. Deno's `node:net` accepts nothing more, and as a rule says nothing, once
 * an accept has failed because no file descriptor was left. So after a crowd we call ourselves now and then, and listen
 * anew when nobody answers: links that exist are not touched.
 */
class TcpListener implements Listener {
  host = "";
  port = 0;
  readonly #onSocket: (socket: Socket) => void;
  readonly #room: SocketRoom;
  readonly #selfCallIntervalMs: number;
  /** When it was told last that somebody was refused. */
  #toldAt = -Infinity;
  #server: Server | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Links that came and are not gone, and the most of them since the last call to ourselves. */
  #open = 0;
  #mostOpen = 0;
  /** Counts what was accepted, calls to ourselves included. */
  #accepts = 0;
  /** Our end of a call to ourselves, until it was accepted. */
  #ownCall: Socket | undefined;
  /** What came while that call had no port yet: it may be its other end. */
  #undecided: Socket[] = [];
  #isClosed = false;

  constructor(onSocket: (socket: Socket) => void, room: SocketRoom, selfCallIntervalMs: number) {
    this.#onSocket = onSocket;
    this.#room = room;
    this.#selfCallIntervalMs = selfCallIntervalMs;
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
        if (this.#isClosed) server.close();
        else this.#callLater();
        resolve();
      });
    });
  }

  close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#ownCall?.destroy();
    // It would call back only when the last link is gone too, and its owners see to these. What is meant here is
    // the listening socket.
    this.#server?.close();
    this.#isClosed = true;
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #accepted(socket: Socket): void {
    this.#accepts++;
    const call = this.#ownCall;
    if (call?.connecting) {
      // Nobody else hears of a reset meanwhile, and one that nobody hears of would end the process.
      socket.on("error", () => {});
      this.#undecided.push(socket);
      return;
    }
    if (socket.destroyed) return;
    if (call !== undefined && isOtherEnd(socket, call)) {
      socket.on("error", () => {});
      socket.destroy();
      call.destroy();
      this.#ownCall = undefined;
      clearTimeout(this.#timer);
      this.#mostOpen = this.#open;
      this.#callLater();
      return;
    }
    if (this.#room.isFull) return this.#refuse(socket);
    this.#room.add(socket);
    this.#mostOpen = Math.max(this.#mostOpen, ++this.#open);
    // As in `SocketRoom`.
    socket.on("close", this.#left);
    this.#onSocket(socket);
  }

  readonly #left = (): void => void this.#open--;

  /** Before there is no file left for the store. */
  #refuse(socket: Socket): void {
    socket.on("error", () => {});
    socket.destroy();
    // Many at once are accepted before the first of them is closed: then accepting may have failed.
    this.#mostOpen = Math.max(this.#mostOpen, CROWD);
    if (performance.now() - this.#toldAt < TELL_MS) return;
    this.#toldAt = performance.now();
    logger.warning("refusing connections: the limit of open files is reached (ulimit -n); open: {count}", {
      count: this.#open,
    });
  }

  #callLater(): void {
    this.#timer = setTimeout(() => this.#callOurselves(), this.#selfCallIntervalMs);
  }

  #callOurselves(): void {
    if (this.#mostOpen < CROWD) return this.#callLater();
    const host = this.host === "0.0.0.0" ? "127.0.0.1" : this.host === "::" ? "::1" : this.host;
    const call = this.#ownCall = connect({ host, port: this.port });
    // Without a file descriptor for the call itself there is none to accept with either: the same remedy.
    call.on("error", () => {});
    const decide = () => {
      for (const socket of this.#undecided.splice(0)) this.#accepted(socket);
    };
    call.once("connect", decide);
    call.once("close", decide);
    this.#judgeLater(call);
  }

  /** `doubt` becomes 1 when nothing is accepted for long enough. */
  #judgeLater(call: Socket, doubt = 0): void {
    const before = this.#accepts;
    const dueAt = performance.now() + SELF_CALL_PATIENCE_MS;
    this.#timer = setTimeout(() => {
      const wasBusy = performance.now() - dueAt > BUSY_MS;
      // A process that stood still meanwhile reads what has arrived before it judges.
      setImmediate(() => this.#judge(call, before, doubt + 1 / (wasBusy ? BUSY_SPANS : QUIET_SPANS)));
    }, SELF_CALL_PATIENCE_MS);
  }

  #judge(call: Socket, acceptsBefore: number, doubt: number): void {
    // It was accepted after all, or nothing has to be any more.
    if (this.#ownCall !== call || this.#isClosed) return;
    // Others were: ours is behind them. To listen anew would break off the calls of all who wait to be accepted.
    if (this.#accepts > acceptsBefore) return this.#judgeLater(call);
    if (doubt < 1) return this.#judgeLater(call, doubt);
    call.destroy();
    this.#ownCall = undefined;
    this.#reopen();
  }

  #reopen(): void {
    if (this.#isClosed) return;
    this.#mostOpen = this.#open;
    logger.warning(
      "the system accepts no more connections (open: {count}), usually because of the limit of open files (ulimit -n). Listening again",
      { count: this.#open },
    );
    clearTimeout(this.#timer);
    this.#server?.close();
    this.#timer = setTimeout(() => this.open(this.host, this.port).catch(() => this.#reopen()), REOPEN_MS);
  }
}

function dial(
  { host, port, timeoutMs, signal, isBackground = false }: Parameters<Transport["dial"]>[0],
  caller: TlsCaller | undefined,
  toLink: (socket: Socket) => Link,
): Promise<Link> {
  return new Promise((resolve, reject) => {
    const socket = caller?.connect({ host, port }) ?? connect({ host, port, allowHalfOpen: true });
    const timer = realClock.after(timeoutMs, () => fail(failure("ETIMEDOUT", `no answer within ${timeoutMs} ms`)));
    if (isBackground) {
      socket.unref();
      timer.unref?.();
    }
    const onAbort = () => fail(failure("ABORT_ERR", "it was given up"));
    signal?.addEventListener("abort", onAbort, { once: true });
    const onError = (error: Error) => fail(caller?.told(error, { host, port }) ?? error);
    socket.once("error", onError);
    socket.once(caller === undefined ? "connect" : "secureConnect", () => {
      const problem = caller?.problemOf(socket);
      if (problem !== undefined) return fail(problem);
      settle();
      if (isBackground) socket.ref();
      resolve(toLink(socket));
    });
    // By TLS it may be closed without an error.
    const onClose = () => fail(failure("ECONNRESET", "it was closed"));
    socket.once("close", onClose);
    if (signal?.aborted) onAbort();

    function settle(): void {
      timer.cancel();
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", onError);
      socket.off("close", onClose);
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

/** Whether `accepted` is the other end of `call`. */
function isOtherEnd(accepted: Socket, call: Socket): boolean {
  return accepted.remotePort === call.localPort &&
    plainAddress(accepted.remoteAddress ?? "") === plainAddress(call.localAddress ?? "");
}
