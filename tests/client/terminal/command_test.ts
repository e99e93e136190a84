import { assertEquals, assertRejects } from "@std/assert";
import { ConnectError, RefusedError } from "../../../client/errors.ts";
import type { Client, ConnectOptions } from "../../../client/options.ts";
import { type CommandParts, enter, leavable } from "../../../client/terminal/command.ts";
import { AnswerError } from "../../../client/terminal/identity.ts";
import { parseClientArguments } from "../../../config/client_arguments.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeStdio } from "../../support/fake_stdio.ts";

const typed = { username: "bob", secret: "a new one", register: false, mayBeNew: true, isMade: false };

/** A parts whose server knows nobody until it is asked to register, and what it was asked. */
function strangers(answers: readonly string[], reason = "UNKNOWN_USER") {
  const asked: ConnectOptions[] = [];
  const stdio = new FakeStdio(answers);
  const parts: CommandParts = {
    args: parseClientArguments(["listen"]),
    server: { host: "127.0.0.1", port: 8000 },
    heartbeatChannel: undefined,
    secret: undefined,
    systemUser: undefined,
    stdio,
    clock: new FakeClock(),
    connect(options) {
      asked.push(options);
      if (options.register) return Promise.resolve({ username: options.username } as Client);
      return Promise.reject(new RefusedError("no", { command: "LOGIN_FAILED", info: "", reason }));
    },
    reach: () => Promise.reject(new ConnectError("not asked for")),
    stateFile: undefined,
    makeSecret: () => "made",
    onStop: () => ({ [Symbol.dispose]() {} }),
  };
  return { parts, asked, stdio };
}

Deno.test("enter() registers a new name when its secret is typed once more", async () => {
  const { parts, asked, stdio } = strangers(["a new one"]);
  assertEquals((await enter(parts, typed)).username, "bob");
  assertEquals(asked.map(({ username, secret, register }) => [username, secret, register]), [
    ["bob", "a new one", false],
    ["bob", "a new one", true],
  ]);
  assertEquals(stdio.written, "bob is new. The same secret again to register it: \n");
});

Deno.test("enter() registers no name that was mistyped, nor one that has another secret", async () => {
  const mistyped = strangers(["y"]);
  await assertRejects(() => enter(mistyped.parts, typed), AnswerError);
  const wrong = strangers(["a new one"], "WRONG_SECRET");
  await assertRejects(() => enter(wrong.parts, typed), RefusedError);
  const given = strangers(["a new one"]);
  await assertRejects(() => enter(given.parts, { ...typed, mayBeNew: false }), RefusedError);
  for (const { asked } of [mistyped, wrong, given]) assertEquals(asked.map(({ register }) => register), [false]);
});

Deno.test("leavable() takes a signal to stop for a wish to leave, while a question is open and not longer", async () => {
  let stop: (() => void) | undefined;
  const onStop = (callback: () => void) => {
    stop = callback;
    return { [Symbol.dispose]: () => void (stop = undefined) };
  };
  const answer = Promise.withResolvers<string>();
  const key = Promise.withResolvers<Uint8Array>();
  let isKeyboardOpen = false;
  const fake = new FakeStdio();
  const stdio = leavable({
    ...fake,
    terminal: { write() {}, readLine: () => answer.promise },
    columns: () => 80,
    write: () => Promise.resolve(true),
    tell() {},
    async *input() {},
    onResize: fake.onResize,
    openKeyboard() {
      isKeyboardOpen = true;
      return { read: () => key.promise, [Symbol.dispose]: () => void (isKeyboardOpen = false) };
    },
  }, onStop);
  const left = stdio.terminal.readLine();
  stop!();
  assertEquals(await left, undefined);
  assertEquals(stop, undefined);
  const answered = stdio.terminal.readLine();
  answer.resolve("yes");
  assertEquals(await answered, "yes");
  assertEquals(stop, undefined);

  {
    using keyboard = stdio.openKeyboard();
    assertEquals(isKeyboardOpen, true);
    const read = keyboard.read();
    stop!();
    assertEquals(await read, undefined);
  }
  assertEquals([isKeyboardOpen, stop], [false, undefined]);
});
