/** What the client's commands for direct messages and users write, and how they end. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Program, startClient, startServer } from "../support/program.ts";

/** A server that asks nothing and keeps nothing, and its port. */
async function serving(): Promise<{ server: Program; port: string }> {
  const server = startServer(["--no-prompt", "--port", "0", "--ephemeral"]);
  const [, port] = await server.sees(/listening on 127\.0\.0\.1:(\d+)/);
  return { server, port: port! };
}

/** Runs a client to its end. */
async function run(line: string, port: string) {
  await using client = startClient([...line.split(" "), "--port", port], { env: { THRUM_SECRET: "" } });
  await client.endInput();
  const code = await client.ended();
  return { code, output: client.output, errors: client.errors };
}

Deno.test("send waits with the server for who is away, and listen --json writes it, once", async () => {
  const { server, port } = await serving();
  await using _server = server;
  for (const name of ["ada", "bob"]) assertEquals((await run(`register -u ${name} -s long-secret`, port)).code, 0);
  const sent = await run("send bob hello -u ada -s long-secret", port);
  assertEquals({ code: sent.code, errors: sent.errors }, { code: 0, errors: "" });
  const second = await run("send bob again --json -u ada -s long-secret", port);
  assertMatch(second.output, /^{"id":"s-\w+:\d+"}\n$/);
  // Other commands of the receiver do not take it away.
  assertEquals((await run("publish {} -u bob -s long-secret", port)).code, 0);

  await using listener = startClient(["listen", "--json", "-u", "bob", "-s", "long-secret", "--port", port]);
  await listener.sees(/again/);
  await run("send bob live -u ada -s long-secret", port);
  await listener.sees(/live/);
  listener.signal("SIGINT");
  assertEquals(await listener.ended(), 0);
  const lines = listener.output.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ user, direct_message }) => [user, direct_message]), [
    ["ada", { to: "bob", text: "hello", offline: true }],
    ["ada", { to: "bob", text: "again", offline: true }],
    ["ada", { to: "bob", text: "live", offline: false }],
  ]);
  assertEquals(lines[0].id, sent.output.trim());

  await using once = startClient(["listen", "-u", "bob", "-s", "long-secret", "--port", port]);
  await once.tells(/connected/);
  await run("send bob last -u ada -s long-secret", port);
  await once.sees(/^\d\d:\d\d:\d\d {2}ada {2}to you: last\n$/);
});

Deno.test("send to nobody, and from nobody, is refused", async () => {
  const { server, port } = await serving();
  await using _server = server;
  assertEquals((await run("register -u ada -s long-secret", port)).code, 0);
  const { code, output, errors } = await run("send eve hello -u ada -s long-secret", port);
  assertEquals({ code, output }, { code: 3, output: "" });
  assertEquals(errors, 'thrum-client: Cannot send a direct message to "eve": there is no user with this name\n');
  const anonymous = await run("send ada hello", port);
  assertEquals(anonymous.code, 1);
  assertStringIncludes(anonymous.errors, "send needs to know who sends: -u NAME");
});

Deno.test("users lists all users, or those who are there", async () => {
  const { server, port } = await serving();
  await using _server = server;
  for (const name of ["eve", "ada", "bob"]) await run(`register -u ${name} -s long-secret`, port);
  await using listener = startClient(["listen", "-u", "bob", "-s", "long-secret", "--port", port]);
  await listener.tells(/connected/);
  assertEquals(await run("users", port), { code: 0, output: "ada\nbob\neve\n", errors: "" });
  assertEquals(
    (await run("users --json", port)).output,
    '{"username":"ada"}\n{"username":"bob"}\n{"username":"eve"}\n',
  );
  assertEquals((await run("users --online -u ada -s long-secret", port)).output, "ada\nbob\n");
});
