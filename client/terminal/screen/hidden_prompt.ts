/**
 * Typed answers, and how much of them is shown. Nothing is shown of a password, or of a text that may be a password at
 * another question. Ctrl-C and Ctrl-D leave, as everywhere.
 */

import { ask, NoAnswer, yesNoQuestion } from "../../../config/prompts.ts";
import type { Keyboard, Stdio, Suspension } from "../../../platform/stdio.ts";
import { EMPTY_EDITOR, stepEditor } from "./line_editor.ts";
import { type Key, KeyReader } from "./keys.ts";
import { textWidth } from "./text_width.ts";

/** What hidden typing came to so far. */
export type HiddenStep =
  | { readonly state: "typing"; readonly text: string }
  | { readonly state: "answered"; readonly text: string }
  | { readonly state: "left" };

/**
 * Asks, and gives the answer as it was typed.
 * @throws {NoAnswer} when the person does not want to answer.
 */
export async function askHidden(question: string, stdio: Stdio): Promise<string> {
  // Before the question: from its first letter on nothing typed is shown. The next reader gets the keys after Enter.
  using keyboard = stdio.openKeyboard(1);
  stdio.terminal.write(`${question} `);
  const typed = await readTyped(keyboard, stdio.terminal.write, () => "", { ...stdio, question: `${question} ` });
  if (typed === undefined) throw new NoAnswer("The input ended before the question was answered");
  return typed;
}

/**
 * Asks for yes or no; Enter alone is no. A person who expects a password prompt types a password here, so only the two
 * words are shown.
 * @throws {NoAnswer} when the person does not want to answer.
 */
export async function askYesNo(question: string, stdio: Stdio): Promise<boolean> {
  const { write } = stdio.terminal;
  const readLine = async () => {
    using keyboard = stdio.openKeyboard(1);
    const shown = (typed: string) => /^(?:y(?:es?)?|no?)$/i.test(typed) ? typed : "";
    return await readTyped(keyboard, write, shown, { ...stdio, question: `  ${question} ` });
  };
  return await ask({ ...yesNoQuestion(question), shown: "N" }, { write, readLine });
}

/**
 * Reads up to Enter, and shows what `shown` makes of the text; `undefined` when the person leaves. After a stop
 * (Ctrl-Z) `question` is asked again.
 */
export async function readTyped(
  keyboard: Keyboard,
  write: (text: string) => void,
  shown: (typed: string) => string,
  { suspension, question = "" }: { readonly suspension?: Suspension; readonly question?: string } = {},
): Promise<string | undefined> {
  const reader = new KeyReader();
  let text = "";
  using _continued = suspension?.onContinued(() => write(question + shown(text)));
  for (;;) {
    const bytes = await keyboard.read();
    if (bytes === undefined) return undefined;
    for (const key of reader.push(bytes)) {
      if (key.kind === "suspend") {
        write("\n");
        if (suspension?.stop() !== true) write(question + shown(text));
        continue;
      }
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

/** The effect of `key`. Nobody sees the cursor, so it stays at the end. */
export function stepHidden(text: string, key: Key): HiddenStep {
  switch (key.kind) {
    case "enter":
      return { state: "answered", text };
    case "interrupt":
    case "endOfInput":
      return { state: "left" };
    case "paste":
      // The end of a pasted line is no part of a password, and submits nothing.
      return stepHidden(text, { kind: "text", text: key.text.replace(/[\r\n]+/g, "") });
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

/**
 * The bytes that turn `before` into `after` on the terminal, with the cursor at the end. One of the two begins with the
 * other.
 */
function change(before: string, after: string): string {
  if (after.startsWith(before)) return after.slice(before.length);
  const columns = textWidth(before) - textWidth(after);
  return "\b".repeat(columns) + " ".repeat(columns) + "\b".repeat(columns);
}
