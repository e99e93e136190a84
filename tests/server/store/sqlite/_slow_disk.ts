/**
 * A disk for a store that works in the background: what the store asks of it is done when the test says so. It
 * remembers what has reached the disk for certain, and can show what a crash or a power cut would leave.
 */

import type { Background } from "../../../../server/store/turns/checkpoints.ts";

/** A file system writes so many bytes at once, or not at all. */
const PAGE_BYTES = 4_096;

/** The disk of one folder. */
export class SlowDisk {
  readonly background: Background;
  readonly #folder: string;
  readonly #timers: (() => void)[] = [];
  readonly #syncs: (() => void)[] = [];
  /** What is on the disk for certain, by name. */
  readonly #durable = new Map<string, Uint8Array>();

  constructor(folder: string) {
    this.#folder = folder;
    this.background = {
      clock: {
        after: (_, wake) => {
          this.#timers.push(wake);
          return { cancel: () => this.#timers.splice(this.#timers.indexOf(wake) >>> 0, 1) };
        },
      },
      sync: (path) => {
        const name = path.slice(folder.length + 1);
        const bytes = Deno.readFileSync(path);
        return new Promise((done) =>
          this.#syncs.push(() => {
            this.#durable.set(name, bytes);
            done();
          })
        );
      },
      close: () => {},
    };
  }

  /** Whether the store waits for the disk. */
  get isBusy(): boolean {
    return this.#syncs.length > 0;
  }

  /** Everything that is in the folder now is on the disk. */
  allIsThere(isMeant: (name: string) => boolean = () => true): void {
    for (const name of this.#names().filter(isMeant)) this.#durable.set(name, this.#read(name));
  }

  /** The next timer fires, if there is one. */
  wake(): void {
    this.#timers.shift()?.();
  }

  /** The next thing that the store waits for is done, if there is one. */
  async done(): Promise<void> {
    this.#syncs.shift()?.();
    // What follows that.
    for (let turn = 0; turn < 9; turn++) await Promise.resolve();
  }

  /** What the folder has after the program was killed, in a new folder. */
  killed(to: string): void {
    Deno.mkdirSync(to);
    for (const name of this.#names()) Deno.writeFileSync(`${to}/${name}`, this.#read(name));
  }

  /**
   * What the folder has after a power cut: what is there for certain, and of everything that was written later any
   * page, or none. `chance` gives numbers from 0 up to but not including 1.
   */
  powerCut(to: string, chance: () => number): void {
    Deno.mkdirSync(to);
    for (const name of this.#names()) {
      const now = this.#read(name);
      const before = this.#durable.get(name);
      const least = before?.length ?? 0;
      const mixed = new Uint8Array(least + Math.floor(chance() * (now.length - least + 1)));
      for (let at = 0; at < mixed.length; at += PAGE_BYTES) {
        const from = chance() < 0.7 ? now : before;
        if (from !== undefined) mixed.set(from.subarray(at, Math.min(at + PAGE_BYTES, mixed.length)), at);
      }
      // What is there for certain and was not written again.
      if (before !== undefined) {
        for (let at = 0; at < before.length; at++) if (before[at] === now[at]) mixed[at] = before[at]!;
      }
      Deno.writeFileSync(`${to}/${name}`, mixed);
    }
  }

  #names(): string[] {
    return [...Deno.readDirSync(this.#folder)].filter(({ isFile }) => isFile).map(({ name }) => name);
  }

  #read(name: string): Uint8Array {
    return Deno.readFileSync(`${this.#folder}/${name}`);
  }
}
