/**
 * The terminal of a chat: the last line is the person's, and news appears above it. The owner decides what lines mean.
 */

import type { Stdio } from "../../../platform/stdio.ts";
import { complete } from "./completion.ts";
import { type Editor, type EditorRequest, EMPTY_EDITOR, stepEditor } from "./line_editor.ts";
import { KeyReader } from "./keys.ts";
import { drawAbove, drawPrompt, erasePrompt, type PromptLine, redrawAbove, redrawResized } from "./prompt_line.ts";
import { textWidth } from "./text_width.ts";
import { visible } from "./visible.ts";

/** Who is told what the person wants. */
export interface ScreenOwner {
  /** A line was submitted. Never empty. */
  submitted(line: string): void;
  /** Names for Tab. */
  names(): readonly string[];
}

const PROMPT = "> ";
// deno-lint-ignore no-control-regex -- what our own styles are made of
const STYLES = /\x1b\[[0-9;]*m/g;

/** The screen of one chat. Before `run`, shown rows wait. */
export class Screen {
  readonly #stdio: Stdio;
  #editor: Editor = EMPTY_EDITOR;
  #state: "early" | "open" | "closed" = "early";
  /** Shown before it was open. */
  #early: string[] = [];
  /** As it stands on the terminal. */
  #drawn: PromptLine | undefined;
  /** The row right above the typed line, if it can be replaced. */
  #last: { readonly key: string; readonly columns: number } | undefined;

  constructor(stdio: Stdio) {
    this.#stdio = stdio;
  }

  /** Reads keys until the person leaves or `until` settles. @throws the error of `until`. */
  async run(owner: ScreenOwner, until: Promise<void>): Promise<void> {
    using keyboard = this.#stdio.openKeyboard();
    using _size = this.#stdio.onResize(() => this.#resized());
    for (const text of this.#early.splice(0)) this.#write(`${text}\n`);
    this.#state = "open";
    this.#draw();
    try {
      await Promise.race([until, this.#readKeys(keyboard, owner)]);
    } finally {
      this.#state = "closed";
      this.#write(erasePrompt());
    }
  }

  /** Shows `text` above the line being typed. With `key` it can be mended while nothing comes after it. */
  show(text: string, key?: string): void {
    if (this.#state === "early") this.#early.push(text);
    else if (this.#state === "closed") this.#write(`${text}\n`);
    else {
      const line = this.#line();
      const isOneRow = !text.includes("\n") && textWidth(text.replaceAll(STYLES, "")) < line.columns;
      this.#last = key !== undefined && isOneRow ? { key, columns: line.columns } : undefined;
      this.#drawn = line;
      this.#write(drawAbove(text, line));
    }
  }

  /** Replaces the row of `key` by `text`, if that row is still right above the typed line. True if it did. */
  mend(key: string, text: string): boolean {
    const line = this.#line();
    const fits = textWidth(text.replaceAll(STYLES, "")) < line.columns;
    if (this.#state !== "open" || this.#last?.key !== key || this.#last.columns !== line.columns || !fits) return false;
    this.#drawn = line;
    this.#write(redrawAbove(text, line));
    return true;
  }

  /** Until the person leaves. */
  async #readKeys(keyboard: { read(): Promise<Uint8Array | undefined> }, owner: ScreenOwner): Promise<void> {
    const reader = new KeyReader();
    for (;;) {
      const bytes = await keyboard.read();
      if (bytes === undefined || this.#state !== "open") return;
      for (const key of reader.push(bytes)) {
        const { editor, request } = stepEditor(this.#editor, key);
        this.#editor = editor;
        if (request?.kind === "leave") return;
        if (request !== undefined) this.#fulfil(request, owner);
      }
      this.#draw();
    }
  }

  #fulfil(request: Exclude<EditorRequest, { kind: "leave" }>, owner: ScreenOwner): void {
    if (request.kind === "submit") return owner.submitted(request.line);
    const { editor, choices } = complete(this.#editor, owner.names());
    this.#editor = editor;
    if (choices.length > 0) this.show(this.#stdio.out.dim(choices.map(visible).join("  ")));
  }

  #resized(): void {
    if (this.#state !== "open" || this.#drawn === undefined) return;
    const line = this.#line();
    this.#write(redrawResized(this.#drawn, line));
    this.#drawn = line;
    this.#last = undefined;
  }

  #draw(): void {
    if (this.#state !== "open") return;
    this.#drawn = this.#line();
    this.#write(drawPrompt(this.#drawn));
  }

  #line(): PromptLine {
    return { prompt: PROMPT, text: this.#editor.text, cursor: this.#editor.cursor, columns: this.#stdio.columns() };
  }

  #write(text: string): void {
    this.#stdio.terminal.write(text);
  }
}
