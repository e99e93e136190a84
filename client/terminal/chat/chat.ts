/**
 * One session of the chat: news goes to the view, typed lines go to the client. `typed_line.ts` decides what a line
 * means, `chat_rows.ts` how rows look, and `pending_lines.ts` what is said of lines without an answer.
 */

import type { ClientArguments } from "../../../config/client_arguments.ts";
import { UsageError } from "../../../config/flags.ts";
import { LAST_SAID } from "../../../config/listen/listen_flags.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { Style } from "../../../platform/terminal.ts";
import type { Stdio } from "../../../platform/stdio.ts";
import type { UserScope } from "../../../protocol/presence/presence_message.ts";
import type { Activity, Client, ClientEvent } from "../../options.ts";
import { activityText } from "../../publication.ts";
import { AwayMessages, type Released } from "./away_messages.ts";
import {
  activityRow,
  awayRow,
  deliveredRow,
  helpRows,
  messageRow,
  presenceRow,
  refusedRows,
  saidRow,
  sentRow,
  usersRow,
} from "./chat_rows.ts";
import { ChannelTalk } from "./channel_talk.ts";
import type { CommandParts } from "../command.ts";
import { DeliveryMarks } from "./delivery_marks.ts";
import { beforeRow, DayMarks, nowRow } from "../describe.ts";
import type { KeptHistory } from "./history_file.ts";
import { isEnd, whyNot } from "./line_errors.ts";
import { KNOWS_NO_CHANNELS, type Notice, styleNotice } from "../notices.ts";
import { NO_OUTAGE, stepOutage } from "./outage.ts";
import { pastOf } from "../past.ts";
import { PendingLines } from "./pending_lines.ts";
import type { ChatView, ScreenOwner } from "../screen/screen.ts";
import { ShownActivities } from "./shown_activities.ts";
import { type KnownNames, readPastedLines, readTypedLine, SAY, type TypedLine, type Word } from "./typed_line.ts";

/** Several messages to one user are mostly delivered together: that is told once. */
const DELIVERED_TOGETHER_MS = 100;
/** How long the past may take before the chat begins without it. */
const PAST_TIMEOUT_MS = 3_000;
/** Lines that wait for their acknowledgement before another one is read from a pipe. */
const MAX_UNDER_WAY = 1_000;
/** How long the end of a pipe waits for answers. */
const SETTLE_TIMEOUT_MS = 60_000;

/** One session: news goes to the screen, typed lines go to the client. */
export class Chat implements ScreenOwner {
  readonly #stdio: Stdio;
  readonly #clock: Clock;
  readonly #style: Style;
  readonly #screen: ChatView;
  readonly #history: KeptHistory;
  readonly #days: DayMarks;
  readonly #isPiped: boolean;
  /** How much of what was said before is shown first. */
  readonly #last: number;
  /** What came while the past was not shown yet. */
  #held: Released[] | undefined = [];
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
  readonly #known: KnownNames = {
    isUser: (name) => this.#names.has(name),
    alike: (name) => [...this.#names].find((known) => known.toLowerCase() === name.toLowerCase()),
    isChannel: (name) => this.#talk.channels.isKnown(name),
  };
  readonly #talk: ChannelTalk;
  readonly #shown = new ShownActivities();
  readonly #caughtUp = Promise.withResolvers<void>();
  /** What was sent or asked, and has no answer yet. */
  readonly #underWay = new Set<Promise<unknown>>();
  #hasLeft = false;
  /** The first line that was not taken. A script has to learn that there was one. */
  #refusal: Error | undefined;
  #outage = NO_OUTAGE;
  #client: Client | undefined;

  /** Shows on `view` what happens, and keeps in `history` what is typed. */
  constructor(
    { stdio, clock, args: { last } }: Pick<CommandParts, "stdio" | "clock"> & {
      readonly args: Pick<ClientArguments, "last">;
    },
    view: ChatView,
    history: KeptHistory,
  ) {
    this.#stdio = stdio;
    this.#clock = clock;
    this.#style = stdio.out;
    this.#screen = view;
    this.#history = history;
    this.#days = new DayMarks(clock.wallMs());
    this.#isPiped = !stdio.canAsk;
    // Who reads a pipe has not asked for more than what comes.
    this.#last = last ?? (this.#isPiped ? 0 : LAST_SAID);
    const reading = { clock, style: this.#style, last: this.#last, pastTimeoutMs: PAST_TIMEOUT_MS };
    this.#talk = new ChannelTalk(reading, {
      hasShown: (activity) => this.#shown.has(activity),
      show: (activity) => this.#showActivity(activity),
      showRow: (row) => view.show(row),
      tell: (notice) => this.#tell(notice),
      prompt: (channel) => view.prompt(channel),
      mistake: (line, why) => this.#mistake(line, why),
      refused: (error) => this.#refusal ??= error,
    });
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
        this.#caughtUp.resolve();
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
    // What stands behind the word that leaves, in one paste, say, is for nobody.
    if (this.#hasLeft) return;
    this.#history.add(line);
    const { isUser, alike, isChannel } = this.#known;
    this.#fulfil(readTypedLine(line, isUser, alike, isChannel), line);
  }

  pasted(lines: readonly string[], typed: string): void {
    for (const [index, read] of readPastedLines(lines, typed, this.#known).entries()) this.#fulfil(read, lines[index]!);
  }

  async room(): Promise<void> {
    while (this.#underWay.size >= MAX_UNDER_WAY) await Promise.race(this.#underWay);
  }

  /** The person leaves. */
  leave(): void {
    this.#hasLeft = true;
    this.#left.resolve();
  }

  /** Resolves when everything has its answer, and what was missed has come; or when that takes too long. */
  async settled(): Promise<void> {
    if (this.#hasLeft) return;
    const late = Promise.withResolvers<void>();
    const timer = this.#clock.after(SETTLE_TIMEOUT_MS, late.resolve);
    const settle = async () => {
      await this.#caughtUp.promise;
      while (this.#underWay.size > 0) await Promise.race(this.#underWay);
    };
    await Promise.race([settle(), late.promise, this.#left.promise, this.#client!.closed]);
    timer.cancel();
  }

  names(): readonly string[] {
    return [...this.#names];
  }

  channels(): readonly string[] {
    return this.#talk.channels.known;
  }

  /** Shows the lines that the server does not have. Called when the client is closed. */
  tellLeft(): void {
    // They count as delivered.
    this.#showReleased(this.#away.caughtUp(0));
    for (const notice of this.#pending.left()) this.#tell(notice);
  }

  /** The failure of a session that the person left. */
  failure(server: string): Error | undefined {
    return this.#pending.failure(server) ?? (this.#isPiped ? this.#refusal : undefined);
  }

  async #showAll(client: Client): Promise<void> {
    // First of all, so that what comes meanwhile is kept for them.
    const [activities, messages, presences] = [client.activities(), client.messages(), client.presence()];
    if (this.#last > 0 && client.features.includes("history")) await this.#underway(this.#showPast(client));
    this.#showHeld();
    const shown = [
      each(activities, (activity) => this.#showActivity(activity)),
      each(messages, (message) => {
        this.#names.add(message.from);
        this.#showReleased(this.#away.message(message));
      }),
      each(presences, (presence) => {
        if (presence.username === client.username) return;
        this.#names.add(presence.username);
        const nowMs = this.#clock.wallMs();
        this.#showAt(nowMs, presenceRow(presence, nowMs, this.#style));
      }),
    ];
    // All of them end with the client, and say the same.
    await Promise.race(shown);
  }

  /** Shows what was said before, as far as a server tells it in time. */
  async #showPast(client: Client): Promise<void> {
    const { vector } = client;
    const late = new AbortController();
    const timer = this.#clock.after(PAST_TIMEOUT_MS, () => late.abort());
    let isAny = false;
    try {
      for await (const activity of pastOf(client, vector, { last: this.#last }, late.signal)) {
        if (!isAny) this.#screen.show(beforeRow(this.#style));
        isAny = true;
        this.#showActivity(activity);
      }
    } catch {
      // The past is not worth waiting for. Whoever closes the client tells of its end.
    }
    timer.cancel();
    if (isAny) this.#screen.show(nowRow(this.#style));
  }

  #showActivity(activity: Activity): void {
    if (this.#shown.has(activity)) return;
    const { id, user, sentAt, channel } = activity;
    this.#shown.add(id, sentAt);
    this.#names.add(user);
    if (channel !== undefined) this.#talk.channels.seen(channel);
    this.#showAt(sentAt, activityRow(activity, sentAt, this.#style, this.#talk.channels.current));
  }

  #fulfil(typed: TypedLine, line: string): void {
    switch (typed.kind) {
      case "say":
        return void this.#publish(line, typed, typed.text, () => ({ text: typed.text }));
      case "activity":
        return void this.#publish(line, typed, typed.json, () => activityText(typed.json));
      case "join":
        return void this.#underway(this.#talk.join(this.#client!, typed.channel));
      case "leave":
        return this.#talk.leave(line, typed.channel);
      case "direct":
        return void this.#sendDirect(line, typed);
      case "unsure":
        if (this.#offer(line, typed)) return;
        return this.#mistake(line, `There is no user ${typed.to}; did you mean ${typed.meant}?`);
      case "word":
        return this.#obey(typed.word);
      case "mistake":
        return this.#mistake(line, typed.info);
    }
  }

  #obey(word: Word): void {
    switch (word) {
      case "online":
      case "all":
        return void this.#underway(this.#showUsers(word));
      case "help":
        return this.#screen.show(helpRows(this.#stdio.columns(), this.#style));
      case "disconnect":
        return this.leave();
    }
  }

  /** Publishes what `make` gives, in the channel of the line, or in the one where the person talks. */
  async #publish(
    line: string,
    { channel = this.#talk.channels.current }: { readonly channel?: string },
    text: string,
    make: () => object | string,
  ): Promise<void> {
    const client = this.#client!;
    if (channel === undefined) return void await this.#send(line, () => client.publish(make()));
    if (!client.features.includes("channels")) return this.#mistake(line, KNOWS_NO_CHANNELS);
    const sent = await this.#send(line, () => client.publish(make(), { channel }));
    // Who reads the channel sees it as all others do.
    if (sent?.id === undefined || this.#talk.channels.reads(channel) || this.#shown.hasId(sent.id)) return;
    this.#shown.add(sent.id);
    const sentAt = this.#clock.wallMs();
    this.#showAt(sentAt, saidRow({ from: client.username, to: channel, text, sentAt }, this.#style));
  }

  async #sendDirect(line: string, { to, text }: { readonly to: string; readonly text: string }): Promise<void> {
    const message = { from: this.#client!.username, to, text, sentAt: this.#clock.wallMs() };
    this.#marks.sending();
    const refused = (why: string) => this.#underway(this.#sendRefused(line, { to, text }, why));
    const sent = await this.#send(line, (client) => client.send(to, text), refused);
    if (sent === undefined) return this.#marks.failed();
    const { id } = sent;
    this.#names.add(to);
    const isDelivered = this.#marks.stored(id, { to, text });
    const delivered = sentRow(message, "delivered", this.#style);
    this.#showAt(message.sentAt, isDelivered ? delivered : sentRow(message, "stored", this.#style), id);
    this.#newest = { id, delivered };
  }

  /** Offers to send it to the user whose name was meant. `false` when nobody can be asked now. */
  #offer(line: string, { to, meant, text }: { readonly to: string; readonly meant: string; readonly text: string }) {
    if (this.#isPiped) return false;
    const question = `There is no user ${to}. Send it to ${meant}? [y/N] `;
    return this.#screen.ask(question, () => void this.#sendDirect(line, { to: meant, text }));
  }

  /** A message to `to` was not taken. Who was meant may be known only now: the names are learned after the login. */
  async #sendRefused(line: string, { to, text }: { readonly to: string; readonly text: string }, why: string) {
    if (this.#names.has(to)) return this.#refuse(line, why);
    await this.#learnNames();
    const meant = this.#known.alike(to);
    if (meant !== undefined && this.#offer(line, { to, meant, text })) return;
    // The text may be meant for everyone. A text that is meant for a user must not go to all.
    const hint = meant === undefined ? `to say it to everyone, type ${SAY} before it` : `did you mean ${meant}?`;
    this.#refuse(line, `${why}; ${hint}`);
  }

  /** Sends a line and keeps it until the server has it; `undefined` when it was refused or the client has ended. */
  async #send<Result>(
    line: string,
    send: (client: Client) => Promise<Result>,
    refused: (why: string) => void | Promise<void> = (why) => this.#refuse(line, why),
  ): Promise<Result | undefined> {
    const pending = this.#pending.add(line);
    try {
      const sent = this.#underway(send(this.#client!));
      this.#showWaiting();
      const result = await sent;
      this.#pending.remove(pending);
      return result;
    } catch (error) {
      // The code that closes the client tells of its end. The line stays pending.
      if (isEnd(error)) return undefined;
      this.#pending.remove(pending);
      this.#refusal ??= error as Error;
      await refused(whyNot(error as Error));
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
      for (const [to, told] of this.#delivered) this.#showAt(nowMs, deliveredRow(to, told, nowMs, this.#style));
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

  #showHeld(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const released of held) this.#showReleased(released);
  }

  #showReleased(released: Released): void {
    if (this.#held !== undefined) return void this.#held.push(released);
    const { header, messages } = released;
    if (header !== undefined) this.#screen.show(awayRow(header.count, this.#style, header.isMore));
    for (const message of messages) this.#showAt(message.sentAt, messageRow(message, message.sentAt, this.#style));
  }

  /** Shows a row with a time of day, and the day before it where that is another one. */
  #showAt(wallMs: number, row: string, key?: string): void {
    const day = this.#days.before(wallMs, this.#style);
    if (day !== undefined) this.#screen.show(day);
    this.#screen.show(row, key);
  }

  /** Counts `work` until it has come to its end. */
  #underway<Result>(work: Promise<Result>): Promise<Result> {
    const ended: Promise<void> = work.then(() => {}, () => {}).finally(() => this.#underWay.delete(ended));
    this.#underWay.add(ended);
    return work;
  }

  #showWaiting(): void {
    for (const notice of this.#pending.waiting()) this.#tell(notice);
  }

  #mistake(line: string, info: string): void {
    this.#refusal ??= new UsageError(`Not sent: ${info}`);
    this.#refuse(line, info);
  }

  /** Arrow up brings the line back. If it came back unasked, it would join the text that is being typed or pasted. */
  #refuse(line: string, why: string): void {
    const rows = refusedRows(line, why, this.#style);
    if (this.#isPiped) this.#stdio.tell(`${rows}\n`);
    else this.#screen.show(rows);
  }

  #tell(notice: Notice): void {
    if (this.#isPiped) this.#stdio.tell(`${styleNotice(notice, this.#stdio.err)}\n`);
    else this.#screen.show(styleNotice(notice, this.#style));
  }
}

async function each<Item>(items: AsyncIterable<Item>, show: (item: Item) => void): Promise<void> {
  for await (const item of items) show(item);
}
