/** `thrum-server audit-log verify`: real programs and real files. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { LineClient } from "../support/line_client.ts";
import { startServer } from "../support/program.ts";

async function verify(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  await using program = startServer(["audit-log", "verify", ...args]);
  const code = await program.ended();
  return { code, output: program.output, errors: program.errors };
}

Deno.test("audit-log verify finds a log whole while and after the server runs, and finds a line that was changed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-audit-" });
  try {
    const data = `${folder}/data`;
    const server = startServer(["--no-prompt", "--port", "0", "--data", data]);
    const [, port] = await server.sees(/listening on \S+:(\d+)/);
    {
      await using client = await LineClient.connect(Number(port));
      client.send({ command: "REGISTER", username: "ann", secret: "only ann knows" });
      await client.next("REGISTER_SUCCESS");
      client.send({ command: "LOGIN", username: "ann", secret: "not what ann knows" });
      await client.next("LOGIN_FAILED");
    }
    assertEquals((await verify(data)).code, 0);
    server.signal("SIGTERM");
    assertEquals(await server.ended(), 0);
    const file = `${data}/audit-00000001.jsonl`;
    const text = await Deno.readTextFile(file);
    assertEquals(text.trimEnd().split("\n").map((line) => JSON.parse(line).what), [
      ...["serverStarted", "registered", "loginFailed", "serverStopped"],
    ]);
    assert(!text.includes("ann knows"));
    assertStringIncludes((await verify("--data", data)).output, "is whole.\nlines: 4\n");

    await Deno.writeTextFile(file, text.replace('"of":"ann"', '"of":"bob"'));
    const changed = await verify(data);
    assertEquals(changed.code, 5);
    assertStringIncludes(
      changed.output,
      "  audit-00000001.jsonl, line 3: the line before it is not the one that stood there",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("audit-log verify says that there is none", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-audit-" });
  try {
    const { code, errors } = await verify(folder);
    assertEquals([code, errors], [5, `thrum-server: There is no audit log in "${folder}"\n`]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
