/**
 * A chat without a screen: rows are written one below the other, and lines are read as they come. For pipes, and for
 * terminals that cannot move their cursor (`TERM=dumb`). The screen is `../screen/screen.ts`.
 */

import { FileError } from "../../../platform/files/text_file.ts";
import { type InputLine, InputLines } from "../input_lines.ts";
import { InputError } from "../publish.ts";
import type { ChatView, ScreenOwner } from "../screen/screen.ts";

/** Longer than any line that can be sent. */
const MAX_LINE_BYTES = 1_048_576;

/** Where lines come from and rows go. */
export interface LineViewStdio {
  /** The next line; `undefined` when there is none any more. */
  readLine(): Promise<string | undefined>;
  /** Resolves when `text` is out; `false` when nobody reads any more. */
  write(text: string): Promise<boolean>;
}

/** Rows below each other. */
export class LineView implements ChatView {
  readonly #stdio: LineViewStdio;
  readonly #unread = Promise.withResolvers<void>();
  /** Rows are written in their order, each after the one before. */
  #written: Promise<void> = Promise.resolve();
  #question: (() => void) | undefined;

  constructor(stdio: LineViewStdio) {
    this.#stdio = stdio;
  }

  async run(owner: ScreenOwner, until: Promise<void>): Promise<void> {
    let isOver = false;
    const over = Promise.race([until, this.#unread.promise]).finally(() => isOver = true);
    const read = async () => {
      for (;;) {
        const text = await this.#stdio.readLine();
        if (text === undefined || isOver) return;
        const line = text.trim();
        if (this.#answered(line) || line === "") continue;
        owner.submitted(line);
        // Whoever gives lines faster than they are dealt with must not fill the memory.
        await this.#written;
        await owner.room?.();
      }
    };
    await Promise.race([over, read()]);
  }

  show(text: string): void {
    this.#written = this.#written.then(async () => {
      if (!await this.#stdio.write(`${text}\n`)) this.#unread.resolve();
    }).catch(this.#unread.reject);
  }

  mend(): boolean {
    return false;
  }

  /** Nobody sees one: what a channel says has its name. */
  prompt(): void {}

  ask(question: string, yes: () => void): boolean {
    this.#question = yes;
    this.show(question.trimEnd());
    return true;
  }

  /** Resolves when all rows are out. @throws the error of the writing. */
  async written(): Promise<void> {
    await this.#written;
    await Promise.race([this.#unread.promise, Promise.resolve()]);
  }

  /** Whether the line was the answer to a question. Any other line is no for an answer, and means what it means. */
  #answered(line: string): boolean {
    const yes = this.#question;
    this.#question = undefined;
    if (yes === undefined || !/^(?:y|yes|n|no)$/i.test(line)) return false;
    if (/^y/i.test(line)) yes();
    return true;
  }
}

/** The lines of a pipe. One that is no UTF-8, or too long, is the error of the reading. */
export function linesOfInput(input: AsyncIterable<Uint8Array>): Pick<LineViewStdio, "readLine"> {
  const lines = textLines(input);
  return {
    async readLine() {
      const { value, done } = await lines.next();
      return done ? undefined : value;
    },
  };
}

async function* textLines(input: AsyncIterable<Uint8Array>): AsyncGenerator<string, undefined> {
  const lines = new InputLines(MAX_LINE_BYTES);
  const text = (line: InputLine): string => {
    if (line.problem === undefined) return line.text;
    throw new InputError(`Line ${line.number} of standard input: ${line.problem}`);
  };
  try {
    for await (const bytes of input) yield* lines.push(bytes).map(text);
  } catch (error) {
    throw error instanceof FileError ? new InputError(error.message, { cause: error }) : error;
  }
  yield* lines.end().map(text);
  return undefined;
}
