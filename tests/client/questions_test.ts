/** Which answer goes to which question, whatever the order in which they come. */

import { assertEquals, assertRejects } from "@std/assert";
import { Questions } from "../../client/questions.ts";
import type { ChatMessage } from "../../client/session.ts";
import type { UserScope } from "../../protocol/message.ts";

function ask(questions: Questions, scope: UserScope): Promise<readonly string[]> {
  return questions.add(
    { command: "LIST_USERS", scope },
    (said) => said.command === "USER_LIST" && said.scope === scope ? said.users : undefined,
  );
}

function list(scope: UserScope, ...users: string[]): ChatMessage {
  return { command: "USER_LIST", scope, users };
}

Deno.test("each question gets the first answer that is one to it, and equal questions get theirs in order", async () => {
  const questions = new Questions();
  const asked = [ask(questions, "online"), ask(questions, "all"), ask(questions, "online")];
  questions.answered({ command: "PRESENCE", event: "joined", username: "x", lamport: 1 });
  questions.answered(list("all", "a", "b", "c"));
  assertEquals(questions.messages.map(({ scope }) => scope), ["online", "online"]);
  questions.answered(list("online"));
  questions.answered(list("online", "b"));
  questions.answered(list("online", "nobody asked"));
  assertEquals(await Promise.all(asked), [[], ["a", "b", "c"], ["b"]]);
  assertEquals(questions.messages, []);
});

Deno.test("a question without an answer fails with the client, once", async () => {
  const questions = new Questions();
  const rejected = assertRejects(() => ask(questions, "all"), Error, "it is closed");
  questions.fail(new Error("it is closed"));
  questions.answered(list("all", "late"));
  await rejected;
  assertEquals(questions.messages, []);
});
