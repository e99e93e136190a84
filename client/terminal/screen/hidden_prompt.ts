/**
 * Answers that are typed, and how much of them is shown: nothing of a password, nor of what may be one that is typed for another question. Ctrl-C and Ctrl-D leave,
 * here as everywhere.
 */

import { ask, NoAnswer, yesNoQuestion } from "../../../config/prompts.ts";
import type { Keyboard, Stdio } from "../../../platform/stdio.ts";
import { EMPTY_EDITOR, stepEditor } from "./line_editor.ts";
import { type Key, KeyReader } from "./keys.ts";
import { textWidth } from "./text_width.ts";

/** What hidden typing came to so far. */
export type HiddenStep =
  | { readonly state: "typing"; readonly text: string }
  | { readonly state: "answered"; readonly text: string }
  | { readonly state: "left" };

/**
 * Asks, and gives what was typed, as it was typed.
 * @throws {NoAnswer} when the person does not want to answer.
 */
export async function askHidden(question: string, stdio: Stdio): Promise<string> {
  stdio.terminal.write(`${question} `);
  // What is typed behind Enter is for whoever reads next.
  using keyboard = stdio.openKeyboard(1);
  const typed = await readTyped(keyboard, stdio.terminal.write, () => "");
  if (typed === undefined) throw new NoAnswer("The input ended before the question was answered");
  return typed;
}

/**
 * Asks for yes or no; Enter alone is no. Whoever expects to be asked for a password types that here: nothing else than the words is shown.
 * @throws {NoAnswer} when the person does not want to answer.
 */
export async function askYesNo(question: string, stdio: Stdio): Promise<boolean> {
  const { write } = stdio.terminal;
  const readLine = async () => {
    using keyboard = stdio.openKeyboard(1);
    return await readTyped(keyboard, write, (typed) => /^(?:y(?:es?)?|no?)$/i.test(typed) ? typed : "");
  };
  return await ask({ ...yesNoQuestion(question), shown: "N" }, { write, readLine });
}

/** Reads up to Enter, and shows what `shown` makes of what is typed; `undefined` when the person leaves. */
export async function readTyped(
  keyboard: Keyboard,
  write: (text: string) => void,
  shown: (typed: string) => string,
): Promise<string | undefined> {
  const reader = new KeyReader();
  let text = "";
  for (;;) {
    const bytes = await keyboard.read();
    if (bytes === undefined) return undefined;
    for (const key of reader.push(bytes)) {
      const step = stepHidden(text, key);
      if (step.state === "left") return undefined;
      if (step.state === "answered") {
        write("\n");
        return step.text;
      }
      write(change(shown(text), shown(step.text)));
      text = step.text;
    }
  }
}

/** What `key` does. Nobody sees the cursor, so it stays at the end. */
export function stepHidden(text: string, key: Key): HiddenStep {
  switch (key.kind) {
    case "enter":
      return { state: "answered", text };
    case "interrupt":
    case "endOfInput":
      return { state: "left" };
    case "eraseBefore":
    case "text":
    case "backspace": {
      const { editor } = stepEditor({ ...EMPTY_EDITOR, text, cursor: text.length }, key);
      return { state: "typing", text: editor.text };
    }
    default:
      return { state: "typing", text };
  }
}

/** What makes `after` of `before` on the terminal, when the cursor stands behind it: one of them begins with the other. */
function change(before: string, after: string): string {
  if (after.startsWith(before)) return after.slice(before.length);
  const columns = textWidth(before) - textWidth(after);
  return "\b".repeat(columns) + " ".repeat(columns) + "\b".repeat(columns);
}
