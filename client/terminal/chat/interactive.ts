/**
 * The interactive session: a chat. It logs the person in, chooses where rows go and lines come from, and leaves in good
 * order. `chat.ts` is the session itself; `client/terminal/screen/screen.ts` has the terminal, and `line_view.ts` takes
 * its place where there is none.
 */

import { UsageError } from "../../../config/flags.ts";
import { VERSION } from "../../../protocol/version.ts";
import { endpointText } from "../../../config/values.ts";
import { Chat } from "./chat.ts";
import { logIn, settleServer } from "./chat_login.ts";
import type { CommandParts } from "../command.ts";
import { KeptHistory } from "./history_file.ts";
import { linesOfInput, LineView } from "./line_view.ts";
import { type RawStdio, rawStdio } from "../screen/raw_stdio.ts";
import { readRemembered } from "./remembered_login.ts";
import { type ChatView, Screen } from "../screen/screen.ts";

/**
 * Talks until the person leaves. Without a terminal, lines are read and written as they come.
 * @throws {UsageError} when there is neither a terminal nor a name.
 * @throws the error that ended the client, if the person did not leave.
 * @throws {ConnectionEndedError | ConnectError} when the person leaves before all lines are acknowledged: see
 * `PendingLines.failure`.
 */
export async function talk(given: CommandParts): Promise<void> {
  if (given.stdio.canAsk) return await talkAtTerminal(given);
  const { username } = given.args;
  if (username === undefined) {
    throw new UsageError("Cannot talk without a terminal; say who with -u NAME, or use publish, send and listen");
  }
  // Data goes to standard output. What is told about it goes where questions cannot be confused with it.
  const { readLine } = linesOfInput(given.stdio.input());
  const { write, tell } = given.stdio;
  const view = new LineView({ readLine, write: (text) => write(text) });
  const stdio = { ...given.stdio, terminal: { write: tell, readLine: () => Promise.resolve(undefined) } };
  try {
    await talkIn({ ...given, stdio }, view, new KeptHistory(undefined, () => {}));
  } catch (error) {
    // Rows that are under way are as good as before, whatever came after them.
    await view.written().catch(() => {});
    throw error;
  }
  await view.written();
}

async function talkAtTerminal(given: CommandParts): Promise<void> {
  using stdio = rawStdio(given.stdio);
  const parts = waiting({ ...given, stdio }, stdio);
  const history = new KeptHistory(given.historyFile, (error) => view.show(given.stdio.out.yellow(error.message)));
  let lines: (() => Promise<string | undefined>) | undefined;
  const view: ChatView = given.stdio.isDumb
    ? new LineView({
      readLine: () => (lines ??= stdio.toLines())(),
      write: (text) => Promise.resolve(given.stdio.terminal.write(text)).then(() => true),
    })
    : new Screen(stdio, await history.read());
  await talkIn(parts, view, history, stdio);
  await history.written();
}

/** Logs in, talks, and leaves. `raw` is the keyboard, where there is one. */
async function talkIn(given: CommandParts, view: ChatView, history: KeptHistory, raw?: RawStdio): Promise<void> {
  const kept = await readRemembered(given.stateFile);
  const parts = await settleServer(given, kept);
  const { stdio } = parts;
  stdio.terminal.write(`${stdio.out.bold(`thrum-client ${VERSION}`)}  ${endpointText(parts.server)}\n`);
  const chat = new Chat(parts, view, history);
  const onSecret = (secret: string) => history.learnSecret(secret);
  await using client = await logIn(parts, kept, { onEvent: chat.onEvent, onSecret });
  // Where keys are read one by one, Ctrl-C is one of them.
  const signals = raw === undefined || stdio.isDumb
    ? parts.onStop(() => {
      // The terminal has written ^C into the line.
      if (raw !== undefined) stdio.terminal.write("\n");
      chat.leave();
    })
    : undefined;
  try {
    await chat.run(client);
    if (raw === undefined) await chat.settled();
  } finally {
    signals?.[Symbol.dispose]();
    // From here on Ctrl-C is a signal again, for people who do not want to wait.
    raw?.[Symbol.dispose]();
    await client.close();
    chat.tellLeft();
  }
  const failure = chat.failure(endpointText(parts.server));
  if (failure !== undefined) throw failure;
}

/** `parts`, in which the person can leave while a server is waited for. */
function waiting(parts: CommandParts, stdio: RawStdio): CommandParts {
  return {
    ...parts,
    connect: (options) => stdio.unlessLeft(parts.connect(options)),
    reach: (server) => stdio.unlessLeft(parts.reach(server)),
    ...(parts.askName && {
      askName: (username, server) => stdio.unlessLeft(parts.askName!(username, server)),
    }),
  };
}
