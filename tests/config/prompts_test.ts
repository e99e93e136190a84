import { assertEquals, assertRejects } from "@std/assert";
import { DEFAULT_CONFIG } from "../../config/config.ts";
import {
  ask,
  askHeartbeat,
  type AskTerminal,
  countQuestion,
  NoAnswer,
  questionText,
  secondsQuestion,
  stepQuestion,
  yesNoQuestion,
} from "../../config/prompts.ts";

const RANGE = { least: 1, most: 60_000 };
const { heartbeat } = DEFAULT_CONFIG;

/** A person who gives these answers, and what was written to them. */
function person(...answers: string[]): AskTerminal & { shown: string } {
  return {
    shown: "",
    write(text) {
      this.shown += text;
    },
    readLine: () => Promise.resolve(answers.shift()),
  };
}

Deno.test("questionText() shows the default in brackets", () => {
  assertEquals(questionText(secondsQuestion("How long", RANGE, 2500)), "How long [2.5]: ");
  assertEquals(questionText(countQuestion("How many", RANGE, 3)), "How many [3]: ");
  assertEquals(questionText(yesNoQuestion("Save?")), "Save? [y/N]: ");
});

Deno.test("stepQuestion() takes Enter for the default and reads anything else", () => {
  const question = secondsQuestion("How long", RANGE, 2500);
  assertEquals(stepQuestion(question, ""), { state: "taken", value: 2500 });
  assertEquals(stepQuestion(question, "  "), { state: "taken", value: 2500 });
  assertEquals(stepQuestion(question, " 0.5 "), { state: "taken", value: 500 });
  for (const nonsense of ["soon", "-1", "0", "61", "1e1", "Infinity", "1s"]) {
    assertEquals(stepQuestion(question, nonsense), {
      state: "again",
      why: "Please answer with seconds from 0.001 to 60, fractions allowed",
    });
  }
});

Deno.test("stepQuestion() takes yes and no in the usual spellings", () => {
  const question = yesNoQuestion("Save?");
  const values = ["", "y", "Y", "yes", "n", "No"].map((answer) => stepQuestion(question, answer));
  assertEquals(values, [false, true, true, true, false, false].map((value) => ({ state: "taken" as const, value })));
  assertEquals(stepQuestion(question, "perhaps"), { state: "again", why: "Please answer with y or n" });
  assertEquals(stepQuestion(question, "constructor").state, "again");
});

Deno.test("ask() asks again on nonsense", async () => {
  const terminal = person("many", "0", "4");
  assertEquals(await ask(countQuestion("How many", { least: 1, most: 9 }, 3), terminal), 4);
  const again = "  Please answer with a number from 1 to 9\n  How many [3]: ";
  assertEquals(terminal.shown, `  How many [3]: ${again}${again}`);
});

Deno.test("ask() rejects when there are no more answers", async () => {
  await assertRejects(() => ask(yesNoQuestion("Save?"), person("what")), NoAnswer);
});

Deno.test("askHeartbeat() asks for what was not given, and gives what it asked for", async () => {
  assertEquals(await askHeartbeat(heartbeat, {}, person("2", "", "20")), {
    intervalMs: 2000,
    count: 3,
    idleTimeoutMs: 20_000,
  });
  assertEquals(await askHeartbeat(heartbeat, { intervalMs: 1, idleTimeoutMs: 1 }, person("7")), { count: 7 });
  assertEquals(await askHeartbeat(heartbeat, { intervalMs: 1, count: 1, idleTimeoutMs: 1 }, person()), {});
});

Deno.test("askHeartbeat() offers no idle time that would be raised", async () => {
  const terminal = person("20", "4", "");
  assertEquals((await askHeartbeat(heartbeat, {}, terminal)).idleTimeoutMs, 80_000);
  assertEquals(terminal.shown.split("\n").at(-1)?.includes("[80]"), true);
});
