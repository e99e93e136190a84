/** Asking another program over HTTP, without proxies: it is on this machine, or near. */

import { Agent, type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import type { Endpoint } from "../address.ts";
import type { TlsCaller } from "../tls/tls_caller.ts";

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
export function askHttp(question: HttpQuestion): Promise<HttpAnswer> {
  // A connection of its own: one that is kept for later would keep the program too.
  return askOver(question, { agent: false });
}

/**
 * As `askHttp`, by TLS. Nothing is said to somebody whom `caller` does not believe: then it rejects with an `Error`
 * whose message says why.
 */
export async function askHttps(question: HttpQuestion, caller: TlsCaller): Promise<HttpAnswer> {
  const socket = caller.connect(question);
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(timedOut()), question.timeoutMs);
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      const problem = caller.problemOf(socket);
      if (problem === undefined) return resolve();
      socket.destroy();
      reject(problem);
    });
    socket.on("error", (error: Error) => {
      clearTimeout(timer);
      reject(caller.told(error, question));
    });
  });
  return await askOver(question, { agent: new AgentOf(socket) });
}

/** Hands out one connection. */
class AgentOf extends Agent {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
  }

  override createConnection(): Socket {
    return this.#socket;
  }
}

function timedOut(): Error {
  return Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" });
}

function askOver(
  { timeoutMs, body, ...question }: HttpQuestion,
  over: { readonly agent: Agent | false },
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...question, ...over }, (incoming: IncomingMessage) => {
      const decoder = new TextDecoder();
      let text = "";
      incoming.on("data", (chunk: Uint8Array) => text += decoder.decode(chunk, { stream: true }));
      incoming.once("end", () => done(() => resolve({ status: incoming.statusCode ?? 0, text })));
      incoming.once("error", fail);
      incoming.once("close", () => fail(Object.assign(new Error("it closed early"), { code: "ECONNRESET" })));
    });
    const timer = setTimeout(() => outgoing.destroy(timedOut()), timeoutMs);
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
