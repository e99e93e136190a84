/**
 * Small text files, read and written whole, and why that did not work in words that a person can act on.
 */

/** A file cannot be opened, read or written. The message is one sentence that names the file. */
export class FileError extends Error {
  override name = "FileError";
}

/** The text of a file; `undefined` where there is none. Rejects with an `Error` whose message is the reason alone. */
export async function readTextFile(path: string | URL): Promise<string | undefined> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof TypeError) throw new Error("it is not UTF-8 text", { cause: error });
    throw new Error(fileReason(error), { cause: error });
  }
}

/** Whether other users of this machine may read a file; `false` where the system does not say. */
export async function othersMayRead(path: string): Promise<boolean> {
  const { mode } = await Deno.stat(path);
  return mode !== null && (mode & 0o044) !== 0;
}

/** Writes a file whole. Rejects with a `FileError`. */
export async function writeTextFile(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text);
  } catch (error) {
    throw new FileError(`Cannot write ${JSON.stringify(path)}: ${fileReason(error)}`, { cause: error });
  }
}

/**
 * Like `writeTextFile`; the file can be read by its owner alone, whoever could before (on Windows, by those who
 * can read the folder).
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    // The mode above is for a file that is new.
    if (Deno.build.os !== "windows") await Deno.chmod(path, 0o600);
  } catch (error) {
    throw new FileError(`Cannot write ${JSON.stringify(path)}: ${fileReason(error)}`, { cause: error });
  }
}

/**
 * Puts `text` in the place of the file at `path`, whole or not at all, in a file that its owner alone can read, whoever
 * could read the one before. Makes the folders that are missing. Rejects with a `FileError`.
 */
export async function replacePrivateFile(path: string, text: string): Promise<void> {
  const fresh = `${path}.${crypto.randomUUID()}`;
  try {
    await Deno.mkdir(path.replace(/[^\\/]*$/, ""), { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(fresh, text, { createNew: true, mode: 0o600 });
    await Deno.rename(fresh, path);
  } catch (error) {
    // It may not even have come to be.
    await Deno.remove(fresh).catch(() => {});
    throw new FileError(`Cannot write ${JSON.stringify(path)}: ${fileReason(error)}`, { cause: error });
  }
}

/**
 * Adds `text` to the end of a file that its owner alone can read, whoever could before. Makes what is missing. Rejects
 * with a `FileError`.
 */
export async function appendPrivateFile(path: string, text: string): Promise<void> {
  try {
    await Deno.mkdir(path.replace(/[^\\/]*$/, ""), { recursive: true, mode: 0o700 });
    await Deno.writeTextFile(path, text, { append: true, mode: 0o600 });
    // The mode above is for a file that is new.
    if (Deno.build.os !== "windows") await Deno.chmod(path, 0o600);
  } catch (error) {
    throw new FileError(`Cannot write ${JSON.stringify(path)}: ${fileReason(error)}`, { cause: error });
  }
}

/** Why the operating system refused something with a file, e.g. `"permission denied"`. */
export function fileReason(error: unknown): string {
  const code = (error as { code?: string }).code;
  if (error instanceof Deno.errors.NotFound || code === "ENOENT") return "there is no such file or folder";
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable || code === "EACCES") {
    return "permission denied";
  }
  if (code === "EISDIR") return "it is a folder";
  if (code === "EEXIST") return "there is something else of that name";
  if (code === "ENOTDIR") return "a part of its path is not a folder";
  if (code === "ENOSPC") return "the disk is full";
  if (code === "EDQUOT") return "the space that you may use is full";
  if (code === "EFBIG") return "it has become too long";
  if (code === "EBADF") return "it is closed";
  if (code === "EIO") return "the device does not answer";
  if (code === "EROFS") return "the disk cannot be written to";
  return error instanceof Error ? error.message : String(error);
}
