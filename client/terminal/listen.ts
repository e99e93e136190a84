/**
 * `listen`: activities, and direct messages for the user, on standard output, until somebody stops it or nobody reads
 * its output. A script may also say when it has enough: after so many, after a time, or when nothing is missed.
 */

import { endpointText } from "../../config/values.ts";
import type { ListenArguments } from "../../config/client_arguments.ts";
import type { Client, ClientEvent } from "../options.ts";
import { type CommandParts, enter, untilStopped } from "./command.ts";
import { DayMarks, type Listened, listenedLine } from "./describe.ts";
import { settleIdentity } from "./identity.ts";
import { visible } from "./screen/visible.ts";

/** The time was over before everything had come that was waited for. The message says what was not there. */
export class LateError extends Error {
  override name = "LateError";
}

/** Listens. @throws {LateError} when the time is over too early. @throws the error that ended the client. */
export async function listen(parts: CommandParts): Promise<void> {
  const { args, stdio, clock } = parts;
  const identity = await settleIdentity({ ...parts, ...args, secret: parts.secret, command: "listen" }, stdio);
  const progress = new ListenProgress(args.listen);
  const client = await enter(parts, identity, { onEvent: (event) => progress.on(event) });
  stdio.tell(stdio.err.dim(`connected to ${endpointText(parts.server)} as ${client.username}; Ctrl-C ends\n`));
  await untilStopped(parts, client, async () => {
    const { timeoutMs } = args.listen;
    const late = Promise.withResolvers<void>();
    const timer = timeoutMs === undefined ? undefined : clock.after(timeoutMs, late.resolve);
    // The first end counts: nobody reads any more, the person has enough, or the client is closed.
    await Promise.race([showAll(parts, client, progress), progress.done, late.promise.then(() => progress.late())]);
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
  /** Of the present connection. */
  #activities = 0;
  #offline = 0;
  /** What had been missed, when all of it has come. */
  #missed: { readonly activities: number; readonly offline: number } | undefined;

  constructor(wanted: ListenArguments) {
    this.#wanted = wanted;
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
    if ("activity" in item) this.#activities++;
    else if (item.message.offline) this.#offline++;
    if (isShown && ++this.#shown === this.#wanted.count) this.#done.resolve();
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
    const names = [...this.#leftOut].slice(0, MAX_NAMES).map(([name, count]) => `${count} of ${visible(name)}`);
    const more = this.#leftOut.size > MAX_NAMES ? " and others" : "";
    return `direct messages that were taken and not shown: ${names.join(", ")}${more}`;
  }

  #checkCaughtUp(): void {
    if (!this.#wanted.untilCaughtUp || this.#missed === undefined) return;
    const { activities, offline } = this.#missed;
    if (this.#activities >= activities && this.#offline >= offline) this.#done.resolve();
  }
}

async function showAll({ args, stdio, clock }: CommandParts, client: Client, progress: ListenProgress) {
  const format = args.listen.format ?? (args.json ? "json" : "text");
  const days = new DayMarks(clock.wallMs());
  const show = async (items: AsyncIterable<Listened>): Promise<void> => {
    for await (const item of items) {
      const isShown = progress.lets(item);
      if (isShown) {
        const { sentAt } = "activity" in item ? item.activity : item.message;
        const day = format === "text" ? days.before(sentAt, stdio.out) : undefined;
        const line = listenedLine(item, format, stdio.out);
        // `listen | head -1`: the reader has enough.
        if (!await stdio.write(`${day === undefined ? "" : `${day}\n`}${line}\n`)) return;
      }
      progress.took(item, isShown);
      // The other loop may still write what it has taken.
      if (progress.isFull) return await progress.done;
    }
  };
  await Promise.race([
    show(each(client.activities(), (activity) => ({ activity }))),
    show(each(client.messages(), (message) => ({ message }))),
  ]);
}

async function* each<Item>(items: AsyncIterable<Item>, wrap: (item: Item) => Listened): AsyncGenerator<Listened> {
  for await (const item of items) yield wrap(item);
}
