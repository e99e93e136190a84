import { assertEquals, assertRejects } from "@std/assert";
import { askIdentity, type GivenIdentity, NOBODY, settleIdentity } from "../../../client/terminal/identity.ts";
import { UsageError } from "../../../config/flags.ts";
import { NoAnswer } from "../../../config/prompts.ts";
import { FakeStdio } from "../../support/fake_stdio.ts";

const given: GivenIdentity = {
  command: "listen",
  username: undefined,
  secret: undefined,
  systemUser: "ada",
  mayAsk: true,
  makeSecret: () => "made",
};
const made = { username: "bob", secret: "made", register: true, isMade: true };

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
  const identity = { username: "bob", secret: "x", register: false, isMade: false };
  assertEquals(await settled({ username: "bob", secret: "x" }), identity);
  assertEquals(await settled({ username: "bob", secret: "x", command: "register" }), { ...identity, register: true });
});

Deno.test("settleIdentity() with a name alone asks for the secret, and Enter makes one", async () => {
  assertEquals(await settled({ username: "bob" }, ""), made);
  assertEquals(await settled({ username: "bob" }, "typed"), {
    username: "bob",
    secret: "typed",
    register: "ifNew",
    isMade: false,
  });
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
  await assertRejects(() => settled({ username: "bob", secret: "x".repeat(300) }), UsageError, "longer than 256");
});

Deno.test("settleIdentity() takes the end of the input for a wish to leave", async () => {
  await assertRejects(() => settled({ username: "bob" }), NoAnswer);
});

Deno.test("askIdentity() lets the person stay anonymous, log in or register", async () => {
  assertEquals(await asked(""), NOBODY);
  assertEquals(await asked("l", "", "x"), { username: "ada", secret: "x", register: false, isMade: false });
  assertEquals(await asked("R", "bob", ""), made);
});

Deno.test("askIdentity() has a new secret typed twice, until it is the same", async () => {
  assertEquals(await asked("r", "bob", "one", "other", "one", "one"), {
    username: "bob",
    secret: "one",
    register: true,
    isMade: false,
  });
});

Deno.test("askIdentity() asks again for what is not allowed", async () => {
  assertEquals((await asked("x", "l", "a/b", "bob", "", "x")).username, "bob");
});
