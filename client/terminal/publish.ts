/**
 * `publish`: one activity from the command line, or one for each line of standard input. Done when the server has all
 * of them.
 */

import { UsageError } from "../../config/flags.ts";
import { LineFramer } from "../../protocol/line_framer.ts";
import type { Client, Published } from "../options.ts";
import { activityText } from "../publication.ts";
import { type CommandContext, enter } from "./command.ts";
import { settleIdentity } from "./identity.ts";

/** Standard input has something that cannot be published. The message names the line. */
export class InputError extends Error {
  override name = "InputError";
}

/** A script must not wait for ever for a server that is gone. */
export const GIVE_UP_AFTER_MS = 60_000;
/** Activities on their way before another line is read. */
const MAX_UNDER_WAY = 1_000;
/** Longest line of standard input: longer than any that can be published. */
const MAX_INPUT_LINE_BYTES = 1_048_576;

/**
 * Publishes, and writes the identity of each activity on standard output, in order.
 * @throws {UsageError} when the activity of the command line cannot be published.
 * @throws {InputError} when a line of standard input cannot; all before it have been.
 */
export async function publish(context: CommandContext): Promise<void> {
  const { args, stdio } = context;
  if (args.activity !== undefined) checkArgument(args.activity);
  const identity = await settleIdentity({ ...context, ...args, secret: context.secret, command: "publish" }, stdio);
  await using client = await enter(context, identity, {
    reads: false,
    reconnect: { giveUpAfterMs: GIVE_UP_AFTER_MS },
  });
  const publisher = new Publisher(context, client);
  // The writer of a pipe has to learn at once that this line is wrong, or that the connection is gone.
  await Promise.race([
    publisher.failed,
    args.activity === undefined
      ? publishInput(context, publisher)
      : publisher.publish(args.activity, ({ message }) => new UsageError(message)),
    client.closed.then(({ error }) => Promise.reject(error)),
  ]);
  await publisher.finish();
}

/** Publishes in order, writes identities in order, and counts the ones under way. */
class Publisher {
  readonly #context: CommandContext;
  readonly #client: Client;
  readonly #failed = Promise.withResolvers<never>();
  #underWay = 0;
  #hasFailed = false;
  /** Settles when all identities so far are written. */
  #written: Promise<void> = Promise.resolve();

  constructor(context: CommandContext, client: Client) {
    this.#context = context;
    this.#client = client;
    this.failed.catch(() => {});
  }

  /** Rejects when something cannot be published, after all before it has been. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /**
   * Resolves when the next activity may come. `explain` makes the error for an activity that cannot be published.
   * @throws the error that ended the client, or the error of `explain` for this activity or an earlier one. Nothing
   * after it is published.
   */
  async publish(activity: string, explain: (error: Error) => Error): Promise<void> {
    if (this.#hasFailed) return await this.#written;
    this.#underWay++;
    const published = this.#client.publish(activity).catch((error) => {
      this.#hasFailed = true;
      throw error instanceof TypeError || error instanceof RangeError ? explain(error) : error;
    });
    this.#written = this.#writeAfter(this.#written, published);
    // Later code waits for these. Until then, their failure is no fault of the program.
    published.catch(() => {});
    this.#written.catch(this.#failed.reject);
    if (this.#underWay >= MAX_UNDER_WAY) await this.#written;
  }

  /** Resolves when everything is acknowledged, and its identity written. */
  async finish(): Promise<void> {
    await this.#written;
  }

  async #writeAfter(earlier: Promise<void>, published: Promise<Published>): Promise<void> {
    await earlier;
    await this.#write((await published).id);
  }

  async #write(id: string | undefined): Promise<void> {
    this.#underWay--;
    const { args, stdio } = this.#context;
    // Publishing does not depend on whether anybody reads the identities.
    await stdio.write(args.json ? `${JSON.stringify({ id })}\n` : `${id}\n`);
  }
}

async function publishInput({ stdio }: CommandContext, publisher: Publisher): Promise<void> {
  if (stdio.canAsk) stdio.tell(stdio.err.dim("One activity a line, as JSON; Ctrl-D ends.\n"));
  const framer = new LineFramer(MAX_INPUT_LINE_BYTES);
  let number = 0;
  const take = async (bytes: Uint8Array) => {
    const { lines, problem } = framer.push(bytes);
    for (const line of lines) {
      const itsNumber = ++number;
      if (line.trim() !== "") await publisher.publish(line, ({ message }) => inputError(itsNumber, message));
    }
    if (problem === undefined) return;
    await publisher.finish();
    throw inputError(number + 1, problem);
  };
  for await (const bytes of stdio.input()) await take(bytes);
  if (framer.hasUnfinishedLine) await take(new TextEncoder().encode("\n"));
}

function inputError(number: number, why: string): InputError {
  return new InputError(`Line ${number} of standard input: ${why}`);
}

function checkArgument(activity: string): void {
  try {
    activityText(activity);
  } catch (error) {
    throw new UsageError(`${(error as Error).message}; an activity is an object, such as '{"text":"hello"}'`);
  }
}
