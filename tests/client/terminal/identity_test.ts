import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import {
  AnswerError,
  askIdentity,
  confirmNew,
  type GivenIdentity,
  NOBODY,
  settleIdentity,
} from "../../../client/terminal/identity.ts";
import { UsageError } from "../../../config/flags.ts";
import { NoAnswer } from "../../../config/prompts.ts";
import { ConnectError } from "../../../client/errors.ts";
import { FakeStdio } from "../../support/fake_stdio.ts";

const given: GivenIdentity = {
  command: "listen",
  username: undefined,
  secret: undefined,
  systemUser: "ada",
  mayAsk: true,
  makeSecret: () => "made",
  reach: () => Promise.resolve(),
};
const made = { username: "bob", secret: "made", register: true, mayBeNew: false, isMade: true };
const known = { username: "bob", secret: "x", register: false, mayBeNew: false, isMade: false };

/** What comes of it when the person gives these answers, all of which must be asked for. */
async function settled(more: Partial<GivenIdentity>, ...answers: string[]) {
  const stdio = new FakeStdio(answers);
  const identity = await settleIdentity({ ...given, ...more }, stdio);
  assertEquals(stdio.left, 0);
  return identity;
}

async function asked(...answers: string[]) {
  const stdio = new FakeStdio(answers);
  const identity = await askIdentity({ ...given, command: "interactive" }, stdio);
  assertEquals(stdio.left, 0);
  return identity;
}

Deno.test("settleIdentity() without a name is nobody in particular, and asks nothing", async () => {
  assertEquals(await settled({}), NOBODY);
  assertEquals(await settled({ username: "anonymous", secret: "x" }), NOBODY);
});

Deno.test("settleIdentity() with name and secret logs in, and registers only where that is the command", async () => {
  assertEquals(await settled({ username: "bob", secret: "x" }), known);
  assertEquals(await settled({ username: "bob", secret: "x", command: "register" }), { ...known, register: true });
});

Deno.test("settleIdentity() with a name alone asks for the secret, and Enter makes one", async () => {
  assertEquals(await settled({ username: "bob" }, ""), made);
  assertEquals(await settled({ username: "bob" }, "x"), { ...known, mayBeNew: true });
});

Deno.test("settleIdentity() for register has a secret typed twice, until it is the same", async () => {
  const given = { username: "bob", command: "register" } as const;
  assertEquals(await settled(given, "one", "other", "x", "x"), { ...known, register: true });
});

Deno.test("confirmNew() registers a name only for who types the same secret again", () => {
  const typed = { ...known, mayBeNew: true };
  const stdio = new FakeStdio(["x"]);
  assertEquals(confirmNew(typed, stdio), { ...known, register: true });
  assertEquals(stdio.written, "bob is new. The same secret again to register it:");
  assertThrows(() => confirmNew(typed, new FakeStdio(["y"])), AnswerError, 'Cannot register "bob"');
  assertThrows(() => confirmNew(typed, new FakeStdio([])), NoAnswer);
});

Deno.test("settleIdentity() looks for the server before it asks, and only then", async () => {
  const reach = () => Promise.reject(new ConnectError("nothing listens there"));
  const stdio = new FakeStdio(["", "", ""]);
  for (const more of [{ username: "bob" }, { command: "register" }] as const) {
    await assertRejects(() => settleIdentity({ ...given, ...more, reach }, stdio), ConnectError);
  }
  assertEquals(stdio.written, "");
  assertEquals(await settled({ username: "bob", secret: "x", reach }), known);
  assertEquals(await settled({ reach }), NOBODY);
  assertEquals(await settled({ username: "bob", mayAsk: false, reach }), made);
});

Deno.test("settleIdentity() with a name alone makes a secret where nobody can be asked", async () => {
  assertEquals(await settled({ username: "bob", mayAsk: false }), made);
  assertEquals(await settleIdentity({ ...given, username: "bob" }, new FakeStdio([], false)), made);
});

Deno.test("settleIdentity() for register asks for the name, or says that it needs one", async () => {
  assertEquals(await settled({ command: "register" }, "bob", ""), made);
  assertEquals((await settled({ command: "register" }, "", "")).username, "ada");
  await assertRejects(() => settled({ command: "register", mayAsk: false }), UsageError, "-u NAME");
});

Deno.test("settleIdentity() refuses what no server would take, before one is called", async () => {
  await assertRejects(() => settled({ username: "a:b", secret: "x" }), UsageError, 'one of : " \\ /');
  const long = "x".repeat(300);
  await assertRejects(
    () => settled({ username: "bob", secret: long }),
    UsageError,
    "Cannot log in: the secret is longer",
  );
  await assertRejects(() => settled({ username: "bob" }, long), AnswerError, "Cannot log in: the secret is longer");
  await assertRejects(() => settled({ username: long }), UsageError, "Cannot register: the username is longer than 64");
  await assertRejects(() => settled({ username: long, secret: "x" }), UsageError, "Cannot log in: the username");
  const anonymous = { command: "register", username: "anonymous" } as const;
  await assertRejects(() => settled(anonymous), UsageError, 'the username "anonymous" cannot be registered');
});

Deno.test("settleIdentity() takes the end of the input for a wish to leave", async () => {
  await assertRejects(() => settled({ username: "bob" }), NoAnswer);
});

Deno.test("askIdentity() lets the person stay anonymous, log in or register", async () => {
  assertEquals(await asked(""), NOBODY);
  assertEquals(await asked("l", "", "x"), { ...known, username: "ada" });
  assertEquals(await asked("R", "bob", ""), made);
});

Deno.test("askIdentity() has a new secret typed twice, until it is the same", async () => {
  assertEquals(await asked("r", "bob", "one", "other", "x", "x"), { ...known, register: true });
});

Deno.test("askIdentity() asks again for what is not allowed", async () => {
  assertEquals((await asked("x", "l", "a/b", "bob", "", "x")).username, "bob");
  const stdio = new FakeStdio(["l", "anonymous", "bob", "x"]);
  await askIdentity({ ...given, command: "interactive" }, stdio);
  assertStringIncludes(stdio.written, "other than anonymous");
});
