/**
 * Who a client logs in as: from the command line and the environment where they say it, else from the person at the terminal. A name without a secret
 * is registered with one that is made for it.
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
  readonly register: boolean | "ifNew";
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
}

/** Nobody in particular. */
export const NOBODY: Identity = { username: undefined, secret: undefined, register: false, isMade: false };

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
 * @throws {NoAnswer} when the person does not want to answer.
 */
export async function settleIdentity(given: GivenIdentity, stdio: Stdio): Promise<Identity> {
  const { command, makeSecret } = given;
  const canAsk = given.mayAsk && stdio.canAsk;
  let { username } = given;
  if (username === undefined || username === ANONYMOUS) {
    if (command !== "register") return NOBODY;
    if (!canAsk) throw new UsageError("register needs a username: -u NAME");
    username = await askUsername(given, stdio);
  }
  refuse(usernameProblem(username));
  // Who gives a secret has an account, but for the one command that makes one.
  if (given.secret !== undefined) return checked(username, given.secret, command === "register");
  const typed = canAsk ? askForSecret(`Secret for ${username} (Enter makes a new one):`, stdio) : "";
  return typed === ""
    ? { username, secret: makeSecret(), register: true, isMade: true }
    : checked(username, typed, command === "register" ? true : "ifNew");
}

/**
 * What an interactive session asks when the command line does not say who.
 * @throws {NoAnswer} when the person does not want to answer.
 */
export async function askIdentity(given: GivenIdentity, stdio: Stdio): Promise<Identity> {
  const choice = await ask(choiceQuestion(), stdio.terminal);
  if (choice === "anonymous") return NOBODY;
  const username = await askUsername(given, stdio);
  for (;;) {
    const isNew = choice === "register";
    const secret = askForSecret(isNew ? "  Secret (Enter makes one):" : "  Secret:", stdio);
    if (isNew && secret === "") return { username, secret: given.makeSecret(), register: true, isMade: true };
    const problem = secretProblem(secret) ?? (isNew ? askAgain(secret, stdio) : undefined);
    if (problem === undefined) return { username, secret, register: isNew, isMade: false };
    stdio.terminal.write(`  ${problem}\n`);
  }
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
    reader: { allowed: 'a name of 1 to 64 characters, without : " \\ /', read: isUsername },
    fallback: offered,
    shown: offered,
  }, terminal);
}

/** Nobody sees what is typed, so what is to be kept is typed twice. */
function askAgain(secret: string, stdio: Stdio): string | undefined {
  return askForSecret("  The same again:", stdio) === secret ? undefined : "the two are not the same";
}

function askForSecret(question: string, stdio: Stdio): string {
  const secret = stdio.askSecret(question);
  if (secret === undefined) throw new NoAnswer("The input ended before the question was answered");
  return secret;
}

function checked(username: string, secret: string, register: boolean | "ifNew"): Identity {
  refuse(secretProblem(secret));
  return { username, secret, register, isMade: false };
}

function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw new UsageError(`Cannot log in: ${problem}`);
}
