import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ConnectError, RefusedError } from "../../../../client/errors.ts";
import type { Client, ConnectOptions } from "../../../../client/options.ts";
import { afterRefusal, logIn, settleServer } from "../../../../client/terminal/chat/chat_login.ts";
import type { CommandParts } from "../../../../client/terminal/command.ts";
import { parseRemembered, type Remembered, rememberedText } from "../../../../client/terminal/chat/remembered_login.ts";
import { parseClientArguments } from "../../../../config/client_arguments.ts";
import { NoAnswer } from "../../../../config/prompts.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { FakeStdio } from "../../../support/fake_stdio.ts";

const server = { host: "127.0.0.1", port: 8000 };
const kept: Remembered = { username: "ada", server };

interface Door {
  readonly answers?: readonly string[];
  readonly args?: readonly string[];
  readonly kept?: Remembered;
  readonly reach?: () => Promise<void>;
  readonly write?: (text: string) => Promise<void>;
}

/** A server that knows ada, whose secret is "hush", and what a person had to do to get in. */
function door({ answers = [], args = [], kept, reach = () => Promise.resolve(), write }: Door) {
  const stdio = new FakeStdio(answers);
  const calls: ConnectOptions[] = [];
  const files: string[] = [];
  const refuse = (command: "LOGIN_FAILED" | "REGISTER_FAILED", reason: string) =>
    Promise.reject(new RefusedError("refused", { command, info: "", reason }));
  const parts: CommandParts = {
    args: parseClientArguments(args),
    server,
    heartbeatChannel: undefined,
    secret: undefined,
    systemUser: "ada",
    stdio,
    clock: new FakeClock(),
    stateFile: {
      read: () => Promise.resolve(undefined),
      write: write ?? ((text) => {
        files.push(text);
        return Promise.resolve();
      }),
    },
    connect(options) {
      calls.push(options);
      const { username, secret, register = false, onEvent } = options;
      if (register && username === "ada") return refuse("REGISTER_FAILED", "NAME_TAKEN");
      if (register) onEvent?.({ kind: "registered", username: username! });
      else if (username !== undefined && username !== "ada") return refuse("LOGIN_FAILED", "UNKNOWN_USER");
      else if (username === "ada" && secret !== "hush") return refuse("LOGIN_FAILED", "WRONG_SECRET");
      return Promise.resolve({ username: username ?? "anonymous", registered: register } as Client);
    },
    reach,
    makeSecret: () => "made",
    onStop: () => ({ [Symbol.dispose]() {} }),
  };
  return { parts, stdio, calls, files, enter: () => logIn(parts, kept, {}) };
}

Deno.test("logIn() asks for the name, whether it is new, and the password", async () => {
  const { enter, stdio, files } = door({ answers: ["", "n", "hush"] });
  assertEquals((await enter()).username, "ada");
  assertEquals(
    stdio.written,
    "  User name [ada]:   Are you a new user (Y/N)? [N]: n\n  Password: \n" +
      "You are logged in as ada.\nhelp says what you can type; Ctrl-D leaves.\n",
  );
  assertEquals(files.map(parseRemembered), [kept]);
});

Deno.test("logIn() registers who is new, with a password that is typed twice or made", async () => {
  const typed = door({ answers: ["bob", "Y", "short", "a new one", "a new one"] });
  await typed.enter();
  assertStringIncludes(typed.stdio.written, "\nYou have been registered. You are logged in.\n");
  assertEquals(typed.calls.map(({ username, secret, register }) => [username, secret, register]), [
    ["bob", "a new one", true],
  ]);
  assertStringIncludes(typed.stdio.written, "  a new secret needs 8 characters at least\n");
  assertEquals(typed.stdio.told, "");
  const made = door({ answers: ["bob", "y", ""] });
  await made.enter();
  assertEquals(made.stdio.told, "registered bob; its secret, shown this once:\nmade\n");
});

Deno.test("logIn() says that a user is not found, and asks for another name", async () => {
  const { enter, stdio } = door({ answers: ["bob", "n", "pw", "ada", "n", "hush"] });
  await enter();
  assertStringIncludes(
    stdio.written,
    "\nUser not found. Try another name or register as a new user.\n  User name [ada]: ",
  );
  assertEquals(stdio.left, 0);
});

Deno.test("logIn() says that a name is taken, and asks for another one", async () => {
  const { enter, stdio } = door({
    answers: ["ada", "y", "a new one", "a new one", "bob", "y", "a new one", "a new one"],
  });
  assertEquals((await enter()).username, "bob");
  assertStringIncludes(stdio.written, "\nThat name is taken. Try another one, or log in with its password.\n");
});

Deno.test("logIn() asks again for a wrong password, and ends with the third", async () => {
  const { enter, stdio } = door({ answers: ["ada", "n", "one", "two", "hush"] });
  await enter();
  assertEquals(stdio.written.match(/Wrong password\. Try again\.\n {2}Password: /g)?.length, 2);

  const wrong = door({ answers: ["ada", "n", "one", "two", "three", "hush"] });
  await assertRejects(wrong.enter, RefusedError);
  assert(wrong.stdio.written.endsWith("\nWrong password.\n"), wrong.stdio.written);
  assertEquals([wrong.calls.length, wrong.stdio.left], [3, 1]);
  assertEquals(wrong.files, []);
});

Deno.test("logIn() asks again where no password was typed, and does not count that", async () => {
  const { enter, calls } = door({ answers: ["ada", "n", "", "", "", "hush"] });
  await enter();
  assertEquals(calls.length, 1);
});

Deno.test("logIn() shows and keeps no password", async () => {
  for (const args of [[], ["--remember"]]) {
    const { enter, stdio, files } = door({ answers: ["ada", "n", "wrong-one", "hush"], args });
    await enter();
    assert(!/wrong-one|hush/.test(stdio.written + stdio.told));
    assertEquals(files.map((file) => file.includes("hush")), [args.length > 0]);
    assert(!files.join().includes("wrong-one"));
  }
});

Deno.test("logIn() offers the name that was here last, and uses a password that was kept", async () => {
  const offered = door({ answers: ["", "hush"], kept: { username: "ada", server } });
  await offered.enter();
  assertStringIncludes(offered.stdio.written, "User name [ada]:   Password (Enter if you are new): \n");
  assertEquals(offered.files, []);
  const remembered = door({ answers: [""], kept: { ...kept, secret: "hush" } });
  await remembered.enter();
  assertEquals(remembered.calls.map(({ secret }) => secret), ["hush"]);
});

Deno.test("logIn() tries a password that was kept once, and does not count it", async () => {
  const { enter, calls, files } = door({ answers: ["", "one", "two", "hush"], kept: { ...kept, secret: "old" } });
  await enter();
  assertEquals(calls.map(({ secret }) => secret), ["old", "one", "two", "hush"]);
  assertEquals(files.map(parseRemembered), [kept]);
});

Deno.test("logIn() asks at once for the password of a name that the command line has", async () => {
  const known = door({ answers: ["hush"], args: ["-u", "ada"] });
  await known.enter();
  assertStringIncludes(known.stdio.written, "  Password (Enter if you are new): \nYou are logged in as ada.");
  const wrong = door({ answers: ["no", "", "hush"], args: ["-u", "ada"] });
  await wrong.enter();
  assertEquals(wrong.calls.length, 2);
});

Deno.test("logIn() registers such a name where Enter says that it is new", async () => {
  const { enter, calls } = door({ answers: ["", "a new one", "a new one"], args: ["-u", "bob"] });
  await enter();
  assertEquals(calls.map(({ username, secret, register }) => [username, secret, register]), [[
    "bob",
    "a new one",
    true,
  ]]);
});

Deno.test("logIn() asks for all of it after a name that is not found, also a name that was known before", async () => {
  for (const args of [["-u", "bob"], []]) {
    const remembered = { kept: { username: "bob", server } };
    const again = door({
      answers: [...(args.length > 0 ? [] : [""]), "pw", "", "y", "a new one", "a new one"],
      args,
      ...remembered,
    });
    assertEquals((await again.enter()).username, "bob");
    assertStringIncludes(again.stdio.written, "User not found.");
    assertStringIncludes(again.stdio.written, "User name [bob]:   Are you a new user (Y/N)? [N]: y\n");
  }
});

Deno.test("logIn() does not show a password that is typed where it asks for yes or no", async () => {
  const { enter, stdio } = door({ answers: ["ada", "hush", "yes-hush", "n", "hush"] });
  await enter();
  assertStringIncludes(stdio.written, "[N]: \n  Please answer with y or n\n");
  assert(!stdio.written.includes("hush"));
});

Deno.test("logIn() lets the person stay anonymous, and keeps nothing of that", async () => {
  const { enter, stdio, files } = door({ answers: ["anonymous"] });
  await enter();
  assertStringIncludes(stdio.written, "You are anonymous.\n");
  assertEquals(files, []);
});

Deno.test("logIn() asks nothing where there is no server, or with --no-prompt", async () => {
  const nowhere = door({ answers: ["ada"], reach: () => Promise.reject(new ConnectError("nothing listens there")) });
  await assertRejects(nowhere.enter, ConnectError);
  assertEquals(nowhere.stdio.written, "");
  const silent = door({ args: ["--no-prompt"] });
  assertEquals((await silent.enter()).username, "anonymous");
});

Deno.test("logIn() is left when the person does not answer", async () => {
  for (const answers of [[], ["ada"], ["ada", "n"]]) await assertRejects(door({ answers }).enter, NoAnswer);
});

Deno.test("logIn() goes on when nothing can be kept, and says so", async () => {
  const write = () => Promise.reject(new Error('Cannot write "x": permission denied'));
  const { enter, stdio } = door({ answers: ["ada", "n", "hush"], write });
  await enter();
  assertStringIncludes(stdio.written, 'Cannot write "x": permission denied\n');
});

Deno.test("settleServer() offers the last server where nobody has said which, and it is another one", async () => {
  const last = { ...kept, server: { host: "10.0.0.1", port: 9 } };
  const chosen = async (answers: string[], args: string[] = [], remembered: Remembered | undefined = last) => {
    const { parts, stdio } = door({ answers, args });
    const settled = await settleServer(parts, remembered);
    return `${settled.server.host}:${settled.server.port} ${stdio.written}`;
  };
  assertEquals(await chosen([""]), "10.0.0.1:9   Server [10.0.0.1:9]: ");
  assertEquals(await chosen(["127.0.0.1:8000"]), "127.0.0.1:8000   Server [10.0.0.1:9]: ");
  assertEquals(await chosen([], ["--port", "8000"]), "127.0.0.1:8000 ");
  assertEquals(await chosen([], ["--config", "x.json"]), "127.0.0.1:8000 ");
  assertEquals(await chosen([], ["--no-prompt"]), "127.0.0.1:8000 ");
  assertEquals(await chosen([], [], kept), "127.0.0.1:8000 ");
  assertEquals(parseRemembered(rememberedText(last)), last);
});

Deno.test("afterRefusal() knows no help for other refusals", () => {
  assertEquals(afterRefusal(undefined, 1), undefined);
  assertEquals(afterRefusal("SOMETHING_NEW", 1), undefined);
});

Deno.test("logIn() says that a name is not registered before it asks for a password", async () => {
  const said = "  bob is not registered.\n";
  for (const args of [["-u", "bob"], []]) {
    const { parts, stdio } = door({ args, answers: args.length > 0 ? ["", ""] : ["bob", "y", ""] });
    const asked: string[] = [];
    const askName = (name: string) => {
      asked.push(name);
      return Promise.resolve("unknownName" as const);
    };
    await logIn({ ...parts, askName }, undefined, {});
    assertEquals(asked, ["bob"]);
    assert(stdio.written.indexOf(said) < stdio.written.search(/password|Are you a new user/i), stdio.written);
    assert(stdio.written.includes(said));
  }
  const { parts, stdio } = door({ args: ["-u", "ada"], answers: ["hush"] });
  await logIn({ ...parts, askName: () => Promise.resolve("mayBeRegistered") }, undefined, {});
  assert(!stdio.written.includes("not registered"));
});

Deno.test("logIn() keeps the name of the command line as the offer after a login that failed", async () => {
  const { enter, stdio } = door({ args: ["-u", "bob"], answers: ["typo", "ada", "n", "hush"], kept });
  assertEquals((await enter()).username, "ada");
  assertStringIncludes(stdio.written, "User not found.");
  assertStringIncludes(stdio.written, "  User name [bob]: ");
});
