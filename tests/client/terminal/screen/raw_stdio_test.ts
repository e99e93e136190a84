import { assertEquals, assertRejects } from "@std/assert";
import { askHidden } from "../../../../client/terminal/screen/hidden_prompt.ts";
import { rawStdio } from "../../../../client/terminal/screen/raw_stdio.ts";
import { NoAnswer } from "../../../../config/prompts.ts";
import { FakeStdio } from "../../../support/fake_stdio.ts";

/** A terminal on which `chunks` come from the keyboard. */
function typing(...chunks: string[]) {
  const fake = new FakeStdio();
  const keyboard = { isOpen: false };
  const stdio = rawStdio({
    ...fake,
    terminal: fake.terminal,
    columns: () => 80,
    write: () => Promise.resolve(true),
    tell() {},
    async *input() {},
    onResize: fake.onResize,
    openKeyboard() {
      keyboard.isOpen = true;
      return {
        read: () => Promise.resolve(chunks.length === 0 ? undefined : new TextEncoder().encode(chunks.shift())),
        [Symbol.dispose]: () => void (keyboard.isOpen = false),
      };
    },
  });
  return { stdio, keyboard, fake };
}

Deno.test("rawStdio() shows what is typed for a question, and nothing of what is typed ahead for a hidden one", async () => {
  const { stdio, fake } = typing("ada\ry\rhush\rnext\r");
  assertEquals(await stdio.terminal.readLine(), "ada");
  assertEquals(await stdio.terminal.readLine(), "y");
  assertEquals(await askHidden("Password:", stdio), "hush");
  assertEquals(await stdio.terminal.readLine(), "next");
  assertEquals(fake.written, "ada\ny\nPassword: \nnext\n");
});

Deno.test("rawStdio() leaves what was not read to whoever reads next", async () => {
  const { stdio } = typing("one\rtwo", "three");
  await stdio.terminal.readLine();
  using keyboard = stdio.openKeyboard();
  const read = async () => new TextDecoder().decode(await keyboard.read());
  assertEquals([await read(), await read()], ["two", "three"]);
  assertEquals([await keyboard.read(), await keyboard.read()], [undefined, undefined]);
});

Deno.test("rawStdio() takes back on the terminal what is erased, column by column", async () => {
  const { stdio, fake } = typing("a日\x7fb\x15c\r");
  assertEquals(await stdio.terminal.readLine(), "c");
  assertEquals(fake.written, "a日\b\b  \b\bb\b\b  \b\bc\n");
});

Deno.test("rawStdio() obeys nothing that is pasted", async () => {
  const { stdio, fake } = typing("a\u009b2J\u202eb\r");
  await stdio.terminal.readLine();
  assertEquals(fake.written, "a2J\\u202eb\n");
});

Deno.test("rawStdio() is left with Ctrl-C, with Ctrl-D and at the end of the input, and then gives the keyboard back", async () => {
  for (const chunk of ["ad\x03a\r", "ad\x04a\r", "ad"]) {
    const { stdio, keyboard } = typing(chunk);
    assertEquals(await stdio.terminal.readLine(), undefined);
    assertEquals(keyboard.isOpen, true);
    stdio[Symbol.dispose]();
    assertEquals(keyboard.isOpen, false);
  }
});

Deno.test("rawStdio() lets the person leave while something else is waited for, and keeps what is typed for later", async () => {
  const left = typing("ad", "\x03");
  await assertRejects(() => left.stdio.unlessLeft(new Promise(() => {})), NoAnswer);

  const { stdio } = typing("ada\r");
  const work = Promise.withResolvers<string>();
  const waited = stdio.unlessLeft(work.promise);
  work.resolve("done");
  assertEquals(await waited, "done");
  assertEquals(await stdio.terminal.readLine(), "ada");

  const failed = typing("x");
  await assertRejects(() => failed.stdio.unlessLeft(Promise.reject(new TypeError("no"))), TypeError);
});
