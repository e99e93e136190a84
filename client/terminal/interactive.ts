/** The interactive session: what is typed is published, and what others publish appears above the line being typed. */

import { UsageError } from "../../config/flags.ts";
import { VERSION } from "../../protocol/version.ts";
import { RefusedError } from "../errors.ts";
import type { Client, ClientEvent } from "../options.ts";
import { activityText } from "../publication.ts";
import { endpointText } from "../server_list.ts";
import { type CommandContext, enter } from "./command.ts";
import { describeActivity, type Notice, styleNotice } from "./describe.ts";
import { type Editor, type EditorRequest, EMPTY_EDITOR, stepEditor } from "./editor.ts";
import { askIdentity, type GivenIdentity, type Identity, settleIdentity } from "./identity.ts";
import { KeyReader } from "./keys.ts";
import { PendingLines } from "./pending_lines.ts";
import { drawAbove, drawPrompt, erasePrompt, type PromptLine } from "./prompt_line.ts";

const PROMPT = "> ";

/**
 * Talks until the person leaves.
 * @throws what ends the client, when that is not the person.
 * @throws {ConnectionEndedError | ConnectError} when the person leaves before all lines are acknowledged: see `PendingLines.failure`.
 */
export async function talk(context: CommandContext): Promise<void> {
  const { args, stdio } = context;
  if (!stdio.canAsk) {
    throw new UsageError("Cannot talk without a terminal; programs use publish and listen");
  }
  const screen = new Screen(context);
  stdio.terminal.write(`${stdio.out.bold(`thrum-client ${VERSION}`)}  ${endpointText(context.server)}\n`);
  const given = { ...context, ...args, secret: context.secret, command: "interactive" as const };
  if (args.username === undefined && args.mayAsk) await context.reach();
  await using client = args.username === undefined && args.mayAsk
    ? await enterByAsking(context, given, screen)
    : await enter(context, await settleIdentity(given, stdio), screen);
  stdio.terminal.write(
    stdio.out.dim(`connected as ${client.username}. Type a text, or a JSON object; Ctrl-D leaves.\n`),
  );
  try {
    await screen.run(client);
  } finally {
    await client.close();
    screen.tellLeft();
  }
  const failure = screen.failure;
  if (failure !== undefined) throw failure;
}

/** A name that is taken, or a secret that is wrong, is no reason to start all over. */
async function enterByAsking(context: CommandContext, given: GivenIdentity, screen: Screen): Promise<Client> {
  const { stdio } = context;
  for (;;) {
    const identity: Identity = await askIdentity(given, stdio);
    try {
      return await enter(context, identity, screen);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      screen.onNotice({ tone: "warning", text: `  ${error.message}` });
    }
  }
}

/** The terminal of a session: one line at the bottom is the person's, all above it is what happens. */
class Screen {
  readonly #context: CommandContext;
  #editor: Editor = EMPTY_EDITOR;
  #isOpen = false;
  readonly #pending = new PendingLines();

  constructor(context: CommandContext) {
    this.#context = context;
  }

  /** For `enter`. An own field, as it is handed over. */
  readonly onNotice = (notice: Notice): void => this.#above(styleNotice(notice, this.#context.stdio.out));

  /** Likewise. */
  readonly onEvent = (event: ClientEvent): void => {
    this.#pending.on(event);
    if (event.kind === "lost") this.#showWaiting();
  };

  /** Reads keys and shows activities until the person leaves or the client is closed. */
  async run(client: Client): Promise<void> {
    const { stdio, onStop } = this.#context;
    using keyboard = stdio.openKeyboard();
    const left = Promise.withResolvers<void>();
    using _signals = onStop(left.resolve);
    this.#isOpen = true;
    this.#write(drawPrompt(this.#line));
    try {
      await Promise.race([left.promise, this.#showActivities(client), this.#readKeys(keyboard, client, left.resolve)]);
    } finally {
      this.#isOpen = false;
      this.#write(erasePrompt());
    }
  }

  /** Shows the lines that the server does not have. Called when the client is closed. */
  tellLeft(): void {
    for (const notice of this.#pending.left()) this.onNotice(notice);
  }

  /** What the session has failed in, although the person left it. */
  get failure(): Error | undefined {
    return this.#pending.failure(endpointText(this.#context.server));
  }

  async #showActivities(client: Client): Promise<void> {
    const { out } = this.#context.stdio;
    for await (const activity of client.activities()) this.#above(describeActivity(activity, out));
  }

  async #readKeys(
    keyboard: { read(): Promise<Uint8Array | undefined> },
    client: Client,
    leave: () => void,
  ): Promise<void> {
    const reader = new KeyReader();
    for (;;) {
      const bytes = await keyboard.read();
      if (bytes === undefined) return;
      for (const key of reader.push(bytes)) {
        const { editor, request } = stepEditor(this.#editor, key);
        this.#editor = editor;
        if (request !== undefined) this.#fulfil(request, client, leave);
      }
      if (this.#isOpen) this.#write(drawPrompt(this.#line));
    }
  }

  #fulfil(request: EditorRequest, client: Client, leave: () => void): void {
    if (request.kind === "leave") return leave();
    void this.#publish(request.line, client);
  }

  async #publish(line: string, client: Client): Promise<void> {
    const pending = this.#pending.add(line);
    try {
      const published = client.publish(line.startsWith("{") ? activityText(line) : { text: line });
      this.#showWaiting();
      await published;
      this.#pending.remove(pending);
    } catch (error) {
      // The end of the client, which leaves the line pending, is told by whoever closes it.
      if (!(error instanceof TypeError || error instanceof RangeError)) return;
      this.#pending.remove(pending);
      this.#refuse(line, error);
    }
  }

  #showWaiting(): void {
    for (const notice of this.#pending.waiting()) this.onNotice(notice);
  }

  /** Says why, and gives the line back to be mended. */
  #refuse(line: string, error: Error): void {
    if (!this.#isOpen) return;
    if (this.#editor.text === "") this.#editor = { text: line };
    this.onNotice({ tone: "warning", text: error.message });
  }

  #above(text: string): void {
    this.#write(this.#isOpen ? drawAbove(text, this.#line) : `${text}\n`);
  }

  get #line(): PromptLine {
    return { prompt: PROMPT, text: this.#editor.text, columns: this.#context.stdio.columns() };
  }

  #write(text: string): void {
    this.#context.stdio.terminal.write(text);
  }
}
