/**
 * Servers of `node:http2` under Deno before it had a complete one (2.5 has none): what the gRPC library needs and is
 * not there is put in its place. Headers of an answer are kept, trailers are text, a session knows the other side's
 * address and can be closed, and a client may leave out the host of the server that it talks to. Where all that is
 * there nothing is touched. This reaches into what that Deno does inside; it goes when 2.5 is no longer supported.
 */

import { EventEmitter } from "node:events";
import http2 from "node:http2";
import { getLogger } from "@logtape/logtape";

type Emitter = EventEmitter & Record<string, unknown>;
type HeaderValues = Readonly<Record<string, string | number | readonly string[]>>;

/** What is accepted there: a connection as Deno has it. */
interface AcceptedConnection {
  readonly remoteAddr: { readonly hostname: string; readonly port: number };
  close(): void;
}

/** A request that is being answered, as far as it is used here. */
interface OlderStream {
  _response: Response;
  readonly _deferred: { resolve(response: Response): void };
  respond(headers: HeaderValues, options?: { readonly endStream?: boolean }): void;
  sendTrailers(headers: HeaderValues): void;
}

const logger = getLogger(["thrum", "grpc"]);
let isRepaired = false;

/** Puts in place what is missing, once. */
export function repairHttp2(): void {
  if (isRepaired || hasHttp2()) return;
  isRepaired = true;
  const library = http2 as unknown as { createServer(...args: unknown[]): Emitter };
  const createServer = library.createServer;
  library.createServer = (...args) => repairServer(createServer(...args));
  repairRequests();
  endureBrokenConnections();
}

/** Whether this Deno has all of `node:http2`. The settings came with all the rest. */
export function hasHttp2(): boolean {
  try {
    http2.getDefaultSettings();
    return true;
  } catch {
    return false;
  }
}

function repairServer(server: Emitter): Emitter {
  const emit = server.emit;
  let connection: AcceptedConnection | undefined;
  server.emit = function (this: Emitter, name: string, ...args: unknown[]): boolean {
    // A session is made, and told, while its connection is.
    if (name === "connection") connection = args[0] as AcceptedConnection;
    if (name === "session" && connection !== undefined) repairSession(args[0] as Emitter, connection);
    if (name === "stream") repairStream(args[0] as OlderStream);
    return emit.call(this, name, ...args);
  } as typeof emit;
  return server;
}

function repairSession(session: Emitter, connection: AcceptedConnection): void {
  const { hostname, port } = connection.remoteAddr;
  const socket = Object.assign(new EventEmitter(), { remoteAddress: hostname, remotePort: port, destroyed: false });
  let isClosed = false;
  const close = () => {
    if (isClosed) return;
    isClosed = true;
    try {
      connection.close();
    } catch {
      // The other side was faster.
    }
    queueMicrotask(() => session.emit("close"));
  };
  Object.defineProperties(session, {
    socket: { value: socket },
    closed: { get: () => isClosed },
    destroyed: { get: () => isClosed },
    close: {
      value: (closed?: () => void) => {
        if (closed !== undefined) session.once("close", closed);
        close();
      },
    },
    destroy: { value: close },
  });
}

function repairStream(stream: OlderStream): void {
  const { respond, sendTrailers } = stream;
  stream.respond = (values, options) => {
    const { ":status": status, ...rest } = values;
    const headers = asText(rest);
    if (options?.endStream) {
      stream._deferred.resolve(stream._response = new Response(null, { status: Number(status), headers }));
      return;
    }
    respond.call(stream, values, options);
    for (const [name, value] of Object.entries(headers)) stream._response.headers.set(name, value);
  };
  stream.sendTrailers = (values) => sendTrailers.call(stream, asText(values));
}

/**
 * Clients may name a server as `:7080`, and `http://:7080/` is no URL. And a body that breaks off, or is not read to
 * its end, is a rejection that nobody handles: that would be the end of the whole process. For gRPC it is as well the
 * end of the body, as a message says itself how long it is.
 */
function repairRequests(): void {
  const url = Object.getOwnPropertyDescriptor(Request.prototype, "url")!;
  const body = Object.getOwnPropertyDescriptor(Request.prototype, "body")!;
  Object.defineProperties(Request.prototype, {
    url: {
      ...url,
      get(this: Request) {
        return (url.get!.call(this) as string).replace(/^http:\/\/:/, "http://localhost:");
      },
    },
    body: {
      ...body,
      get(this: Request) {
        const stream = body.get!.call(this) as ReadableStream<Uint8Array> | null;
        const isGrpc = this.headers.get("content-type")?.startsWith("application/grpc");
        return stream !== null && isGrpc ? untilItBreaks(stream) : stream;
      },
    },
  });
}

/** What breaks a connection, bytes that are no HTTP for one, is a rejection that nobody handles, too. */
function endureBrokenConnections(): void {
  addEventListener("unhandledrejection", (event) => {
    if (!(event.reason instanceof Deno.errors.Http)) return;
    event.preventDefault();
    // Nor is it anything for the net below (`platform/stray_faults.ts`).
    event.stopImmediatePropagation();
    logger.debug("a connection broke: {error}", { error: event.reason.message });
  }, { capture: true });
}

async function* untilItBreaks(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch {
    // Said above.
  }
}

function asText(values: HeaderValues): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}
