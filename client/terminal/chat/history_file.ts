/**
 * The lines that people typed into the chat, kept for the next time: which of them, how many, and how the file is read
 * and written. No secret is kept. `../screen/line_history.ts` is what the keys go through.
 */

import { MAX_HISTORY_LINES } from "../screen/line_history.ts";

/** The file. A line of it is a typed line, the newest last. */
export interface HistoryFile {
  /** Its text; `undefined` if there is none. */
  read(): Promise<string | undefined>;
  /** Adds to its end. Only its owner can read the file. Rejects with a reason for people. */
  append(text: string): Promise<void>;
  /** Replaces it as a whole, likewise. */
  replace(text: string): Promise<void>;
}

/** Longer lines are kept for this session alone, so that the file stays small. In UTF-16 units. */
export const MAX_KEPT_LINE_LENGTH = 4_096;
/** A shorter secret stands in too many lines by chance. Alone in its line it is not kept either. */
const MIN_SECRET_LENGTH = 4;
/** Keys of JSON whose values are secrets. */
const SECRET_KEY = /"[^"]*(?:secret|password|passwd|token|api_?key)[^"]*"\s*:/i;

/** Whether `line` may be kept. `secrets` are all that were typed or made in this session. */
export function isKept(line: string, secrets: Iterable<string>): boolean {
  if (line.length > MAX_KEPT_LINE_LENGTH || SECRET_KEY.test(line)) return false;
  for (const secret of secrets) {
    if (line === secret || secret.length >= MIN_SECRET_LENGTH && line.includes(secret)) return false;
  }
  return true;
}

/** The typed lines of a file, oldest first: as many as are kept. */
export function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && line.length <= MAX_KEPT_LINE_LENGTH).slice(
    -MAX_HISTORY_LINES,
  );
}

/** Reads and writes a history file. A failure costs the history, and never the chat. */
export class KeptHistory {
  readonly #file: HistoryFile | undefined;
  readonly #onFailed: (error: Error) => void;
  readonly #secrets = new Set<string>();
  #last: string | undefined;
  /** Lines that the file has, as far as this program knows. */
  #count = 0;
  /** One after the other, in their order. */
  #writing: Promise<void> = Promise.resolve();
  #hasFailed = false;

  /** `onFailed` is called once, for the first failure. */
  constructor(file: HistoryFile | undefined, onFailed: (error: Error) => void) {
    this.#file = file;
    this.#onFailed = onFailed;
  }

  /** The lines of earlier sessions. Makes a file shorter that has become too long. */
  async read(): Promise<readonly string[]> {
    try {
      const text = await this.#file?.read() ?? "";
      const lines = linesOf(text);
      this.#last = lines.at(-1);
      this.#count = lines.length;
      if (text.length > lines.reduce((length, line) => length + line.length + 1, 0)) await this.#shorten();
      return lines;
    } catch {
      // A history that cannot be read is none. If it cannot be written either, the person is told then.
      return [];
    }
  }

  /** `secret` was typed or made: no line with it is kept. */
  learnSecret(secret: string): void {
    this.#secrets.add(secret);
  }

  /** `line` was typed. */
  add(line: string): void {
    if (this.#file === undefined || this.#hasFailed || line === this.#last || !isKept(line, this.#secrets)) return;
    this.#last = line;
    this.#writing = this.#writing.then(() => this.#append(line));
  }

  /** Resolves when everything is written. */
  async written(): Promise<void> {
    await this.#writing;
  }

  async #append(line: string): Promise<void> {
    try {
      await this.#file!.append(`${line}\n`);
      // Another client may write to the same file: from time to time it is read as it is.
      if (++this.#count >= 2 * MAX_HISTORY_LINES) await this.#shorten();
    } catch (error) {
      if (!this.#hasFailed) this.#onFailed(error as Error);
      this.#hasFailed = true;
    }
  }

  async #shorten(): Promise<void> {
    const lines = linesOf(await this.#file!.read() ?? "");
    await this.#file!.replace(lines.map((line) => `${line}\n`).join(""));
    this.#count = lines.length;
  }
}
