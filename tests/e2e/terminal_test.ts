/**
 * The interactive session on a real terminal: how a person comes in, types and leaves. What people say to each other is
 * in `chat_terminal_test.ts`.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { clientCommand, type Program, startClient, startServer } from "../support/program.ts";
import { NO_TMUX, Screen } from "../support/tmux.ts";

if (NO_TMUX !== undefined) console.log(`SKIPPED the interactive session: ${NO_TMUX}`);

interface Talk {
  readonly screen: Screen;
  readonly server: Program;
  readonly port: string;
  /** Where the person's config folder is. */
  readonly folder: string;
  /** Another client of the same person, on a screen of its own. */
  again(...args: string[]): Promise<Screen>;
}

/** A test with a server, and a client that talks to it on a screen. */
function talking(
  name: string,
  args: readonly string[],
  test: (talk: Talk) => Promise<void>,
  { columns = 80 }: { readonly columns?: number } = {},
): void {
  Deno.test({
    name,
    ignore: NO_TMUX !== undefined,
    async fn() {
      await using server = startServer(["--no-prompt", "--port", "0", "--ephemeral"]);
      const [, port] = await server.sees(/listening on 127\.0\.0\.1:(\d+)/);
      const folder = await Deno.makeTempDir();
      const env = { USER: "ada", THRUM_SECRET: "", XDG_CONFIG_HOME: folder };
      const start = (...args: string[]) => Screen.start([...clientCommand(), ...args], { columns, env });
      try {
        await using screen = await start(...args, "--port", port!);
        await test({ screen, server, port: port!, folder, again: start });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

async function publish(port: string, activity: unknown): Promise<void> {
  await using client = startClient(["publish", JSON.stringify(activity), "--port", port]);
  await client.endInput();
  assertEquals(await client.ended(), 0);
}

/** Registers whom the command line names, with a password that is made. */
async function register(screen: Screen): Promise<void> {
  await screen.sees(/Password \(Enter if you are new\):/);
  await screen.type("Enter");
  await screen.sees(/New password \(Enter makes one\):/);
  await screen.type("Enter");
  await screen.shows(">");
}

talking("the interactive session registers who is new, and publishes what is typed", [], async ({ screen }) => {
  await screen.sees(/User name \[ada\]:/);
  await screen.type("Enter");
  await screen.sees(/Are you a new user \(Y\/N\)\? \[N\]:/);
  await screen.type("Y", "Enter");
  await screen.sees(/New password \(Enter makes one\):/);
  await screen.type("Enter");
  await screen.sees(/registered ada; its secret, shown this once:$/);
  await screen.sees(/^\w{4}(-\w{4}){4}$/);
  await screen.sees(/^You have been registered\. You are logged in\.$/);
  await screen.shows(">", /Ctrl-D leaves/);
  await screen.type("hello there", "Enter");
  await screen.shows(">", /^\d\d:\d\d:\d\d {2}ada {2}hello there$/);
  await screen.type('{"a": 1}', "Enter");
  await screen.shows(">", /ada {2}{"a": 1}$/);
  await screen.type("C-d");
  await screen.sees(/^exit 0$/);
});

talking("a password that is typed is shown nowhere, and serves to log in again", ["-u", "bob"], async (talk) => {
  const { screen, port, folder, again } = talk;
  await screen.sees(/Password \(Enter if you are new\):/);
  await screen.type("Enter");
  await screen.sees(/New password/);
  await screen.type("hush-hush", "Enter");
  await screen.sees(/The same again:/);
  await screen.type("hush-hush", "Enter");
  await screen.shows(">", /Ctrl-D leaves/);
  await screen.type("Up", "Up");
  await screen.type("done");
  await screen.shows("> done");
  assert(!(await screen.everything()).includes("hush"));
  const file = `${folder}/thrum/client.json`;
  assert(!(await Deno.readTextFile(file)).includes("hush"));

  await using second = await again("--port", port, "--remember");
  await second.sees(/User name \[bob\]:/);
  await second.type("Enter");
  await second.sees(/Password \(Enter if you are new\):$/);
  await second.type("hush-hush", "Enter");
  await second.shows(">");
  await second.sees(/^You are logged in as bob\.$/);
  assertEquals(JSON.parse(await Deno.readTextFile(file)).secret, "hush-hush");
  assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);

  await using third = await again("--port", port);
  await third.sees(/User name \[bob\]:/);
  await third.type("Enter");
  await third.shows(">", /Ctrl-D leaves/);
  for (const shown of [second, third]) assert(!(await shown.everything()).includes("hush"));
});

talking("a password that is typed ahead of its question is not shown either", [], async ({ screen, port, again }) => {
  await screen.sees(/User name/);
  await screen.type("ada", "Enter", "y", "Enter", "hush-hush", "Enter", "hush-hush", "Enter", "hello", "Enter");
  await screen.shows(">", /ada {2}hello$/);
  assert(!(await screen.everything()).includes("hush"));
  await using second = await again("--port", port);
  await second.sees(/User name/);
  await second.type("Enter", "wrong-one", "Enter", "wrong-two", "Enter", "hush-hush", "Enter", "x");
  await second.shows("> x");
  assert(!/hush|wrong-/.test(await second.everything()));
});

talking("a password that is typed for the question whether one is new is not shown", [], async ({ screen }) => {
  await screen.sees(/User name/);
  await screen.type("ada", "Enter");
  await screen.sees(/Are you a new user/);
  await screen.type("yes-hush", "Enter");
  await screen.sees(/Please answer with y or n$/);
  assert(!(await screen.everything()).includes("hush"));
  await screen.type("N");
  await screen.shows("  Are you a new user (Y/N)? [N]: N");
});

talking("Ctrl-C leaves while the server does not answer", [], async ({ screen, server }) => {
  await screen.sees(/User name/);
  await screen.type("anonymous");
  await screen.shows("  User name [ada]: anonymous");
  server.signal("SIGSTOP");
  await screen.type("Enter");
  await screen.type("C-c");
  await screen.sees(/^exit 0$/);
  server.signal("SIGCONT");
});

talking("the last server is offered where nobody says which one", ["-u", "ada"], async ({ screen, port, again }) => {
  await register(screen);
  await using second = await again();
  await second.sees(new RegExp(`Server \\[127\\.0\\.0\\.1:${port}\\]:`));
  await second.type("Enter");
  await second.sees(/User name \[ada\]:/);
});

talking("who is not found is told so, and asked for another name", [], async ({ screen }) => {
  await screen.sees(/User name/);
  await screen.type("nobody", "Enter");
  await screen.sees(/Are you a new user/);
  await screen.type("n", "Enter");
  await screen.sees(/Password:$/);
  await screen.type("whatever", "Enter");
  await screen.sees(/^User not found\. Try another name or register as a new user\.$/);
  await screen.shows("  User name [ada]:");
});

talking("a wrong password is asked for again, three times", ["-u", "ada"], async ({ screen, port, again }) => {
  await register(screen);
  await using second = await again("--port", port);
  await second.sees(/User name \[ada\]:/);
  await second.type("Enter");
  await second.shows("  Password (Enter if you are new):");
  await second.type("one", "Enter");
  await second.shows("  Password:", /^Wrong password\. Try again\.$/);
  await second.type("two", "Enter");
  await second.sees(/^Wrong password\. Try again\.$/);
  const rows = (count: number) => (rows: string[]) => rows.filter((row) => row.startsWith("Wrong")).length === count;
  await second.showsRows(rows(2), "two wrong passwords");
  await second.type("three", "Enter");
  await second.sees(/^exit 3$/);
  assert(rows(3)(await second.rows()));
});

talking(
  "Ctrl-C and Ctrl-D leave at a hidden password, and the terminal is as it was",
  [],
  async ({ screen, port, again }) => {
    await using second = await again("--port", port);
    for (const [key, shown] of [["C-c", screen], ["C-d", second]] as const) {
      await shown.sees(/User name/);
      await shown.type("ada", "Enter");
      await shown.sees(/Are you a new user/);
      await shown.type("n", "Enter");
      await shown.sees(/Password:$/);
      await shown.type("hus", key);
      await shown.sees(/^exit 0$/);
      // The shell's `cat` shows what is typed: the echo is on again.
      await shown.type("echoed");
      await shown.sees(/^echoed$/);
      assert(!(await shown.everything()).includes("hus"));
    }
  },
);

talking("what others publish appears above the line being typed and leaves it whole", ["-u", "ada"], async (talk) => {
  const { screen, port } = talk;
  await register(screen);
  await screen.type("half a séntence 日本");
  await screen.shows("> half a séntence 日本");
  await publish(port, { text: "from somebody \u001b[2J\u001b[31melse" });
  await screen.shows("> half a séntence 日本", /anonymous {2}from somebody \\u001b\[2J\\u001b\[31melse$/);
  await screen.type("BSpace", " goes on");
  await screen.shows("> half a séntence 日 goes on");
  await publish(port, { text: "x".repeat(200) });
  await screen.shows("> half a séntence 日 goes on", /^x+$/);
  await screen.type("Enter");
  await screen.shows(">", /ada {2}half a séntence 日 goes on$/);
  await screen.type("y".repeat(100));
  await screen.shows(`> …${"y".repeat(76)}`);
  await publish(port, { text: "again" });
  await screen.shows(`> …${"y".repeat(76)}`, /again$/);
  await screen.type("C-c");
  await screen.shows(">", /again$/);
  await screen.type("C-c");
  await screen.sees(/^exit 0$/);
  assertMatch((await screen.rows()).at(-2)!, /again$/);
});

talking("the line is edited in the middle, and lines are recalled", ["-u", "ada"], async ({ screen }) => {
  await register(screen);
  await screen.type("one 日本 three", "Left", "C-Left", "Left", "BSpace", "BSpace", "two");
  await screen.shows("> one two three");
  await screen.type("C-a", "zero ", "C-e", "!", "Enter");
  await screen.shows(">", /zero one two three!$/);
  await screen.type("second", "Enter");
  await screen.shows(">", /ada {2}second$/);
  await screen.type("draft", "Up", "Up");
  await screen.shows("> zero one two three!");
  await screen.type("Home", "DC", "DC", "DC", "DC", "DC", "End", "C-w", "C-w", "Enter");
  await screen.shows(">", /ada {2}one$/);
  await screen.type("abc def", "Left", "Left", "Left", "C-k");
  await screen.shows("> abc");
  await screen.type("x", "C-u");
  await screen.shows(">");
});

talking("a line that is no JSON is recalled to be mended", ["-u", "ada"], async ({ screen }) => {
  await register(screen);
  await screen.type('{"a":1', "Enter");
  await screen.shows(">", /column 7$/);
  await screen.type("Up");
  await screen.shows('> {"a":1');
  await screen.type("}", "Enter");
  await screen.shows(">", /ada {2}{"a":1}$/);
});

talking("the interactive session says that the server went, and what happens next", ["-u", "ada"], async (talk) => {
  const { screen, server } = talk;
  await register(screen);
  await screen.type("typing");
  await screen.shows("> typing");
  server.signal("SIGTERM");
  assertEquals(await server.ended(), 0);
  await screen.shows("> typing", /^Server is down\. Connecting to a backup server …$/);
  await screen.type("C-c");
  await screen.shows(">");
  await screen.type("C-c");
  await screen.sees(/^exit 0$/);
});

talking(
  "lines typed while the server is away are shown to wait, and missed when the person leaves",
  [],
  async (talk) => {
    const { screen, server } = talk;
    await screen.sees(/User name/);
    await screen.type("anonymous", "Enter");
    await screen.sees(/^You are anonymous\.$/);
    await screen.shows(">");
    server.signal("SIGTERM");
    await screen.sees(/^Server is down\./);
    await screen.type("is anybody there", "Enter");
    await screen.sees(/^waiting to be sent: is anybody there$/);
    await screen.type("C-d");
    await screen.sees(/^not sent: is anybody there$/);
    // Whether it has called the server again by then is a matter of moments.
    const why = await screen.sees(
      /^thrum-client: 1 line was not sent, as (the server ended the connection|there is no connection)/,
    );
    await screen.sees(why.includes("the server ended") ? /^exit 4$/ : /^exit 2$/);
  },
);

talking(
  "lines that wait for a server that broke off are the exit code of one that cannot be reached",
  ["-u", "ada"],
  async (talk) => {
    const { screen, server } = talk;
    await register(screen);
    server.signal("SIGSTOP");
    await screen.type("one");
    await screen.shows("> one");
    await screen.type("Enter");
    await screen.shows(">");
    server.signal("SIGKILL");
    await screen.sees(/^Server is down\./);
    await screen.sees(/^waiting to be sent: one$/);
    await screen.type("two", "Enter");
    await screen.sees(/^waiting to be sent: two$/);
    await screen.type("C-d");
    await screen.sees(/^not acknowledged: one$/);
    await screen.sees(/^not sent: two$/);
    await screen.sees(/^thrum-client: 2 lines were not acknowledged, as there is no connection/);
    await screen.sees(/^exit 2$/);
  },
);

talking("a secret can be copied from a narrow terminal", ["-u", "ada"], async ({ screen }) => {
  await register(screen);
  await screen.sees(/^\w{4}(-\w{4}){4}$/);
}, { columns: 40 });

talking("Ctrl-C at a question leaves", [], async ({ screen }) => {
  await screen.sees(/User name/);
  await screen.type("C-c");
  await screen.sees(/^exit 0$/);
});

Deno.test({
  name: "the interactive session asks nothing when there is no server",
  ignore: NO_TMUX !== undefined,
  async fn() {
    const folder = await Deno.makeTempDir();
    for (const args of [[], ["-u", "ada"], ["exchange"]]) {
      await using screen = await Screen.start([...clientCommand(), ...args, "--port", "1"], {
        env: { XDG_CONFIG_HOME: folder },
      });
      await screen.sees(/^exit 2$/);
      const rows = (await screen.rows()).join("\n");
      assertMatch(rows, /Cannot connect to 127.0.0.1:1: nothing listens there/);
      assert(!/User name|Password|Secret|Time/.test(rows), rows);
    }
    await Deno.remove(folder, { recursive: true });
  },
});
