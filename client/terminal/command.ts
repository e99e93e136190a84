/** What the client's commands are made with, how they log in, and how they tell people about events. */

import type { ClientArguments } from "../../config/client_arguments.ts";
import type { Endpoint } from "../../platform/address.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Stdio } from "../../platform/stdio.ts";
import { RefusedError } from "../errors.ts";
import type { NameAnswer } from "../calls/name_question.ts";
import type { Client, ClientEvent, ConnectOptions } from "../options.ts";
import { KNOWS_NO_CHANNELS, NOTHING_TOLD, type Notice, stepTelling, styleNotice } from "./notices.ts";
import { confirmNew, type Identity } from "./identity.ts";
import type { HistoryFile } from "./chat/history_file.ts";
import type { StateFile } from "./chat/remembered_login.ts";

/** What a command is given. */
export interface CommandParts {
  readonly args: ClientArguments;
  readonly server: Endpoint;
  readonly heartbeatChannel: Endpoint | undefined;
  /** From the command line or the environment. */
  readonly secret: string | undefined;
  /** The person's name on this machine, to offer as a username. */
  readonly systemUser: string | undefined;
  readonly stdio: Stdio;
  readonly clock: Clock;
  connect(options: ConnectOptions): Promise<Client>;
  /**
   * Finds out whether there is a server at all, by default `server`.
   * @throws {ConnectError} when nothing listens there.
   */
  reach(server?: Endpoint): Promise<void>;
  /** Asks whether a name is registered, by default at `server`, before a person is asked for its secret. */
  askName?(username: string, server?: Endpoint): Promise<NameAnswer>;
  /** Where to keep who talked last; `undefined` where this machine has no place for that. */
  readonly stateFile: StateFile | undefined;
  /** Where the lines that people typed are kept for Ctrl-R and the arrow keys. */
  readonly historyFile?: HistoryFile | undefined;
  /** Makes a secret that nobody guesses. */
  makeSecret(): string;
  /** Calls `stop` when the program is asked to stop, until it is disposed of. */
  onStop(stop: () => void): Disposable;
}

/** The wishes of a command for its connection and its notices. */
export interface EnterParts extends
  Pick<
    ConnectOptions,
    "reads" | "receive" | "channels" | "reconnect" | "blockHeartbeatMs" | "connectTimeoutMs" | "onEvent"
  > {
  /** Instead of standard error. */
  readonly onNotice?: (notice: Notice) => void;
  /** Whether the notice for an event is shown; by default always. */
  readonly isTold?: (event: ClientEvent) => boolean;
  /** Whether a registration is told; by default yes. A new secret is always told. */
  readonly tellsRegistered?: boolean;
}

/**
 * Logs in, and tells events of the connection from then on. A new user's secret is told before anything else. An
 * unknown name is registered when the person types its secret once more.
 * @throws the errors of `connect`.
 * @throws {AnswerError} when the second secret differs.
 */
export async function enter(
  parts: CommandParts,
  identity: Identity,
  options: EnterParts = {},
): Promise<Client> {
  try {
    return await connectAs(parts, identity, options);
  } catch (error) {
    const isNew = error instanceof RefusedError && error.reason === "UNKNOWN_USER";
    if (!isNew || !identity.mayBeNew) throw error;
    return await connectAs(parts, await confirmNew(identity, parts.stdio), options);
  }
}

/**
 * `stdio`, at which a signal to stop ends the input, as Ctrl-D does: the person wants to leave. Where keys are read one
 * by one, Ctrl-C is one of them: there only the signals of `onTerminate` count.
 */
export function leavable(
  stdio: Stdio,
  onStop: CommandParts["onStop"],
  onTerminate: CommandParts["onStop"] = onStop,
): Stdio {
  return {
    ...stdio,
    terminal: {
      write: stdio.terminal.write,
      async readLine() {
        using left = untilStop(onStop);
        // Reading cannot be given up. It ends with the program, which is next.
        return await Promise.race([stdio.terminal.readLine(), left.stopped]);
      },
    },
    openKeyboard(maxBytes) {
      const keyboard = stdio.openKeyboard(maxBytes);
      const left = untilStop(onTerminate);
      return {
        read: () => Promise.race([keyboard.read(), left.stopped]),
        [Symbol.dispose]() {
          left[Symbol.dispose]();
          keyboard[Symbol.dispose]();
        },
      };
    },
  };
}

/**
 * Refuses a server that would pass over channels: it would give other activities, or give these to everyone.
 * @throws {RefusedError} when it does not know channels.
 */
export function needChannels({ features }: Pick<Client, "features">, what: string): void {
  if (features.includes("channels")) return;
  const info = KNOWS_NO_CHANNELS;
  throw new RefusedError(`Cannot ${what}: ${info}`, { command: "SUBSCRIBE_FAILED", info, reason: "NO_CHANNELS" });
}

/** Runs `work` with a client that is closed when the work is done, or the program is asked to stop. */
export async function untilStopped(
  { onStop }: CommandParts,
  client: Client,
  work: () => Promise<void>,
): Promise<void> {
  await using _client = client;
  using _signals = onStop(() => void client.close());
  await work();
}

function untilStop(onStop: CommandParts["onStop"]): Disposable & { readonly stopped: Promise<undefined> } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const signals = onStop(() => resolve(undefined));
  return { stopped: promise, [Symbol.dispose]: () => signals[Symbol.dispose]() };
}

async function connectAs(
  { server, heartbeatChannel, stdio, connect }: CommandParts,
  { username, secret, register, isMade }: Identity,
  { onNotice, onEvent, isTold = () => true, tellsRegistered = true, ...options }: EnterParts,
): Promise<Client> {
  let telling = NOTHING_TOLD;
  return await connect({
    ...server,
    ...options,
    ...(username === undefined ? {} : { username }),
    ...(secret === undefined ? {} : { secret }),
    ...(heartbeatChannel === undefined ? {} : { heartbeatChannel }),
    register,
    onEvent(event: ClientEvent) {
      if (event.kind === "registered" && (tellsRegistered || isMade)) {
        stdio.tell(registeredText(event.username, isMade ? secret : undefined, stdio));
      }
      const step = stepTelling(telling, event);
      telling = step.telling;
      if (step.notice !== undefined && isTold(event)) {
        if (onNotice === undefined) stdio.tell(`${styleNotice(step.notice, stdio.err)}\n`);
        else onNotice(step.notice);
      }
      onEvent?.(event);
    },
  });
}

function registeredText(username: string, madeSecret: string | undefined, { err }: Stdio): string {
  const registered = err.green(`registered ${username}`);
  return madeSecret === undefined
    ? `${registered}\n`
    // On its own line, so that a narrow terminal does not break the secret that people copy.
    : `${registered}; its secret, shown this once:\n${err.bold(madeSecret)}\n`;
}
