/**
 * The terminal of a chat: the last line is the person's, and news appears above it. The owner decides what lines mean.
 * `line_editor.ts` decides what keys do, `look_back.ts` what a page of earlier rows is.
 */

import type { Stdio } from "../../../platform/stdio.ts";
import { complete } from "./completion.ts";
import {
  type Editor,
  type EditorRequest,
  EMPTY_EDITOR,
  type PasteRequest,
  stepEditor,
  trimmed,
} from "./line_editor.ts";
import { type Key, KeyReader, PASTE_MODE } from "./keys.ts";
import { historyOf } from "./line_history.ts";
import { newerPage, olderPage, type Page, pageBefore, rowWidth, ShownRows, type Size } from "./look_back.ts";
import { drawAbove, drawPrompt, erasePrompt, type PromptLine, redrawAbove, redrawResized } from "./prompt_line.ts";
import { textStart, textWidth } from "./text_width.ts";
import { visible } from "./visible.ts";

/** Who is told what the person wants. */
export interface ScreenOwner {
  /** A line was submitted. Never empty. */
  submitted(line: string): void;
  /** Several lines were pasted behind `typed`, and the person wants them. Without this each is submitted. */
  pasted?(lines: readonly string[], typed: string): void;
  /** Names for Tab. */
  names(): readonly string[];
  /** Channels for Tab, and patterns of them. */
  channels?(): readonly string[];
  /** Resolves when another line may come. Whoever types is never that fast. */
  room?(): Promise<void>;
}

/** Where a chat is shown: a screen, or a place for plain lines. */
export interface ChatView {
  /** Reads until the person leaves or `until` settles. @throws the error of `until`. */
  run(owner: ScreenOwner, until: Promise<void>): Promise<void>;
  /** Shows `text`, which may have several rows. With `key` it can be mended while nothing comes after it. */
  show(text: string, key?: string): void;
  /** Replaces the row of `key` by `text`. False where that is not possible any more. */
  mend(key: string, text: string): boolean;
  /** What is typed is for `place`; for everyone where that is empty. */
  prompt(place: string): void;
  /**
   * Asks a question that one key answers: `yes` is called for `y`, and nothing for anything else. `false` when the
   * person is busy with something else: then nothing is asked.
   */
  ask(question: string, yes: () => void): boolean;
}

const PROMPT = "> ";
/** More of a place is not shown before the prompt, nor more than a third of the row: the typed text needs the rest. */
const MAX_PLACE_COLUMNS = 24;
/** The screen that a terminal has beside its own, which comes back unchanged. */
const OTHER_SCREEN = { enter: "\x1b[?1049h", leave: "\x1b[?1049l" } as const;
const CLEAR = "\x1b[H\x1b[2J";
/** Behind a stop, nobody knows where the cursor stands. */
const FROM_HERE = "\r\x1b[J";
/** A terminal of which nothing is known has so many. */
const USUAL_ROWS = 24;
/** News that came while the person looks back, and is shown afterwards. */
const MAX_HELD = 1_000;

/** The screen of one chat. Before `run`, shown rows wait. */
export class Screen implements ChatView {
  readonly #stdio: Stdio;
  readonly #shown = new ShownRows();
  #editor: Editor;
  #state: "early" | "open" | "closed" = "early";
  /** Shown before it was open. */
  #early: string[] = [];
  /** As it stands on the terminal. */
  #drawn: PromptLine | undefined;
  /** The row right above the typed line, if it can be replaced. */
  #last: { readonly key: string; readonly columns: number } | undefined;
  /** For whom it is what the person types. */
  #place = "";
  /** A question that stands in the place of the prompt. */
  #question: { readonly text: string; readonly yes: () => void } | undefined;
  /** What is seen of earlier rows, and what came meanwhile. */
  #page: Page | undefined;
  #held: string[] = [];

  /** `history` are lines of earlier sessions, oldest first. */
  constructor(stdio: Stdio, history: readonly string[] = []) {
    this.#stdio = stdio;
    this.#editor = { ...EMPTY_EDITOR, history: historyOf(history) };
  }

  async run(owner: ScreenOwner, until: Promise<void>): Promise<void> {
    using keyboard = this.#stdio.openKeyboard();
    using _size = this.#stdio.onResize(() => this.#resized());
    using _continued = this.#stdio.suspension?.onContinued(() => this.#continued());
    for (const text of this.#early.splice(0)) {
      this.#shown.add(text);
      this.#write(`${text}\n`);
    }
    this.#state = "open";
    this.#write(PASTE_MODE.on);
    this.#draw();
    try {
      await Promise.race([until, this.#readKeys(keyboard, owner)]);
    } finally {
      this.#stopLooking();
      this.#state = "closed";
      this.#write(erasePrompt() + PASTE_MODE.off);
    }
  }

  show(text: string, key?: string): void {
    if (this.#state === "early") this.#early.push(text);
    else if (this.#page !== undefined) this.#hold(text);
    else {
      this.#shown.add(text);
      if (this.#state === "closed") return this.#write(`${text}\n`);
      const line = this.#line();
      const isOneRow = !text.includes("\n") && rowWidth(text) < line.columns;
      this.#last = key !== undefined && isOneRow ? { key, columns: line.columns } : undefined;
      this.#drawn = line;
      this.#write(drawAbove(text, line));
    }
  }

  mend(key: string, text: string): boolean {
    const line = this.#line();
    const fits = rowWidth(text) < line.columns;
    if (this.#state !== "open" || this.#page !== undefined || !fits) return false;
    if (this.#last?.key !== key || this.#last.columns !== line.columns) return false;
    this.#drawn = line;
    this.#shown.mend(text);
    this.#write(redrawAbove(text, line));
    return true;
  }

  prompt(place: string): void {
    if (place === this.#place) return;
    this.#place = place;
    this.#draw();
  }

  ask(question: string, yes: () => void): boolean {
    const isBusy = this.#editor.text !== "" || this.#page !== undefined || this.#question !== undefined;
    if (isBusy || this.#state !== "open") return false;
    this.#ask(question, yes);
    return true;
  }

  /** Until the person leaves. */
  async #readKeys(keyboard: { read(): Promise<Uint8Array | undefined> }, owner: ScreenOwner): Promise<void> {
    const reader = new KeyReader();
    for (;;) {
      const bytes = await keyboard.read();
      if (bytes === undefined || this.#state !== "open") return;
      for (const key of reader.push(bytes)) {
        if (this.#page !== undefined && !this.#lookOn(key)) continue;
        if (this.#question !== undefined && this.#answered(key)) continue;
        const { editor, request } = stepEditor(this.#editor, key);
        this.#editor = editor;
        if (request?.kind === "leave") return;
        if (request !== undefined) this.#fulfil(request, owner);
      }
      this.#draw();
    }
  }

  #fulfil(request: Exclude<EditorRequest, { kind: "leave" }>, owner: ScreenOwner): void {
    switch (request.kind) {
      case "submit":
        return owner.submitted(request.line);
      case "paste":
        return this.#askToPaste(request, owner);
      case "complete": {
        const { editor, choices } = complete(this.#editor, owner.names(), owner.channels?.() ?? []);
        this.#editor = editor;
        if (choices.length > 0) this.show(this.#stdio.out.dim(choices.map(visible).join("  ")));
        return;
      }
      case "clear":
        this.#last = undefined;
        return this.#write(CLEAR);
      case "suspend":
        return this.#suspend();
      case "lookBack":
        return this.#look(olderPage(this.#shown.rows, this.#seen(), this.#size()));
    }
  }

  /** What was pasted by mistake, as a file, would be read by everybody. */
  #askToPaste({ lines, typed, isCut }: PasteRequest, owner: ScreenOwner): void {
    const wanted = lines.map(trimmed).filter((line) => line !== "");
    const columns = this.#stdio.columns() - 1;
    const preview = visible(lines.join(" ⏎ ").slice(0, columns * 2));
    const cut = textStart(preview, columns - 1);
    this.show(this.#stdio.out.dim(cut === preview ? preview : `${cut}…`));
    if (isCut) this.show(this.#stdio.out.yellow("This is more than can be pasted: the rest is left out"));
    this.#ask(`Paste ${lines.length} lines? [y/N] `, () => {
      this.#editor = { ...this.#editor, text: "", cursor: 0 };
      if (owner.pasted !== undefined) owner.pasted(wanted, typed);
      else for (const line of wanted) owner.submitted(line);
    });
  }

  #ask(question: string, yes: () => void): void {
    this.#question = { text: question, yes };
    this.#draw();
  }

  /** Whether the key belonged to the question: any other one is no for an answer, and then does what it does. */
  #answered(key: Key): boolean {
    const question = this.#question!;
    if (key.kind === "redraw" || key.kind === "suspend" || key.kind === "pageUp") return false;
    this.#question = undefined;
    if (key.kind === "text" && /^(?:y|yes)$/i.test(key.text)) {
      question.yes();
      return true;
    }
    if (key.kind === "text") return /^(?:n|no)$/i.test(key.text);
    return key.kind !== "tab" && key.kind !== "paste";
  }

  /** Whether the key is for the line being typed, as the person does not look back any more. */
  #lookOn(key: Key): boolean {
    const { rows } = this.#shown;
    const page = this.#page!;
    switch (key.kind) {
      case "pageUp":
      case "up":
        this.#look(olderPage(rows, page, this.#size()) ?? page);
        return false;
      case "pageDown":
      case "down":
        this.#look(newerPage(rows, page, this.#size()));
        return false;
      case "home":
        this.#look(newerPage(rows, { first: 0, end: 1 }, this.#size()) ?? page);
        return false;
      case "redraw":
        this.#look(page);
        return false;
      case "suspend":
        this.#suspend();
        return false;
      case "text":
        this.#look(undefined);
        return key.text !== "q";
      case "paste":
        this.#look(undefined);
        return true;
      default:
        this.#look(undefined);
        return false;
    }
  }

  /** What is seen of the rows while the person types. */
  #seen(): Page {
    const { rows } = this.#shown;
    return pageBefore(rows, rows.length, this.#size());
  }

  /** Shows this page, or the chat itself. */
  #look(page: Page | undefined): void {
    if (page === undefined) return this.#stopLooking();
    const { rows } = this.#shown;
    const status = `rows ${page.first + 1} to ${page.end} of ${rows.length}; PageUp, PageDown, q`;
    const { columns } = this.#size();
    this.#write(
      (this.#page === undefined ? OTHER_SCREEN.enter : "") + CLEAR +
        rows.slice(page.first, page.end).map((row) => `${row}\r\n`).join("") +
        this.#stdio.out.dim(textStart(status, columns - 1)),
    );
    this.#page = page;
  }

  #stopLooking(): void {
    if (this.#page === undefined) return;
    this.#page = undefined;
    this.#write(OTHER_SCREEN.leave);
    for (const text of this.#held.splice(0)) this.show(text);
    this.#draw();
  }

  #hold(text: string): void {
    this.#held.push(text);
    if (this.#held.length <= MAX_HELD) return;
    this.#held.splice(0, 2, this.#stdio.out.yellow("some rows are left out here: too much came while you looked back"));
  }

  /** Stops the program, as Ctrl-Z does, with the terminal as it was. */
  #suspend(): void {
    if (this.#stdio.suspension === undefined) return;
    const leave = this.#page === undefined ? "" : OTHER_SCREEN.leave;
    this.#write(leave + erasePrompt() + PASTE_MODE.off);
    if (!this.#stdio.suspension.stop()) this.#continued();
  }

  /** Somebody has let the program go on: the shell wrote, and the terminal may have another size. */
  #continued(): void {
    if (this.#state !== "open") return;
    this.#last = undefined;
    this.#write(PASTE_MODE.on + FROM_HERE);
    if (this.#page === undefined) return this.#draw();
    const page = this.#page;
    this.#page = undefined;
    this.#look(page);
  }

  #resized(): void {
    if (this.#state !== "open" || this.#drawn === undefined) return;
    if (this.#page !== undefined) return this.#look(pageBefore(this.#shown.rows, this.#page.end, this.#size()));
    const line = this.#line();
    this.#write(redrawResized(this.#drawn, line));
    this.#drawn = line;
    this.#last = undefined;
  }

  #draw(): void {
    if (this.#state !== "open" || this.#page !== undefined) return;
    this.#drawn = this.#line();
    this.#write(drawPrompt(this.#drawn));
  }

  #line(): PromptLine {
    const { text, cursor, search } = this.#editor;
    const columns = this.#stdio.columns();
    if (this.#question !== undefined) return { prompt: visible(this.#question.text), text: "", cursor: 0, columns };
    if (search === undefined) return { prompt: this.#promptIn(columns), text, cursor, columns };
    const failed = search.at === undefined && search.query !== "" ? "nothing with" : "search";
    return { prompt: `${failed} "${visible(search.query)}": `, text, cursor, columns };
  }

  #promptIn(columns: number): string {
    const room = Math.min(MAX_PLACE_COLUMNS, Math.floor(columns / 3));
    const isWhole = textWidth(this.#place) <= room;
    return (isWhole ? this.#place : `${textStart(this.#place, room - 1)}…`) + PROMPT;
  }

  #size(): Size {
    return { columns: this.#stdio.columns(), rows: this.#stdio.rows?.() ?? USUAL_ROWS };
  }

  #write(text: string): void {
    this.#stdio.terminal.write(text);
  }
}
