/**
 * One keyboard for a whole session, from the first question on. A terminal shows by itself what is typed ahead of a question, and the next one may be for a
 * password; so from the beginning nothing is shown but by us.
 */

import { NoAnswer } from "../../../config/prompts.ts";
import type { Keyboard, Stdio } from "../../../platform/stdio.ts";
import { readTyped } from "./hidden_prompt.ts";
import { visible } from "./visible.ts";

/** A `Stdio` whose keyboard is open until this is disposed of. What nobody has read yet stays for whoever reads next. */
export interface RawStdio extends Stdio, Disposable {
  /** Waits for `work`. Rejects with `NoAnswer` when the person types Ctrl-C meanwhile: no signal comes of that now. */
  unlessLeft<Result>(work: Promise<Result>): Promise<Result>;
}

const CTRL_C = 3;

/** Opens the keyboard of `stdio`. */
export function rawStdio(stdio: Stdio): RawStdio {
  const keyboard = stdio.openKeyboard();
  /** Typed, and not read yet; `undefined` when nothing will come any more. */
  let ahead: Uint8Array | undefined = new Uint8Array();
  let reading: Promise<void> | undefined;
  // A read cannot be given up: so whoever waits, waits for the same one.
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
    terminal: { write, readLine: () => readTyped(openKeyboard(1), write, visible) },
    async unlessLeft(work) {
      let isDone = false;
      const left = async () => {
        for (;;) {
          if (isDone) return await work;
          if (ahead === undefined || ahead.includes(CTRL_C)) throw new NoAnswer("The person left while waiting");
          await more();
        }
      };
      return await Promise.race([work.finally(() => isDone = true), left()]);
    },
    [Symbol.dispose]: () => keyboard[Symbol.dispose](),
  };
}
