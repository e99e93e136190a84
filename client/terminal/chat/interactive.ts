/**
 * The interactive session: a chat. Typed lines are said, sent or done, and news appears above the typed line.
 * `typed_line.ts` decides what a line means, `chat_rows.ts` how rows look, and `client/terminal/screen/screen.ts` has
 * the terminal.
 */

import { UsageError } from "../../../config/flags.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { Style } from "../../../platform/terminal.ts";
import type { Stdio } from "../../../platform/stdio.ts";
import type { UserScope } from "../../../protocol/message.ts";
import { VERSION } from "../../../protocol/version.ts";
import { ConnectionEndedError, RefusedError } from "../../errors.ts";
import type { Client, ClientEvent } from "../../options.ts";
import { activityText } from "../../publication.ts";
import { endpointText } from "../../../config/values.ts";
import { AwayMessages, type Released } from "./away_messages.ts";
import { logIn, settleServer } from "./chat_login.ts";
import {
  activityRow,
  awayRow,
  deliveredRow,
  helpRows,
  messageRow,
  presenceRow,
  refusedRows,
  sentRow,
  usersRow,
} from "./chat_rows.ts";
import type { CommandParts } from "../command.ts";
import { DeliveryMarks } from "./delivery_marks.ts";
import { type Notice, styleNotice } from "../notices.ts";
import { NO_OUTAGE, stepOutage } from "./outage.ts";
import { PendingLines } from "./pending_lines.ts";
import { type RawStdio, rawStdio } from "../screen/raw_stdio.ts";
import { readRemembered } from "./remembered_login.ts";
import { Screen, type ScreenOwner } from "../screen/screen.ts";
import { readTypedLine, SAY, type TypedLine, type Word } from "./typed_line.ts";

/** Several messages to one user are mostly delivered together: that is told once. */
const DELIVERED_TOGETHER_MS = 100;

/**
 * Talks until the person leaves.
 * @throws the error that ended the client, if the person did not leave.
 * @throws {ConnectionEndedError
 * ConnectError} when the person leaves before all lines are acknowledged: see `PendingLines.failure`.
 */
export async function talk(given: CommandParts): Promise<void> {
  if (!given.stdio.canAsk) {
    throw new UsageError("Cannot talk without a terminal; programs use publish, send and listen");
  }
  using stdio = rawStdio(given.stdio);
  const kept = await readRemembered(given.stateFile);
  const parts = await settleServer(waiting({ ...given, stdio }, stdio), kept);
  stdio.terminal.write(`${stdio.out.bold(`thrum-client ${VERSION}`)}  ${endpointText(parts.server)}\n`);
  const chat = new Chat(parts);
  await using client = await logIn(parts, kept, { onEvent: chat.onEvent });
  try {
    await chat.run(client);
  } finally {
    // From here on Ctrl-C is a signal again, for people who do not want to wait.
    stdio[Symbol.dispose]();
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
  };
}

/** One session: news goes to the screen, typed lines go to the client. */
class Chat implements ScreenOwner {
  readonly #stdio: Stdio;
  readonly #clock: Clock;
  readonly #style: Style;
  readonly #screen: Screen;
  readonly #pending = new PendingLines();
  readonly #away = new AwayMessages();
  readonly #marks = new DeliveryMarks();
  /** The newest message that is not delivered yet. Its row may still be in reach of a change. */
  #newest: { readonly id: string; readonly delivered: string } | undefined;
  /** Delivered and not told yet, by user. */
  readonly #delivered = new Map<string, { count: number; text: string }>();
  /** Everybody who was heard of. */
  readonly #names = new Set<string>();
  readonly #left = Promise.withResolvers<void>();
  #outage = NO_OUTAGE;
  #client: Client | undefined;

  constructor({ stdio, clock }: Pick<CommandParts, "stdio" | "clock">) {
    this.#stdio = stdio;
    this.#clock = clock;
    this.#style = stdio.out;
    this.#screen = new Screen(stdio);
  }

  /** For the client. An own field, as the function is handed over. */
  readonly onEvent = (event: ClientEvent): void => {
    this.#pending.on(event);
    const { outage, notice } = stepOutage(this.#outage, event);
    this.#outage = outage;
    if (notice !== undefined) this.#tell(notice);
    switch (event.kind) {
      case "connected":
        this.#away.connected();
        return void this.#learnNames();
      case "caughtUp":
        return this.#showReleased(this.#away.caughtUp(event.offline));
      case "delivered":
        return this.#onDelivered(event.of, event.to);
      case "lost":
        return this.#showWaiting();
    }
  };

  /** Talks until the person leaves or the client is closed. @throws the error that ended the client. */
  async run(client: Client): Promise<void> {
    this.#client = client;
    void this.#learnNames();
    await this.#screen.run(this, Promise.race([this.#left.promise, this.#showAll(client)]));
  }

  submitted(line: string): void {
    this.#fulfil(readTypedLine(line, (name) => this.#names.has(name)), line);
  }

  names(): readonly string[] {
    return [...this.#names];
  }

  /** Shows the lines that the server does not have. Called when the client is closed. */
  tellLeft(): void {
    for (const notice of this.#pending.left()) this.#tell(notice);
  }

  /** The failure of a session that the person left. */
  failure(server: string): Error | undefined {
    return this.#pending.failure(server);
  }

  async #showAll(client: Client): Promise<void> {
    const shown = [
      each(client.activities(), (activity) => {
        this.#names.add(activity.user);
        this.#screen.show(activityRow(activity, this.#clock.wallMs(), this.#style));
      }),
      each(client.messages(), (message) => {
        this.#names.add(message.from);
        this.#showReleased(this.#away.message(message));
      }),
      each(client.presence(), (presence) => {
        if (presence.username === client.username) return;
        this.#names.add(presence.username);
        this.#screen.show(presenceRow(presence, this.#clock.wallMs(), this.#style));
      }),
    ];
    // All of them end with the client, and say the same.
    await Promise.race(shown);
  }

  #fulfil(typed: TypedLine, line: string): void {
    switch (typed.kind) {
      case "say":
        return void this.#send(line, (client) => client.publish({ text: typed.text }));
      case "activity":
        return void this.#send(line, (client) => client.publish(activityText(typed.json)));
      case "direct":
        return void this.#sendDirect(line, typed);
      case "word":
        return this.#obey(typed.word);
      case "mistake":
        return this.#refuse(line, typed.info);
    }
  }

  #obey(word: Word): void {
    switch (word) {
      case "online":
      case "all":
        return void this.#showUsers(word);
      case "help":
        return this.#screen.show(helpRows(this.#stdio.columns(), this.#style));
      case "disconnect":
        return this.#left.resolve();
    }
  }

  async #sendDirect(line: string, { to, text }: { readonly to: string; readonly text: string }): Promise<void> {
    const message = { from: this.#client!.username, to, text, sentAt: this.#clock.wallMs() };
    this.#marks.sending();
    // The text may be meant for everyone. A text that is meant for a user must not go to all.
    const hint = this.#names.has(to) ? "" : `; to say it to everyone, type ${SAY} before it`;
    const sent = await this.#send(line, (client) => client.send(to, text), hint);
    if (sent === undefined) return this.#marks.failed();
    const { id } = sent;
    this.#names.add(to);
    const isDelivered = this.#marks.stored(id, { to, text });
    const delivered = sentRow(message, "delivered", this.#style);
    this.#screen.show(isDelivered ? delivered : sentRow(message, "stored", this.#style), id);
    this.#newest = { id, delivered };
  }

  /** Sends a line and keeps it until the server has it; `undefined` when it was refused or the client has ended. */
  async #send<Result>(
    line: string,
    send: (client: Client) => Promise<Result>,
    hint = "",
  ): Promise<Result | undefined> {
    const pending = this.#pending.add(line);
    try {
      const sent = send(this.#client!);
      this.#showWaiting();
      const result = await sent;
      this.#pending.remove(pending);
      return result;
    } catch (error) {
      // The code that closes the client tells of its end. The line stays pending.
      if (isEnd(error)) return undefined;
      this.#pending.remove(pending);
      this.#refuse(line, whyNot(error as Error) + hint);
      return undefined;
    }
  }

  #onDelivered(id: string, to: string): void {
    const message = this.#marks.delivered(id);
    if (message === undefined) return;
    if (this.#newest?.id === id && this.#screen.mend(id, this.#newest.delivered)) return;
    const { text } = message;
    const { count = 0 } = this.#delivered.get(to) ?? {};
    this.#delivered.set(to, { count: count + 1, text });
    if (this.#delivered.size > 1 || count > 0) return;
    this.#clock.after(DELIVERED_TOGETHER_MS, () => {
      const nowMs = this.#clock.wallMs();
      for (const [to, told] of this.#delivered) this.#screen.show(deliveredRow(to, told, nowMs, this.#style));
      this.#delivered.clear();
    });
  }

  async #showUsers(scope: UserScope): Promise<void> {
    try {
      const users = await this.#client!.users(scope);
      for (const user of users) this.#names.add(user);
      this.#screen.show(usersRow(scope, users, this.#style));
    } catch (error) {
      if (!isEnd(error)) this.#tell({ tone: "warning", text: (error as Error).message });
    }
  }

  /** For Tab. Users who come later are known by presence. */
  async #learnNames(): Promise<void> {
    try {
      for (const user of await this.#client?.users("all") ?? []) this.#names.add(user);
    } catch {
      // The server does not answer, or the client ended: then only seen names are known.
    }
  }

  #showReleased({ header, messages }: Released): void {
    if (header !== undefined) this.#screen.show(awayRow(header.count, this.#style, header.isMore));
    for (const message of messages) this.#screen.show(messageRow(message, this.#clock.wallMs(), this.#style));
  }

  #showWaiting(): void {
    for (const notice of this.#pending.waiting()) this.#tell(notice);
  }

  /** Arrow up brings the line back. If it came back unasked, it would join the text that is being typed or pasted. */
  #refuse(line: string, why: string): void {
    this.#screen.show(refusedRows(line, why, this.#style));
  }

  #tell(notice: Notice): void {
    this.#screen.show(styleNotice(notice, this.#style));
  }
}

async function each<Item>(items: AsyncIterable<Item>, show: (item: Item) => void): Promise<void> {
  for await (const item of items) show(item);
}

/** The reason why a line was not taken. The row before says that it was not. */
function whyNot(error: Error): string {
  return error instanceof RefusedError ? error.info : error.message;
}

/** Whether `error` is that the client has ended, and not that it did not take a line. */
function isEnd(error: unknown): boolean {
  if (error instanceof ConnectionEndedError) return true;
  return error instanceof RefusedError
    ? error.command !== "DIRECT_MESSAGE_FAILED" && error.command !== "ACTIVITY_FAILED"
    : !(error instanceof TypeError || error instanceof RangeError);
}
