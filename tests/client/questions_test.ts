/** Which answer goes to which question, whatever the order in which they come. */

import { assertEquals, assertRejects } from "@std/assert";
import { type AnswerMessage, Questions } from "../../client/questions.ts";
import type { Feature } from "../../protocol/message.ts";
import type { UserScope } from "../../protocol/presence/presence_message.ts";

function put(questions: Questions, scope: UserScope, needs: Feature = "chat") {
  return questions.add<readonly string[]>(
    { message: { command: "LIST_USERS", scope }, needs },
    (said) => said.command === "USER_LIST" && said.scope === scope ? said.users : undefined,
  );
}

function ask(questions: Questions, scope: UserScope): Promise<readonly string[]> {
  return put(questions, scope).answer;
}

/** The questions that are asked again. */
function again(questions: Questions, features: readonly Feature[] = ["chat", "history"]): unknown[] {
  return questions.again(features, (needs) => new Error(`no ${needs}`)).map(({ scope }) => scope);
}

function list(scope: UserScope, ...users: string[]): AnswerMessage {
  return { command: "USER_LIST", scope, users };
}

Deno.test("each question gets the first answer that is one to it, and equal questions get theirs in order", async () => {
  const questions = new Questions();
  const asked = [ask(questions, "online"), ask(questions, "all"), ask(questions, "online")];
  questions.answered({ command: "HISTORY_FAILED", reason: "UNKNOWN_ENTRY", info: "" });
  questions.answered(list("all", "a", "b", "c"));
  assertEquals(again(questions), ["online", "online"]);
  questions.answered(list("online"));
  questions.answered(list("online", "b"));
  questions.answered(list("online", "nobody asked"));
  assertEquals(await Promise.all(asked), [[], ["a", "b", "c"], ["b"]]);
  assertEquals(again(questions), []);
});

Deno.test("a question without an answer fails with the client, once", async () => {
  const questions = new Questions();
  const rejected = assertRejects(() => ask(questions, "all"), Error, "it is closed");
  questions.fail(new Error("it is closed"));
  questions.answered(list("all", "late"));
  await rejected;
  assertEquals(again(questions), []);
});

Deno.test("a question that nobody waits for keeps its place among the answers, and is not asked again", async () => {
  const questions = new Questions();
  const first = put(questions, "online");
  const second = ask(questions, "online");
  first.abandon();
  assertEquals(questions.isWaiting, true);
  questions.answered(list("online", "for the first"));
  questions.answered(list("online", "for the second"));
  assertEquals(await second, ["for the second"]);
  const third = put(questions, "online");
  third.abandon();
  assertEquals([questions.isWaiting, again(questions)], [false, []]);
  const fourth = ask(questions, "online");
  questions.answered(list("online", "of the new connection"));
  assertEquals(await fourth, ["of the new connection"]);
});

Deno.test("a question that the next server cannot answer fails there, and the others are asked", async () => {
  const questions = new Questions();
  const rejected = assertRejects(() => put(questions, "all", "history").answer, Error, "no history");
  const other = ask(questions, "online");
  assertEquals(again(questions, ["chat"]), ["online"]);
  await rejected;
  questions.answered(list("online", "a"));
  assertEquals(await other, ["a"]);
});
