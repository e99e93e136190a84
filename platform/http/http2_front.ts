/**
 * Listens for connections of HTTP/2, and hands them on as streams from which what Deno cannot bear was taken out:
 * see `http2_filter.ts`.
 */

import { createServer, type Server, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { getLogger } from "@logtape/logtape";
import { type Endpoint, plainAddress } from "../address.ts";
import { type FaultGuard, guarded } from "../faults.ts";
import { Http2Filter } from "./http2_filter.ts";
import type { TlsIntake } from "../tls/tls_intake.ts";
import { HttpCallers } from "./http_callers.ts";
import { type SocketTaker, TlsFront } from "./tls_front.ts";

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
export interface Http2FrontParts {
  readonly faults: FaultGuard;
  /** Connections at once; for one more the oldest has to go. */
  readonly maxCallers: number;
  /**
   * How long the other side may be answered after it has ended, in milliseconds; a request that it broke off never is.
   */
  readonly lastAnswersMs?: number;
  /** With it the port speaks TLS; absent where it does not. */
  readonly tls?: Http2Tls | undefined;
}

/** TLS of a front. */
export interface Http2Tls {
  /** Has to offer `h2`. */
  readonly intake: TlsIntake;
  /** Whether whoever comes from here without TLS is heard. */
  readonly mayBePlain: (remoteHost: string) => boolean;
}

/**
 * Of all connections together so much is passed on in one turn of the event loop. A packet of the smallest frames, each
 * of which may be a whole request, costs 150 ms in one go; a chat needs no more than the megabytes a second that are
 * left.
 */
export const BYTES_PER_TURN = 4_096;

const LAST_ANSWERS_MS = 5_000;

const logger = getLogger(["thrum", "grpc"]);

/** A session of HTTP/2, as far as it is used here. */
interface Http2Session {
  readonly socket?: { once(name: "end", ended: () => void): unknown };
  /** Ends it when what was asked for is answered. */
  close(): void;
}

/**
 * Has the sessions of `server` end when the other side has ended, and what it asked for is answered. With a socket Deno
 * ends them itself; behind a front each client would leave a connection behind, until the oldest has to go, which is
 * somebody who is still there.
 */
export function endWithCallers(
  server: { on(name: "session", took: (session: Http2Session) => void): unknown },
  faults: FaultGuard,
): void {
  const end = (session: Http2Session) => guarded(faults, "grpc", () => session.close(), () => {});
  server.on("session", (session) => void session.socket?.once("end", () => end(session)));
}

/**
 * Listens at `host`, on `port`, and gives each connection to `take`.
 * @throws {Error} with a `code` such as `EADDRINUSE` when the address cannot be had.
 */
export function listenHttp2(
  { host, port }: Endpoint,
  take: (connection: Duplex) => void,
  { faults, maxCallers, lastAnswersMs = LAST_ANSWERS_MS, tls }: Http2FrontParts,
): Promise<Http2Front> {
  const callers = new HttpCallers(maxCallers);
  const open = new Set<Socket>();
  const turns = new Turns();
  return new Promise((resolve, reject) => {
    const given = (socket: Socket) => {
      socket.on("error", () => {});
      open.add(socket);
      socket.once("close", () => open.delete(socket));
      callers.add(socket);
      guarded(
        faults,
        "grpc",
        () => take(new FilteredSocket(socket, turns, faults, lastAnswersMs)),
        () => socket.destroy(),
      );
    };
    const front = tls && new TlsFront({ intake: tls.intake, faults, place: "grpc", callers });
    const taker = tls && takerOf(tls, given);
    const server: Server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      if (front === undefined || taker === undefined) given(socket);
      else front.receive(socket, taker);
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
        cut: () => {
          front?.cut();
          open.forEach((socket) => socket.destroy());
        },
      });
    });
  });
}

/** Whom `given` is told of. */
function takerOf({ mayBePlain }: Http2Tls, given: (socket: Socket) => void): SocketTaker {
  const refuse = (socket: Socket, why: string) => {
    logger.debug("a connection from {host} is cut: {why}", { host: plainAddress(socket.remoteAddress ?? ""), why });
    socket.destroy();
  };
  return {
    plain: (socket) => {
      if (mayBePlain(plainAddress(socket.remoteAddress ?? ""))) given(socket);
      else refuse(socket, "it comes without TLS");
    },
    // Whoever calls by a program can call anew: nobody goes on with what a former certificate has proved.
    secured: (socket, { isResumed }) => isResumed ? refuse(socket, "it resumes a session of TLS") : given(socket),
  };
}

/** A socket of which not everything is heard. To `node:http2` it looks like one. */
class FilteredSocket extends Duplex {
  readonly #socket: Socket;
  readonly #filter = new Http2Filter();
  /** What is to be passed on in later turns, a slice in each. It is not read any further meanwhile. */
  readonly #waiting: Uint8Array[] = [];
  readonly #turns: Turns;
  /** It has a turn to come. */
  #isQueued = false;
  #end: ReturnType<typeof setTimeout> | undefined;
  #hasRoom = true;
  /** The other side has said all that it will. */
  #hasFinished = false;
  // Of a socket these are what it is called.
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  /** Cuts the connection when what it runs throws. */
  readonly #calmly: (act: () => void) => void;
  readonly #lastAnswersMs: number;

  constructor(socket: Socket, turns: Turns, faults: FaultGuard, lastAnswersMs: number) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#turns = turns;
    this.#lastAnswersMs = lastAnswersMs;
    this.remoteAddress = socket.remoteAddress;
    this.remotePort = socket.remotePort;
    this.localAddress = socket.localAddress;
    this.localPort = socket.localPort;
    const calmly = (act: () => void) => guarded(faults, "grpc", act, () => socket.destroy());
    socket.on("data", (bytes: Uint8Array) => calmly(() => this.#arrived(bytes)));
    socket.on("end", () => calmly(() => this.#finished()));
    socket.on("close", () => calmly(() => void this.destroy()));
    this.on("error", () => {});
    this.#calmly = calmly;
  }

  override _read(): void {
    this.#hasRoom = true;
    this.#goOn();
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
    this.#turns.forget(this.#takeTurn);
    clearTimeout(this.#end);
    this.#waiting.length = 0;
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
    this.#waiting.push(...slicesOf(bytes));
    this.#goOn();
  }

  #finished(): void {
    this.#hasFinished = true;
    this.#goOn();
  }

  /** Who answers ends it in time, or it is cut. */
  #passEndOn(): void {
    if (this.destroyed) return;
    this.#end ??= setTimeout(() => this.#calmly(() => void this.destroy()), this.#lastAnswersMs);
    this.push(null);
  }

  /** Passes a slice on if the turn has room for it and there is room; nothing more is read while something waits. */
  #goOn(): void {
    if (this.#waiting.length === 0) {
      if (this.#hasFinished) this.#passEndOn();
      else if (this.#hasRoom) this.#socket.resume();
      return;
    }
    if (this.#isQueued || !this.#hasRoom) return void this.#socket.pause();
    if (this.#turns.hasRoom) return this.#pass();
    this.#queue();
    this.#socket.pause();
  }

  #queue(): void {
    this.#isQueued = true;
    this.#turns.later(this.#takeTurn);
  }

  readonly #takeTurn = (): void => {
    this.#isQueued = false;
    this.#calmly(() => this.#waiting.length > 0 && this.#hasRoom ? this.#pass() : this.#goOn());
  };

  #pass(): void {
    const slice = this.#waiting.shift()!;
    this.#turns.passed(slice.length);
    this.#queue();
    this.#hasRoom = false;
    // Somebody may ask for more while it is passed on.
    if (this.push(slice)) this.#hasRoom = true;
    if (this.#waiting.length > 0 || !this.#hasRoom) this.#socket.pause();
  }
}

/** Whose slice is passed on when: the connections of one front share each turn of the event loop. */
class Turns {
  #leftBytes = BYTES_PER_TURN;
  /** Who waited longest is first. */
  readonly #waiting = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Whether somebody may pass on a slice in this turn. */
  get hasRoom(): boolean {
    return this.#leftBytes > 0;
  }

  /** A slice was passed on in this turn. Who did so asks for a later turn. */
  passed(bytes: number): void {
    this.#leftBytes -= bytes;
  }

  /** Calls `takeTurn` in a later turn, after those who have waited longer. */
  later(takeTurn: () => void): void {
    this.#waiting.add(takeTurn);
    // By a timer, so that everybody else is read in between.
    this.#timer ??= setTimeout(() => this.#next(), 0);
  }

  /** It waits no longer. */
  forget(takeTurn: () => void): void {
    this.#waiting.delete(takeTurn);
    if (this.#waiting.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#leftBytes = BYTES_PER_TURN;
  }

  #next(): void {
    this.#timer = undefined;
    this.#leftBytes = BYTES_PER_TURN;
    for (const takeTurn of [...this.#waiting]) {
      if (!this.hasRoom) break;
      // Another one's turn may have ended it.
      if (this.#waiting.delete(takeTurn)) takeTurn();
    }
    if (this.#waiting.size > 0) this.#timer ??= setTimeout(() => this.#next(), 0);
  }
}

/** All of it, in slices for one turn each. */
function slicesOf(parts: readonly Uint8Array[]): Uint8Array[] {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  const count = Math.ceil(whole.length / BYTES_PER_TURN);
  return Array.from({ length: count }, (_, n) => whole.subarray(n * BYTES_PER_TURN, (n + 1) * BYTES_PER_TURN));
}
