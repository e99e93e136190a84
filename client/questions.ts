/** Unanswered questions to the server, to be asked again on a new connection. Keeps them; sends nothing itself. */

import type { ChatMessage, OutgoingMessage } from "./session.ts";

interface Question {
  readonly message: OutgoingMessage;
  /** Whether `said` is the answer; whoever asked has it then. */
  takes(said: ChatMessage): boolean;
  fail(error: Error): void;
}

/** In the order in which they were asked, which is that of the answers to equal questions. */
export class Questions {
  #open: Question[] = [];

  /** The questions to ask again. */
  get messages(): readonly OutgoingMessage[] {
    return this.#open.map(({ message }) => message);
  }

  /** Resolves with the answer, as `answerIn` finds it in what the server says; `undefined` is another message. */
  add<Answer>(
    message: OutgoingMessage,
    answerIn: (said: ChatMessage) => Answer | undefined,
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const takes = (said: ChatMessage) => {
      const answer = answerIn(said);
      if (answer !== undefined) resolve(answer);
      return answer !== undefined;
    };
    this.#open.push({ message, takes, fail: reject });
    return promise;
  }

  /** The server said something. An answer without a question is ignored. */
  answered(said: ChatMessage): void {
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
