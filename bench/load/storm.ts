/**
 * Load: clients with names that log in, each on a connection of its own, and go. With `scram` a client derives its key
 * once and keeps it, as clients do that come back: otherwise the generator would measure itself.
 */

import { nodeCrypto, type SecretCrypto } from "../../platform/crypto.ts";
import { clientFirst, nonceOf, prove, readServerFirst } from "../../protocol/login/scram.ts";
import { firstLine } from "./first_line.ts";
import type { RateResult, StormJob } from "./job.ts";
import { watchCpu } from "./process_stats.ts";

/** An account that the load has made. */
interface Account {
  readonly username: string;
  readonly secret: string;
}

/** What a client cannot log in without. */
type StormCrypto = Pick<SecretCrypto, "scrypt" | "randomBytes" | "sha256" | "hmacOf">;

const KEY_BYTES = 32;
const NONCE_BYTES = 18;
/** More than an answer to a login. */
const ANSWER_BYTES = 4_096;
/** Nothing of the log comes, and no place is kept: a login is all that it is. */
const ONLY_THE_LOGIN = { receive: "none", reads: false };

/**
 * Makes the accounts that the load logs in with, one after the other.
 * @throws {Error} when the server refuses one.
 */
export async function makeAccounts(port: number, count: number): Promise<void> {
  for (const account of accounts(count)) {
    const answer = await firstLine(port, lineOf({ command: "REGISTER", ...account }));
    if (!answer.includes('"REGISTER_SUCCESS"')) throw new Error(`The server makes no account: ${answer}`);
  }
}

/**
 * Runs the load, on accounts that `makeAccounts` has made.
 * @throws {Error} when a login fails, or when the server does not prove that it knows an account.
 */
export async function runStorm(job: StormJob, crypto: StormCrypto = nodeCrypto): Promise<RateResult> {
  const clients = accounts(job.accounts).map((account) => new StormClient(account, job, crypto));
  // Each derives its key now.
  if (job.way === "scram") await allOf(clients.map((client) => client.login()));
  let begun = 0;
  const logInAgainAndAgain = async () => {
    while (begun < job.logins) {
      // A login that fails ends the load at once.
      await clients[begun++ % clients.length]!.login().catch((error) => {
        begun = Infinity;
        throw error;
      });
    }
  };
  const startedAt = performance.now();
  const cpu = watchCpu(job.serverPid);
  await allOf(Array.from({ length: job.atOnce }, logInAgainAndAgain));
  return { kind: "rate", perS: job.logins / (performance.now() - startedAt) * 1_000, ...cpu() };
}

/** As `Promise.all`, but nothing is left under way when something has failed. */
async function allOf(promises: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(promises);
  await Promise.all(promises);
}

/** Logs in as one account, as often as it is asked to. */
class StormClient {
  readonly #account: Account;
  readonly #job: Pick<StormJob, "port" | "way">;
  readonly #crypto: StormCrypto;
  /** The key, by the salt that it was derived with. */
  #derived: { readonly salt: string; readonly key: Promise<Uint8Array> } | undefined;

  constructor(account: Account, job: Pick<StormJob, "port" | "way">, crypto: StormCrypto) {
    this.#account = account;
    this.#job = job;
    this.#crypto = crypto;
  }

  async login(): Promise<void> {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: this.#job.port });
    connection.setNoDelay(true);
    const lines = new Lines(connection);
    await (this.#job.way === "scram" ? this.#proveSecret(lines) : this.#tellSecret(lines));
  }

  async #tellSecret(lines: Lines): Promise<void> {
    await lines.say({ command: "LOGIN", ...this.#account, features: ["ack"], ...ONLY_THE_LOGIN });
    loginSuccess(await lines.next());
  }

  async #proveSecret(lines: Lines): Promise<void> {
    const { username } = this.#account;
    const { first, text } = clientFirst(username, nonceOf(this.#crypto.randomBytes(NONCE_BYTES)));
    await lines.say({ command: "LOGIN", username, scram: text, features: ["ack", "scram"], ...ONLY_THE_LOGIN });
    const challenge = await lines.next();
    const read = readServerFirst(first, JSON.parse(challenge).scram ?? "");
    if (!read.ok) throw new Error(`The server cannot be talked to: ${read.problem}: ${challenge}`);
    const { response, serverFinal } = prove(read.talk, await this.#keyFor(read.salt, read.cost), this.#crypto);
    await lines.say({ command: "RESPONSE", scram: response });
    if (loginSuccess(await lines.next()).scram !== serverFinal) throw new Error("The server does not know the account");
  }

  #keyFor(salt: Uint8Array, cost: number): Promise<Uint8Array> {
    const name = `${salt}`;
    if (this.#derived?.salt !== name) {
      this.#derived = { salt: name, key: this.#crypto.scrypt(this.#account.secret, salt, cost, KEY_BYTES) };
    }
    return this.#derived.key;
  }
}

/** The lines of one connection. */
class Lines {
  readonly #connection: Deno.TcpConn;
  readonly #decoder = new TextDecoder();
  readonly #buffer = new Uint8Array(ANSWER_BYTES);
  #text = "";

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  async say(message: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#connection.write(new TextEncoder().encode(lineOf(message)));
  }

  async next(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      const length = await this.#connection.read(this.#buffer);
      if (length === null) throw new Error(`The server closed the connection after ${JSON.stringify(this.#text)}`);
      this.#text += this.#decoder.decode(this.#buffer.subarray(0, length), { stream: true });
    }
  }
}

/** The answer to a login. @throws {Error} when it is another one. */
function loginSuccess(line: string): { readonly scram?: string } {
  const answer = JSON.parse(line);
  if (answer.command !== "LOGIN_SUCCESS") throw new Error(`A login fails: ${line}`);
  return answer;
}

function accounts(count: number): Account[] {
  const account = (index: number) => ({ username: `storm-${index}`, secret: `the secret of ${index}` });
  return Array.from({ length: count }, (_, index) => account(index));
}

function lineOf(message: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(message)}\n`;
}
