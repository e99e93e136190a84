/**
 * Lines to standard output that nobody waits for. A reader that does not read holds a bounded number of lines. Lines
 * beyond that are counted, and told when there is room again.
 */

/** Writes lines in their order. */
export class PatientOutput {
  readonly #write: (text: string) => Promise<boolean>;
  readonly #maxLines: number;
  readonly #leftOut: (count: number) => string;
  #waiting: string[] = [];
  #skipped = 0;
  #isWriting = false;
  #isGone = false;

  /** `write` says whether somebody still reads. `leftOut` makes the line about what was not written. */
  constructor(
    write: (text: string) => Promise<boolean>,
    { maxLines, leftOut }: { readonly maxLines: number; readonly leftOut: (count: number) => string },
  ) {
    this.#write = write;
    this.#maxLines = maxLines;
    this.#leftOut = leftOut;
  }

  /** Adds lines; `skipped` more are not among them. */
  add(lines: readonly string[], skipped = 0): void {
    if (this.#isGone) return;
    const room = Math.max(0, this.#maxLines - this.#waiting.length);
    this.#waiting.push(...lines.slice(0, room));
    this.#skipped += skipped + Math.max(0, lines.length - room);
    void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    try {
      while (this.#waiting.length + this.#skipped > 0) {
        const lines = this.#skipped === 0 ? this.#waiting : [...this.#waiting, this.#leftOut(this.#skipped)];
        this.#waiting = [];
        this.#skipped = 0;
        if (!await this.#write(lines.map((line) => `${line}\n`).join(""))) return this.#end();
      }
    } catch {
      // A full disk behind standard output is no reason to stop serving.
      this.#end();
    } finally {
      this.#isWriting = false;
    }
  }

  #end(): void {
    this.#isGone = true;
    this.#waiting = [];
  }
}
