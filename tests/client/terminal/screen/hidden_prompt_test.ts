import { assertEquals, assertRejects } from "@std/assert";
import { askHidden, askYesNo, stepHidden } from "../../../../client/terminal/screen/hidden_prompt.ts";
import { NoAnswer } from "../../../../config/prompts.ts";
import { FakeStdio } from "../../../support/fake_stdio.ts";

/** A keyboard on which `typed` is typed, a key at a time, and what was asked of it. */
function typing(typed: string) {
  const stdio = new FakeStdio();
  const bytes = [...new TextEncoder().encode(typed)];
  let isOpen = false;
  stdio.openKeyboard = (maxBytes?: number) => {
    assertEquals(maxBytes, 1, "more may be for whoever reads next");
    isOpen = true;
    return {
      read: () => Promise.resolve(bytes.length === 0 ? undefined : new Uint8Array([bytes.shift()!])),
      [Symbol.dispose]: () => void (isOpen = false),
    };
  };
  return { stdio, left: () => bytes.length, isOpen: () => isOpen };
}

Deno.test("askHidden() gives what was typed, and shows nothing of it", async () => {
  const { stdio, left, isOpen } = typing("hush 日本\rnext");
  assertEquals(await askHidden("Password:", stdio), "hush 日本");
  assertEquals(stdio.written + stdio.told, "Password: \n");
  assertEquals([left(), isOpen()], ["next".length, false]);
});

Deno.test("askHidden() lets the person mend what nobody sees", async () => {
  assertEquals(await askHidden("?", typing("hux\x7fsh日\x7f\r").stdio), "hush");
  assertEquals(await askHidden("?", typing("wrong\x15hush\r").stdio), "hush");
  assertEquals(await askHidden("?", typing("hu\x1b[Ash\t\x1b[D\r").stdio), "hush");
});

Deno.test("askHidden() is left with Ctrl-C, with Ctrl-D and at the end of the input, and leaves the keyboard", async () => {
  for (const typed of ["hu\x03sh\r", "hu\x04sh\r", "hu"]) {
    const { stdio, isOpen } = typing(typed);
    await assertRejects(() => askHidden("?", stdio), NoAnswer);
    assertEquals([stdio.written, isOpen()], ["? ", false]);
  }
});

Deno.test("askYesNo() shows the words that it asks for, and nothing else", async () => {
  const asked = async (typed: string) => {
    const { stdio } = typing(typed);
    const answer = await askYesNo("New?", stdio);
    return [answer, stdio.written];
  };
  const again = "\n  Please answer with y or n\n  New? [N]: ";
  assertEquals(await asked("\r"), [false, "  New? [N]: \n"]);
  assertEquals(await asked("Yes\r"), [true, "  New? [N]: Yes\n"]);
  assertEquals(await asked("hush\rno\r"), [false, `  New? [N]: ${again}no\n`]);
  // The first letters may be those of the words.
  assertEquals(await asked("nox\x7f\x7f\r"), [false, "  New? [N]: no\b\b  \b\bno\b \b\n"]);
  await assertRejects(() => askYesNo("New?", typing("y\x03").stdio), NoAnswer);
});

Deno.test("stepHidden() takes Enter for the answer, also an empty one", () => {
  assertEquals(stepHidden("", { kind: "enter" }), { state: "answered", text: "" });
});
