/**
 * Questions to a person at a terminal: the questions, the meaning of an answer, and asking until an answer is allowed.
 * The caller hands in the terminal.
 */

import type { HeartbeatConfig } from "./config.ts";
import {
  HEARTBEAT_COUNT,
  HEARTBEAT_INTERVAL_MS,
  IDLE_TIMEOUT_MS,
  type Range,
  type Reader,
  seconds,
  secondsText,
  wholeNumber,
} from "./values.ts";

/** One question. */
export interface Question<T> {
  /** The question, without its mark. */
  readonly text: string;
  /** Reads an answer. */
  readonly reader: Reader<T>;
  /** What Enter alone means. */
  readonly fallback: T;
  /** The same as the person sees it, in brackets. */
  readonly shown: string;
}

/** The result of an answer: a value, or the question again with the fault. */
export type Answer<T> = { readonly state: "taken"; readonly value: T } | {
  readonly state: "again";
  readonly why: string;
};

/** There are no more answers: the person typed Ctrl-D, or the terminal is gone. */
export class NoAnswer extends Error {
  override name = "NoAnswer";
}

/** The part of a terminal that asking needs. `readLine` gives `undefined` when there are no more answers. */
export interface AskTerminal {
  write(text: string): void;
  readLine(): Promise<string | undefined>;
}

/** The settings that a server asks for. */
export type HeartbeatAnswers = Partial<Pick<HeartbeatConfig, "intervalMs" | "count" | "idleTimeoutMs">>;

/** A question for a span in seconds, which is milliseconds here. */
export function secondsQuestion(text: string, range: Range, fallbackMs: number): Question<number> {
  return { text, reader: seconds(range), fallback: fallbackMs, shown: secondsText(fallbackMs) };
}

/** A question for a whole number. */
export function countQuestion(text: string, range: Range, fallback: number): Question<number> {
  return { text, reader: wholeNumber("a number", range), fallback, shown: String(fallback) };
}

/** A question that Enter answers with no. */
export function yesNoQuestion(text: string): Question<boolean> {
  const words = new Map([["y", true], ["yes", true], ["n", false], ["no", false]]);
  const reader = { allowed: "y or n", read: (answer: string) => words.get(answer.toLowerCase()) };
  return { text, reader, fallback: false, shown: "y/N" };
}

/** The text that the person sees: the question, and in brackets the value of Enter. */
export function questionText({ text, shown }: Question<unknown>): string {
  return `${text} [${shown}]: `;
}

/** The result of `answer`, as the person typed it. */
export function stepQuestion<T>({ reader, fallback }: Question<T>, answer: string): Answer<T> {
  const given = answer.trim();
  if (given === "") return { state: "taken", value: fallback };
  const value = reader.read(given);
  return value === undefined
    ? { state: "again", why: `Please answer with ${reader.allowed}` }
    : { state: "taken", value };
}

/**
 * Asks until an answer is allowed.
 * @throws {NoAnswer} when there are no more answers.
 */
export async function ask<T>(question: Question<T>, terminal: AskTerminal): Promise<T> {
  for (;;) {
    terminal.write(`  ${questionText(question)}`);
    const line = await terminal.readLine();
    if (line === undefined) throw new NoAnswer("The input ended before the question was answered");
    const answer = stepQuestion(question, line);
    if (answer.state === "taken") return answer.value;
    terminal.write(`  ${answer.why}\n`);
  }
}

/**
 * Asks for the heartbeat settings that `given` lacks. Enter takes the value of `config`. Gives the answers.
 * @throws {NoAnswer} when there are no more answers.
 */
export async function askHeartbeat(
  config: HeartbeatConfig,
  given: HeartbeatAnswers,
  terminal: AskTerminal,
): Promise<HeartbeatAnswers> {
  const answers: HeartbeatAnswers = {};
  if (given.intervalMs === undefined) {
    const text = "Time between heartbeats, in seconds";
    answers.intervalMs = await ask(secondsQuestion(text, HEARTBEAT_INTERVAL_MS, config.intervalMs), terminal);
  }
  if (given.count === undefined) {
    const text = "Number of heartbeats that may go unanswered";
    answers.count = await ask(countQuestion(text, HEARTBEAT_COUNT, config.count), terminal);
  }
  if (given.idleTimeoutMs === undefined) {
    const text = "Time without data before heartbeats start, in seconds";
    const { intervalMs, count, idleTimeoutMs } = { ...config, ...given, ...answers };
    // Never offers a value that is raised afterwards.
    const fallback = Math.max(idleTimeoutMs, intervalMs * count);
    answers.idleTimeoutMs = await ask(secondsQuestion(text, IDLE_TIMEOUT_MS, fallback), terminal);
  }
  return answers;
}
