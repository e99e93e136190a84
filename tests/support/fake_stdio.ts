/** Standard input and output for tests: answers are prepared, and what is written is kept. */

import type { Keyboard, Stdio, Suspension } from "../../platform/stdio.ts";
import type { Style } from "../../platform/terminal.ts";

/** Leaves text as it is. */
export const PLAIN: Style = { bold: String, dim: String, green: String, yellow: String, red: String, coloured: String };

/** A `Stdio` that answers its questions from `answers`, in order, and then has no more. */
export class FakeStdio implements Stdio {
  readonly canAsk: boolean;
  readonly out = PLAIN;
  readonly err = PLAIN;
  rows?: () => number;
  suspension?: Suspension;
  /** Everything that was written to the terminal, questions included. */
  written = "";
  /** Everything that went to standard error. */
  told = "";
  readonly #answers: string[];

  constructor(answers: readonly string[] = [], canAsk = true) {
    this.#answers = [...answers];
    this.canAsk = canAsk;
  }

  /** Answers that nobody asked for. */
  get left(): number {
    return this.#answers.length;
  }

  readonly terminal = {
    write: (text: string) => void (this.written += text),
    readLine: () => Promise.resolve(this.#answers.shift()),
  };

  columns(): number {
    return 80;
  }

  write(text: string): Promise<boolean> {
    this.written += text;
    return Promise.resolve(true);
  }

  tell(text: string): void {
    this.told += text;
  }

  async *input(): AsyncIterable<Uint8Array> {}

  /** Types the next answer. */
  openKeyboard(): Keyboard {
    return {
      read: () => {
        const answer = this.#answers.shift();
        return Promise.resolve(answer === undefined ? undefined : new TextEncoder().encode(`${answer}\r`));
      },
      [Symbol.dispose]() {},
    };
  }

  onResize(): Disposable {
    return { [Symbol.dispose]() {} };
  }
}
