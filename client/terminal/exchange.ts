/**
 * `exchange`: a data message at every interval, its echo (the client's own broadcast), and the heartbeats in between.
 * This protocol family uses such a program to watch supervision at work. It ends when the server ends the connection.
 */

import { EXCHANGE_DEFAULTS } from "../../config/client_arguments.ts";
import { ask, secondsQuestion } from "../../config/prompts.ts";
import { BLOCK_MS, SEND_INTERVAL_MS } from "../../config/values.ts";
import { timeOfDay } from "../../platform/local_time.ts";
import { ConnectionEndedError } from "../errors.ts";
import type { Activity, Client, ClientEvent } from "../options.ts";
import { endpointText } from "../../config/values.ts";
import { type CommandParts, enter, untilStopped } from "./command.ts";
import { activityWords } from "./describe.ts";
import { settleIdentity } from "./identity.ts";
import { visible } from "./screen/visible.ts";

/** Something to show: as JSON, and for people. */
interface Row {
  readonly fields: Readonly<Record<string, unknown>> & { readonly event: string };
  readonly words: string;
}

/** Echoes that came before their acknowledgement. Of all activities of anonymous clients, ours is among the newest. */
const MAX_EARLY_ECHOES = 1_000;

/**
 * Exchanges until somebody stops it, or nobody reads its output.
 * @throws {ConnectionEndedError} when the server ends the connection.
 */
export async function exchange(parts: CommandParts): Promise<void> {
  const { args, stdio, clock } = parts;
  const identity = await settleIdentity({ ...parts, ...args, secret: parts.secret, command: "exchange" }, stdio);
  const { intervalMs, blockHeartbeatMs } = await askTimes(parts);
  const show = new Show(parts);
  const endedByServer = Promise.withResolvers<never>();
  endedByServer.promise.catch(() => {});
  const client = await enter(parts, identity, {
    blockHeartbeatMs,
    // It ends with that, and says it then.
    isTold: (event) => event.kind !== "lost" || !event.byServer,
    onEvent(event) {
      show.heartbeat(event);
      if (event.kind !== "lost" || !event.byServer) return;
      const { host, port } = parts.server;
      endedByServer.reject(
        new ConnectionEndedError(
          `The connection to ${endpointText({ host, port })} ended: ${event.info}`,
          event.reason,
        ),
      );
    },
  });
  stdio.tell(stdio.err.dim(`connected to ${endpointText(parts.server)} as ${client.username}; Ctrl-C ends\n`));
  try {
    await untilStopped(parts, client, async () => {
      const echoes = (async () => {
        for await (const activity of client.activities()) show.echo(activity, client.username);
      })();
      await Promise.race([endedByServer.promise, echoes, sendForEver(), show.unread]);
    });
  } finally {
    stdio.tell(stdio.err.dim(`${show.summary}\n`));
  }

  async function sendForEver(): Promise<void> {
    const text = args.message ?? EXCHANGE_DEFAULTS.message;
    for (let dueAt = clock.nowMs();;) {
      await publishOne(client, show, text);
      // Messages that were due without a connection are not made up for.
      dueAt = Math.max(dueAt + intervalMs, clock.nowMs());
      await new Promise<void>((resolve) => clock.after(dueAt - clock.nowMs(), resolve));
    }
  }
}

async function publishOne(client: Client, show: Show, text: string): Promise<void> {
  const sentAtMs = show.sent(text);
  try {
    const { id } = await client.publish({ text });
    show.acknowledged(id, sentAtMs);
  } catch (error) {
    // Stopped by the person: the client is closed, and everything else ends by itself.
    if (error instanceof ConnectionEndedError && error.reason === "LOGGED_OUT") return await new Promise(() => {});
    throw error;
  }
}

/** Asks for the values that the command line lacks. */
async function askTimes(
  { args, stdio, reach }: CommandParts,
): Promise<{ intervalMs: number; blockHeartbeatMs: number }> {
  const canAsk = args.mayAsk && stdio.canAsk;
  if (canAsk && (args.intervalMs === undefined || args.blockHeartbeatMs === undefined)) await reach();
  const settle = async (given: number | undefined, question: ReturnType<typeof secondsQuestion>) =>
    given ?? (canAsk ? await ask(question, stdio.terminal) : question.fallback);
  return {
    intervalMs: await settle(
      args.intervalMs,
      secondsQuestion("Time between data messages, in seconds", SEND_INTERVAL_MS, EXCHANGE_DEFAULTS.intervalMs),
    ),
    blockHeartbeatMs: await settle(
      args.blockHeartbeatMs,
      secondsQuestion(
        "Time for which heartbeats are not answered (a test), in seconds",
        BLOCK_MS,
        EXCHANGE_DEFAULTS.blockHeartbeatMs,
      ),
    ),
  };
}

type ShowParts = Pick<CommandParts, "args" | "stdio" | "clock">;

/** Rows on standard output. Matches echoes with sent messages. */
class Show {
  readonly #parts: ShowParts;
  /** When each activity was sent that was acknowledged and has not come back yet. */
  readonly #sentAtMs = new Map<string, number>();
  /** When each activity came back that was not acknowledged yet. */
  readonly #earlyEchoes = new Map<string, { readonly text: string; readonly atMs: number }>();
  readonly #unread = Promise.withResolvers<void>();
  #sent = 0;
  #echoed = 0;

  constructor(parts: ShowParts) {
    this.#parts = parts;
  }

  /** Resolves when nobody reads the rows any more: `exchange | head -3`. Rejects when they cannot be written. */
  get unread(): Promise<void> {
    return this.#unread.promise;
  }

  get summary(): string {
    return `sent ${this.#sent}, ${this.#echoed} came back`;
  }

  /** Returns the time of the sending, for `acknowledged`. */
  sent(text: string): number {
    this.#sent++;
    this.#row({ fields: { event: "sent", text }, words: `sent       ${visible(text)}` });
    return this.#parts.clock.nowMs();
  }

  acknowledged(id: string | undefined, sentAtMs: number): void {
    if (id === undefined) return;
    const early = this.#earlyEchoes.get(id);
    if (early === undefined) this.#sentAtMs.set(id, sentAtMs);
    else this.#echo(id, early.text, early.atMs - sentAtMs);
    this.#earlyEchoes.clear();
  }

  /** Others publish too, and among them, for an anonymous client, others of its name. */
  echo({ id, user, activity, json }: Activity, username: string): void {
    if (user !== username) return;
    const text = activityWords(activity, json);
    const sentAtMs = this.#sentAtMs.get(id);
    this.#sentAtMs.delete(id);
    const atMs = this.#parts.clock.nowMs();
    if (sentAtMs !== undefined) this.#echo(id, text, atMs - sentAtMs);
    else if (this.#earlyEchoes.size < MAX_EARLY_ECHOES) this.#earlyEchoes.set(id, { text, atMs });
  }

  heartbeat(event: ClientEvent): void {
    if (event.kind !== "heartbeat") return;
    const { sequence, answered, outOfBand } = event;
    const what = `${answered ? "answered" : "not answered"}${outOfBand ? ", out of band" : ""}`;
    this.#row({
      fields: { event: "heartbeat", sequence, answered, outOfBand },
      words: `heartbeat  ${sequence}, ${what}`,
    });
  }

  #echo(id: string, text: string, roundTripMs: number): void {
    this.#echoed++;
    const tookMs = Math.round(roundTripMs * 10) / 10;
    this.#row({
      fields: { event: "echo", text, id, roundTripMs: tookMs },
      words: `echo       ${visible(text)}  ${this.#parts.stdio.out.dim(`${tookMs} ms`)}`,
    });
  }

  #row({ fields, words }: Row): void {
    const { args, stdio, clock } = this.#parts;
    const at = clock.wallMs();
    const line = args.json ? JSON.stringify({ at, ...fields }) : `${stdio.out.dim(timeOfDay(at, true))}  ${words}`;
    // There are few rows, and a slow reader must not change the events that they show.
    void stdio.write(`${line}\n`).then((isRead) => isRead || this.#unread.resolve(), this.#unread.reject);
  }
}
