/** Both programs with exactly what the compiled ones may do: every door opens, and whoever asks for more is refused. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { CLIENT_PERMISSIONS, fromSources, SERVER_PERMISSIONS } from "../../tools/permissions.ts";
import { startClient, startServer } from "../support/program.ts";

const SERVER = { permissions: fromSources(SERVER_PERMISSIONS) };
const CLIENT = { permissions: fromSources(CLIENT_PERMISSIONS) };

Deno.test("a server with no more permissions than it needs opens all doors, keeps its data, and ends in good order", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-permissions-" });
  try {
    const token = "a-token-of-this-test";
    const args = ["--no-prompt", "--port", "0", "--http", "0", "--grpc", "0", "--data", `${folder}/data`];
    await using server = startServer(args, { ...SERVER, env: { THRUM_HTTP_TOKEN: token } });
    const [, port] = await server.sees(/listening on \S+:(\d+)/);
    const [, http] = await server.sees(/dashboard +(http:\S+)/);

    const env = { THRUM_SECRET: "what anna knows", HOME: folder };
    await using registering = startClient(["register", "-u", "anna", "--port", port!], { ...CLIENT, env });
    assertEquals(await registering.ended(), 0, registering.errors);
    await using publishing = startClient(["publish", '{"n":1}', "-u", "anna", "--port", port!], { ...CLIENT, env });
    assertEquals(await publishing.ended(), 0, publishing.errors);

    const page = await fetch(http!);
    assertStringIncludes(await page.text(), "<html");
    const metrics = await fetch(`${http}metrics`, { headers: { authorization: `Bearer ${token}` } });
    assertMatch(await metrics.text(), /^thrum_published_total 2$/m);

    server.signal("SIGTERM");
    assertEquals(await server.ended(), 0, server.errors);
    const kept = [...Deno.readDirSync(`${folder}/data`)].map(({ name }) => name);
    for (const name of ["thrum.sqlite", "audit-00000001.jsonl", "ticket-key"]) assert(kept.includes(name), name);
    assert(!/NotCapable|Requires \w+ access/.test(server.errors + server.output), server.errors);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("neither program may start others, or load what is not its own", () => {
  for (const flag of [...SERVER_PERMISSIONS, ...CLIENT_PERMISSIONS]) {
    assert(!/^-A|--allow-(?:all|run|ffi|import)/.test(flag), flag);
    // Of the environment, and of what the system tells, only what is named.
    assert(!/^--allow-(?:env|sys)$/.test(flag), flag);
  }
});
