/** Unanswered questions to the server, to be asked again on a new connection. Keeps them; sends nothing itself. */

import type { HistoryFailedMessage } from "../protocol/history_message.ts";
import type { Feature } from "../protocol/message.ts";
import type { UserListFailedMessage, UserListMessage } from "../protocol/presence/presence_message.ts";
import type { WholePage } from "./past.ts";
import type { OutgoingMessage } from "./session.ts";

/** What a question asks, and the feature that a server needs for it. */
export interface Asked {
  readonly message: OutgoingMessage;
  readonly needs: Feature;
}

/** What answers a question. */
export type AnswerMessage = UserListMessage | UserListFailedMessage | WholePage | HistoryFailedMessage;

interface Question extends Asked {
  /** Whether `said` is the answer; whoever asked has it then. */
  takes(said: AnswerMessage): boolean;
  fail(error: Error): void;
  /** Nobody waits for the answer any more. It comes all the same, before those to later questions. */
  isAbandoned: boolean;
}

/** In the order in which they were asked, which is that of the answers to equal questions. */
export class Questions {
  #open: Question[] = [];

  /** Whether somebody waits for an answer. */
  get isWaiting(): boolean {
    return this.#open.some(({ isAbandoned }) => !isAbandoned);
  }

  /**
   * Resolves with the answer, as `answerIn` finds it in what the server says; `undefined` is another message. Rejects
   * with an error that it gives.
   */
  add<Answer>(
    asked: Asked,
    answerIn: (said: AnswerMessage) => Answer | Error | undefined,
  ): { readonly answer: Promise<Answer>; readonly abandon: () => void } {
    const { promise: answer, resolve, reject } = Promise.withResolvers<Answer>();
    const takes = (said: AnswerMessage) => {
      const found = answerIn(said);
      if (found instanceof Error) reject(found);
      else if (found !== undefined) resolve(found);
      return found !== undefined;
    };
    const question = { ...asked, takes, fail: reject, isAbandoned: false };
    this.#open.push(question);
    return { answer, abandon: () => question.isAbandoned = true };
  }

  /** There is a new connection. Gives the questions to ask again; those that it cannot answer fail with `error`. */
  again(features: readonly Feature[], error: (needs: Feature) => Error): readonly OutgoingMessage[] {
    const waiting = this.#open.filter(({ isAbandoned }) => !isAbandoned);
    this.#open = waiting.filter(({ needs }) => features.includes(needs));
    for (const question of waiting) if (!this.#open.includes(question)) question.fail(error(question.needs));
    return this.#open.map(({ message }) => message);
  }

  /** The server said something. An answer without a question is ignored. */
  answered(said: AnswerMessage): void {
    const question = this.#open.find((question) => question.takes(said));
    this.#open = this.#open.filter((other) => other !== question);
  }

  /** There will be no answers. */
  fail(error: Error): void {
    const failed = this.#open;
    this.#open = [];
    for (const question of failed) question.fail(error);
  }
}
