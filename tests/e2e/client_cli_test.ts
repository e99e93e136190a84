/** The commands of the client, as real processes against a real server: what they write where, and how they end. */

import { assert, assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { VERSION } from "../../protocol/version.ts";
import { clientCommand, type Program, startClient, startServer } from "../support/program.ts";

/** A server that asks nothing and keeps nothing, and its port. */
async function serving(...args: string[]): Promise<{ server: Program; port: string }> {
  const server = startServer(["--no-prompt", "--port", "0", "--ephemeral", ...args]);
  const [, port] = await server.sees(/listening on 127\.0\.0\.1:(\d+)/);
  return { server, port: port! };
}

/** Runs a client to its end. */
async function run(args: readonly string[], { input = "", secret = "" } = {}) {
  await using client = startClient(args, { env: { THRUM_SECRET: secret } });
  if (input !== "") await client.type(input);
  await client.endInput();
  const code = await client.ended();
  assertNotMatch(client.errors, /^ {4}at /m);
  return { code, output: client.output, errors: client.errors };
}

Deno.test("publish writes the identity of what it published, and ends with 0", async () => {
  const { server, port } = await serving();
  await using _server = server;
  const { code, output, errors } = await run(["publish", '{"a":1}', "--port", port]);
  assertEquals({ code, errors }, { code: 0, errors: "" });
  assertMatch(output, /^s-\w+:1\n$/);
});

Deno.test("publish takes JSON lines from standard input, and listen --json hands them on, in order", async () => {
  const { server, port } = await serving();
  await using _server = server;
  await using listener = startClient(["listen", "--json", "--port", port]);
  await listener.tells(/connected to 127\.0\.0\.1/);
  const input = Array.from({ length: 3_000 }, (_, n) => `{"n":${n}}\n`).join("") + "\n";
  const { code, output } = await run(["publish", "--json", "-u", "ada", "--port", port], { input });
  assertEquals(code, 0);
  const ids = output.trimEnd().split("\n").map((line) => JSON.parse(line).id);
  assertEquals(ids.length, 3_000);
  await listener.sees(/"n":2999/);
  const received = listener.output.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(received.map(({ activity }) => activity.n), Array.from({ length: 3_000 }, (_, n) => n));
  assertEquals(received.map(({ id }) => id), ids);
  assertEquals(received[0].user, "ada");
  listener.signal("SIGINT");
  assertEquals(await listener.ended(), 0);
  // Who comes later can have all of it, or the end of it.
  const listen = ["listen", "--until-caught-up", "--port", port];
  const past = (await run([...listen, "--json", "--since", "all"])).output.trimEnd().split("\n");
  assertEquals(past.map((line) => JSON.parse(line)), received.map((one) => ({ ...one, past: true })));
  assertEquals(
    (await run([...listen, "--last", "2", "--since", ids[2_990]])).output.replaceAll(/^\S+ {2}/gm, ""),
    [
      ...['ada  {"n":2998}', 'ada  {"n":2999}', "── now ──", ""],
    ].join("\n"),
  );
  const unknown = await run([...listen, "--since", "s-nobody:7"]);
  assertEquals([unknown.code, unknown.output], [3, ""]);
  assertMatch(unknown.errors, /Cannot tell the past: this server does not know the entry/);
});

Deno.test("publish names the line that cannot be published, after it has published those before", async () => {
  const { server, port } = await serving();
  await using _server = server;
  for (
    const [input, why] of [
      ['{"a":1}\n\n{b:2}\n{"c":3}\n', "Line 3 of standard input: Cannot publish: the text is not JSON"],
      ['{"a":1}\n[]', "Line 2 of standard input: Cannot publish: the activity is not a JSON object"],
      [`{"a":1}\n{"b":"${"x".repeat(70_000)}"}\n{"c":3}\n`, "Line 2 of standard input: Cannot publish this activity"],
    ] as const
  ) {
    const { code, output, errors } = await run(["publish", "--port", port], { input });
    assertStringIncludes(errors, why);
    assertEquals(code, 1);
    assertEquals(output.split("\n").length, 2);
  }
  // And none after it: of the three runs there are three activities.
  const { output } = await run(["publish", "{}", "--port", port]);
  assertMatch(output, /:4\n$/);
});

Deno.test("publish says at once what is wrong with a line, while its input goes on", async () => {
  const { server, port } = await serving();
  await using _server = server;
  await using client = startClient(["publish", "--port", port]);
  await client.type('{"a":1}\n{nonsense\n');
  assertEquals(await client.ended(), 1);
  assertStringIncludes(client.errors, "Line 2 of standard input");
});

/** A client that is read by the test itself. */
function pipedClient(...args: string[]): Deno.ChildProcess {
  const [file, ...rest] = clientCommand();
  const command = new Deno.Command(file!, {
    args: [...rest, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  return command.spawn();
}

Deno.test("listen ends quietly when nobody reads any more", async () => {
  const { server, port } = await serving();
  await using _server = server;
  const listener = pipedClient("listen", "--port", port);
  const errors = listener.stderr.pipeThrough(new TextDecoderStream()).getReader();
  assertStringIncludes((await errors.read()).value ?? "", "connected to");
  await listener.stdout.cancel();
  await run(["publish", "{}", "--port", port]);
  assertEquals((await deadline(listener.status, 20_000)).code, 0);
  assertEquals((await errors.read()).done, true);
});

Deno.test("register makes an account and hands out its secret, once", async () => {
  const { server, port } = await serving();
  await using _server = server;
  const first = await run(["register", "-u", "ada", "--port", port]);
  assertEquals(first.code, 0);
  assertStringIncludes(first.errors, "registered ada");
  assertMatch(first.output, /^\w{4}(-\w{4}){4}\n$/);

  const second = await run(["register", "-u", "ada", "--port", port]);
  assertEquals({ code: second.code, output: second.output }, { code: 3, output: "" });
  assertStringIncludes(second.errors, 'Cannot register "ada"');
  assertStringIncludes(second.errors, "this name is taken");

  const secret = first.output.trim();
  assertEquals((await run(["publish", "{}", "-u", "ada", "--port", port], { secret })).code, 0);
  const wrong = await run(["publish", "{}", "-u", "ada", "-s", "wrong", "--port", port]);
  assertEquals(wrong.code, 3);
  assertStringIncludes(wrong.errors, 'Cannot log in as "ada"');
  const unknown = await run(["publish", "{}", "-u", "bob", "--port", port], { secret });
  assertEquals(unknown.code, 3);
  assertStringIncludes(unknown.errors, "register -u bob\n");
  for (const { errors } of [wrong, unknown]) assert(!errors.includes(secret) && !errors.includes('"wrong"'));
});

Deno.test("-u with a new name and no secret registers it, shows its secret and goes on", async () => {
  const { server, port } = await serving();
  await using _server = server;
  const { code, output, errors } = await run(["publish", "{}", "-u", "bob", "--port", port]);
  assertEquals(code, 0);
  assertMatch(output, /^s-\w+:\d+\n$/);
  const [, secret] = errors.match(/^registered bob; its secret, shown this once:\n(\S+)\n$/)!;
  assertEquals((await run(["publish", "{}", "-u", "bob", "--port", port], { secret: secret! })).code, 0);
  assertEquals((await run(["publish", "{}", "-u", "bob", "--port", port])).code, 3);
});

Deno.test("what is wrong on the command line is said before anybody is called, with exit code 1", async () => {
  for (
    const [args, why] of [
      [["publish", "hello"], `an activity is an object, such as '{"text":"hello"}'`],
      [["listen", "--interval", "1"], "--interval belongs to exchange only"],
      [["register"], "register needs a username: -u NAME"],
      [["listen", "-u", "a:b"], 'the username has one of : " \\ /'],
      [[], "Cannot talk without a terminal"],
    ] as const
  ) {
    const { code, output, errors } = await run([...args, "--port", "1"]);
    assertEquals({ code, output }, { code: 1, output: "" });
    assertStringIncludes(errors, why);
  }
});

Deno.test("a server that is not there is exit code 2", async () => {
  const { code, errors } = await run(["listen", "--port", "1"]);
  assertEquals(code, 2);
  assertEquals(errors, "thrum-client: Cannot connect to 127.0.0.1:1: nothing listens there\n");
});

Deno.test("--help and --version go to standard output", async () => {
  assertEquals(await run(["--version"]), { code: 0, output: `thrum-client ${VERSION}\n`, errors: "" });
  const help = await run(["--help"]);
  assertStringIncludes(help.output, "thrum-client exchange --interval 2");
});

Deno.test("exchange shows what it sends and its echo, and ends with 4 when the server ends the connection", async () => {
  const { server, port } = await serving();
  await using _server = server;
  await using client = startClient(["exchange", "--interval", "0.05", "--message", "tick", "--port", port]);
  await client.sees(/sent +tick[\s\S]*echo +tick +[\d.]+ ms[\s\S]*sent +tick/);
  server.signal("SIGTERM");
  assertEquals(await client.ended(), 4);
  assertMatch(client.errors, /sent (\d+), \d+ came back\n/);
  // Said once, by what it ends with.
  assertEquals(client.errors.match(/the server is stopping/g)?.length, 1);
  assertMatch(client.errors, /thrum-client: The connection to \S+ ended: the server is stopping\n$/);
});

Deno.test("exchange ends with 0 when nobody reads any more, with and without --json", async () => {
  const { server, port } = await serving();
  await using _server = server;
  for (const json of [[], ["--json"]]) {
    const client = pipedClient("exchange", "--interval", "0.05", "--port", port, ...json);
    const rows = client.stdout.getReader();
    await rows.read();
    await rows.cancel();
    const { code } = await deadline(client.status, 20_000);
    const errors = await new Response(client.stderr).text();
    assertEquals(code, 0, errors);
    assertMatch(errors, /^connected to .*\nsent \d+, \d+ came back\n$/);
  }
});

Deno.test("exchange as JSON, stopped by a person, ends with 0", async () => {
  const { server, port } = await serving();
  await using _server = server;
  await using client = startClient(["exchange", "--json", "--interval", "0.05", "--port", port]);
  await client.sees(/"event":"echo","text":"Hello, there","id":"s-\w+:\d+","roundTripMs":[\d.]+}/);
  client.signal("SIGINT");
  assertEquals(await client.ended(), 0);
});

Deno.test("exchange that answers no heartbeat is ended by the server, and says why", async () => {
  const { server, port } = await serving("--interval", "0.2", "--heartbeats", "2", "--idle", "0.4");
  await using _server = server;
  await using client = startClient(["exchange", "--interval", "60", "--block-heartbeat", "60", "--port", port]);
  assertEquals(await client.ended(), 4);
  assertEquals(client.output.match(/heartbeat +\d+, not answered/g)?.length, 2);
  assertStringIncludes(client.errors, "no heartbeat was answered");
});

Deno.test("exchange that answers heartbeats, also out of band, stays", async () => {
  const { server, port } = await serving("--interval", "0.2", "--heartbeats", "2", "--idle", "0.4");
  await using _server = server;
  await using client = startClient(["exchange", "--interval", "60", "--port", port]);
  await using other = startClient(["exchange", "--interval", "60", "--heartbeat-port", "0", "--port", port]);
  await client.sees(/(heartbeat +\d+, answered\n.*){4}/);
  await other.sees(/(heartbeat +\d+, answered, out of band\n.*){4}/);
  client.signal("SIGINT");
  assertEquals(await client.ended(), 0);
});

Deno.test("publish and listen live through kill -9 of the server: nothing is lost, nothing comes twice", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-e2e-" });
  try {
    const args = ["--no-prompt", "--data", folder];
    await using first = startServer([...args, "--port", "0"]);
    const [, port] = await first.sees(/listening on 127\.0\.0\.1:(\d+)/);
    await using listener = startClient(["listen", "--json", "--port", port!]);
    await listener.tells(/connected to/);
    await using publisher = startClient(["publish", "--port", port!]);
    await publisher.type('{"n":0}\n');
    await publisher.sees(/:\d+\n/);
    const rest = publisher.type(Array.from({ length: 5_000 }, (_, n) => `{"n":${n + 1}}\n`).join(""));
    await publisher.sees(/(.*\n){200}/);
    first.signal("SIGKILL");
    await first.ended();
    await publisher.tells(/the connection was lost/);
    await using _second = startServer([...args, "--port", port!]);
    await rest;
    await publisher.endInput();
    assertEquals(await publisher.ended(), 0);
    assertEquals(new Set(publisher.output.trimEnd().split("\n")).size, 5_001);
    await listener.sees(/"n":5000}/);
    const received = listener.output.trimEnd().split("\n").map((line) => JSON.parse(line).activity.n);
    assertEquals(received, Array.from({ length: 5_001 }, (_, n) => n));
    await listener.tells(/connected again/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("listen --json writes an activity as its sender wrote it, each digit of it", async () => {
  const { server, port } = await serving();
  await using _server = server;
  await using listener = startClient(["listen", "--json", "--port", port]);
  await listener.tells(/connected/);
  const activity = '{"z":1.0,"big":9007199254740993,"nothing":null}';
  assertEquals((await run(["publish", activity, "--port", port])).code, 0);
  await listener.sees(/\n/);
  assert(listener.output.trimEnd().endsWith(`"activity":${activity}}`), listener.output);
});
