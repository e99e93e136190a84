/**
 * Lines of an interactive session without an acknowledgement: which of them to show as waiting, and what to say about
 * the ones that remain in the end. Pure.
 */

import { counted } from "../../../protocol/counted.ts";
import { ConnectError, ConnectionEndedError } from "../../errors.ts";
import type { ClientEvent } from "../../options.ts";
import type { Notice } from "../notices.ts";

/** One line on its way. */
export interface PendingLine {
  readonly text: string;
  /** There has been a connection since it was typed: the server may have it. */
  isSent: boolean;
  /** The person has been told that it waits. */
  isShown: boolean;
}

/** Keeps lines from when they are typed until they are acknowledged. */
export class PendingLines {
  readonly #lines = new Set<PendingLine>();
  /** Why there is no connection, while there is none. */
  #lost: Extract<ClientEvent, { kind: "lost" }> | undefined;

  /** A line was typed. */
  add(text: string): PendingLine {
    const line = { text, isSent: this.#lost === undefined, isShown: false };
    this.#lines.add(line);
    return line;
  }

  /** It was acknowledged or refused. */
  remove(line: PendingLine): void {
    this.#lines.delete(line);
  }

  /** Something happened to the client. */
  on(event: ClientEvent): void {
    if (event.kind === "lost") this.#lost = event;
    if (event.kind !== "connected") return;
    this.#lost = undefined;
    for (const line of this.#lines) line.isSent = true;
  }

  /** Lines that wait for a connection, each once. A screen that shows published lines would lack them. */
  waiting(): Notice[] {
    if (this.#lost === undefined) return [];
    return [...this.#lines].filter((line) => !line.isShown).map((line) => {
      line.isShown = true;
      return { tone: "plain", text: `waiting to be sent: ${line.text}` };
    });
  }

  /** The lines that remain when the client is closed. */
  left(): Notice[] {
    return [...this.#lines].map(({ text, isSent }) => ({ tone: "warning", text: `${notDone(isSent)}: ${text}` }));
  }

  /**
   * The error of a session with remaining lines. A `ConnectionEndedError` if the server announced the end of the
   * connection; else no server was there, and it is a `ConnectError`. `server` is `host:port`.
   */
  failure(server: string): Error | undefined {
    const count = this.#lines.size;
    if (count === 0) return undefined;
    const isSent = [...this.#lines].some((line) => line.isSent);
    const what = `${counted(count, "line was", "lines were")} ${notDone(isSent)}`;
    if (this.#lost === undefined) return new ConnectError(`${what}, as ${server} does not answer`);
    const { byServer, reason, info } = this.#lost;
    return byServer
      ? new ConnectionEndedError(`${what}, as the server ended the connection: ${info}`, reason)
      : new ConnectError(`${what}, as there is no connection to ${server}`);
  }
}

function notDone(isSent: boolean): string {
  return isSent ? "not acknowledged" : "not sent";
}
