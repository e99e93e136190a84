/** Unanswered questions about users, to be asked again on a new connection. Keeps them; sends nothing itself. */

import type { UserScope } from "../protocol/message.ts";

interface Query {
  readonly scope: UserScope;
  readonly answer: PromiseWithResolvers<readonly string[]>;
}

/** In the order in which they were asked, which is that of the answers. */
export class UserQueries {
  #open: Query[] = [];

  /** The questions to ask again. */
  get scopes(): readonly UserScope[] {
    return this.#open.map(({ scope }) => scope);
  }

  /** Resolves with the answer. */
  add(scope: UserScope): Promise<readonly string[]> {
    const answer = Promise.withResolvers<readonly string[]>();
    this.#open.push({ scope, answer });
    return answer.promise;
  }

  /** An answer came. An answer without a question is ignored. */
  answered(scope: UserScope, users: readonly string[]): void {
    const query = this.#open.find((query) => query.scope === scope);
    if (query === undefined) return;
    this.#open = this.#open.filter((other) => other !== query);
    query.answer.resolve(users);
  }

  /** There will be no answers. */
  fail(error: Error): void {
    const failed = this.#open;
    this.#open = [];
    for (const { answer } of failed) answer.reject(error);
  }
}
