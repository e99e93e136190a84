/** HTTP by hand, for tests: any header, any path, and reading only when the test wants to. */

import { connect, type Socket } from "node:net";
import { deadline } from "@std/async/deadline";
import { PATIENCE_MS } from "./line_client.ts";

/** What came back. */
export interface RawAnswer {
  readonly status: number;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Asks, and waits until the other side has closed. */
export async function ask(
  port: number,
  line: string,
  headers: Readonly<Record<string, string>> = {},
  body = "",
): Promise<RawAnswer> {
  const length: Record<string, string> = body === ""
    ? {}
    : { "content-length": String(new TextEncoder().encode(body).length) };
  return await exchange(
    port,
    requestText(line, { host: "localhost", connection: "close", ...length, ...headers }) + body,
  );
}

/** Sends `text` as it is, and waits until the other side has closed. */
export async function exchange(port: number, text: string): Promise<RawAnswer> {
  const socket = await open(port);
  let received = "";
  const decoder = new TextDecoder();
  socket.on("data", (bytes: Uint8Array) => received += decoder.decode(bytes, { stream: true }));
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.write(text);
  try {
    await deadline(closed, PATIENCE_MS);
  } finally {
    socket.destroy();
  }
  return answerOf(received);
}

/** A connection that nobody reads from yet. */
export function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      // The other side may cut it, which the test sees by what came.
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}

/** The head of a request. */
export function requestText(line: string, headers: Readonly<Record<string, string>>): string {
  return `${line} HTTP/1.1\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}

function answerOf(text: string): RawAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [first, ...lines] = text.slice(0, Math.max(end, 0)).split("\r\n");
  const headers = Object.fromEntries(lines.map((line) => {
    const [name, ...value] = line.split(":");
    return [name!.toLowerCase(), value.join(":").trim()];
  }));
  const body = text.slice(end + 4);
  return {
    status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(first!)?.[1] ?? 0),
    headers,
    body: headers["transfer-encoding"] === "chunked" ? unchunked(body) : body,
  };
}

function unchunked(text: string): string {
  return text.replace(/(?:^|\r\n)[0-9a-f]+\r\n/g, "");
}
