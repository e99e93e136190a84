/** A terminal that can be looked at: a program in tmux, which knows what the screen shows whatever was sent to it. */

import { fail } from "@std/assert";
import { shellQuoted } from "../../config/shell_word.ts";
import { delay } from "@std/async/delay";

/** Why there is no tmux; `undefined` where there is. */
export const NO_TMUX: string | undefined = findTmux();

const PATIENCE_MS = 120_000;
/**
 * tmux does not tell when the screen changes. Each look starts a program, so what takes long is looked at less often.
 */
const FIRST_LOOK_MS = 20;
const LAST_LOOK_MS = 150;

/** One program on a screen of its own. `await using` ends both. */
export class Screen implements AsyncDisposable {
  readonly #socket = `thrum-test-${crypto.randomUUID()}`;

  private constructor() {}

  /**
   * Starts `command` on a screen of `columns` and 24 rows. The screen stays when the program has ended, and
   * then says `exit CODE`.
   */
  static async start(
    command: readonly string[],
    { columns = 80, env = {} }: { columns?: number; env?: Record<string, string> } = {},
  ): Promise<Screen> {
    const screen = new Screen();
    const variables = Object.entries(env).map(([name, value]) => shellQuoted(`${name}=${value}`));
    // Colours are shown wherever the tests themselves run.
    const line = ["env", "-u", "NO_COLOR", ...variables, ...command.map(shellQuoted)].join(" ");
    await screen.#tmux(
      "-f",
      "/dev/null",
      "new-session",
      "-d",
      "-x",
      String(columns),
      "-y",
      "24",
      // A shell that is no bash ends with the Ctrl-C that ends its program.
      `trap : INT; ${line}; echo exit $?; cat`,
    );
    return screen;
  }

  /** Types. A key's name (`Enter`, `BSpace`, `C-c`, `Left`) is that key. */
  async type(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  /** Pastes, as a terminal does with what somebody has copied: several lines in one. */
  async paste(text: string): Promise<void> {
    await this.#tmux("set-buffer", text);
    await this.#tmux("paste-buffer", "-p");
  }

  /** Gives the screen another width. */
  async resize(columns: number): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns));
  }

  /** Everything that was written, colours included, also what has been scrolled away. */
  async everything(): Promise<string> {
    return await this.#tmux("capture-pane", "-p", "-e", "-S", "-");
  }

  /** The rows that are not empty, without the space at their ends. */
  async rows(): Promise<string[]> {
    const text = await this.#tmux("capture-pane", "-p");
    return text.split("\n").map((row) => row.trimEnd()).filter((row) => row !== "");
  }

  /** Waits until the last row is `row` and the one before it matches `above`. */
  async shows(row: string, above = /^/): Promise<void> {
    await this.#until((rows) => rows.at(-1) === row && above.test(rows.at(-2) ?? ""), `${row} below ${above}`);
  }

  /** Waits until the cursor stands in `column`, from 0. */
  async showsCursor(column: number): Promise<void> {
    let at = "";
    const isThere = async () =>
      (at = (await this.#tmux("display-message", "-p", "#{cursor_x}")).trim()) === `${column}`;
    await lookUntil(isThere, () => `The cursor is in column ${at}, not in ${column}`);
  }

  /** Waits until some row matches. */
  async sees(pattern: RegExp): Promise<string> {
    let found: string | undefined;
    await this.#until((rows) => (found = rows.find((row) => pattern.test(row))) !== undefined, String(pattern));
    return found!;
  }

  /** Waits until all rows together are as `isRight` wants them, which is `what`. */
  async showsRows(isRight: (rows: string[]) => boolean, what: string): Promise<void> {
    await this.#until(isRight, what);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server");
  }

  async #until(isThere: (rows: string[]) => boolean, what: string): Promise<void> {
    let rows: string[] = [];
    const look = async () => isThere(rows = await this.rows());
    await lookUntil(look, () => `No ${what} within ${PATIENCE_MS} ms:\n${rows.join("\n")}`);
  }

  async #tmux(...args: string[]): Promise<string> {
    const command = new Deno.Command("tmux", { args: ["-u", "-L", this.#socket, ...args] });
    const { code, stdout, stderr } = await command.output();
    if (code !== 0) fail(`tmux ${args[0]}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }
}

async function lookUntil(look: () => Promise<boolean>, problem: () => string): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  for (let waitMs = FIRST_LOOK_MS; !await look(); waitMs = Math.min(2 * waitMs, LAST_LOOK_MS)) {
    if (performance.now() > until) fail(problem());
    await delay(waitMs);
  }
}

function findTmux(): string | undefined {
  try {
    new Deno.Command("tmux", { args: ["-V"] }).outputSync();
    return undefined;
  } catch {
    return "tmux is not installed";
  }
}
