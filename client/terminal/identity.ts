/**
 * The login of a client: from the command line and the environment, else from the person at the terminal. A name
 * without a secret is registered with a new one. A person types a new secret twice, as nobody sees it.
 */

import type { ClientCommand } from "../../config/client_arguments.ts";
import { UsageError } from "../../config/flags.ts";
import { ask } from "../../config/prompts.ts";
import type { Stdio } from "../../platform/stdio.ts";
import { newSecretProblem } from "../login/new_secret.ts";
import { ANONYMOUS, secretProblem, usernameProblem } from "../../protocol/names.ts";
import type { NameAnswer } from "../calls/name_question.ts";
import { askHidden } from "./screen/hidden_prompt.ts";
import { visibleName } from "./screen/visible.ts";

/** Who, and what to do about it. */
export interface Identity {
  /** Absent for `anonymous`. */
  readonly username: string | undefined;
  readonly secret: string | undefined;
  readonly register: boolean;
  /** Whether the secret was typed for a name that may be new: then `confirmNew` makes it one to register. */
  readonly mayBeNew: boolean;
  /** Whether this program made the secret: then the person has to be told. */
  readonly isMade: boolean;
}

/** The values that are known before any question. */
export interface GivenIdentity {
  readonly command: ClientCommand;
  readonly username: string | undefined;
  readonly secret: string | undefined;
  readonly systemUser: string | undefined;
  readonly mayAsk: boolean;
  makeSecret(): string;
  /** Asks whether a name is registered. */
  askName?(username: string): Promise<NameAnswer>;
  /** Called before the first question. Nobody should answer questions and then learn that there is no server. */
  reach(): Promise<void>;
}

/** An answer cannot be used. The message says why. */
export class AnswerError extends Error {
  override name = "AnswerError";
}

/** Nobody in particular. */
export const NOBODY: Identity = {
  username: undefined,
  secret: undefined,
  register: false,
  mayBeNew: false,
  isMade: false,
};

/**
 * Settles the identity, and asks if that is possible and needed.
 * @throws {UsageError} when a given value cannot be used, or one is missing and there is no terminal to ask at.
 * @throws {AnswerError} when an answer cannot be used.
 * @throws {NoAnswer} when the person does not want to answer.
 * @throws the errors of `reach`.
 */
export async function settleIdentity(given: GivenIdentity, stdio: Stdio): Promise<Identity> {
  const { command, secret } = given;
  const isRegistration = command === "register";
  const canAsk = given.mayAsk && stdio.canAsk;
  const isNobody = given.username === undefined || given.username === ANONYMOUS;
  if (isNobody && !isRegistration) return NOBODY;
  if (given.username === undefined && !canAsk) throw new UsageError("register needs a username: -u NAME");
  // Without a secret there is nothing to log in with yet.
  const purpose = isRegistration || secret === undefined ? "register" : "log in";
  if (given.username !== undefined) refuse(purpose, usernameProblem(given.username));
  if (secret !== undefined) refuse(purpose, isRegistration ? newSecretProblem(secret) : secretProblem(secret));

  if (canAsk && (given.username === undefined || secret === undefined)) await given.reach();
  const username = given.username ?? await askUsername(given.systemUser, stdio, (name) => name !== ANONYMOUS);
  // Who gives a secret has an account, but for the one command that makes one.
  if (secret !== undefined) return { username, secret, register: isRegistration, mayBeNew: false, isMade: false };
  if (!canAsk) return withMadeSecret(username, given.makeSecret);
  if (isRegistration) {
    return await askNewSecret(`Secret for ${username} (Enter makes one):`, "", username, given.makeSecret, stdio);
  }
  await tellIfUnknown(given, username, stdio);
  const typed = await askHidden(`Secret for ${username} (Enter if new):`, stdio);
  if (typed === "") return withMadeSecret(username, given.makeSecret);
  const problem = secretProblem(typed);
  if (problem !== undefined) throw new AnswerError(`Cannot log in: ${problem}`);
  return { username, secret: typed, register: false, mayBeNew: true, isMade: false };
}

/**
 * Says that nobody has registered `username`, if that is so: before a secret is asked for, which may be the right one
 * for another name.
 */
export async function tellIfUnknown(
  given: Pick<GivenIdentity, "askName">,
  username: string,
  { terminal, out }: Stdio,
): Promise<void> {
  if (await given.askName?.(username) !== "unknownName") return;
  terminal.write(`${out.yellow(`  ${visibleName(username)} is not registered.`)}\n`);
}

/**
 * The server does not know the name: a new account, or a slip of the hand. Who types the secret once more means it.
 * @throws {AnswerError} when it is not the same.
 * @throws {NoAnswer} when the person does not want to answer.
 */
export async function confirmNew(identity: Identity, stdio: Stdio): Promise<Identity> {
  const { username, secret } = identity;
  const problem = newSecretProblem(secret ?? "");
  if (problem !== undefined) throw new AnswerError(`Cannot register "${visibleName(username ?? "")}": ${problem}`);
  if (await askHidden(`${username} is new. The same secret again to register it:`, stdio) !== secret) {
    throw new AnswerError(`Cannot register "${username}": the two secrets are not the same`);
  }
  return { ...identity, register: true, mayBeNew: false };
}

/**
 * Asks for a name. Enter takes `offered`, if that can be a name.
 * @throws {NoAnswer} when the person does not want to answer.
 */
export async function askUsername(
  offered: string | undefined,
  { terminal }: Stdio,
  isAllowed: (name: string) => boolean = () => true,
): Promise<string> {
  const fallback = offered !== undefined && usernameProblem(offered) === undefined ? offered : "guest";
  const read = (answer: string) => {
    const canBe = answer === ANONYMOUS || usernameProblem(answer) === undefined;
    return canBe && isAllowed(answer) ? answer : undefined;
  };
  const allowed = `a name of 1 to 64 characters, without : " \\ /${
    isAllowed(ANONYMOUS) ? "" : `, other than ${ANONYMOUS}`
  }`;
  return await ask({ text: "User name", reader: { allowed, read }, fallback, shown: fallback }, terminal);
}

/**
 * Nobody sees the typed secret, so the person types it twice. Enter alone makes a secret.
 * @throws {NoAnswer} when the person does not want to answer.
 */
export async function askNewSecret(
  question: string,
  indent: string,
  username: string,
  makeSecret: () => string,
  stdio: Stdio,
): Promise<Identity> {
  for (;;) {
    const secret = await askHidden(question, stdio);
    if (secret === "") return withMadeSecret(username, makeSecret);
    const problem = newSecretProblem(secret) ??
      (await askHidden(`${indent}The same again:`, stdio) === secret ? undefined : "the two are not the same");
    if (problem === undefined) return { username, secret, register: true, mayBeNew: false, isMade: false };
    stdio.terminal.write(`${indent}${problem}\n`);
  }
}

function withMadeSecret(username: string, makeSecret: () => string): Identity {
  return { username, secret: makeSecret(), register: true, mayBeNew: false, isMade: true };
}

function refuse(purpose: "log in" | "register", problem: string | undefined): void {
  if (problem !== undefined) throw new UsageError(`Cannot ${purpose}: ${problem}`);
}
