/**
 * A file that lines are appended to: gathered in memory for a moment, and written in order, in a bounded part of
 * the disk. For traces.
 */

import { type FileHandle, open, rename } from "node:fs/promises";

/** Gathered before a write, in UTF-16 units. */
const BATCH_LENGTH = 65_536;
/** At most this long. */
const BATCH_MS = 200;
const encoder = new TextEncoder();

/** A file being appended to. */
export interface LineFile extends AsyncDisposable {
  /** `line` has its end. */
  append(line: string): void;
  /** Writes what is left and closes. @throws {Error} when a write failed, now or earlier. */
  close(): Promise<void>;
}

/**
 * Opens `path`, and makes it where it is missing. When it has come to `limitBytes` it becomes `path.1`, in the place of
 * the one before, and a new one begins.
 * @throws {Error} with a `code` such as `EACCES`.
 */
export async function openLineFile(path: string, limitBytes: number = Infinity): Promise<LineFile> {
  const handle = await open(path, "a");
  const stat = await handle.stat();
  // Pipes and terminals have no size, and no name that they could be moved to.
  return new AppendedFile(path, handle, stat.isFile() ? limitBytes : Infinity, stat.size);
}

class AppendedFile implements LineFile {
  readonly #path: string;
  readonly #limitBytes: number;
  #handle: FileHandle;
  #size: number;
  #text = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(path: string, handle: FileHandle, limitBytes: number, size: number) {
    this.#path = path;
    this.#handle = handle;
    this.#limitBytes = limitBytes;
    this.#size = size;
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
      .then(() => this.#append(encoder.encode(text)))
      // Told at the end: a trace that cannot be written must not stop a server.
      .catch((error) => this.#failure ??= error);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    if (this.#size > 0 && this.#size + bytes.length > this.#limitBytes) await this.#beginAnew();
    // The file is open for appending; Deno 2.5 has no `appendFile` of a handle.
    await this.#handle.writeFile(bytes);
    this.#size += bytes.length;
  }

  /** Between two batches, so that no line is cut. */
  async #beginAnew(): Promise<void> {
    await this.#handle.close();
    await rename(this.#path, `${this.#path}.1`);
    this.#handle = await open(this.#path, "a");
    this.#size = 0;
  }
}
