/**
 * A user changes its own account, on a connection of its own: proves the secret, and seals what is to be changed. A new
 * secret is not told: the server gets what it keeps of it. `protocol/login/account_change.ts` has the seal.
 */

import { endpointText } from "../../config/values.ts";
import type { Endpoint } from "../../platform/address.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Link, Transport } from "../../platform/transport.ts";
import {
  type AccountChange,
  NEW_SALT_BYTES,
  NEW_SECRET_COST,
  type NewKeys,
  sealChange,
} from "../../protocol/login/account_change.ts";
import { clientFirst, keysOf, nonceOf, prove, readServerFirst } from "../../protocol/login/scram.ts";
import { LineFramer } from "../../protocol/line_framer.ts";
import type { RefusalMessage, ServerMessage } from "../../protocol/message.ts";
import { lineBytes, parseServerLine } from "../../protocol/server_codec.ts";
import { ConnectError, RefusedError, unreachable } from "../errors.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";

/** What is to be changed. */
export interface AccountCall {
  readonly server: Endpoint;
  readonly username: string;
  /** The secret until now. */
  readonly secret: string;
  /** Absent: the account is to be forgotten. */
  readonly newSecret?: string;
  /** For each answer of the server. */
  readonly timeoutMs: number;
}

/** What it is done with. */
export interface AccountCallParts {
  readonly transport: Transport;
  readonly clock: Pick<Clock, "after">;
  readonly crypto: AccountCrypto;
}

/** The cryptography that it takes. */
type AccountCrypto = Pick<SecretCrypto, "scrypt" | "randomBytes" | "sha256" | "hmacOf">;

/** Longer than any answer. */
const MAX_LINE_BYTES = 65_536;
const KEY_BYTES = 32;
const NONCE_BYTES = 18;

/**
 * Changes the account. Resolves when the change is stored, and the other servers are told.
 * @throws {RefusedError} when the server does not do it.
 * @throws {ConnectError} when there is no answer. If the last one is missing, the account may be changed all the same.
 */
export async function changeAccount(call: AccountCall, { transport, clock, crypto }: AccountCallParts): Promise<void> {
  const { server, username, secret, newSecret, timeoutMs } = call;
  const where = endpointText(server);
  const change: AccountChange = newSecret === undefined ? "forget" : "secret";
  // Derived first, as a server waits for an answer for a bounded time.
  const keys = newSecret === undefined ? undefined : await newKeys(newSecret, crypto);
  let link: Link;
  try {
    link = await transport.dial({ ...server, timeoutMs });
  } catch (error) {
    throw unreachable(where, error as Error);
  }
  const answers = new Answers(link, where, clock, timeoutMs);
  try {
    const { first, text } = clientFirst(
      username,
      nonceOf(crypto.randomBytes(NONCE_BYTES)),
      link.channel?.serverEndPoint,
    );
    link.write(lineBytes({ command: "LOGIN", username, scram: text, change, features: ["scram"] }));
    const challenged = await answers.next();
    if (challenged.command !== "CHALLENGE") throw refusal(call, where, challenged);
    const read = readServerFirst(first, challenged.scram);
    if (!read.ok) throw new ConnectError(`${where} cannot be trusted: ${read.problem}`);
    const derived = await crypto.scrypt(secret, read.salt, read.cost, KEY_BYTES);
    const { response, serverFinal, changeKey } = prove(read.talk, derived, crypto);
    const sealed = sealChange(changeKey, change, keys, crypto);
    link.write(lineBytes({ command: "RESPONSE", scram: response, sealed }));
    const changed = await answers.next();
    if (changed.command !== "ACCOUNT_CHANGED") throw refusal(call, where, changed);
    if (changed.scram !== serverFinal || changed.change !== change) {
      throw new ConnectError(`${where} has not proved that it knows this account: it may not have changed it`);
    }
  } finally {
    answers.end();
    link.destroy();
  }
}

async function newKeys(secret: string, crypto: AccountCrypto): Promise<NewKeys> {
  const salt = crypto.randomBytes(NEW_SALT_BYTES);
  return { salt, ...keysOf(await crypto.scrypt(secret, salt, NEW_SECRET_COST, KEY_BYTES), crypto) };
}

/** The lines of the server, one by one. */
class Answers {
  readonly #where: string;
  readonly #clock: Pick<Clock, "after">;
  readonly #timeoutMs: number;
  readonly #lines: string[] = [];
  #waiting = Promise.withResolvers<void>();
  #isOver = false;

  constructor(link: Link, where: string, clock: Pick<Clock, "after">, timeoutMs: number) {
    this.#where = where;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    const framer = new LineFramer(MAX_LINE_BYTES);
    const over = () => {
      this.#isOver = true;
      this.#waiting.resolve();
    };
    link.attach({
      onData: (bytes) => {
        const { lines, problem } = framer.push(bytes);
        this.#lines.push(...lines);
        if (problem !== undefined) over();
        if (lines.length > 0) this.#waiting.resolve();
      },
      onDrain: () => {},
      onFinish: over,
      onEnd: over,
    });
  }

  /** The next message that this program knows. @throws {ConnectError} when none comes. */
  async next(): Promise<ServerMessage> {
    const timer = this.#clock.after(this.#timeoutMs, () => this.end());
    try {
      for (;;) {
        const line = this.#lines.shift();
        if (line === undefined) {
          if (this.#isOver) throw new ConnectError(`${this.#where} gave no answer`);
          await this.#waiting.promise;
          this.#waiting = Promise.withResolvers<void>();
          if (this.#isOver) this.#waiting.resolve();
          continue;
        }
        const message = parseServerLine(line);
        if (message?.command === "") throw new ConnectError(`${this.#where} sent something that cannot be read`);
        if (message !== undefined) return message;
      }
    } finally {
      timer.cancel();
    }
  }

  /** Nobody waits any longer. */
  end(): void {
    this.#isOver = true;
    this.#waiting.resolve();
  }
}

/** The error for what came in the place of the answer. */
function refusal({ username, newSecret }: AccountCall, where: string, message: ServerMessage): Error {
  const what = newSecret === undefined ? `forget the account of "${username}"` : `change the secret of "${username}"`;
  if (isRefusal(message)) {
    const { command, info, reason } = message;
    return new RefusedError(`Cannot ${what} at ${where}: ${info}`, { command, info, reason });
  }
  if (message.command === "END_CONNECTION") {
    const { info, reason } = message;
    return new RefusedError(`Cannot ${what} at ${where}: ${info}`, { command: "LOGIN_FAILED", info, reason });
  }
  const info = "this server is of a version that cannot do that";
  return new RefusedError(`Cannot ${what} at ${where}: ${info}`, {
    ...{ command: "LOGIN_FAILED", info, reason: "OLDER_VERSION" },
  });
}

function isRefusal(message: ServerMessage): message is RefusalMessage {
  const refusals: readonly string[] = ["LOGIN_FAILED", "REGISTER_FAILED", "AUTHENTICATION_FAIL", "INVALID_MESSAGE"];
  return refusals.includes(message.command);
}
