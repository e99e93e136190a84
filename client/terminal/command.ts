/** What the commands of the client have in common: what they are given, how they log in, and how they tell people what happens. */

import type { ClientArguments } from "../../config/arguments.ts";
import type { Endpoint } from "../../config/config.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Stdio } from "../../platform/stdio.ts";
import type { Client, ClientEvent, ConnectOptions } from "../options.ts";
import { NOTHING_TOLD, type Notice, stepTelling, styleNotice } from "./describe.ts";
import type { Identity } from "./identity.ts";

/** What a command is given. */
export interface CommandContext {
  readonly args: ClientArguments;
  readonly server: Endpoint;
  readonly heartbeatChannel: Endpoint | undefined;
  /** From the command line or the environment. */
  readonly secret: string | undefined;
  /** How the person is called on this machine, to be offered as a username. */
  readonly systemUser: string | undefined;
  readonly stdio: Stdio;
  readonly clock: Clock;
  connect(options: ConnectOptions): Promise<Client>;
  /** Makes a secret that nobody guesses. */
  makeSecret(): string;
  /** Calls `stop` when the program is asked to stop, until it is disposed of. */
  onStop(stop: () => void): Disposable;
}

/** How a command wants to be connected, and where it wants notices to go. */
export interface EnterOptions extends Pick<ConnectOptions, "reconnect" | "blockHeartbeatMs" | "onEvent"> {
  /** Instead of standard error. */
  readonly onNotice?: (notice: Notice) => void;
}

/** Logs in, and from then on tells what happens to the connection. A secret that was made for somebody new is told before anything else. */
export async function enter(
  { server, heartbeatChannel, stdio, connect }: CommandContext,
  { username, secret, register, isMade }: Identity,
  { onNotice, onEvent, ...options }: EnterOptions = {},
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
      if (event.kind === "registered") stdio.tell(registeredText(event.username, isMade ? secret : undefined, stdio));
      const step = stepTelling(telling, event);
      telling = step.telling;
      if (step.notice !== undefined) {
        if (onNotice === undefined) stdio.tell(`${styleNotice(step.notice, stdio.err)}\n`);
        else onNotice(step.notice);
      }
      onEvent?.(event);
    },
  });
}

/** Runs `work` with a client that is closed when the work is done, or the program is asked to stop. */
export async function untilStopped(
  { onStop }: CommandContext,
  client: Client,
  work: () => Promise<void>,
): Promise<void> {
  await using _client = client;
  using _signals = onStop(() => void client.close());
  await work();
}

function registeredText(username: string, madeSecret: string | undefined, { err }: Stdio): string {
  const registered = err.green(`registered ${username}`);
  return madeSecret === undefined
    ? `${registered}\n`
    : `${registered}; its secret, shown this once: ${err.bold(madeSecret)}\n`;
}
