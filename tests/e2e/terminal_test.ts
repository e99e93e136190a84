/** The interactive session on a real terminal: what a person sees and types. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { clientCommand, type Program, startClient, startServer } from "../support/program.ts";
import { NO_TMUX, Screen } from "../support/tmux.ts";

if (NO_TMUX !== undefined) console.log(`SKIPPED the interactive session: ${NO_TMUX}`);

interface Talk {
  readonly screen: Screen;
  readonly server: Program;
  readonly port: string;
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
      const command = [...clientCommand(), ...args, "--port", port!];
      await using screen = await Screen.start(command, { columns, env: { USER: "ada", THRUM_SECRET: "" } });
      await test({ screen, server, port: port! });
    },
  });
}

async function publish(port: string, activity: unknown): Promise<void> {
  await using client = startClient(["publish", JSON.stringify(activity), "--port", port]);
  await client.endInput();
  assertEquals(await client.ended(), 0);
}

talking(
  "the interactive session registers, shows the secret once and publishes what is typed",
  [],
  async ({ screen }) => {
    await screen.sees(/Log in \(l\), register \(r\) or stay anonymous \(a\)\? \[a\]:/);
    await screen.type("r", "Enter");
    await screen.sees(/Username \[ada\]:/);
    await screen.type("Enter");
    await screen.sees(/Secret \(Enter makes one\):/);
    await screen.type("Enter");
    await screen.sees(/registered ada; its secret, shown this once:$/);
    await screen.sees(/^\w{4}(-\w{4}){4}$/);
    await screen.shows(">", /connected as ada/);
    await screen.type("hello there", "Enter");
    await screen.shows(">", /^\d\d:\d\d:\d\d {2}ada {2}hello there$/);
    await screen.type('{"a": 1}', "Enter");
    await screen.shows(">", /ada {2}{"a": 1}$/);
    await screen.type("C-d");
    await screen.sees(/^exit 0$/);
  },
);

talking("a secret that is typed is not shown, and serves to log in again", ["-u", "bob"], async ({ screen, port }) => {
  await screen.sees(/Secret for bob \(Enter if new\):/);
  await screen.type("hush-hush", "Enter");
  await screen.sees(/bob is new. The same secret again to register it:/);
  await screen.type("hush-hush", "Enter");
  await screen.shows(">", /connected as bob/);
  await using client = startClient(["listen", "-u", "bob", "--port", port], { env: { THRUM_SECRET: "hush-hush" } });
  await client.tells(/connected to/);
  assert(!(await screen.rows()).join("\n").includes("hush"));
});

talking("what others publish appears above the line being typed and leaves it whole", ["-u", "ada"], async (talk) => {
  const { screen, port } = talk;
  await screen.sees(/Secret for ada/);
  await screen.type("Enter");
  await screen.shows(">");
  await screen.type("half a séntence 日本");
  await screen.shows("> half a séntence 日本");
  await publish(port, { text: "from somebody \u001b[2J\u001b[31melse" });
  await screen.shows("> half a séntence 日本", /anonymous {2}from somebody \\u001b\[2J\\u001b\[31melse$/);
  await screen.type("BSpace", "Left", "Up", " goes on");
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
  await screen.sees(/^exit 0$/);
  assertMatch((await screen.rows()).at(-2)!, /again$/);
});

talking("a line that is no JSON comes back to be mended", ["-u", "ada"], async ({ screen }) => {
  await screen.sees(/Secret for ada/);
  await screen.type("Enter");
  await screen.shows(">");
  await screen.type('{"a":1', "Enter");
  await screen.shows('> {"a":1', /column 7$/);
  await screen.type("}", "Enter");
  await screen.shows(">", /ada {2}{"a":1}$/);
});

talking("the interactive session says that the server went, and what happens next", ["-u", "ada"], async (talk) => {
  const { screen, server, port } = talk;
  await screen.sees(/Secret for ada/);
  await screen.type("Enter");
  await screen.shows(">");
  await screen.type("typing");
  await screen.shows("> typing");
  server.signal("SIGTERM");
  assertEquals(await server.ended(), 0);
  await screen.sees(/the server ended the connection: the server is stopping/);
  await screen.shows("> typing", new RegExp(`no connection to 127.0.0.1:${port}; trying again`));
  await screen.type("C-c");
  await screen.sees(/^exit 0$/);
});

talking(
  "lines typed while the server is away are shown to wait, and missed when the person leaves",
  [],
  async (talk) => {
    const { screen, server } = talk;
    await screen.sees(/stay anonymous/);
    await screen.type("a", "Enter");
    await screen.shows(">");
    server.signal("SIGTERM");
    await screen.sees(/the server ended the connection: the server is stopping/);
    await screen.type("is anybody there", "Enter");
    await screen.sees(/^waiting to be sent: is anybody there$/);
    await screen.type("C-d");
    await screen.sees(/^not sent: is anybody there$/);
    await screen.sees(/^thrum-client: 1 line was not sent, as the server ended the connection/);
    await screen.sees(/^exit 4$/);
  },
);

talking(
  "lines that wait for a server that broke off are the exit code of one that cannot be reached",
  [],
  async (talk) => {
    const { screen, server } = talk;
    await screen.sees(/stay anonymous/);
    await screen.type("a", "Enter");
    await screen.shows(">");
    server.signal("SIGSTOP");
    await screen.type("one", "Enter");
    await screen.shows(">");
    server.signal("SIGKILL");
    await screen.sees(/the connection was lost/);
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
  await screen.sees(/Secret for ada \(Enter if new\):/);
  await screen.type("Enter");
  await screen.sees(/^\w{4}(-\w{4}){4}$/);
}, { columns: 40 });

talking("Ctrl-C at a question leaves", [], async ({ screen }) => {
  await screen.sees(/stay anonymous/);
  await screen.type("C-c");
  await screen.sees(/^exit 0$/);
});

Deno.test({
  name: "the interactive session asks nothing when there is no server",
  ignore: NO_TMUX !== undefined,
  async fn() {
    for (const args of [[], ["-u", "ada"], ["exchange"]]) {
      await using screen = await Screen.start([...clientCommand(), ...args, "--port", "1"]);
      await screen.sees(/^exit 2$/);
      const rows = (await screen.rows()).join("\n");
      assertMatch(rows, /Cannot connect to 127.0.0.1:1: nothing listens there/);
      assert(!/anonymous|Secret|Time/.test(rows), rows);
    }
  },
});
