/** What the index does in the background: one thing at a time, and the next when that is done. */

/** Does one thing after the other. */
export class Background {
  readonly #next: () => Promise<void> | undefined;
  readonly #failed: (error: unknown) => void;
  #work: Promise<void> | undefined;
  #hasFailed = false;
  #isEnded = false;

  /** `next` begins what is to be done next, if there is something. `failed` is told of errors. */
  constructor(next: () => Promise<void> | undefined, failed: (error: unknown) => void) {
    this.#next = next;
    this.#failed = failed;
  }

  /** Begins, if nothing is being done. Does nothing after a failure. */
  go(): void {
    if (this.#work !== undefined || this.#hasFailed || this.#isEnded) return;
    const work = this.#next();
    if (work === undefined) return;
    this.#work = work.catch((error) => {
      this.#hasFailed = true;
      if (!this.#isEnded) this.#failed(error);
    }).then(() => {
      this.#work = undefined;
      this.go();
    });
  }

  /** As `go`, after a failure, too. */
  tryAgain(): void {
    this.#hasFailed = false;
    this.go();
  }

  /** Nothing is begun any more. */
  end(): void {
    this.#isEnded = true;
  }

  /** When nothing is left to be done. */
  async settled(): Promise<void> {
    while (this.#work !== undefined) await this.#work;
  }
}
