import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  AnswerError,
  askUsername,
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

Deno.test("settleIdentity() without a name is nobody in particular, and asks nothing", async () => {
  assertEquals(await settled({}), NOBODY);
  assertEquals(await settled({ username: "anonymous", secret: "x" }), NOBODY);
});

Deno.test("settleIdentity() with name and secret logs in, and registers only where that is the command", async () => {
  assertEquals(await settled({ username: "bob", secret: "x" }), known);
  const registered = { ...known, secret: "a new one", register: true };
  assertEquals(await settled({ username: "bob", secret: "a new one", command: "register" }), registered);
  for (const secret of ["x", "password"]) {
    await assertRejects(() => settled({ username: "bob", secret, command: "register" }), UsageError, "Cannot register");
  }
});

Deno.test("settleIdentity() with a name alone asks for the secret, and Enter makes one", async () => {
  assertEquals(await settled({ username: "bob" }, ""), made);
  assertEquals(await settled({ username: "bob" }, "x"), { ...known, mayBeNew: true });
});

Deno.test("settleIdentity() for register has a secret typed twice, until it is the same", async () => {
  const given = { username: "bob", command: "register" } as const;
  const registered = { ...known, secret: "a new one", register: true };
  assertEquals(await settled(given, "short", "the first", "the other", "a new one", "a new one"), registered);
});

Deno.test("confirmNew() registers a name only for who types the same secret again", async () => {
  const typed = { ...known, secret: "a new one", mayBeNew: true };
  const stdio = new FakeStdio(["a new one"]);
  assertEquals(await confirmNew(typed, stdio), { ...typed, mayBeNew: false, register: true });
  await assertRejects(
    () => confirmNew({ ...known, mayBeNew: true }, new FakeStdio(["x"])),
    AnswerError,
    "8 characters",
  );
  assertEquals(stdio.written, "bob is new. The same secret again to register it: \n");
  await assertRejects(() => confirmNew(typed, new FakeStdio(["y"])), AnswerError, 'Cannot register "bob"');
  await assertRejects(() => confirmNew(typed, new FakeStdio([])), NoAnswer);
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
  assertEquals((await settled({ command: "register" }, "anonymous", "bob", "")).username, "bob");
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

Deno.test("askUsername() offers a name that can be one, and asks again for what cannot", async () => {
  const asked = async (offered: string | undefined, ...answers: string[]) => {
    const stdio = new FakeStdio(answers);
    const name = await askUsername(offered, stdio);
    assertEquals(stdio.left, 0);
    return { name, written: stdio.written };
  };
  assertEquals((await asked("ada", "")).name, "ada");
  assertEquals((await asked("a/b", "")).name, "guest");
  assertEquals((await asked(undefined, "")).name, "guest");
  assertEquals((await asked("ada", "anonymous")).name, "anonymous");
  const again = await asked("ada", "a:b", "bob");
  assertEquals(again.name, "bob");
  assertStringIncludes(again.written, 'without : " \\ /\n  User name [ada]: ');
});
