/**
 * An HTTP/1.1 server over `node:http`: requests as data, answers whole or as a stream, and connections that become
 * something else. Others decide who may ask for what. Deno 2.9 handles slow and oversized headers by itself. Deno 2.5
 * knows neither who has upgraded nor how much of a stream waits.
 */

import type { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Endpoint, plainAddress } from "../address.ts";
import { type FaultGuard, guarded, UNGUARDED } from "../faults.ts";
import type { TlsIntake } from "../tls/tls_intake.ts";
import { HttpCallers } from "./http_callers.ts";
import { SlowCallers } from "./slow_callers.ts";
import { TlsFront } from "./tls_front.ts";

/** A request without its body. */
export interface HttpRequest {
  readonly method: string;
  /** What stood behind the method: a path, perhaps with a query. */
  readonly target: string;
  /**
   * By names in lower case. What came several times is joined with commas, or is the first one where only one makes
   * sense; not so the host.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** The other side's address; empty where it is not known. */
  readonly remoteHost: string;
  readonly remotePort: number;
  /** Whether it came by TLS, which ends in this program. */
  readonly isSecure: boolean;
}

/** An answer that is known whole. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Not sent when only the headers were asked for (`HEAD`). */
  readonly body: string | Uint8Array;
}

/** An answer that goes on. */
export interface HttpStream {
  /** Sends `bytes`. `false` when more waits than should: `drained` is told when to go on. Deno 2.5 never says so. */
  write(bytes: Uint8Array): boolean;
  /** Ends the answer; cuts after `lingerMs` if the other side does not take what waits. */
  end(lingerMs: number): void;
  /** Cuts it at once. */
  cut(): void;
}

/** What a stream tells its owner. */
export interface HttpStreamHandler {
  /** All that was written has left this process. */
  drained(): void;
  /** It is over, whoever ended it. Called once; nothing is called after it. */
  closed(): void;
}

/** A request that has to be answered, once. */
export interface HttpExchange {
  readonly request: HttpRequest;
  /**
   * The body as text: `"too large"` beyond `maxBytes`, `"lost"` when it did not come within ten seconds, or not
   * whole, or is not UTF-8.
   */
  body(maxBytes: number): Promise<HttpBody>;
  reply(reply: HttpReply): void;
  /** Cuts the connection, whatever was answered so far. */
  cut(): void;
  stream(headers: Readonly<Record<string, string>>, handler: HttpStreamHandler): HttpStream;
}

/** What became of a request's body. */
export type HttpBody = { readonly text: string } | "too large" | "lost";

/** A connection that is to become something else; what `ws` wants to be given, and where its bytes go. */
export interface HttpUpgrade {
  readonly request: HttpRequest;
  readonly raw: { readonly request: IncomingMessage; readonly socket: UpgradedSocket; readonly head: Buffer };
  /**
   * Answers with `reply` and ends the connection. Absent in Deno 2.5, which lets nothing through but an upgrade: there
   * it has to be made, and ended.
   */
  readonly refuse?: (reply: HttpReply) => void;
}

/** The socket below an upgraded connection. */
export type UpgradedSocket = Socket;

/** Who answers. */
export interface HttpHandler {
  request(exchange: HttpExchange): void;
  upgrade(upgrade: HttpUpgrade): void;
}

/** A server that listens. */
export interface HttpListener {
  readonly host: string;
  /** The port that it has, also when 0 was asked for. */
  readonly port: number;
  /** Requests that were parsed so far, whether they were answered or not. */
  readonly parsed: number;
  /**
   * Accepts nothing more, and soon cuts what is still being answered. Upgraded connections are their owners' to end.
   */
  close(): Promise<void>;
}

/** What callers may cost. */
export interface HttpLimits {
  /** Connections at once, without streams and what was upgraded. Deno 2.5 does not tell of connections. */
  readonly maxCallers: number;
  /** How long a whole answer may take to be taken. Deno 2.5 does not say when it is. */
  readonly takeMs: number;
  /**
   * How long the headers of a request may take to come, from the first byte to the last: whoever sends one byte after
   * the other is no sooner done. Not with Deno 2.5.
   */
  readonly requestMs: number;
}

/** As many as the operating system lets wait to be accepted, as a rule: all of them may come at once, and mean it. */
const LIMITS: HttpLimits = { maxCallers: 4_096, takeMs: 30_000, requestMs: 10_000 };
/**
 * Requests that may come on one connection before the first of them is answered. A packet has room for 1,500, which
 * would all be answered in one turn; no browser and no proxy sends any.
 */
const MAX_UNANSWERED = 16;
/** All headers of a request. Deno 2.9 holds to it by itself. */
export const MAX_HEADER_BYTES = 16_384;
/** How long a body may take to come. */
const REQUEST_MS = 10_000;
/** How long answers that are under way may take when the server closes. */
const CLOSE_MS = 500;

/** TLS of a server. */
export interface HttpTls {
  /** Takes what comes by TLS; the port speaks both. */
  readonly intake: TlsIntake;
  /** Whether callers have shown a certificate. What a session of before has shown does not count. */
  readonly clientAuth: boolean;
}

/** What a server is made with, beside whom it asks. */
export type HttpParts = Partial<HttpLimits> & { readonly faults?: FaultGuard; readonly tls?: HttpTls | undefined };

/**
 * Listens at `host`, on `port`.
 * @throws {Error} with a `code` such as `EADDRINUSE` when the address cannot be had.
 */
export function listenHttp(
  { host, port }: Endpoint,
  handler: HttpHandler,
  { maxCallers, takeMs, requestMs, faults = UNGUARDED, tls }: HttpParts = {},
): Promise<HttpListener> {
  const unanswered = new Unanswered();
  const callers = new HttpCallers(maxCallers ?? LIMITS.maxCallers);
  const slow = new SlowCallers(requestMs ?? LIMITS.requestMs);
  let parsed = 0;
  const shared = { callers, takeMs: takeMs ?? LIMITS.takeMs, faults };
  return new Promise((resolve, reject) => {
    const limits = { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS };
    const asked = (request: IncomingMessage, response: ServerResponse) => {
      parsed++;
      if (!unanswered.takes(request.socket, response)) return void request.socket.destroy();
      slow.asked(request.socket, response);
      const answer = () => handler.request(new Exchange(request, response, shared));
      guarded(faults, "http", answer, () => response.destroy());
    };
    const server = createServer(limits, asked);
    server.on("connection", (socket: Socket) => {
      callers.add(socket);
      slow.wait(socket);
      stopParsingWhenCut(socket);
    });
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // Nobody else hears of a reset before the connection has an owner, and one that nobody hears of
      // would end the process.
      socket.on("error", () => {});
      callers.release(socket as Socket);
      slow.release(socket as Socket);
      // With it Deno 2.5 writes two buffers at once, and when the other side has gone meanwhile, that rejects where
      // nobody can catch it.
      Object.assign(socket, { _writev: null });
      const take = () =>
        handler.upgrade({
          request: requestOf(request, socket as Socket),
          raw: { request, socket: socket as Socket, head },
          // Only Deno 2.5 does not know who it is.
          ...((socket as Socket).remoteAddress === undefined ? {} : { refuse: (reply) => refuse(socket, reply) }),
        });
      guarded(faults, "http", take, () => socket.destroy());
    });
    const front = tls && new TlsFront({ intake: tls.intake, faults, place: "http", callers });
    // Nobody has looked at the certificate of a session that goes on. Without one it may: browsers do not ask anew.
    front?.standBefore(server, ({ isResumed }) => !(tls!.clientAuth && isResumed));
    const failed = (error: Error) => reject(listenError(error));
    server.once("error", failed);
    server.listen({ host, port }, () => {
      server.off("error", failed);
      // What an accept fails with is the next one's business too.
      server.on("error", () => {});
      const address = server.address();
      if (address === null || typeof address === "string") throw new TypeError("Cannot read the address listened on");
      resolve({
        host: address.address,
        port: address.port,
        get parsed() {
          return parsed;
        },
        close: () => closeServer(server, front),
      });
    });
  });
}

/** What a parser is told when a request turns into another protocol: none of the bytes behind it is parsed. */
const NOTHING_FOLLOWS = 2;

/**
 * The parser takes all that has come in one go, also of a connection that was cut at its beginning. Node has no other
 * way to stop it from within. Deno 2.5 has no such parser: it reads a request when the one before was answered.
 */
function stopParsingWhenCut(socket: Socket): void {
  const { parser } = socket as { readonly parser?: { onIncoming?: unknown } };
  const parsed = parser?.onIncoming;
  if (parser === undefined || typeof parsed !== "function") return;
  parser.onIncoming = (...request: unknown[]) => {
    const told = parsed(...request);
    return socket.destroyed ? NOTHING_FOLLOWS : told;
  };
}

/** Requests of each connection that were not answered yet. */
class Unanswered {
  readonly #counts = new WeakMap<object, number>();

  /** Counts one more on `socket`, which `response` answers; `false` when it is too much. */
  takes(socket: Socket, response: ServerResponse): boolean {
    // Deno 2.5, which neither knows the caller nor says when an answer is out.
    if (socket.remoteAddress === undefined) return true;
    const count = (this.#counts.get(socket) ?? 0) + 1;
    this.#counts.set(socket, count);
    response.once("close", () => this.#counts.set(socket, (this.#counts.get(socket) ?? 1) - 1));
    return count <= MAX_UNANSWERED;
  }
}

/** What all exchanges of a server have in common. */
interface ExchangeParts {
  readonly callers: HttpCallers;
  readonly takeMs: number;
  readonly faults: FaultGuard;
}

class Exchange implements HttpExchange {
  readonly request: HttpRequest;
  readonly #incoming: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #shared: ExchangeParts;

  constructor(incoming: IncomingMessage, response: ServerResponse, shared: ExchangeParts) {
    this.#incoming = incoming;
    this.#response = response;
    this.#shared = shared;
    this.request = requestOf(incoming, incoming.socket);
    // The other side may go at any time, and is owed nothing then.
    incoming.on("error", () => {});
    response.on("error", () => {});
  }

  body(maxBytes: number): Promise<HttpBody> {
    const incoming = this.#incoming;
    return new Promise((resolve) => {
      const chunks: Uint8Array[] = [];
      let size = 0;
      const timer = setTimeout(() => done("lost"), REQUEST_MS);
      incoming.on("data", (chunk: Uint8Array) => {
        size += chunk.length;
        if (size > maxBytes) done("too large");
        else chunks.push(chunk);
      });
      incoming.once("end", () => done(textOf(chunks)));
      incoming.once("close", () => done("lost"));
      incoming.once("error", () => done("lost"));

      function done(body: HttpBody): void {
        clearTimeout(timer);
        incoming.removeAllListeners("data");
        // The rest is thrown away: with bytes that nobody reads the answer would not be seen.
        incoming.resume();
        resolve(body);
      }
    });
  }

  reply({ status, headers, body }: HttpReply): void {
    const response = this.#response;
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const hasBody = status !== 204 && status !== 304;
    this.#cutUntaken();
    response.writeHead(status, { ...headers, ...(hasBody ? { "content-length": String(bytes.length) } : {}) });
    if (!hasBody || this.request.method === "HEAD") response.end();
    else response.end(bytes);
  }

  cut(): void {
    this.#response.destroy();
    this.#incoming.destroy();
  }

  stream(headers: Readonly<Record<string, string>>, handler: HttpStreamHandler): HttpStream {
    const response = this.#response;
    let linger: ReturnType<typeof setTimeout> | undefined;
    let isClosed = false;
    const tell = (act: () => void) => guarded(this.#shared.faults, "events", act, () => response.destroy());
    response.on("drain", () => {
      if (!isClosed) tell(() => handler.drained());
    });
    const close = () => {
      if (isClosed) return;
      isClosed = true;
      clearTimeout(linger);
      tell(() => handler.closed());
    };
    response.once("close", close);
    this.#incoming.once("close", close);
    this.#shared.callers.release(this.#incoming.socket);
    response.writeHead(200, headers);
    return {
      write: (bytes) => response.destroyed || response.writableEnded || response.write(bytes),
      end: (lingerMs) => {
        if (isClosed || response.writableEnded) return;
        linger = setTimeout(() => response.destroy(), lingerMs);
        response.end();
      },
      cut: () => void response.destroy(),
    };
  }

  /** Whoever does not take the answer would keep it in memory. */
  #cutUntaken(): void {
    const incoming = this.#incoming;
    const { socket } = incoming;
    // Not what Deno 2.5 has in its place.
    if (!(socket instanceof Socket)) return;
    const timer = setTimeout(() => socket.destroy(), this.#shared.takeMs);
    for (const event of ["finish", "close"]) this.#response.once(event, () => clearTimeout(timer));
    // An answer that waits behind another one is told of nothing when the connection goes.
    incoming.once("close", () => {
      if (socket.destroyed) clearTimeout(timer);
    });
  }
}

function requestOf(
  { method = "", url = "", headers, rawHeaders }: IncomingMessage,
  socket: Socket,
): HttpRequest {
  const texts = Object.entries(headers).map(([name, value]) => [name, [value ?? ""].flat().join(", ")]);
  // Of two hosts Node takes the first; a proxy may have taken the other.
  const hosts = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === "host");
  if (hosts.length > 1) texts.push(["host", hosts.join(", ")]);
  return {
    method,
    target: url,
    headers: Object.assign(Object.create(null), Object.fromEntries(texts)),
    remoteHost: plainAddress(socket.remoteAddress ?? ""),
    remotePort: socket.remotePort ?? 0,
    isSecure: (socket as { readonly encrypted?: boolean }).encrypted === true,
  };
}

function textOf(chunks: readonly Uint8Array[]): HttpBody {
  const whole = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(whole) };
  } catch {
    return "lost";
  }
}

/** By hand, as there is no response to an upgrade. Who does not want to hear it is cut. */
function refuse(socket: Duplex, { status, headers, body }: HttpReply): void {
  const text = typeof body === "string" ? body : new TextDecoder().decode(body);
  const { length } = new TextEncoder().encode(text);
  const lines = Object.entries({ ...headers, "content-length": String(length), connection: "close" });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const timer = setTimeout(() => socket.destroy(), CLOSE_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.end(`HTTP/1.1 ${status} ${REASONS[status] ?? "Refused"}\r\n${head}\r\n${text}`);
}

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  429: "Too Many Requests",
  503: "Service Unavailable",
};

/** Deno 2.5 does not say what could not be done, nor with a code that there is no such host. */
function listenError(error: Error & { code?: string; syscall?: string }): Error {
  if (error.syscall !== undefined) return error;
  return Object.assign(error, error.code ? { syscall: "listen" } : { syscall: "getaddrinfo", code: "ENOTFOUND" });
}

function closeServer(server: Server, front: TlsFront | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.closeAllConnections();
      front?.cut();
      // Deno 2.5 waits for connections that it cannot close.
      resolve();
    }, CLOSE_MS);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
