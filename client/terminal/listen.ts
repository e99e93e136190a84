/**
 * `listen`: activities, and direct messages for the user, on standard output, until somebody stops it or nobody reads
 * its output. What was said before comes first, if it is asked for. A script may also say when it has enough: after so
 * many, after a time, or when nothing is missed.
 */

import { sinceOf } from "../../config/since.ts";
import { endpointText } from "../../config/values.ts";
import type { ClientArguments } from "../../config/client_arguments.ts";
import type { ListenArguments } from "../../config/listen/listen_flags.ts";
import { mayNotRead } from "../errors.ts";
import type { Client, ClientEvent } from "../options.ts";
import { type CommandParts, enter, needChannels, untilStopped } from "./command.ts";
import { DayMarks, type Listened, listenedLine, nowRow } from "./describe.ts";
import { settleIdentity } from "./identity.ts";
import { pastOf } from "./past.ts";
import { visibleName } from "./screen/visible.ts";

/** The time was over before everything had come that was waited for. The message says what was not there. */
export class LateError extends Error {
  override name = "LateError";
}

/** Listens. @throws {LateError} when the time is over too early. @throws the error that ended the client. */
export async function listen(parts: CommandParts): Promise<void> {
  const { args, stdio, clock } = parts;
  const identity = await settleIdentity({ ...parts, ...args, secret: parts.secret, command: "listen" }, stdio);
  const progress = new ListenProgress(args.listen, wantsPast(args));
  const { channels, timeoutMs } = args.listen;
  const refused = Promise.withResolvers<never>();
  // It may come before anybody waits for it.
  refused.promise.catch(() => {});
  // Who may read a part of it is told of the rest.
  const isRefused = (event: ClientEvent) =>
    event.kind === "notAllowed" && event.channels.length === new Set(channels).size;
  const client = await enter(parts, identity, {
    ...(channels === undefined ? {} : { channels }),
    isTold: (event) => !isRefused(event),
    onEvent(event) {
      progress.on(event);
      if (event.kind === "notAllowed" && isRefused(event)) refused.reject(mayNotRead(event.channels));
    },
  });
  await untilStopped(parts, client, async () => {
    if (channels !== undefined) needChannels(client, "listen to channels");
    stdio.tell(stdio.err.dim(`connected to ${endpointText(parts.server)} as ${client.username}; Ctrl-C ends\n`));
    const late = Promise.withResolvers<void>();
    const timer = timeoutMs === undefined ? undefined : clock.after(timeoutMs, late.resolve);
    // The first end counts: nobody reads any more, the person has enough, or the client is closed.
    const over = [progress.done, late.promise.then(() => progress.late()), refused.promise];
    await Promise.race([...over, showAll(parts, client, progress)]);
    timer?.cancel();
  });
  const { leftOut } = progress;
  if (leftOut !== undefined) stdio.tell(`${stdio.err.yellow(leftOut)}\n`);
}

/** Senders that are named when their messages were not shown. */
const MAX_NAMES = 5;

/** What has come, and whether that is enough. */
export class ListenProgress {
  readonly #wanted: ListenArguments;
  readonly #done = Promise.withResolvers<void>();
  /** How many were let through to be shown, and how many of them were. */
  #passed = 0;
  #shown = 0;
  /** Direct messages that were taken from the server and not shown, by their sender. */
  readonly #leftOut = new Map<string, number>();
  /** Whether the past is being shown. */
  #isPast: boolean;
  /** Of the present connection. */
  #activities = 0;
  #offline = 0;
  /** What had been missed, when all of it has come. */
  #missed: { readonly activities: number; readonly offline: number } | undefined;

  /** With `isPast`, the past is shown before anything counts as caught up. */
  constructor(wanted: ListenArguments, isPast = false) {
    this.#wanted = wanted;
    this.#isPast = isPast;
  }

  /** Resolves when nothing more is waited for. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** Whether as many came as were wanted: who takes another one takes it from the next who listens. */
  get isFull(): boolean {
    return this.#passed === this.#wanted.count;
  }

  /** Whether `item` is to be shown. `took` follows in any case. */
  lets(item: Listened): boolean {
    const { from } = this.#wanted;
    const name = "activity" in item ? item.activity.user : item.message.from;
    if (!this.isFull && (from.length === 0 || from.includes(name))) {
      this.#passed++;
      return true;
    }
    if ("message" in item) this.#leftOut.set(name, (this.#leftOut.get(name) ?? 0) + 1);
    return false;
  }

  /** `item` was dealt with, and shown if `isShown`. */
  took(item: Listened, isShown: boolean): void {
    if ("activity" in item) this.#activities += item.isPast === true ? 0 : 1;
    else if (item.message.offline) this.#offline++;
    if (isShown && ++this.#shown === this.#wanted.count) this.#done.resolve();
    this.#checkCaughtUp();
  }

  /** The past has been shown. */
  pastIsOver(): void {
    this.#isPast = false;
    this.#checkCaughtUp();
  }

  /** Something happened to the client. */
  on(event: ClientEvent): void {
    if (event.kind === "connected") {
      [this.#activities, this.#offline, this.#missed] = [0, 0, undefined];
    } else if (event.kind === "caughtUp") {
      // The last of them may be handed over only now.
      this.#missed = { activities: event.replayed, offline: event.offline };
      this.#checkCaughtUp();
    }
  }

  /** The time is over. @throws {LateError} when something is still waited for. */
  late(): void {
    const { count, untilCaughtUp } = this.#wanted;
    if (count !== undefined) throw new LateError(`Only ${this.#shown} of ${count} came in the given time`);
    if (untilCaughtUp) throw new LateError("Not everything that was missed came in the given time");
  }

  /** For the person, at the end: direct messages count as delivered, and nobody has seen these. */
  get leftOut(): string | undefined {
    if (this.#leftOut.size === 0) return undefined;
    const names = [...this.#leftOut].slice(0, MAX_NAMES).map(([name, count]) => `${count} of ${visibleName(name)}`);
    const more = this.#leftOut.size > MAX_NAMES ? " and others" : "";
    return `direct messages that were taken and not shown: ${names.join(", ")}${more}`;
  }

  #checkCaughtUp(): void {
    if (this.#isPast || !this.#wanted.untilCaughtUp || this.#missed === undefined) return;
    const { activities, offline } = this.#missed;
    if (this.#activities >= activities && this.#offline >= offline) this.#done.resolve();
  }
}

/** Whether the past is wanted at all. */
function wantsPast({ last, listen: { since } }: Pick<ClientArguments, "last" | "listen">): boolean {
  return last !== 0 && (last !== undefined || since !== undefined);
}

async function showAll({ args, stdio, clock }: CommandParts, client: Client, progress: ListenProgress) {
  const format = args.listen.format ?? (args.json ? "json" : "text");
  const days = new DayMarks(clock.wallMs());
  // First of all, so that what comes meanwhile is kept for them.
  const [activities, messages] = [client.activities(), client.messages()];
  const write = async (item: Listened): Promise<boolean> => {
    const { sentAt } = "activity" in item ? item.activity : item.message;
    const day = format === "text" ? days.before(sentAt, stdio.out) : undefined;
    const line = listenedLine(item, format, stdio.out);
    return await stdio.write(`${day === undefined ? "" : `${day}\n`}${line}\n`);
  };
  const show = async (items: AsyncIterable<Listened>): Promise<"enough" | "end"> => {
    for await (const item of items) {
      const isShown = progress.lets(item);
      // `listen | head -1`: the reader has enough.
      if (isShown && !await write(item)) return "enough";
      progress.took(item, isShown);
      if (!progress.isFull) continue;
      // The other loop may still write what it has taken.
      await progress.done;
      return "enough";
    }
    return "end";
  };
  if (wantsPast(args)) {
    const { last, listen: { since, channels } } = args;
    const wanted = { last, since: sinceOf(since, clock.wallMs()), channels };
    let isAny = false;
    const past = each(pastOf(client, client.vector, wanted), (activity) => {
      isAny = true;
      return { activity, isPast: true };
    });
    if (!client.features.includes("history")) {
      stdio.tell(`${stdio.err.yellow("this server is of an earlier version, and does not tell the past")}\n`);
    } else if (await show(past) === "enough") return;
    if (isAny && format === "text") await stdio.write(`${nowRow(stdio.out)}\n`);
    progress.pastIsOver();
  }
  await Promise.race([
    show(each(activities, (activity) => ({ activity }))),
    show(each(messages, (message) => ({ message }))),
  ]);
}

async function* each<Item>(items: AsyncIterable<Item>, wrap: (item: Item) => Listened): AsyncGenerator<Listened> {
  for await (const item of items) yield wrap(item);
}
