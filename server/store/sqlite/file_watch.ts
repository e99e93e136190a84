/**
 * Whether the files of a data folder are still those that the server has open. The operating system goes on taking what is written to a file that was removed, and
 * nobody will ever find it. Decides by what it is shown of each file; reads nothing itself.
 */

/** What stands at a path. */
export interface SeenFile {
  readonly device: number;
  readonly inode: number;
  readonly size: number;
}

/** Which files there have to be. */
export interface WatchedFiles {
  /** Looked at each time: never shorter than before, nor than what was written to it. */
  readonly growing: readonly { readonly name: string; readonly writtenBytes: number }[];
  /** Never shorter than before; some of them at a time, as there may be many. */
  readonly complete: readonly string[];
  /** There from some moment on, and of any size. */
  readonly passing: readonly string[];
}

/** Of those that are complete, so many are looked at each time. */
const COMPLETE_AT_ONCE = 64;

/** One folder's. */
export class FileWatch {
  readonly #folder: string;
  readonly #look: (path: string) => SeenFile | undefined;
  /** What was seen of the folder (an empty name) and of each file. */
  #seen = new Map<string, SeenFile>();
  #turn = 0;

  /** `look` gives what is at a path; `undefined` when nothing is. */
  constructor(folder: string, look: (path: string) => SeenFile | undefined) {
    this.#folder = folder;
    this.#look = look;
  }

  /** What has happened to one of the files, in words; `undefined` when all is well. What is seen of a file first is taken to be right. */
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

  /** Those that the server has removed itself. */
  #forgetOthers(names: ReadonlySet<string>): void {
    for (const name of this.#seen.keys()) if (!names.has(name)) this.#seen.delete(name);
  }
}
