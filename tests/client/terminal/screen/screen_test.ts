import { assertEquals } from "@std/assert";
import { Screen } from "../../../../client/terminal/screen/screen.ts";
import { PASTE_MODE } from "../../../../client/terminal/screen/keys.ts";
import { FakeStdio } from "../../../support/fake_stdio.ts";

const ERASE = "\r\x1b[K";

/** An open screen: what is typed on it, what was submitted, and what was written since last asked. */
function opened(names: readonly string[] = [], history: readonly string[] = []) {
  const stdio = new FakeStdio();
  const submitted: string[] = [];
  let reads = Promise.withResolvers<Uint8Array | undefined>();
  let resized = () => {};
  stdio.openKeyboard = () => ({ read: () => reads.promise, [Symbol.dispose]() {} });
  const size = { columns: 80, rows: 24 };
  stdio.columns = () => size.columns;
  stdio.rows = () => size.rows;
  let continued = () => {};
  stdio.suspension = {
    stop: () => (stops++, true),
    onContinued(callback) {
      continued = callback;
      return { [Symbol.dispose]() {} };
    },
  };
  let stops = 0;
  stdio.onResize = (changed?: () => void) => {
    resized = changed!;
    return { [Symbol.dispose]() {} };
  };
  const screen = new Screen(stdio, history);
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
    resize(columns: number, rows = size.rows) {
      size.columns = columns;
      size.rows = rows;
      resized();
    },
    continue: () => continued(),
    stops: () => stops,
    written() {
      const { written } = stdio;
      stdio.written = "";
      return written;
    },
  };
}

Deno.test("Screen shows what came before it was open, and then the line being typed", async () => {
  const { type, written, ended } = opened();
  assertEquals(written(), `early\n${PASTE_MODE.on}${ERASE}> `);
  await type("hi");
  assertEquals(written(), `${ERASE}> hi`);
  await type("\x03");
  assertEquals(written(), `${ERASE}> `);
  await type("\x03");
  await ended;
  assertEquals(written(), `${ERASE}${PASTE_MODE.off}`);
});

Deno.test("Screen draws the line anew behind another place, and not while a question stands there", async () => {
  const { screen, type, written, resize } = opened();
  await type("hi");
  written();
  screen.prompt("#lab");
  assertEquals(written(), `${ERASE}#lab> hi`);
  screen.prompt("#lab");
  assertEquals(written(), "");
  // The typed text needs the room.
  screen.prompt(`#${"x".repeat(90)}`);
  assertEquals(written(), `${ERASE}#${"x".repeat(22)}…> hi`);
  resize(15);
  assertEquals(written(), `\x1b[1A\r\x1b[J${ERASE}#xxx…> hi`);
  await type("\x03");
  screen.ask("Sure? ", () => {});
  written();
  screen.prompt("");
  assertEquals(written(), `${ERASE}Sure? `);
  await type("n");
  assertEquals(written(), `${ERASE}> `);
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

/** What is pasted, as a terminal says it. */
function pasted(text: string): string {
  return `\x1b[200~${text}\x1b[201~`;
}

Deno.test("Screen shows a paste of several lines as one, and sends it only for y", async () => {
  const { type, submitted, written } = opened();
  written();
  await type(pasted("one\n\n\ttwo \nthree\n"));
  assertEquals(
    written(),
    `${ERASE}one ⏎  ⏎ \\ttwo  ⏎ three\r\n${ERASE}> ${ERASE}Paste 4 lines? [y/N] ${ERASE}Paste 4 lines? [y/N] `,
  );
  await type("y");
  assertEquals(submitted, ["one", "\ttwo", "three"]);
  for (const answer of ["n", "\r", "\x03", "\x04", "\x1b[D"]) {
    await type(pasted("a\nb"));
    await type(answer);
  }
  assertEquals(submitted.length, 3);
  await type("still here\r");
  assertEquals(submitted.at(-1), "still here");
});

Deno.test("Screen keeps what is typed before a paste and after no to it, and takes no text for an answer", async () => {
  const { type, submitted } = opened();
  await type("bob: ");
  await type(pasted("1\n2"));
  await type("yes we can\r");
  assertEquals(submitted, ["bob: yes we can"]);
  await type("bob: ");
  await type(pasted("1\n2"));
  await type("y");
  assertEquals(submitted.slice(1), ["bob: 1", "2"]);
  await type("next\r");
  assertEquals(submitted.at(-1), "next");
});

Deno.test("Screen takes a pasted tab for a tab, and a typed one for completion", async () => {
  const { type, submitted } = opened(["bob"]);
  await type(pasted("b\tc"));
  await type("\r");
  await type("b\thi\r");
  assertEquals(submitted, ["b\tc", "bob: hi"]);
});

Deno.test("Screen asks a question that one key answers", async () => {
  const { type, submitted, screen } = opened();
  let count = 0;
  screen.ask("Really? [y/N] ", () => count++);
  await type("\t");
  await type("x\r");
  assertEquals([count, submitted], [0, ["x"]]);
  screen.ask("Really? [y/N] ", () => count++);
  await type("Y");
  assertEquals(count, 1);
});

Deno.test("Screen recalls and finds lines of earlier sessions", async () => {
  const { type, submitted, written } = opened([], ["first one", "second"]);
  await type("\x1b[A\x1b[A\r");
  written();
  await type("\x12sec");
  assertEquals(written(), `${ERASE}search "sec": \x1b7second\x1b8`);
  await type("x");
  assertEquals(written(), `${ERASE}nothing with "secx": \x1b7second\x1b8`);
  await type("\x7f\r");
  assertEquals(submitted, ["first one", "second"]);
});

Deno.test("Screen clears itself with Ctrl-L, and keeps the line", async () => {
  const { type, written } = opened();
  await type("hi");
  written();
  await type("\x0c");
  assertEquals(written(), `\x1b[H\x1b[2J${ERASE}> hi`);
});

Deno.test("Screen gives the terminal back when it is stopped, and draws the line anew when it goes on", async () => {
  const { type, written, stops, ...opens } = opened();
  await type("hi");
  written();
  await type("\x1a");
  assertEquals([written().startsWith(`${ERASE}${PASTE_MODE.off}`), stops()], [true, 1]);
  opens.continue();
  assertEquals(written(), `${PASTE_MODE.on}\r\x1b[J${ERASE}> hi`);
});

Deno.test("Screen looks back page by page on another screen, holds news meanwhile, and comes back with it", async () => {
  const { type, written, screen, resize, submitted } = opened();
  resize(80, 5);
  for (let row = 1; row <= 12; row++) screen.show(`row ${row}`);
  await type("ty");
  written();
  await type("\x1b[5~");
  const page = (rows: string[], status: string) => `\x1b[H\x1b[2J${rows.map((row) => `${row}\r\n`).join("")}${status}`;
  const hint = "; PageUp, PageDown, q";
  assertEquals(written(), `\x1b[?1049h${page(["row 6", "row 7", "row 8", "row 9"], `rows 7 to 10 of 13${hint}`)}`);
  await type("\x1b[5~");
  assertEquals(written(), page(["row 3", "row 4", "row 5", "row 6"], `rows 4 to 7 of 13${hint}`));
  screen.show("news");
  assertEquals(written(), "");
  await type("\x1b[6~");
  assertEquals(written(), page(["row 6", "row 7", "row 8", "row 9"], `rows 7 to 10 of 13${hint}`));
  await type("\x1b[6~");
  assertEquals(written(), `\x1b[?1049l${ERASE}news\r\n${ERASE}> ty${ERASE}> ty${ERASE}> ty`);
  // Whoever types is back at once.
  await type("\x1b[5~");
  await type("ped\r");
  assertEquals(submitted, ["typed"]);
  await type("\x1b[5~");
  await type("q");
  await type("\x1b[5~");
  await type("\x03");
  await type("x\r");
  assertEquals(submitted, ["typed", "x"]);
});

Deno.test("Screen looks back at nothing that is still seen", async () => {
  const { type, written } = opened();
  written();
  await type("\x1b[5~");
  assertEquals(written(), `${ERASE}> `);
});
