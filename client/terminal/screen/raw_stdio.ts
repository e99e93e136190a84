/**
 * One keyboard for a whole session, from the first question on. A terminal itself shows text that is typed ahead of a
 * question, and the next question may be for a password. So from the beginning only this program shows typed text.
 */

import { NoAnswer } from "../../../config/prompts.ts";
import type { Keyboard, Stdio } from "../../../platform/stdio.ts";
import { readTyped } from "./hidden_prompt.ts";
import { visible } from "./visible.ts";

/** A `Stdio` with a keyboard that stays open until this is disposed of. Unread keys stay for the next reader. */
export interface RawStdio extends Stdio, Disposable {
  /**
   * Waits for `work`. Rejects with `NoAnswer` when the person types Ctrl-C in this time, as Ctrl-C causes no signal
   * now.
   */
  unlessLeft<Result>(work: Promise<Result>): Promise<Result>;
  /**
   * Gives the keyboard back, so that the terminal itself shows and edits each line. Gives what reads the lines: a read
   * that is under way cannot be given up, and has the next one.
   */
  toLines(): () => Promise<string | undefined>;
}

const CTRL_C = 3;
const CTRL_Z = 26;

/** Opens the keyboard of `stdio`. */
export function rawStdio(stdio: Stdio): RawStdio {
  const keyboard = stdio.openKeyboard();
  /** Keys that were typed and not read yet; `undefined` when no more will come. */
  let ahead: Uint8Array | undefined = new Uint8Array();
  let reading: Promise<void> | undefined;
  // A read cannot be cancelled, so all waiting readers share one.
  const more = () =>
    reading ??= (async () => {
      const bytes = await keyboard.read();
      ahead = bytes && new Uint8Array([...ahead ?? [], ...bytes]);
      reading = undefined;
    })();
  const openKeyboard = (maxBytes = Infinity): Keyboard => ({
    async read() {
      while (ahead?.length === 0) await more();
      const bytes = ahead?.subarray(0, maxBytes);
      ahead = ahead?.subarray(maxBytes);
      return bytes;
    },
    // It is open for the next one, too.
    [Symbol.dispose]() {},
  });
  const { write } = stdio.terminal;
  return {
    ...stdio,
    openKeyboard,
    terminal: { write, readLine: () => readTyped(openKeyboard(1), write, visible, stdio) },
    async unlessLeft(work) {
      let isDone = false;
      const left = async () => {
        for (;;) {
          if (isDone) return await work;
          if (ahead === undefined || ahead.includes(CTRL_C)) throw new NoAnswer("The person left while waiting");
          if (ahead.includes(CTRL_Z)) {
            ahead = ahead.filter((byte) => byte !== CTRL_Z);
            stdio.suspension?.stop();
          }
          await more();
        }
      };
      return await Promise.race([work.finally(() => isDone = true), left()]);
    },
    toLines() {
      keyboard[Symbol.dispose]();
      const decoder = new TextDecoder();
      let unfinished = "";
      return async () => {
        for (;;) {
          const [, line, rest] = /^([^\r\n]*)\r?[\r\n](.*)$/s.exec(unfinished) ?? [];
          if (line !== undefined) {
            unfinished = rest!;
            return line;
          }
          while (ahead?.length === 0) await more();
          if (ahead === undefined) return undefined;
          unfinished += decoder.decode(ahead, { stream: true });
          ahead = new Uint8Array();
        }
      };
    },
    [Symbol.dispose]: () => keyboard[Symbol.dispose](),
  };
}
