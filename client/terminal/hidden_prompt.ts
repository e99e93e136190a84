/** A question whose answer is not shown while it is typed. Ctrl-C and Ctrl-D leave, here as everywhere. */

import { NoAnswer } from "../../config/prompts.ts";
import type { Stdio } from "../../platform/stdio.ts";
import { EMPTY_EDITOR, stepEditor } from "./editor.ts";
import { type Key, KeyReader } from "./keys.ts";

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
  const reader = new KeyReader();
  let text = "";
  for (;;) {
    const bytes = await keyboard.read();
    if (bytes === undefined) throw leaving();
    for (const key of reader.push(bytes)) {
      const step = stepHidden(text, key);
      if (step.state === "left") throw leaving();
      if (step.state === "answered") {
        stdio.terminal.write("\n");
        return step.text;
      }
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

function leaving(): NoAnswer {
  return new NoAnswer("The input ended before the question was answered");
}
