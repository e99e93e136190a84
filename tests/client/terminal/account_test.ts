import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { RefusedError } from "../../../client/errors.ts";
import type { Client, ConnectOptions } from "../../../client/options.ts";
import { forget, passwd } from "../../../client/terminal/account.ts";
import type { CommandParts } from "../../../client/terminal/command.ts";
import { rememberedText } from "../../../client/terminal/chat/remembered_login.ts";
import { parseClientArguments } from "../../../config/client_arguments.ts";
import { UsageError } from "../../../config/flags.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeStdio } from "../../support/fake_stdio.ts";

const SERVER = { host: "127.0.0.1", port: 8000 };

/** A command line, a person who answers, and a server that knows only ada with the secret "old". */
function world(line: string, answers: readonly string[] = [], secret?: string) {
  const done: string[] = [];
  const stdio = new FakeStdio(answers);
  let kept = rememberedText({ username: "ada", server: SERVER, secret: "old" });
  const parts: CommandParts = {
    args: parseClientArguments(line.split(" ")),
    server: SERVER,
    heartbeatChannel: undefined,
    secret,
    systemUser: undefined,
    stdio,
    clock: new FakeClock(),
    connect({ username, secret }: ConnectOptions) {
      if (username !== "ada" || secret !== "old") {
        const refusal = { command: "LOGIN_FAILED", info: "no", reason: "WRONG_SECRET" } as const;
        return Promise.reject(new RefusedError("no", refusal));
      }
      return Promise.resolve({
        changeSecret: (secret: string) => Promise.resolve(void done.push(`changed to ${secret}`)),
        forget: () => Promise.resolve(void done.push("forgotten")),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      } as unknown as Client);
    },
    reach: () => Promise.resolve(),
    stateFile: { read: () => Promise.resolve(kept), write: (text) => Promise.resolve(void (kept = text)) },
    makeSecret: () => "made",
    onStop: () => ({ [Symbol.dispose]() {} }),
  };
  return { parts, stdio, done, kept: () => JSON.parse(kept).secret };
}

Deno.test("passwd asks for the old secret, twice for the new one, and keeps that instead", async () => {
  const { parts, done, kept } = world("passwd -u ada", ["old", "quite new", "quite new"]);
  await passwd(parts);
  assertEquals(done, ["changed to quite new"]);
  assertEquals(kept(), "quite new");
});

Deno.test("passwd makes a secret where nobody is asked, and writes it where a script reads it", async () => {
  const { parts, stdio, done, kept } = world("passwd -u ada --no-prompt", [], "old");
  await passwd(parts);
  assertEquals(done, ["changed to made"]);
  assertStringIncludes(stdio.written, "made\n");
  assertEquals(kept(), "made");
});

Deno.test("passwd changes nothing with a wrong secret, and keeps what was kept", async () => {
  const { parts, done, kept } = world("passwd -u ada", ["wrong", "quite new", "quite new"]);
  await assertRejects(() => passwd(parts), RefusedError);
  assertEquals([done, kept()], [[], "old"]);
});

Deno.test("passwd and forget need a name, and a secret or somebody to ask", async () => {
  for (const command of [passwd, forget]) {
    const name = command === passwd ? "passwd" : "forget --yes";
    await assertRejects(() => command(world(name, [], "old").parts), UsageError, "needs a username");
    const line = `${name} -u ada --no-prompt`;
    await assertRejects(() => command(world(line).parts), UsageError, "needs the secret of ada");
  }
});

Deno.test("forget deletes the account when its name is typed once more, and what was kept of its secret", async () => {
  const { parts, done, kept } = world("forget -u ada", ["old", "ada"]);
  await forget(parts);
  assertEquals([done, kept()], [["forgotten"], undefined]);
});

Deno.test("forget deletes nothing when something else is typed", async () => {
  for (const typed of ["", "y", "yes", "Ada"]) {
    const { parts, stdio, done, kept } = world("forget -u ada", ["old", typed]);
    await forget(parts);
    assertEquals([done, kept()], [[], "old"]);
    assertStringIncludes(stdio.told, "Nothing was deleted.");
  }
});

Deno.test("forget asks nothing with --yes, and does nothing where nobody can be asked without it", async () => {
  const sure = world("forget -u ada --yes --no-prompt", [], "old");
  await forget(sure.parts);
  assertEquals(sure.done, ["forgotten"]);
  const unsure = world("forget -u ada --no-prompt", [], "old");
  await assertRejects(() => forget(unsure.parts), UsageError, "--yes");
  assertEquals(unsure.done, []);
});
