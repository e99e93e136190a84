/** Asking another program over HTTP, without proxies: it is on this machine, or near. */

import { type IncomingMessage, request } from "node:http";
import type { Endpoint } from "../address.ts";

/** What is asked. */
export interface HttpQuestion extends Endpoint {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** For the whole answer. */
  readonly timeoutMs: number;
}

/** What was answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * Asks, and waits for the whole answer. Rejects with an `Error` with a `code` such as `ECONNREFUSED`, or `ETIMEDOUT`.
 */
export function askHttp({ timeoutMs, body, ...question }: HttpQuestion): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    // A connection of its own: one that is kept for later would keep the program too.
    const outgoing = request({ ...question, agent: false }, (incoming: IncomingMessage) => {
      const decoder = new TextDecoder();
      let text = "";
      incoming.on("data", (chunk: Uint8Array) => text += decoder.decode(chunk, { stream: true }));
      incoming.once("end", () => done(() => resolve({ status: incoming.statusCode ?? 0, text })));
      incoming.once("error", fail);
      incoming.once("close", () => fail(Object.assign(new Error("it closed early"), { code: "ECONNRESET" })));
    });
    const timer = setTimeout(
      () => outgoing.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" })),
      timeoutMs,
    );
    outgoing.on("error", fail);
    outgoing.end(body);

    function fail(error: Error): void {
      done(() => reject(error));
    }

    function done(settle: () => void): void {
      clearTimeout(timer);
      settle();
    }
  });
}
