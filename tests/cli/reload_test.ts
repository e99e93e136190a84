/** `thrum-server admin reload`, and SIGHUP: two real servers, each with a config file of its own. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { LineClient } from "../support/line_client.ts";
import { type Program, startServer } from "../support/program.ts";
import { eventually } from "../support/until.ts";

const ENV = { THRUM_SECRET: "a secret of the network" };

/** A server with its own file. */
interface Configured {
  readonly program: Program;
  readonly port: number;
  readonly data: string;
  write(config: unknown): Promise<void>;
}

async function start(folder: string, name: string, config: object, flags: readonly string[]): Promise<Configured> {
  const file = `${folder}/${name}.json`;
  const write = (config: unknown) =>
    Deno.writeTextFile(file, typeof config === "string" ? config : JSON.stringify(config));
  await write(config);
  const data = `${folder}/${name}`;
  const program = startServer(["--no-prompt", "--port", "0", "--data", data, "--config", file, ...flags], { env: ENV });
  const [, port] = await program.sees(/listening on \S+:(\d+)/);
  return { program, port: Number(port), data, write };
}

async function admin(http: string, data: string, ...words: string[]): Promise<[code: number, output: string]> {
  await using program = startServer(["admin", ...words, "--http", http, "--no-prompt", "--data", data]);
  const code = await program.ended();
  return [code, program.output + program.errors];
}

async function login(port: number, username: string): Promise<LineClient> {
  const client = await LineClient.connect(port);
  client.send({ command: "LOGIN", username, secret: "open sesame", features: ["resume"], redirects: 3 });
  await client.until(() => client.received.length > 0, "the answer");
  return client;
}

/** What the audit log of a server says of reloads. */
function audited(data: string): unknown[] {
  return Deno.readTextFileSync(`${data}/audit-00000001.jsonl`).trimEnd().split("\n").map((line) => JSON.parse(line))
    .filter(({ what }) => what === "configReloaded").map(({ from, more }) => [from, more]);
}

Deno.test("each server reads its own file anew, says what counts now, and changes nothing for a mistake", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-config-" });
  const first = await start(folder, "a", {}, ["--http", "0"]);
  const [, http] = await first.program.sees(/dashboard +http:\/\/\S+:(\d+)\//);
  const second = await start(folder, "b", {}, ["--join", `127.0.0.1:${first.port}`]);
  const [nameA, nameB] = [first, second].map(({ port }) => `127.0.0.1:${port}`);
  const reload = (...words: string[]) => admin(http!, first.data, "reload", ...words);
  try {
    await second.program.tells(/linked with/);
    assertEquals(await reload(), [0, `${nameA}  nothing changed\n${nameB}  nothing changed\n`]);

    await using anonymous = await login(second.port, "anonymous");
    assertEquals(anonymous.received[0]!.command, "LOGIN_SUCCESS");
    await first.write({ auth: { anonymous: false }, log: { level: "error" }, cluster: { weight: 3 } });
    await second.write({ auth: { rights: [{ roles: ["anonymous"], may: ["read"] }] }, limits: { tailBytes: 0 } });
    const [code, output] = await reload();
    assertEquals([code, output.split("\n")], [0, [
      `${nameA}  changed: auth.anonymous, log.level; at the next start: cluster.weight`,
      `${nameB}  changed: auth.rights; at the next start: limits.tailBytes`,
      "",
    ]]);
    // Whoever may do something else comes in anew.
    assertEquals((await anonymous.next("END_CONNECTION")).reason, "RIGHTS_CHANGED");
    await using again = await login(second.port, "anonymous");
    assertEquals(again.received[0]!.may, ["read"]);
    await first.program.tells(/(?:asks: reload[^]*){2}/);
    const before = first.program.errors;
    await using stranger = await login(first.port, "anonymous");
    assertEquals(stranger.received[0]!.command, "LOGIN_FAILED");
    assertEquals(first.program.errors, before);

    // A mistake in one file is that server's alone, and nothing of the file is taken.
    await second.write({ auth: { anonymous: false, rights: "all" } });
    await first.write({ auth: { anonymous: true }, log: { level: "info" } });
    const [partly, both] = await reload();
    assertEquals(partly, 3);
    assertMatch(both, new RegExp(`${nameA}  changed: auth.anonymous, log.level\\n`));
    assertMatch(both, new RegExp(`${nameB}  not done: Cannot use config file ".*b\\.json": "auth\\.rights" must be `));
    await using unchanged = await login(second.port, "anonymous");
    assertEquals(unchanged.received[0]!.may, ["read"]);
    await second.write("{");
    assertMatch((await reload(nameB!))[1], /^\S+ +not done: .*broken JSON at line 1, column 2/);
    assertMatch((await reload("nobody"))[1], /There is no server "nobody"/);

    // SIGHUP does the same, for that server alone.
    await second.write({});
    second.program.signal("SIGHUP");
    await second.program.tells(/read the configuration anew, as SIGHUP wants\. Changed: auth\.rights/);
    await second.write({ server: { prot: 1 } });
    second.program.signal("SIGHUP");
    await second.program.tells(/unknown key "server\.prot".*Nothing has changed/);
    await eventually(() => audited(second.data).length === 6, "the audit log");
    assertEquals(audited(second.data).map((line) => (line as [string, object])[1]), [
      { changed: "", kept: "" },
      { changed: "auth.rights", kept: "limits.tailBytes" },
      { failed: true },
      { failed: true },
      { changed: "auth.rights", kept: "" },
      { failed: true },
    ]);
    assertMatch(String((audited(second.data)[0] as [string])[0]), /^127\.0\.0\.1 at s-/);
    const told = first.program.errors + second.program.errors;
    assert(!told.includes(ENV.THRUM_SECRET));
  } finally {
    for (const { program } of [first, second]) await program[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
});
