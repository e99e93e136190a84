/**
 * Requests over plain HTTP/2, as gRPC makes them: one connection to one address, kept until it is closed. By `fetch`,
 * as under Deno 2.9 a client of `node:http2` crashes the whole process when the other side says GOAWAY (denoland/deno
 * issue 36788), and under 2.5 it does not work at all. `fetch` does not show trailers; headers and body it does.
 */

import type { Endpoint } from "../address.ts";

/** What came back. */
export interface Http2Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** No answer came. */
export class Http2Error extends Error {
  /** Its class, by name. */
  override name = "Http2Error";
  /** Whether there was nobody to talk to: then nothing was sent. */
  readonly isUnreachable: boolean;

  constructor(message: string, isUnreachable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.isUnreachable = isUnreachable;
  }
}

/** A connection, made with the first request, and made again when it was lost. */
export class Http2Channel {
  readonly #client: Deno.HttpClient;
  readonly #origin: string;
  readonly #underWay = new Set<AbortController>();
  #isClosed = false;

  constructor({ host, port }: Endpoint) {
    // As a "proxy", so that no other one is used, whatever the environment says; and without the port in the URL, as
    // `fetch` refuses some of those.
    const proxy = { transport: "tcp", hostname: host, port } as const;
    this.#client = Deno.createHttpClient({ http1: false, http2: true, poolIdleTimeout: false, proxy });
    this.#origin = `http://${host.includes(":") ? `[${host}]` : host}`;
  }

  /**
   * Sends `body`. @throws {Http2Error} when no answer comes, or more than `maxBytes`, or `signal` says that
   * it is not waited for.
   */
  async post(
    path: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array<ArrayBuffer>,
    { signal, maxBytes }: { readonly signal: AbortSignal; readonly maxBytes: number },
  ): Promise<Http2Answer> {
    // Not `AbortSignal.any` with one signal for the end of the channel: under Deno 2.5 that keeps
    // something of each request.
    const call = new AbortController();
    const abort = () => call.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    if (this.#isClosed) call.abort(closedError());
    this.#underWay.add(call);
    try {
      const response = await fetch(this.#origin + path, {
        method: "POST",
        client: this.#client,
        headers,
        body,
        redirect: "manual",
        signal: call.signal,
      });
      return { status: response.status, headers: response.headers, body: await readBody(response, maxBytes) };
    } catch (error) {
      if (error instanceof Http2Error) throw error;
      if (call.signal.aborted) throw new Http2Error(sentenceOf(call.signal.reason), false);
      const why = sentenceOf(error);
      throw new Http2Error(why, why.includes("client error (Connect)"), { cause: error });
    } finally {
      signal.removeEventListener("abort", abort);
      this.#underWay.delete(call);
    }
  }

  /** Ends it, and all that is under way. Calling it again changes nothing. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const call of this.#underWay) call.abort(closedError());
    this.#client.close();
  }
}

function closedError(): Error {
  return new Error("the connection was closed");
}

async function readBody(response: Response, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > maxBytes) throw new Http2Error(`the answer is longer than ${maxBytes} bytes`, false);
    parts.push(part);
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}

/** Deno 2.9 says what happened in the cause, 2.5 in the message. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause, message } = error;
  return cause instanceof Error && !message.includes("client error") ? cause.message : message;
}
