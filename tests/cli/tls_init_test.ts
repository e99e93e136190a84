/** `thrum-server tls-init`, as a person runs it. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startServer } from "../support/program.ts";

async function run(cwd: string, ...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  await using program = startServer(["tls-init", ...args], { cwd });
  const code = await program.ended();
  return { code, output: program.output, errors: program.errors };
}

Deno.test("tls-init makes certificates, says what to do with them, and renews", async () => {
  const cwd = await Deno.makeTempDir({ prefix: "thrum-tls-init-" });
  try {
    const made = await run(cwd, "Alpha.lan", "10.0.0.7");
    assertEquals({ code: made.code, errors: made.errors }, { code: 0, errors: "" });
    assertMatch(made.output, /^thrum-server \S+ certificates in thrum-tls\n/);
    assertMatch(made.output, / for +alpha\.lan, 10\.0\.0\.7, localhost, 127\.0\.0\.1, ::1\n/);
    assertMatch(made.output, / --host alpha\.lan --tls --ca thrum-tls\/ca\.pem\n/);
    const [, section] = made.output.match(/\n {2}("tls": .*)\n/)!;
    const { tls } = JSON.parse(`{${section}}`) as { tls: Record<string, string> };
    for (const file of Object.values(tls)) assert(Deno.statSync(`${cwd}/${file}`).isFile, file);
    // Secrets are in files, and nowhere else.
    assert(!made.output.includes(Deno.readTextFileSync(`${cwd}/${tls.key}`).split("\n")[1]!));

    const renewed = await run(cwd);
    assertMatch(renewed.output, /server\.pem +renewed, until \S+; replaces the one until \S+\n/);
    assertMatch(renewed.output, /ca\.pem +as before, /);
    // The last line that it showed renews.
    assertMatch(made.output, / tls-init\n$/);
    assertEquals(renewed.code, 0);
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});

Deno.test("tls-init says in one sentence what it does not do, and writes nothing", async () => {
  const cwd = await Deno.makeTempDir({ prefix: "thrum-tls-init-" });
  try {
    for (const args of [[], ["alpha.lan:8000"], ["--client", "ca"]]) {
      const { code, output, errors } = await run(cwd, ...args);
      assertEquals({ code, output }, { code: 1, output: "" });
      assertMatch(errors, /^thrum-server: [^\n]+\nTry thrum-server --help\n$/);
      assertEquals([...Deno.readDirSync(cwd)], []);
    }
    Deno.writeTextFileSync(`${cwd}/file`, "");
    const { code, errors } = await run(cwd, "alpha.lan", "--out", "file");
    assertEquals(code, 5);
    assertStringIncludes(errors, 'Cannot read "file/ca.pem": a part of its path is not a folder');
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});
