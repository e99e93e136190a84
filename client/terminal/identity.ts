/**
 * Who a client logs in as: from the command line and the environment where they say it, else from the person at the terminal. A name without a secret
 * is registered with one that is made for it; what a person types to be kept is typed twice, as nobody sees it.
 */

import type { ClientCommand } from "../../config/arguments.ts";
import { UsageError } from "../../config/flags.ts";
import { ask, NoAnswer, type Question } from "../../config/prompts.ts";
import type { Stdio } from "../../platform/stdio.ts";
import { ANONYMOUS, secretProblem, usernameProblem } from "../../protocol/names.ts";

/** Who, and what to do about it. */
export interface Identity {
  /** Absent for `anonymous`. */
  readonly username: string | undefined;
  readonly secret: string | undefined;
  readonly register: boolean;
  /** Whether the secret was typed for a name that may be new: then `confirmNew` makes it one to register. */
  readonly mayBeNew: boolean;
  /** Whether the secret was made here, so that the person has to be told it. */
  readonly isMade: boolean;
}

/** What is known before anybody is asked. */
export interface GivenIdentity {
  readonly command: ClientCommand;
  readonly username: string | undefined;
  readonly secret: string | undefined;
  readonly systemUser: string | undefined;
  readonly mayAsk: boolean;
  makeSecret(): string;
  /** Called before the first question: nobody should answer some and then be told that there is no server. */
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

/** Answers to the first question of an interactive session. */
const CHOICES = new Map<string, "login" | "register" | "anonymous">([
  ["l", "login"],
  ["log in", "login"],
  ["login", "login"],
  ["r", "register"],
  ["register", "register"],
  ["a", "anonymous"],
  ["anonymous", "anonymous"],
]);

/**
 * Settles it, asking where that is possible and needed.
 * @throws {UsageError} when what is given cannot be used, or is missing and nobody can be asked.
 * @throws {AnswerError} when what is answered cannot be used.
 * @throws {NoAnswer} when the person does not want to answer.
 * @throws what `reach` does.
 */
export async function settleIdentity(given: GivenIdentity, stdio: Stdio): Promise<Identity> {
  const { command, secret } = given;
  const isRegistration = command === "register";
  const canAsk = given.mayAsk && stdio.canAsk;
  const isNobody = given.username === undefined || given.username === ANONYMOUS;
  if (isNobody && !isRegistration) return NOBODY;
  if (given.username === undefined && !canAsk) throw new UsageError("register needs a username: -u NAME");
  // Without a secret there is nothing to log in with, so far.
  const purpose = isRegistration || secret === undefined ? "register" : "log in";
  if (given.username !== undefined) refuse(purpose, usernameProblem(given.username));
  if (secret !== undefined) refuse(purpose, secretProblem(secret));

  if (canAsk && (given.username === undefined || secret === undefined)) await given.reach();
  const username = given.username ?? await askUsername(given, stdio);
  // Who gives a secret has an account, but for the one command that makes one.
  if (secret !== undefined) return { username, secret, register: isRegistration, mayBeNew: false, isMade: false };
  if (!canAsk) return withMadeSecret(username, given);
  if (isRegistration) return askNewSecret(`Secret for ${username} (Enter makes one):`, "", username, given, stdio);
  const typed = askForSecret(`Secret for ${username} (Enter if new):`, stdio);
  if (typed === "") return withMadeSecret(username, given);
  const problem = secretProblem(typed);
  if (problem !== undefined) throw new AnswerError(`Cannot log in: ${problem}`);
  return { username, secret: typed, register: false, mayBeNew: true, isMade: false };
}

/**
 * What an interactive session asks when the command line does not say who.
 * @throws {NoAnswer} when the person does not want to answer.
 */
export async function askIdentity(given: GivenIdentity, stdio: Stdio): Promise<Identity> {
  const choice = await ask(choiceQuestion(), stdio.terminal);
  if (choice === "anonymous") return NOBODY;
  const username = await askUsername(given, stdio);
  if (choice === "register") return askNewSecret("  Secret (Enter makes one):", "  ", username, given, stdio);
  for (;;) {
    const secret = askForSecret("  Secret:", stdio);
    const problem = secretProblem(secret);
    if (problem === undefined) return { username, secret, register: false, mayBeNew: false, isMade: false };
    stdio.terminal.write(`  ${problem}\n`);
  }
}

/**
 * The server does not know the name: a new account, or a slip of the hand. Who types the secret once more means it.
 * @throws {AnswerError} when it is not the same.
 * @throws {NoAnswer} when the person does not want to answer.
 */
export function confirmNew(identity: Identity, stdio: Stdio): Identity {
  const { username, secret } = identity;
  if (askForSecret(`${username} is new. The same secret again to register it:`, stdio) !== secret) {
    throw new AnswerError(`Cannot register "${username}": the two secrets are not the same`);
  }
  return { ...identity, register: true, mayBeNew: false };
}

function choiceQuestion(): Question<"login" | "register" | "anonymous"> {
  return {
    text: "Log in (l), register (r) or stay anonymous (a)?",
    reader: { allowed: "l, r or a", read: (answer) => CHOICES.get(answer.toLowerCase()) },
    fallback: "anonymous",
    shown: "a",
  };
}

async function askUsername({ systemUser }: GivenIdentity, { terminal }: Stdio): Promise<string> {
  const offered = systemUser !== undefined && usernameProblem(systemUser) === undefined ? systemUser : "guest";
  const isUsername = (answer: string) => usernameProblem(answer) === undefined ? answer : undefined;
  return await ask({
    text: "Username",
    reader: { allowed: 'a name of 1 to 64 characters, without : " \\ /, other than anonymous', read: isUsername },
    fallback: offered,
    shown: offered,
  }, terminal);
}

/** Nobody sees what is typed, so what is to be kept is typed twice. Enter alone makes a secret. */
function askNewSecret(
  question: string,
  indent: string,
  username: string,
  given: GivenIdentity,
  stdio: Stdio,
): Identity {
  for (;;) {
    const secret = askForSecret(question, stdio);
    if (secret === "") return withMadeSecret(username, given);
    const problem = secretProblem(secret) ??
      (askForSecret(`${indent}The same again:`, stdio) === secret ? undefined : "the two are not the same");
    if (problem === undefined) return { username, secret, register: true, mayBeNew: false, isMade: false };
    stdio.terminal.write(`${indent}${problem}\n`);
  }
}

function askForSecret(question: string, stdio: Stdio): string {
  const secret = stdio.askSecret(question);
  if (secret === undefined) throw new NoAnswer("The input ended before the question was answered");
  return secret;
}

function withMadeSecret(username: string, { makeSecret }: GivenIdentity): Identity {
  return { username, secret: makeSecret(), register: true, mayBeNew: false, isMade: true };
}

function refuse(purpose: "log in" | "register", problem: string | undefined): void {
  if (problem !== undefined) throw new UsageError(`Cannot ${purpose}: ${problem}`);
}
