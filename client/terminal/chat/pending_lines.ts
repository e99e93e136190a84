/**
 * The lines of an interactive session that the server has not acknowledged: which of them to show as waiting, and what to say about those that are
 * left in the end. Pure, but for what it remembers.
 */

import { counted } from "../../../config/counted.ts";
import { ConnectError, ConnectionEndedError } from "../../errors.ts";
import type { ClientEvent } from "../../options.ts";
import type { Notice } from "../describe.ts";

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

  /** Those that wait for a connection, each once: on a screen that shows what was published they would be missing. */
  waiting(): Notice[] {
    if (this.#lost === undefined) return [];
    return [...this.#lines].filter((line) => !line.isShown).map((line) => {
      line.isShown = true;
      return { tone: "plain", text: `waiting to be sent: ${line.text}` };
    });
  }

  /** Those that are left when the client is closed. */
  left(): Notice[] {
    return [...this.#lines].map(({ text, isSent }) => ({ tone: "warning", text: `${notDone(isSent)}: ${text}` }));
  }

  /**
   * What the session ends with when lines are left: a `ConnectionEndedError` where the server has said that it ends the connection, else, as
   * nobody was there to take them, a `ConnectError`. `server` is `host:port`.
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
