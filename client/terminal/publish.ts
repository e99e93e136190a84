/**
 * `publish`: one activity from the command line, or one for each line of standard input. Done when the server has all
 * of them. A line that cannot be published ends it, or is told and left out.
 */

import { UsageError } from "../../config/flags.ts";
import { counted } from "../../protocol/counted.ts";
import { FileError } from "../../platform/files/text_file.ts";
import type { Client, Published } from "../options.ts";
import { activityText } from "../publication.ts";
import { type CommandParts, enter, needChannels } from "./command.ts";
import { settleIdentity } from "./identity.ts";
import { type InputLine, InputLines } from "./input_lines.ts";
import { visible } from "./screen/visible.ts";

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
export async function publish(parts: CommandParts): Promise<void> {
  const { args, stdio } = parts;
  const activity = args.activity === undefined ? undefined : asActivity(args.activity, args.isText);
  if (activity !== undefined) checkArgument(activity);
  const identity = await settleIdentity({ ...parts, ...args, secret: parts.secret, command: "publish" }, stdio);
  await using client = await enter(parts, identity, {
    receive: "none",
    reconnect: { giveUpAfterMs: GIVE_UP_AFTER_MS },
  });
  if (args.channel !== undefined) needChannels(client, "publish");
  const publisher = new Publisher(parts, client);
  // The writer of a pipe has to learn at once that this line is wrong, or that the connection is gone.
  await Promise.race([
    publisher.failed,
    activity === undefined
      ? publishInput(parts, publisher)
      : publisher.publish(activity, ({ message }) => new UsageError(message)),
    client.closed.then(({ error }) => Promise.reject(error)),
  ]);
  await publisher.finish();
}

/** Publishes in order, writes identities in order, and counts the ones under way. */
class Publisher {
  readonly #parts: Pick<CommandParts, "args" | "stdio">;
  readonly #client: Client;
  readonly #failed = Promise.withResolvers<never>();
  #underWay = 0;
  #hasFailed = false;
  /** Settles when all identities so far are written. */
  #written: Promise<void> = Promise.resolve();

  constructor(parts: Pick<CommandParts, "args" | "stdio">, client: Client) {
    this.#parts = parts;
    this.#client = client;
    this.failed.catch(() => {});
  }

  /** Rejects when something cannot be published, after all before it has been. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /**
   * Resolves when the next activity may come. `explain` makes the error for an activity that cannot be published; with
   * `undefined` it is left out.
   * @throws the error that ended the client, or the error of `explain` for this activity or an earlier one. Nothing
   * after it is published.
   */
  async publish(activity: string, explain: (error: Error) => Error | undefined): Promise<void> {
    if (this.#hasFailed) return await this.#written;
    this.#underWay++;
    const { channel } = this.#parts.args;
    const published = this.#client.publish(activity, channel === undefined ? {} : { channel }).catch((error) => {
      const isInvalid = error instanceof TypeError || error instanceof RangeError;
      const explained = isInvalid ? explain(error) : error;
      if (explained === undefined) return undefined;
      this.#hasFailed = true;
      throw explained;
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

  async #writeAfter(earlier: Promise<void>, published: Promise<Published | undefined>): Promise<void> {
    await earlier;
    const done = await published;
    this.#underWay--;
    if (done !== undefined) await this.#write(done.id);
  }

  async #write(id: string | undefined): Promise<void> {
    const { args, stdio } = this.#parts;
    // Publishing does not depend on whether anybody reads the identities.
    await stdio.write(args.json ? `${JSON.stringify({ id })}\n` : `${id}\n`);
  }
}

async function publishInput({ stdio, args }: CommandParts, publisher: Publisher): Promise<void> {
  if (stdio.canAsk) {
    stdio.tell(stdio.err.dim(`One activity a line, as ${args.isText ? "text" : "JSON"}; Ctrl-D ends.\n`));
  }
  const lines = new InputLines(MAX_INPUT_LINE_BYTES);
  let skipped = 0;
  /** `undefined` when the line was told and is left out; else the error that ends the program. */
  const onInvalid = (number: number, why: string): Error | undefined => {
    const error = inputError(number, why);
    if (!args.skipInvalid) return error;
    skipped++;
    stdio.tell(`${stdio.err.yellow(`${visible(error.message)}; skipped`)}\n`);
    return undefined;
  };
  const take = async (line: InputLine) => {
    if (line.problem === undefined) {
      if (line.text.trim() === "") return;
      const activity = asActivity(line.text, args.isText);
      return await publisher.publish(activity, ({ message }) => onInvalid(line.number, message));
    }
    const error = onInvalid(line.number, line.problem);
    if (error === undefined) return;
    await publisher.finish();
    throw error;
  };
  try {
    for await (const bytes of stdio.input()) for (const line of lines.push(bytes)) await take(line);
  } catch (error) {
    // Standard input is a folder, say. What came before is published first.
    if (!(error instanceof FileError)) throw error;
    await publisher.finish();
    throw new InputError(error.message, { cause: error });
  }
  for (const line of lines.end()) await take(line);
  await publisher.finish();
  if (skipped > 0) stdio.tell(stdio.err.yellow(`${counted(skipped, "line was", "lines were")} skipped\n`));
}

/** The activity's JSON. A text becomes one with this text. */
function asActivity(given: string, isText: boolean): string {
  return isText ? JSON.stringify({ text: given }) : given;
}

function inputError(number: number, why: string): InputError {
  return new InputError(`Line ${number} of standard input: ${why}`);
}

function checkArgument(activity: string): void {
  try {
    activityText(activity);
  } catch (error) {
    if (activity.startsWith("\ufeff")) {
      throw new UsageError("Cannot publish: the activity begins with a byte order mark; leave it out");
    }
    throw new UsageError(`${(error as Error).message}; an activity is an object, such as '{"text":"hello"}'`);
  }
}
