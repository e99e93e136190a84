/** `thrum-server admin secret`: a network of real servers gets another secret without a stop. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Program, startServer } from "../support/program.ts";
import { eventually } from "../support/until.ts";

const FORMER = "the first secret of it";
const NEXT = 'quite "different" words, with \\ and ä';

function start(folder: string, name: string, flags: readonly string[], secret?: string): Program {
  const env = secret === undefined ? {} : { THRUM_SECRET: secret };
  return startServer(["--no-prompt", "--port", "0", "--data", `${folder}/${name}`, ...flags], { env });
}

async function portOf(program: Program): Promise<string> {
  return (await program.sees(/listening on \S+:(\d+)/))[1]!;
}

Deno.test("a network changes its secret while it runs, and goes on with it after each start", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-secret-" });
  const running: Program[] = [];
  const begin = (...args: Parameters<typeof start>) => {
    const program = start(...args);
    running.push(program);
    return program;
  };
  try {
    const first = begin(folder, "a", ["--http", "0"], FORMER);
    const port = await portOf(first);
    const [, http] = await first.sees(/dashboard +http:\/\/\S+:(\d+)\//);
    const second = begin(folder, "b", ["--join", `127.0.0.1:${port}`], FORMER);
    const otherPort = await portOf(second);
    await first.tells(/linked with/);

    const file = `${folder}/next`;
    await Deno.writeTextFile(file, `${NEXT}\n`, { mode: 0o600 });
    const admin = async (...words: string[]) => {
      const flags = ["--http", http!, "--no-prompt", "--data", `${folder}/a`];
      await using program = startServer(["admin", "secret", ...words, ...flags]);
      return { code: await program.ended(), text: program.output + program.errors };
    };
    assertMatch((await admin()).text, /admin secret needs the new secret in a file: --secret-file FILE/);
    const typed = await admin(NEXT);
    assertEquals(typed.code, 1);
    assert(!typed.text.includes("different"), typed.text);
    const changed = await admin("--secret-file", file, "--for", "1h");
    assertEquals(changed.code, 0, changed.text);
    assertMatch(changed.text, new RegExp(`^127\\.0\\.0\\.1:${port} +done\\n127\\.0\\.0\\.1:${otherPort} +done\\n`));
    await second.tells(/the network has another secret, as 127\.0\.0\.1 at s-\S+ wants; former ones count until /);
    // Written down for the owner alone, and told to nobody.
    for (const name of ["a", "b"]) {
      assertEquals(await Deno.readTextFile(`${folder}/${name}/secret`), `${NEXT}\n`);
      if (Deno.build.os === "windows") continue;
      for (const kept of ["secret", "changed-secrets"]) {
        assertEquals(Deno.statSync(`${folder}/${name}/${kept}`).mode! & 0o777, 0o600, kept);
      }
    }
    await eventually(() => auditOf(folder, "b").includes('"networkSecretChanged"'), "the audit log");
    for (const text of [first.errors, first.output, second.errors, auditOf(folder, "a"), auditOf(folder, "b")]) {
      assert(!text.includes("different"), text);
    }

    // One that comes with the new secret, one with the former one, and one with neither.
    const join = ["--join", `127.0.0.1:${port}`];
    const third = begin(folder, "c", join, NEXT);
    await third.tells(/linked with/);
    const late = begin(folder, "d", join, FORMER);
    await late.tells(/the network has another secret, as the network at s-/);
    const wrong = begin(folder, "e", join, "none of these at all");
    await wrong.tells(/refuses this server: the secret is not the one of this network/);

    // The environment of the second one still has the former secret, and its folder knows better.
    second.signal("SIGTERM");
    assertEquals(await second.ended(), 0);
    const again = begin(folder, "b", ["--join", `127.0.0.1:${port}`], FORMER);
    await again.tells(
      /the secret that this server was given is a former one of the network: it takes the one in .*b\/secret/,
    );
    await again.tells(/linked with/);
    const own = startServer(["audit-log", "verify", `${folder}/b`]);
    assertEquals(await own.ended(), 0);
    await own[Symbol.asyncDispose]();
    assertStringIncludes(auditOf(folder, "b"), "networkSecretChanged");
  } finally {
    for (const program of running) await program[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
});

function auditOf(folder: string, name: string): string {
  return Deno.readTextFileSync(`${folder}/${name}/audit-00000001.jsonl`);
}
