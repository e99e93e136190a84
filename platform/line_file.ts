/** A file that lines are appended to: gathered in memory for a moment, and written in order. For traces. */

import { type FileHandle, open } from "node:fs/promises";

/** Gathered before a write, in UTF-16 units. */
const BATCH_LENGTH = 65_536;
/** At most this long. */
const BATCH_MS = 200;

/** A file being appended to. */
export interface LineFile extends AsyncDisposable {
  /** `line` has its end. */
  append(line: string): void;
  /** Writes what is left and closes. @throws {Error} when a write failed, now or earlier. */
  close(): Promise<void>;
}

/** Opens `path`, and makes it where it is missing. @throws {Error} with a `code` such as `EACCES`. */
export async function openLineFile(path: string): Promise<LineFile> {
  return new AppendedFile(await open(path, "a"));
}

class AppendedFile implements LineFile {
  readonly #handle: FileHandle;
  #text = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  append(line: string): void {
    this.#text += line;
    if (this.#text.length >= BATCH_LENGTH) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), BATCH_MS);
  }

  async close(): Promise<void> {
    this.#write();
    await this.#writing;
    await this.#handle.close();
    if (this.#failure !== undefined) throw this.#failure;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#text;
    this.#text = "";
    if (text === "") return;
    this.#writing = this.#writing
      // The file is open for appending; Deno 2.5 has no `appendFile` of a handle.
      .then(() => this.#handle.writeFile(text))
      // Told at the end: a trace that cannot be written must not stop a server.
      .catch((error) => this.#failure ??= error);
  }
}
