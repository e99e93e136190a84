/**
 * Whether the files of a data folder are still the ones that the server has open. The operating system accepts writes
 * to a removed file, and nobody will ever find that data. Decides from the given file data; reads nothing itself.
 */

/** The file at a path. */
export interface SeenFile {
  readonly device: number;
  readonly inode: number;
  readonly size: number;
}

/** Which files there have to be. */
export interface WatchedFiles {
  /** Checked each time: a file must not be shorter than before, or than its written data. */
  readonly growing: readonly { readonly name: string; readonly writtenBytes: number }[];
  /** Never shorter than before; some of them at a time, as there may be many. */
  readonly complete: readonly string[];
  /** There from some moment on, and of any size. */
  readonly passing: readonly string[];
}

/** The number of complete files to check each time. */
const COMPLETE_AT_ONCE = 64;

/** One folder's. */
export class FileWatch {
  readonly #folder: string;
  readonly #look: (path: string) => SeenFile | undefined;
  /** The last state of the folder (with an empty name) and of each file. */
  #seen = new Map<string, SeenFile>();
  #turn = 0;

  /** `look` gives the file at a path; `undefined` if there is none. */
  constructor(folder: string, look: (path: string) => SeenFile | undefined) {
    this.#folder = folder;
    this.#look = look;
  }

  /**
   * What has happened to one of the files, in words; `undefined` if all is well. The first look at a file counts as
   * right.
   */
  check({ growing, complete, passing }: WatchedFiles): string | undefined {
    const folder = this.#problem("", this.#look(this.#folder));
    if (folder !== undefined) return folder;
    const some = this.#some(complete).map((name) => ({ name, writtenBytes: 0 }));
    for (const { name, writtenBytes } of [...growing, ...some]) {
      const leastBytes = Math.max(writtenBytes, this.#seen.get(name)?.size ?? 0);
      const problem = this.#problem(name, this.#look(`${this.#folder}/${name}`), leastBytes);
      if (problem !== undefined) return problem;
    }
    for (const name of passing) {
      const found = this.#look(`${this.#folder}/${name}`);
      if (found === undefined && !this.#seen.has(name)) continue;
      const problem = this.#problem(name, found);
      if (problem !== undefined) return problem;
    }
    this.#forgetOthers(new Set(["", ...growing.map(({ name }) => name), ...complete, ...passing]));
    return undefined;
  }

  #some(complete: readonly string[]): readonly string[] {
    if (complete.length <= COMPLETE_AT_ONCE) return complete;
    const from = this.#turn * COMPLETE_AT_ONCE % complete.length;
    this.#turn++;
    return [...complete, ...complete].slice(from, from + COMPLETE_AT_ONCE);
  }

  #problem(name: string, found: SeenFile | undefined, leastBytes = 0): string | undefined {
    const before = this.#seen.get(name);
    if (found === undefined) {
      return name === "" ? "it was moved or removed while the server ran" : `${name} was removed while the server ran`;
    }
    if (before !== undefined && (found.device !== before.device || found.inode !== before.inode)) {
      return name === "" ? "another folder is in its place" : `another file is in the place of ${name}`;
    }
    if (found.size < leastBytes) return `${name} was cut short while the server ran`;
    this.#seen.set(name, found);
    return undefined;
  }

  /** Forgets files that the server itself has removed. */
  #forgetOthers(names: ReadonlySet<string>): void {
    for (const name of this.#seen.keys()) if (!names.has(name)) this.#seen.delete(name);
  }
}
