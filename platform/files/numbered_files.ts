/**
 * Lines appended to a row of files with numbers in their names: one is written, the others are full. Each append is on
 * the disk when it is done. A file is never written again once the next one has begun; the oldest go. The files can be
 * read by their owner alone.
 */

import { chmod, type FileHandle, open, readdir, readFile, stat, unlink } from "node:fs/promises";
import { FileError, fileReason } from "./text_file.ts";

/** Which files, and how much they may take. */
export interface NumberedFilesParts {
  readonly folder: string;
  /** They are called `NAME-00000001.jsonl` and so on. */
  readonly name: string;
  /** A longer file is not added to: the next one begins. */
  readonly maxFileBytes: number;
  /** With more files than this the oldest go. */
  readonly maxFiles: number;
}

/** One of the files. */
export interface NumberedFile {
  readonly number: number;
  /** Its name in the folder. */
  readonly name: string;
}

const END = "\n".charCodeAt(0);
const PRIVATE = 0o600;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The files of this name in `folder`, the oldest first. @throws {FileError} */
export async function listNumbered(folder: string, name: string): Promise<NumberedFile[]> {
  const pattern = new RegExp(`^${name}-(\\d{8,})\\.jsonl$`);
  try {
    return (await readdir(folder)).flatMap((entry) => {
      const number = pattern.exec(entry)?.[1];
      return number === undefined ? [] : [{ number: Number(number), name: entry }];
    }).sort((a, b) => a.number - b.number);
  } catch (error) {
    throw failed("read", folder, error);
  }
}

/** The lines of a file without their ends; `rest` is what stands behind the last end. @throws {FileError} */
export async function linesOf(path: string): Promise<{ readonly lines: string[]; readonly rest: string }> {
  try {
    const lines = decoder.decode(await readFile(path)).split("\n");
    return { rest: lines.pop()!, lines };
  } catch (error) {
    throw failed("read", path, error);
  }
}

/** A row of files that is being added to. */
export class NumberedFiles {
  readonly #parts: NumberedFilesParts;
  readonly #repairedBytes: number;
  #number: number;
  #handle: FileHandle;
  /** What is whole, and on the disk. */
  #size: number;
  /** Whether there may be more behind that, of an append that failed. */
  #isTorn = false;

  private constructor(
    parts: NumberedFilesParts,
    { number, handle, size, repairedBytes }: {
      readonly number: number;
      readonly handle: FileHandle;
      readonly size: number;
      readonly repairedBytes: number;
    },
  ) {
    this.#parts = parts;
    this.#number = number;
    this.#handle = handle;
    this.#size = size;
    this.#repairedBytes = repairedBytes;
  }

  /** Goes on with the newest file, or begins the first one. Takes a line without an end away. @throws {FileError} */
  static async open(parts: NumberedFilesParts): Promise<NumberedFiles> {
    const { folder, name } = parts;
    const number = (await listNumbered(folder, name)).at(-1)?.number ?? 1;
    const path = pathOf(parts, number);
    let handle: FileHandle | undefined;
    try {
      handle = await openPrivate(path);
      const bytes = await readFile(path);
      const size = bytes.lastIndexOf(END) + 1;
      if (size < bytes.length) await handle.truncate(size);
      return new NumberedFiles(parts, { number, handle, size, repairedBytes: bytes.length - size });
    } catch (error) {
      await handle?.close();
      throw failed("open", path, error);
    }
  }

  /** Bytes of a line without an end that were taken away at the opening. */
  get repairedBytes(): number {
    return this.#repairedBytes;
  }

  /** The files that there are, the oldest first. @throws {FileError} */
  list(): Promise<NumberedFile[]> {
    return listNumbered(this.#parts.folder, this.#parts.name);
  }

  /** Resolves when `text`, whole lines, is on the disk. All of it is, or nothing. @throws {FileError} */
  async append(text: string): Promise<void> {
    const bytes = encoder.encode(text);
    try {
      if (this.#isTorn) await this.#handle.truncate(this.#size);
      this.#isTorn = false;
      if (this.#size > 0 && this.#size + bytes.length > this.#parts.maxFileBytes) await this.#beginNext();
      this.#isTorn = true;
      // The file is open for appending; Deno 2.5 has no `appendFile` of a handle.
      await this.#handle.writeFile(bytes);
      await this.#handle.datasync();
      this.#isTorn = false;
      this.#size += bytes.length;
    } catch (error) {
      throw failed("write", pathOf(this.#parts, this.#number), error);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #beginNext(): Promise<void> {
    const next = await openPrivate(pathOf(this.#parts, this.#number + 1));
    const full = this.#handle;
    this.#handle = next;
    this.#number++;
    // Left over from a start that ended before it was added to.
    this.#size = (await stat(pathOf(this.#parts, this.#number))).size;
    await full.close();
    const files = await this.list();
    for (const { name } of files.slice(0, -this.#parts.maxFiles)) await unlink(`${this.#parts.folder}/${name}`);
  }
}

async function openPrivate(path: string): Promise<FileHandle> {
  const handle = await open(path, "a", PRIVATE);
  try {
    // The mode above is for a file that is new.
    if (Deno.build.os !== "windows") await chmod(path, PRIVATE);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function pathOf({ folder, name }: NumberedFilesParts, number: number): string {
  return `${folder}/${name}-${String(number).padStart(8, "0")}.jsonl`;
}

function failed(verb: string, path: string, error: unknown): FileError {
  return new FileError(`Cannot ${verb} ${JSON.stringify(path)}: ${fileReason(error)}`, { cause: error });
}
