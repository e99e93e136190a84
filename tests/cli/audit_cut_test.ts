/** The end of an audit log is cut while its server is away, and the other server of the network knows. */

import { assertEquals, assertMatch } from "@std/assert";
import { LineClient } from "../support/line_client.ts";
import { type Program, startServer } from "../support/program.ts";
import { eventually } from "../support/until.ts";

const ENV = { THRUM_SECRET: "a secret of the network" };

Deno.test("a cut of the end of an audit log is whole for itself, and both servers say that it was cut", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-cut-" });
  const running: Program[] = [];
  const start = async (name: string, flags: readonly string[]) => {
    const program = startServer(["--no-prompt", "--data", `${folder}/${name}`, ...flags], { env: ENV });
    running.push(program);
    const [, port] = await program.sees(/listening on \S+:(\d+)/);
    return { program, port: Number(port) };
  };
  const file = `${folder}/a/audit-00000001.jsonl`;
  const linesOf = (name: string) =>
    Deno.readTextFileSync(`${folder}/${name}/audit-00000001.jsonl`).trimEnd().split("\n").map((line) =>
      JSON.parse(line)
    );
  try {
    const keeper = await start("b", ["--port", "0", "--http", "0"]);
    const first = await start("a", ["--port", "0", "--join", `127.0.0.1:${keeper.port}`]);
    await first.program.tells(/linked with/);
    {
      await using client = await LineClient.connect(first.port);
      for (const username of ["anna", "eve"]) {
        client.send({ command: "REGISTER", username, secret: "open sesame" });
        await client.next("REGISTER_SUCCESS");
      }
    }
    first.program.signal("SIGTERM");
    assertEquals(await first.program.ended(), 0);
    // It told the other one how far its log goes, before it went.
    const whole = await Deno.readTextFile(file);
    assertEquals(linesOf("a").map(({ what }) => what), ["serverStarted", "registered", "registered", "serverStopped"]);

    await Deno.writeTextFile(file, whole.split("\n").slice(0, 2).join("\n") + "\n");
    await using verify = startServer(["audit-log", "verify", `${folder}/a`]);
    // Whoever has this folder alone cannot know.
    assertEquals(await verify.ended(), 0);
    const back = await start("a", ["--port", "0", "--join", `127.0.0.1:${keeper.port}`]);
    await back.program.tells(/the audit log of this server was cut or changed: s-\S+ knows its line \d+ with the hash/);
    await keeper.program.tells(/the audit log of s-\S+ was cut or changed: it had a line \d+ with the hash/);
    for (const name of ["a", "b"]) {
      await eventually(() => linesOf(name).some(({ what }) => what === "peerDisagrees"), `the audit log of ${name}`);
    }
    const [, http] = await keeper.program.sees(/dashboard +http:\/\/\S+:(\d+)\//);
    const token = (await Deno.readTextFile(`${folder}/b/http-token`)).trim();
    const answer = await fetch(`http://localhost:${http}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    assertMatch(await answer.text(), /^thrum_audit_log_disagreements_total 1$/m);
  } finally {
    for (const program of running) await program[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
});
