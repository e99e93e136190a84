import { assertEquals } from "@std/assert";
import { Screen } from "../../../../client/terminal/screen/screen.ts";
import { FakeStdio } from "../../../support/fake_stdio.ts";

const ERASE = "\r\x1b[K";

/** An open screen: what is typed on it, what was submitted, and what was written since last asked. */
function opened(names: readonly string[] = []) {
  const stdio = new FakeStdio();
  const submitted: string[] = [];
  let reads = Promise.withResolvers<Uint8Array | undefined>();
  let resized = () => {};
  stdio.openKeyboard = () => ({ read: () => reads.promise, [Symbol.dispose]() {} });
  const size = { columns: 80 };
  stdio.columns = () => size.columns;
  stdio.onResize = (changed?: () => void) => {
    resized = changed!;
    return { [Symbol.dispose]() {} };
  };
  const screen = new Screen(stdio);
  screen.show("early");
  const ended = screen.run(
    { submitted: (line) => void submitted.push(line), names: () => names },
    new Promise<void>(() => {}),
  );
  return {
    screen,
    submitted,
    ended,
    async type(keys: string) {
      const typed = reads;
      reads = Promise.withResolvers();
      typed.resolve(new TextEncoder().encode(keys));
      // Whoever reads has to come to it.
      await new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(() => queueMicrotask(resolve))));
    },
    resize(columns: number) {
      size.columns = columns;
      resized();
    },
    written() {
      const { written } = stdio;
      stdio.written = "";
      return written;
    },
  };
}

Deno.test("Screen shows what came before it was open, and then the line being typed", async () => {
  const { type, written, ended } = opened();
  assertEquals(written(), `early\n${ERASE}> `);
  await type("hi");
  assertEquals(written(), `${ERASE}> hi`);
  await type("\x03");
  await ended;
  assertEquals(written(), ERASE);
});

Deno.test("Screen submits lines, and leaves with Ctrl-D", async () => {
  const { type, submitted, ended } = opened();
  await type("one\rtwo\r\x04");
  await ended;
  assertEquals(submitted, ["one", "two"]);
});

Deno.test("Screen mends a row only while it is right above the line, and fits", () => {
  const { screen, written, resize } = opened();
  screen.show("mine", "s:1");
  written();
  assertEquals(screen.mend("s:2", "other"), false);
  assertEquals(screen.mend("s:1", "mine, delivered"), true);
  assertEquals(written(), `${ERASE}\x1b[A${ERASE}mine, delivered\r\n${ERASE}> `);
  screen.show("another");
  assertEquals(screen.mend("s:1", "mine"), false);

  screen.show("x".repeat(80), "s:3");
  assertEquals(screen.mend("s:3", "y"), false);
  screen.show("mine", "s:4");
  assertEquals(screen.mend("s:4", "y".repeat(80)), false);
  resize(40);
  assertEquals(screen.mend("s:4", "mine"), false);
  screen.show("one\ntwo", "s:5");
  assertEquals(screen.mend("s:5", "mine"), false);
});

Deno.test("Screen draws the line anew in another width", async () => {
  const { type, written, resize } = opened();
  await type("x".repeat(70));
  written();
  resize(40);
  assertEquals(written(), `\x1b[1A\r\x1b[J${ERASE}> …${"x".repeat(36)}`);
});

Deno.test("Screen recalls a line with the arrow keys, and only with them", async () => {
  const { type, submitted } = opened();
  await type("{broken\rnext\r\x1b[A\x1b[A}\r");
  assertEquals(submitted, ["{broken", "next", "{broken}"]);
});

Deno.test("Screen completes names with Tab, and shows those that there are", async () => {
  const { type, written } = opened(["bob", "bo\x1bris"]);
  await type("bo\t");
  assertEquals(written().split(`${ERASE}`).slice(2, 4), ["bo\\u001bris:  bob:\r\n", "> bo"]);
  await type("b\t");
  assertEquals(written(), `${ERASE}> bob: `);
});
