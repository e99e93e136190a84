import { assert, assertEquals } from "@std/assert";
import { type HistoryFile, isKept, KeptHistory, linesOf } from "../../../../client/terminal/chat/history_file.ts";
import { MAX_HISTORY_LINES } from "../../../../client/terminal/screen/line_history.ts";

/** A file in memory, and how often it was written as a whole. */
function memoryFile(text?: string) {
  const file = {
    text,
    replaced: 0,
    read: () => Promise.resolve(file.text),
    append: (more: string) => Promise.resolve(void (file.text = (file.text ?? "") + more)),
    replace: (whole: string) => Promise.resolve(void (file.text = whole, file.replaced++)),
  };
  return file satisfies HistoryFile;
}

const failing = () => {
  throw new Error("no failure was expected");
};

Deno.test("KeptHistory keeps typed lines for the next session, one like the one before once", async () => {
  const file = memoryFile();
  const first = new KeptHistory(file, failing);
  assertEquals(await first.read(), []);
  for (const line of ["one", "two", "two", "one"]) first.add(line);
  await first.written();
  assertEquals(file.text, "one\ntwo\none\n");
  assertEquals(await new KeptHistory(file, failing).read(), ["one", "two", "one"]);
});

Deno.test("KeptHistory keeps no secret, whichever way it was typed", async () => {
  const file = memoryFile("before\n");
  const history = new KeptHistory(file, failing);
  history.learnSecret("hunter22");
  history.learnSecret("pw");
  for (const line of ["hunter22", "my hunter22 is", '{"token": "abc"}', '{"user":"a","apiKey":1}', "pw", "a pwr cut"]) {
    history.add(line);
  }
  await history.written();
  assertEquals(file.text, "before\na pwr cut\n");
  assert(!isKept('{"newPassword":"x"}', []));
  assert(isKept('the "password" is wrong', []));
});

Deno.test("KeptHistory bounds the file, by lines and by their length", async () => {
  const file = memoryFile(Array.from({ length: 3 * MAX_HISTORY_LINES }, (_, n) => `line ${n}\n`).join(""));
  const history = new KeptHistory(file, failing);
  assertEquals((await history.read()).length, MAX_HISTORY_LINES);
  assertEquals([linesOf(file.text!).length, file.replaced], [MAX_HISTORY_LINES, 1]);
  history.add("x".repeat(100_000));
  for (let n = 0; n < 2 * MAX_HISTORY_LINES; n++) {
    history.add(`new ${n}`);
    await history.written();
    assert(file.text!.split("\n").length <= 2 * MAX_HISTORY_LINES + 1);
  }
  assertEquals(linesOf(file.text!).at(-1), `new ${2 * MAX_HISTORY_LINES - 1}`);
});

Deno.test("KeptHistory does without a file that it cannot use, and says so once", async () => {
  const told: string[] = [];
  const broken: HistoryFile = {
    read: () => Promise.reject(new Error("cannot be read")),
    append: () => Promise.reject(new Error("cannot be written")),
    replace: () => Promise.reject(new Error("cannot be written")),
  };
  const history = new KeptHistory(broken, ({ message }) => told.push(message));
  assertEquals(await history.read(), []);
  history.add("one");
  history.add("two");
  await history.written();
  history.add("three");
  await history.written();
  assertEquals(told, ["cannot be written"]);
});
