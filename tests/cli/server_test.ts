import { assert, assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { connect } from "../../mod.ts";
import { VERSION } from "../../protocol/version.ts";
import { NO_TERMINAL, type ProgramParts, startServer } from "../support/program.ts";

const QUIET = ["--port", "0", "--ephemeral"];

/** Why `/dev/full` cannot be written to here; `undefined` where it can. */
const NO_FULL_DISK = Deno.build.os !== "linux"
  ? "there is no /dev/full"
  : Deno.env.has("THRUM_SERVER_BIN")
  ? "a compiled program may not open devices"
  : undefined;

if (NO_FULL_DISK !== undefined) console.log(`SKIPPED a trace that cannot be written: ${NO_FULL_DISK}`);
if (NO_TERMINAL !== undefined) console.log(`SKIPPED the prompts of the server: ${NO_TERMINAL}`);

/** A test in a folder of its own, which the server runs in. */
function inFolder(name: string, run: (folder: string) => Promise<void>, ignore = false): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      const folder = await Deno.makeTempDir({ prefix: "thrum-cli-" });
      try {
        await run(folder);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

/** Like `inFolder`, with the options of a server on a terminal. */
function onTerminal(name: string, run: (options: ProgramParts & { cwd: string }) => Promise<void>): void {
  inFolder(name, (cwd) => run({ cwd, terminal: true }), NO_TERMINAL !== undefined);
}

/** How a server that cannot start ends, and what it says. */
async function failure(cwd: string, ...args: string[]): Promise<{ code: number; errors: string }> {
  await using server = startServer(args, { cwd });
  const code = await server.ended();
  assertEquals(server.output, "");
  assertNotMatch(server.errors, /^ {4}at /m);
  return { code, errors: server.errors };
}

inFolder("the server without a terminal asks nothing, says where it listens, and stops on SIGTERM", async (cwd) => {
  await using server = startServer(QUIET, { cwd });
  const [, host, port] = await server.sees(/listening on (\S+):(\d+)\n/);
  assertEquals(host, "127.0.0.1");
  assert(Number(port) > 0);
  await server.sees(/stop +Ctrl-C\n/);
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  connection.close();
  server.signal("SIGTERM");
  assertEquals(await server.ended(), 0);
  assertNotMatch(server.output, /\?|\]: /);
  assertEquals(server.rawOutput, server.output);
});

inFolder("the server stops on SIGINT, in good order", async (cwd) => {
  await using server = startServer(QUIET, { cwd });
  await server.sees(/listening on/);
  server.signal("SIGINT");
  assertEquals(await server.ended(), 0);
});

inFolder("the server ends with 5 when its trace could not be written, also when it was asked to end", async (cwd) => {
  await using server = startServer([...QUIET, "--trace", "/dev/full"], { cwd });
  const [, port] = await server.sees(/listening on \S+:(\d+)\n/);
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  await server.tells(/connected with/);
  server.signal("SIGTERM");
  assertEquals(await server.ended(), 5);
  connection.close();
  assertStringIncludes(server.errors, "thrum-server: Cannot write the trace file");
}, NO_FULL_DISK !== undefined);

inFolder("the server ends with 5 within seconds when its data folder is taken away", async (cwd) => {
  await using server = startServer(["--port", "0", "--data", "data"], { cwd });
  await server.sees(/listening on/);
  await Deno.rename(`${cwd}/data`, `${cwd}/elsewhere`);
  assertEquals(await server.ended(), 5);
  assertStringIncludes(
    server.errors,
    'thrum-server: Cannot go on with data folder "data": it was moved or removed while the server ran.',
  );
}, Deno.build.os === "windows");

inFolder("the server shows its help and its version", async (cwd) => {
  await using help = startServer(["--help"], { cwd });
  assertEquals(await help.ended(), 0);
  assertStringIncludes(help.output, "thrum-server [flags]");
  await using version = startServer(["--version"], { cwd });
  assertEquals(await version.ended(), 0);
  assertEquals(version.output, `thrum-server ${VERSION}\n`);
});

inFolder("the server ends with 1 on a wrong command line", async (cwd) => {
  assertEquals(await failure(cwd, "--prot", "1"), {
    code: 1,
    errors: 'thrum-server: Unknown flag "--prot"; did you mean --port?\nTry thrum-server --help\n',
  });
  const { code, errors } = await failure(cwd, "-rh", "localhost");
  assertEquals(code, 1);
  assertMatch(errors, /-rh needs -rp PORT too/);
});

inFolder("the server ends with 1 on a THRUM_SECRET that cannot be one, and does not show it", async (cwd) => {
  await using server = startServer(QUIET, { cwd, env: { THRUM_SECRET: "hunter2".repeat(50) } });
  assertEquals(await server.ended(), 1);
  assertMatch(server.errors, /^thrum-server: THRUM_SECRET must be 1 to 256 characters/);
  assertNotMatch(server.errors, /hunter2/);
});

inFolder("the server ends with 1 on a config file that is missing or wrong", async (cwd) => {
  assertEquals(await failure(cwd, "--config", "gone.json"), {
    code: 1,
    errors: 'thrum-server: Cannot read config file "gone.json": there is no such file\n',
  });
  await Deno.writeTextFile(`${cwd}/config.json`, '{"server": {"port": 70000}}');
  assertEquals(await failure(cwd), {
    code: 1,
    errors:
      'thrum-server: Cannot use config file "config.json": "server.port" must be a port from 0 to 65535, not 70000\n',
  });
  await Deno.mkdir(`${cwd}/folder.json`);
  assertEquals((await failure(cwd, "--config", "folder.json")).errors.includes("it is a folder"), true);
});

inFolder("the server ends with 2 where it cannot listen", async (cwd) => {
  await using first = startServer(QUIET, { cwd });
  const [, port] = await first.sees(/listening on 127\.0\.0\.1:(\d+)/);
  const { code, errors } = await failure(cwd, "--ephemeral", "--port", port!);
  assertEquals(code, 2);
  assertMatch(errors, /^thrum-server: Cannot listen on 127\.0\.0\.1:\d+: another program listens there already/m);
  const elsewhere = await failure(cwd, ...QUIET, "--host", "192.0.2.1");
  assertEquals(elsewhere.code, 2);
  assertMatch(elsewhere.errors, /Cannot listen on 192\.0\.2\.1:0: this machine does not have that address/);
});

inFolder("the server ends with 5 where it cannot keep its data or its log", async (cwd) => {
  await Deno.writeTextFile(`${cwd}/file`, "");
  const data = await failure(cwd, "--port", "0", "--data", "file/data");
  assertEquals(data.code, 5);
  assertMatch(data.errors, /^thrum-server: Cannot .*file/m);
  const log = await failure(cwd, ...QUIET, "--log-file", "gone/a.log");
  assertEquals(log.code, 5);
  assertEquals(log.errors, 'thrum-server: Cannot open log file "gone/a.log": there is no such file or folder\n');
});

inFolder("the server comes back on the data that it left", async (cwd) => {
  for (const _time of ["first", "second"]) {
    await using server = startServer(["--port", "0", "--data", "kept"], { cwd });
    await server.sees(/data +kept\n/);
    server.signal("SIGTERM");
    assertEquals(await server.ended(), 0);
  }
});

inFolder("what the command line says wins over the file, and the file over the defaults", async (cwd) => {
  await Deno.writeTextFile(
    `${cwd}/mine.json`,
    '{"server": {"port": "0"}, "heartbeat": {"count": 7, "intervalMs": 250}, "store": {"ephemeral": true}}',
  );
  await using server = startServer(["--config", "mine.json", "--interval", "0.5"], { cwd });
  await server.sees(/listening on/);
  await server.sees(/after 30 s without data, 7 of them, 0\.5 s apart/);
});

onTerminal(
  "the server on a terminal asks, takes Enter for the default, and asks again on nonsense",
  async (options) => {
    await using server = startServer(QUIET, options);
    await server.sees(/Time between heartbeats, in seconds \[10\]: $/);
    await server.type("soon\n");
    await server.sees(/Please answer with seconds from 0\.001 to 3600.*\n.*\[10\]: $/);
    await server.type("0.5\n");
    await server.sees(/Number of heartbeats that may go unanswered \[3\]: $/);
    await server.type("\n");
    await server.sees(/Time without data before heartbeats start, in seconds \[30\]: $/);
    await server.type("2\n");
    // It listens, and then asks: nobody has to answer.
    await server.sees(/listening on 127\.0\.0\.1:\d+[^]*Save these answers in config\.json\? \[y\/N\]: $/);
    await server.type("\n");
    await server.sees(/after 2 s without data, 3 of them, 0\.5 s apart/);
    assertStringIncludes(server.rawOutput, "\x1b[32mlistening on");
    await server.type("\x03");
    assertEquals(await server.ended(), 0);
    assertEquals([...Deno.readDirSync(options.cwd)].length, 0);
  },
);

onTerminal("a command line of the multi-server family asks nothing", async (options) => {
  await using server = startServer(["-lp", "0", "-a", "1000", "--ephemeral"], options);
  await server.sees(/Ctrl-C\n$/);
  assert(!/\]: /.test(server.output), server.output);
  await server.type("\x03");
  assertEquals(await server.ended(), 0);
});

inFolder("--show activities prints who published what, and nothing that could move a terminal", async (cwd) => {
  await using server = startServer(["--port", "0", "--ephemeral", "--show", "activities"], { cwd });
  const [, port] = await server.sees(/listening on 127\.0\.0\.1:(\d+)/);
  await using ada = await connect({
    host: "127.0.0.1",
    port: Number(port),
    username: "ada",
    secret: "s",
    register: true,
  });
  await ada.publish({ a: 1 });
  await ada.publish({ text: "\x1b[2J\u202e" });
  await server.sees(/^ada: \{"a":1\}\nada: \{"text":"\\u001b\[2J\\u202e"\}\n/m);
});

onTerminal(
  "the server raises an idle time that is too short, and saves the answers beside what is there",
  async (options) => {
    const file = `${options.cwd}/config.json`;
    await Deno.writeTextFile(file, '{"client": {"port": "8001"}, "heartbeat": {"plainClients": "supervise"}}');
    await using server = startServer(QUIET, options);
    for (const answer of ["2", "4"]) {
      await server.sees(/\]: $/);
      await server.type(`${answer}\n`);
    }
    await server.sees(/heartbeats start, in seconds \[30\]: $/);
    await server.type("5\n");
    await server.sees(/warning: .*8/);
    await server.sees(/Save .*: $/);
    await server.type("y\n");
    await server.sees(/Saved in config\.json\n/);
    await server.sees(/after 8 s without data, 4 of them, 2 s apart/);
    assertEquals(JSON.parse(await Deno.readTextFile(file)), {
      client: { port: "8001" },
      heartbeat: { plainClients: "supervise", intervalMs: 2000, count: 4, idleTimeoutMs: 8000 },
    });
  },
);

onTerminal("the server on a terminal asks only for what is not given as a flag", async (options) => {
  await using server = startServer([...QUIET, "--interval", "1", "--idle", "9"], options);
  await server.sees(/unanswered \[3\]: $/);
  await server.type("\n");
  await server.sees(/Save .*: $/);
  assertNotMatch(server.output, /Time/);
});

onTerminal("the server on a terminal asks nothing with --no-prompt, or with all three values", async (options) => {
  for (const args of [["--no-prompt"], ["--interval", "1", "--idle", "9", "--heartbeats", "2"]]) {
    await using server = startServer([...QUIET, ...args], options);
    await server.sees(/listening on/);
    assertNotMatch(server.output, /\]: /);
  }
});

for (const [name, key] of [["Ctrl-C", "\x03"], ["Ctrl-D", "\x04"]] as const) {
  onTerminal(`the server ends cleanly on ${name} at a question`, async (options) => {
    await using server = startServer(QUIET, options);
    await server.sees(/\[10\]: $/);
    await server.type(key);
    assertEquals(await server.ended(), 0);
    assertNotMatch(server.output, /listening|rror/);
  });
}
