/** What a server's command line says about its network: the secret, and whom it joins. */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { NO_TERMINAL, Program, type ProgramParts, startServer } from "../support/program.ts";
import { eventually } from "../support/until.ts";

if (NO_TERMINAL !== undefined) console.log(`SKIPPED the secret on a terminal: ${NO_TERMINAL}`);

const ON_A_TERMINAL = { ignore: NO_TERMINAL !== undefined };

/** A test in a folder of its own, which the server runs in. */
function inFolder(name: string, run: (folder: string) => Promise<void>, { ignore = false } = {}): void {
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

/** What a server prints when it starts. It is then stopped. */
async function startText(args: readonly string[], options: ProgramParts): Promise<string> {
  await using server = startServer(["--port", "0", "--no-prompt", ...args], options);
  await server.sees(/stop +Ctrl-C\n/);
  if (options.terminal) await server.type("\x03");
  else server.signal("SIGTERM");
  assertEquals(await server.ended(), 0);
  return server.output;
}

inFolder("a first server makes a secret, and shows it once on a terminal with how to join it", async (cwd) => {
  const first = await startText(["--data", "kept"], { cwd, terminal: true });
  const secret = Deno.readTextFileSync(`${cwd}/kept/secret`).trim();
  assertMatch(secret, /^[\w-]{32}$/);
  const [, port] = first.match(/listening on 127\.0\.0\.1:(\d+)/)!;
  assertStringIncludes(first, `secret      ${secret}  shown once, kept in kept/secret\n`);
  const join = new RegExp(`join it +(.*) --port \\d+ --join 127\\.0\\.0\\.1:${port} --secret-file kept/secret\n`);
  assertMatch(first, join);

  const second = await startText(["--data", "kept"], { cwd, terminal: true });
  assert(!second.includes(secret));
  assertMatch(second, /secret +in kept\/secret\n/);
  assertMatch(second, /join it .* --secret-file kept\/secret\n/);
  assertEquals(Deno.readTextFileSync(`${cwd}/kept/secret`).trim(), secret);
}, ON_A_TERMINAL);

inFolder("a first server without a terminal says where the secret is, and does not show it", async (cwd) => {
  const text = await startText(["--data", "it's kept"], { cwd });
  const secret = Deno.readTextFileSync(`${cwd}/it's kept/secret`).trim();
  assert(!text.includes(secret));
  assertMatch(text, /secret +in it's kept\/secret\n/);
  assertMatch(text, /--secret-file 'it'\\''s kept\/secret'\n/);
});

inFolder("the line about joining can be pasted as it stands, and the second server joins", async (cwd) => {
  await using first = startServer(["--port", "0", "--no-prompt", "--data", "kept"], { cwd });
  const [, line] = await first.sees(/join it +(.*)\n[^]*Ctrl-C\n/);
  // The port beside the first one's may be taken. Deno from npm forwards no signal, and may have no name of its own.
  const command = line!.replace(/^(npx -y deno@\S+|deno) /, `${Deno.execPath()} `).replace(/--port \d+/, "--port 0");
  const pasted = `${command} --no-prompt --ephemeral`;
  await using second = new Program(["sh", "-c", `exec ${pasted}`], [], { cwd });
  await eventually(() => first.errors.includes("linked with"), () => `the two are linked: ${first.errors}`);
  second.signal("SIGTERM");
  assertEquals(await second.ended(), 0);
}, { ignore: Deno.build.os === "windows" });

inFolder("a secret comes from a file, and its fault is told", async (cwd) => {
  await Deno.writeTextFile(`${cwd}/mine`, "hunter2\n");
  assertNotMatch(await startText(["--ephemeral", "--secret-file", "mine"], { cwd }), /hunter2|secret|join/);
  for (const [content, told] of [["", "it does not exist, or is empty"], ["two\nlines\n", "it holds no secret"]]) {
    await Deno.writeTextFile(`${cwd}/mine`, content!);
    await using server = startServer(["--port", "0", "--secret-file", "mine"], { cwd });
    assertEquals(await server.ended(), 5);
    assertStringIncludes(server.errors, `Cannot use "mine": ${told}`);
  }
});

inFolder(
  "a server on a terminal asks for the secret of the network that it joins, and shows nothing of it",
  async (cwd) => {
    await using server = startServer(["--port", "0", "--ephemeral", "--join", "127.0.0.1:1"], { cwd, terminal: true });
    await server.sees(/The secret of the network: $/);
    await server.type("hunter2\r");
    await server.sees(/Time between heartbeats/);
    assert(!server.output.includes("hunter2"));
    await server.type("\x03");
    assertEquals(await server.ended(), 0);
  },
  ON_A_TERMINAL,
);

inFolder("a first server that keeps nothing makes a new secret each time, and shows it", async (cwd) => {
  const secrets = [];
  for (let time = 0; time < 2; time++) {
    const text = await startText(["--ephemeral", "--advertise", "a.example"], { cwd });
    const [, secret] = text.match(/secret +(\S{32}) {2}shown once\n/)!;
    assertMatch(text, /--join a\.example:\d+\n/);
    secrets.push(secret);
  }
  assert(secrets[0] !== secrets[1]);
  assertEquals([...Deno.readDirSync(cwd)], []);
});

inFolder("a secret is not written to the log, whatever is logged", async (cwd) => {
  await using server = startServer(
    [
      "--port",
      "0",
      "--no-prompt",
      "--data",
      "kept",
      "--log-level",
      "trace",
      "--log-file",
      "a.log",
      "--trace",
      "t.jsonl",
    ],
    { cwd },
  );
  const [, port] = await server.sees(/listening on 127\.0\.0\.1:(\d+)/);
  await server.sees(/stop/);
  const secret = Deno.readTextFileSync(`${cwd}/kept/secret`).trim();
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  for (const given of [secret, "wrong"]) {
    await connection.write(new TextEncoder().encode(`{"command":"AUTHENTICATE","secret":"${given}"}\n`));
  }
  await connection.read(new Uint8Array(4_096));
  connection.close();
  server.signal("SIGTERM");
  assertEquals(await server.ended(), 0);
  const log = Deno.readTextFileSync(`${cwd}/a.log`);
  assertMatch(log, /listens on/);
  for (const text of [log, Deno.readTextFileSync(`${cwd}/t.jsonl`), server.output, server.errors]) {
    assert(!text.includes(secret));
  }
});

inFolder("a given secret is neither shown nor kept", async (cwd) => {
  for (const [args, env] of [[["-s", "hunter2"], {}], [[], { THRUM_SECRET: "hunter2" }]] as const) {
    const text = await startText(["--data", "kept", ...args], { cwd, env });
    assertNotMatch(text, /hunter2|secret|join/);
  }
  assertEquals([...Deno.readDirSync(`${cwd}/kept`)].map(({ name }) => name).includes("secret"), false);
});

inFolder("a server that is to join others needs their secret", async (cwd) => {
  for (const args of [["--join", "127.0.0.1:1"], ["-rh", "127.0.0.1", "-rp", "1", "--ephemeral"]]) {
    await using server = startServer(["--port", "0", ...args], { cwd });
    assertEquals(await server.ended(), 1);
    assertEquals(server.output, "");
    assertStringIncludes(
      server.errors,
      "thrum-server: To join a network its secret is needed: give it as THRUM_SECRET",
    );
  }
  assertEquals([...Deno.readDirSync(cwd)], []);
  await Deno.writeTextFile(`${cwd}/config.json`, '{"cluster": {"join": ["127.0.0.1:1"]}}');
  await using server = startServer(["--port", "0"], { cwd });
  assertEquals(await server.ended(), 1);
});

inFolder("a server that joins others says whom", async (cwd) => {
  const line = "--join 127.0.0.1:1 -rh ::1 -rp 2 -s abc --ephemeral";
  const text = await startText(line.split(" "), { cwd });
  assertMatch(text, /joins +127\.0\.0\.1:1, \[::1\]:2\n/);
});

inFolder("a server that kept the secret which it made can join others with it", async (cwd) => {
  await startText(["--data", "kept"], { cwd });
  const text = await startText(["--data", "kept", "--join", "127.0.0.1:1"], { cwd });
  assertMatch(text, /joins +127\.0\.0\.1:1\n/);
});

inFolder("a server ends with 5 when its secret cannot be read", async (cwd) => {
  await Deno.mkdir(`${cwd}/kept/secret`, { recursive: true });
  await using server = startServer(["--port", "0", "--data", "kept"], { cwd });
  assertEquals(await server.ended(), 5);
  assertEquals(server.errors, 'thrum-server: Cannot read "kept/secret": it is a folder\n');
});
