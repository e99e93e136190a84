// @ts-check
/**
 * The raw lines of the connection, both ways, as they may be shown: without secrets, bounded in number
 * and in length. Pure.
 */

import { masked } from "./raw_json.js";

/**
 * One line. `name` is its command, where it has one.
 * @typedef {{ readonly key: number, readonly at: number, readonly direction: "in" | "out" | "note",
 *   readonly text: string, readonly name: string, readonly length: number }} LogLine
 */

/**
 * @typedef {{ readonly text: string, readonly direction: "" | "in" | "out",
 *   readonly hidesHeartbeats: boolean }} LogFilter
 */

/** As many as a person looks through. */
export const MAX_LINES = 400;
/** What is kept of a line; all of it would be 65,536 and more. */
export const MAX_SHOWN = 4_000;

/** All lines. @type {LogFilter} */
export const NO_FILTER = Object.freeze({ text: "", direction: "", hidesHeartbeats: false });

/** Keeps the newest lines. */
export class LogModel {
  /** @type {LogLine[]} */
  #lines = [];
  /** What was there when the person said stop. @type {LogLine[] | undefined} */
  #frozen;
  #key = 0;
  /** The number of the newest line when the person said stop. */
  #frozenAt = 0;

  get isPaused() {
    return this.#frozen !== undefined;
  }

  /** How many lines came since. */
  get missed() {
    return this.isPaused ? this.#key - this.#frozenAt : 0;
  }

  /** Changes with each line that is shown. */
  get version() {
    return this.isPaused ? this.#frozenAt : this.#key;
  }

  /**
   * @param {"in" | "out" | "note"} direction
   * @param {string} line
   * @param {number} at Milliseconds since 1970.
   */
  add(direction, line, at) {
    const shown = direction === "note" ? line : masked(line);
    const text = shown.length > MAX_SHOWN ? shown.slice(0, MAX_SHOWN) : shown;
    const name = direction === "note" ? "" : commandOf(text);
    this.#lines.push({ key: ++this.#key, at, direction, text, name, length: shown.length });
    if (this.#lines.length > MAX_LINES) this.#lines.splice(0, this.#lines.length - MAX_LINES);
  }

  /** Stops, or goes on with what came meanwhile. @param {boolean} isPaused */
  pause(isPaused) {
    this.#frozen = isPaused ? [...this.#lines] : undefined;
    this.#frozenAt = this.#key;
  }

  /** Forgets all lines. */
  clear() {
    this.#lines = [];
    if (this.isPaused) this.pause(true);
  }

  /**
   * The lines to show, the oldest first.
   * @param {LogFilter} filter
   * @returns {LogLine[]}
   */
  shown({ text, direction, hidesHeartbeats }) {
    const wanted = text.toLowerCase();
    return (this.#frozen ?? this.#lines).filter((line) =>
      (direction === "" || line.direction === direction || line.direction === "note") &&
      !(hidesHeartbeats && (line.name === "HEARTBEAT" || line.name === "HEARTBEAT_ACK")) &&
      line.text.toLowerCase().includes(wanted)
    );
  }

  /**
   * The same for the clipboard: time, direction and line.
   * @param {LogFilter} filter
   * @returns {string}
   */
  copyText(filter) {
    return this.shown(filter).map(({ at, direction, text, length }) =>
      `${new Date(at).toISOString()} ${ARROWS[direction]} ${text}${length > text.length ? " …" : ""}\n`
    ).join("");
  }
}

/** As in docs/protocol.md: what goes to the server, and what comes from it. */
export const ARROWS = Object.freeze({ out: "→", in: "←", note: "·" });

/** @param {string} text */
function commandOf(text) {
  return /"command"\s*:\s*"([A-Z_]{1,40})"/.exec(text)?.[1] ?? "";
}
