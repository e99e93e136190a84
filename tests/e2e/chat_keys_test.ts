/**
 * What people do at a terminal beside typing: paste, stop and go on, look back, come again the next day; and a chat
 * where there is no terminal, or one that can do nothing. With the permissions that the shipped program has.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { clientCommand, NO_TERMINAL, Program, startClient, startServer } from "../support/program.ts";
import { NO_TMUX, Screen } from "../support/tmux.ts";

for (const why of new Set([NO_TMUX, NO_TERMINAL])) {
  if (why !== undefined) console.log(`SKIPPED keys of the chat: ${why}`);
}

/** What `tools/compile.ts` gives the program. Where it may start others, it stops them too; here it may not. */
const SHIPPED = [
  "--no-prompt",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env=THRUM_SECRET,USER,USERNAME,HOME,XDG_CONFIG_HOME,APPDATA,TERM",
];

/** A server, a folder for a person, and command lines of a client. */
class Desk implements AsyncDisposable {
  readonly #things = new AsyncDisposableStack();
  readonly folder: string;
  readonly port: string;

  private constructor(server: Program, port: string, folder: string) {
    this.#things.use(server);
    this.#things.defer(() => Deno.remove(folder, { recursive: true }));
    this.port = port;
    this.folder = folder;
  }

  static async open(): Promise<Desk> {
    const server = startServer(["--no-prompt", "--port", "0", "--ephemeral"]);
    const [, port] = await server.sees(/listening on 127\.0\.0\.1:(\d+)/);
    return new Desk(server, port!, await Deno.makeTempDir({ prefix: "chat-keys-" }));
  }

  /** The client, with its shipped permissions or with all. */
  command(name: string, permissions: readonly string[] = SHIPPED): string[] {
    const command = clientCommand().flatMap((word) => word === "-A" ? permissions : [word]);
    return [...command, "-u", name, "--port", this.port];
  }

  get env(): Record<string, string> {
    return { THRUM_SECRET: `pw-of-me`, XDG_CONFIG_HOME: this.folder };
  }

  async register(name: string): Promise<void> {
    await using registering = startClient(["register", "-u", name, "--port", this.port], { env: this.env });
    assertEquals(await registering.ended(), 0);
  }

  /** Somebody who has an account, at the chat. */
  async sit(name: string): Promise<Screen> {
    await this.register(name);
    return await this.sitAgain(name);
  }

  async sitAgain(name: string): Promise<Screen> {
    const screen = await Screen.start(this.command(name), { env: this.env });
    this.#things.use(screen);
    await screen.shows(">");
    return screen;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#things.disposeAsync();
  }
}

function atDesk(name: string, test: (desk: Desk) => Promise<void>, ignore = NO_TMUX !== undefined): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      await using desk = await Desk.open();
      await test(desk);
    },
  });
}

atDesk("a paste of several lines asks first, and a pasted tab is a tab", async (desk) => {
  const ada = await desk.sit("ada");
  await ada.paste(Array.from({ length: 200 }, (_, n) => `line ${n + 1}\n`).join(""));
  await ada.shows("Paste 200 lines? [y/N]", /^line 1 ⏎ line 2 ⏎ .*…$/);
  await ada.type("n");
  await ada.shows(">");
  await ada.paste("one\n\ttwo\ndisconnect\n");
  await ada.shows("Paste 3 lines? [y/N]");
  await ada.type("y");
  await ada.shows(">", /ada {2}disconnect$/);
  await ada.sees(/ada {2}\\ttwo$/);
  await ada.paste("a\tb");
  await ada.shows("> a\\tb");
  await ada.type("Enter");
  await ada.shows(">", /ada {2}a\\tb$/);
  assert(!(await ada.rows()).some((row) => /ada {2}line/.test(row)));
});

atDesk("behind the word that leaves, nothing is sent", async (desk) => {
  const ada = await desk.sit("ada");
  await using listener = startClient(["listen", "--format", "{text}", "--port", desk.port]);
  await listener.tells(/connected/);
  await ada.type("first", "Enter", "quit", "Enter", "secret", "Enter", "more", "Enter");
  await ada.sees(/^exit 0$/);
  await using last = startClient(["publish", "--text", "last", "--port", desk.port]);
  assertEquals(await last.ended(), 0);
  await listener.sees(/last\n/);
  assertEquals(listener.output, "first\nlast\n");
});

atDesk(
  "lines of earlier sessions come back, in a file that only the person can read, without the password",
  async (desk) => {
    const ada = await desk.sit("ada");
    await ada.type("remember me", "Enter");
    await ada.shows(">", /remember me$/);
    await ada.type("it is pw-of-me", "Enter");
    await ada.shows(">", /pw-of-me$/);
    await ada.type("half");
    // A terminal that makes a signal of Ctrl-C throws away what was not read before it.
    await ada.shows("> half");
    await ada.type("C-c");
    await ada.shows(">");
    await ada.type("C-c");
    await ada.sees(/^exit 0$/);
    const path = `${desk.folder}/thrum/history`;
    assertEquals([(await Deno.stat(path)).mode! & 0o777, await Deno.readTextFile(path)], [0o600, "remember me\n"]);
    const again = await desk.sitAgain("ada");
    await again.type("C-r", "mem");
    await again.shows('search "mem": remember me');
    await again.type("Enter");
    await again.shows(">", /ada {2}remember me$/);
  },
);

for (const permissions of [SHIPPED, ["-A"]]) {
  const may = permissions === SHIPPED ? "the shipped permissions" : "all permissions";
  atDesk(`Ctrl-Z stops the client and fg lets it go on, with ${may}`, async (desk) => {
    await using screen = await Screen.start(["bash", "--norc", "--noprofile", "-i"], { env: desk.env });
    const command = desk.command("ada", permissions).map((word) => `'${word}'`).join(" ");
    await screen.type("PS1='$ '; clear", "Enter");
    await screen.shows("$");
    await screen.type(`THRUM_SECRET= ${command}`, "Enter");
    await screen.sees(/Password \(Enter if you are new\):$/);
    // At a question, too.
    await screen.type("C-z");
    await screen.sees(/Stopped/);
    await screen.type("clear; fg", "Enter");
    await screen.shows("  Password (Enter if you are new):");
    await screen.type("Enter");
    await screen.sees(/New password/);
    await screen.type("Enter");
    await screen.shows(">");
    await screen.type("typing");
    await screen.shows("> typing");
    await screen.type("C-z");
    await screen.sees(/Stopped/);
    await screen.type("echo the shell is $((40 + 2))", "Enter");
    await screen.sees(/^the shell is 42$/);
    await screen.type("fg", "Enter");
    await screen.shows("> typing");
    await screen.type(" on", "Enter");
    await screen.shows(">", /ada {2}typing on$/);
    await screen.type("C-d");
    await screen.shows("$");
  });
}

atDesk("PageUp shows what has gone by, and typing leads back; Ctrl-L clears", async (desk) => {
  const ada = await desk.sit("ada");
  for (let n = 1; n <= 3; n++) await ada.type("help", "Enter");
  await ada.type("?", "Enter", "half");
  await ada.shows("> half");
  await ada.type("PPage");
  await ada.sees(/^rows \d+ to \d+ of \d+; PageUp, PageDown, q$/);
  await ada.type(" a line");
  await ada.shows("> half a line");
  await ada.type("C-l");
  await ada.showsRows((rows) => rows.length === 1 && rows[0] === "> half a line", "the line alone");
});

atDesk("a name that is wrong in its case alone is offered", async (desk) => {
  await desk.sit("bob");
  const ada = await desk.sit("ada");
  await ada.type("Bob: psst", "Enter");
  await ada.shows("There is no user Bob. Send it to bob? [y/N]");
  await ada.type("y");
  await ada.shows(">", /ada → bob {2}psst {2}✓✓ delivered$/);
  await ada.type("BOB:psst", "Enter");
  await ada.shows("There is no user BOB. Send it to bob? [y/N]");
  await ada.type("n");
  await ada.shows(">");
});

atDesk("a terminal that can do nothing gets no escapes", async (desk) => {
  await desk.register("ada");
  const [file, ...args] = desk.command("ada");
  await using ada = new Program([file!], args, { terminal: true, env: { ...desk.env, TERM: "dumb" } });
  await ada.sees(/help says/);
  await ada.type("hello\r");
  await ada.sees(/^\d\d:\d\d:\d\d {2}ada {2}hello$/m);
  await ada.type("exit\r");
  assertEquals(await ada.ended(), 0);
  // deno-lint-ignore no-control-regex -- that is what it is about
  assert(!/\x1b/.test(ada.rawOutput), JSON.stringify(ada.rawOutput));
}, NO_TERMINAL !== undefined);

atDesk("without a terminal -u NAME reads lines and writes lines, and registers who is new", async (desk) => {
  await using bob = startClient(["-u", "bob", "--port", desk.port], { env: { THRUM_SECRET: "" } });
  const [, secret] = await bob.tells(/registered bob; its secret, shown this once:\n(\S+)\n/);
  await bob.tells(/You have been registered/);
  await using ada = startClient(["-u", "ada", "--port", desk.port], { env: { THRUM_SECRET: "" } });
  await ada.type('hello\n{"n":1}\nbob: psst\nnobody: hm\nonline');
  await ada.endInput();
  // One line was for nobody.
  assertEquals(await ada.ended(), 3);
  assertMatch(ada.output, /ada → bob {2}psst {2}✓/);
  assertMatch(ada.output, /^2 online: ada, bob$/m);
  assertStringIncludes(ada.errors, "not sent: nobody: hm\n");
  await bob.sees(/ada {2}hello\n[^]*ada {2}{"n":1}\n/);
  await bob.sees(/ada → you {2}psst\n/);
  await bob.type("quit\nnothing more\n");
  assertEquals(await bob.ended(), 0);
  // What waits is shown before it leaves.
  await using again = startClient(["-u", "ada", "--port", desk.port], { env: { THRUM_SECRET: "wrong" } });
  await again.endInput();
  assertEquals(await again.ended(), 3);
  await using back = startClient(["-u", "bob", "--port", desk.port], { env: { THRUM_SECRET: secret! } });
  await back.endInput();
  assertEquals([await back.ended(), back.output], [0, ""]);
}, false);
