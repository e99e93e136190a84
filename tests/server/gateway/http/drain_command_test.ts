/** `thrum-server drain` and the token that it needs (docs/dashboard.md). */

import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { DEFAULT_CONFIG } from "../../../../config/config.ts";
import { layered } from "../../../../config/load.ts";
import { type DrainEnd, drainServer } from "../../../../server/gateway/http/drain_command.ts";
import { findHttpToken } from "../../../../server/gateway/http_token.ts";
import { keepSecret } from "../../../../server/gateway/kept_secret.ts";
import type { HttpAnswer, HttpQuestion } from "../../../../platform/http/http_client.ts";
import { FileError } from "../../../../platform/files/text_file.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { type Program, startServer } from "../../../support/program.ts";
import { TOKEN } from "./_world.ts";

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function progress(total: number, left: number): HttpAnswer {
  return { status: 200, text: JSON.stringify({ from: "s", servers: { s: { draining: { total, left } } } }) };
}

/** Drains a server that answers like this, one after the other; an error is none. */
async function drain(
  ...answers: (HttpAnswer | Error)[]
): Promise<{ end: DrainEnd; told: string[]; asked: HttpQuestion[] }> {
  const clock = new FakeClock();
  const told: string[] = [];
  const asked: HttpQuestion[] = [];
  let ended: DrainEnd | undefined;
  const ask = (question: HttpQuestion) => {
    asked.push(question);
    const answer = answers[asked.length - 1]!;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const at = { host: "::1", port: 8080 };
  const draining = drainServer({ at, token: TOKEN, clock, ask, tell: (line) => told.push(line) })
    .then((end) => ended = end);
  while (ended === undefined) await clock.run(500);
  return { end: await draining, told, asked };
}

Deno.test("drain ends when the server that was asked is gone, also where another one is there at once", async () => {
  const run = (startedAt: number, draining: unknown): HttpAnswer => ({
    status: 200,
    text: JSON.stringify({ from: "s", servers: { s: { startedAt, draining } } }),
  });
  const again = await drain(TAKEN, run(1, null), run(1, { total: 2, left: 1 }), run(2, null));
  assertEquals(again.end, { kind: "stopped" });
  assertEquals(again.told.at(-1), "[::1]:8080 has stopped");
  // One that has another token, such as one with --ephemeral.
  const refused = { status: 401, text: '{"error":"no"}' };
  const other = await drain(TAKEN, run(1, { total: 2, left: 1 }), refused, refused, refused);
  assertEquals(other.end.kind, "unreachable");
});

const TAKEN = { status: 202, text: "{}" };

Deno.test("drain says how far the server is, each time that it is farther, and ends when it has stopped", async () => {
  const { end, told, asked } = await drain(
    ...[TAKEN, progress(3, 3), progress(3, 1), progress(3, 1), { status: 200, text: '{"from' }, progress(3, 0)],
    failure("ECONNREFUSED"),
  );
  assertEquals(end, { kind: "stopped" });
  assertEquals(told, [
    "[::1]:8080 drains",
    "3 of 3 clients left",
    "1 of 3 clients left",
    "all 3 clients are handed over",
    "[::1]:8080 has stopped",
  ]);
  const single = await drain(TAKEN, progress(1, 1), progress(1, 0), failure("ECONNREFUSED"));
  assertEquals(single.told.slice(1, -1), ["1 of 1 client left", "1 client is handed over"]);
  const [first, second] = asked;
  assertEquals([first!.method, first!.path, first!.body], ["POST", "/api/drain", "{}"]);
  assertEquals([second!.method, second!.path], ["GET", "/api/network"]);
  for (const { headers } of asked) {
    assertEquals(headers, { host: "[::1]:8080", authorization: `Bearer ${TOKEN}` });
  }
});

Deno.test("drain says in a sentence why nothing came of it", async () => {
  const sentence = async (...answers: (HttpAnswer | Error)[]) => {
    const { end } = await drain(...answers);
    return end.kind === "stopped" ? "" : `${end.kind}: ${end.sentence}`;
  };
  assertEquals(
    await sentence(failure("ECONNREFUSED")),
    "unreachable: No server answers at [::1]:8080: nothing listens there",
  );
  assertEquals(
    await sentence({ status: 401, text: '{"error":"this is not the token"}' }),
    "refused: The server at [::1]:8080 refuses: this is not the token",
  );
  assertEquals(await sentence({ status: 429, text: "" }), "refused: The server at [::1]:8080 refuses: status 429");
  assertStringIncludes(
    await sentence({ status: 404, text: "<html>" }),
    "The program at [::1]:8080 is no HTTP gateway of a thrum server",
  );
  const silent = failure("ETIMEDOUT");
  assertStringIncludes(
    await sentence(TAKEN, silent, silent, silent),
    "no longer answers, and its gateway is still open",
  );
  // One that is merely busy is waited for.
  assertEquals(
    (await drain(TAKEN, silent, silent, progress(1, 0), silent, silent, failure("ECONNRESET"))).end.kind,
    "stopped",
  );
});

Deno.test("the token is given, or made once and kept for its owner alone", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-token-" });
  try {
    const config = layered(DEFAULT_CONFIG, { store: { data: folder } });
    const made = await findHttpToken(config);
    assertEquals([made.from, made.file], ["made", `${folder}/http-token`]);
    assertMatch(made.secret, /^[0-9a-f]{32}$/);
    assertEquals([...Deno.readDirSync(folder)], []);
    await keepSecret(made);
    if (Deno.build.os !== "windows") assertEquals(Deno.statSync(`${folder}/http-token`).mode! & 0o777, 0o600);
    assertEquals(await findHttpToken(config), { ...made, from: "kept" });
    const given = layered(config, { gateway: { http: { token: TOKEN } } });
    assertEquals((await findHttpToken(given)).secret, TOKEN);
    await Deno.writeTextFile(`${folder}/http-token`, "too short\n");
    const error = await assertRejects(() => findHttpToken(config), FileError, "holds no token");
    assertEquals(error.message.includes("too short"), false);
    const inMemory = layered(config, { store: { ephemeral: true } });
    assertEquals([(await findHttpToken(inMemory)).from, (await findHttpToken(inMemory)).file], ["made", undefined]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the program: a server with a dashboard, a wrong token, and a drain", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-drain-" });
  try {
    const flags = ["--no-prompt", "--port", "0", "--data", `${folder}/data`];
    await using server = startServer([...flags, "--http", "0"], { cwd: folder });
    const [, port] = await server.sees(/dashboard +http:\/\/127\.0\.0\.1:(\d+)\/\n/);
    await server.sees(/token +in .*\/data\/http-token\n/);
    assertEquals(server.output.includes((await Deno.readTextFile(`${folder}/data/http-token`)).trim()), false);
    const drains = (...args: string[]) => startServer(["drain", ...args], { cwd: folder });
    const ended = async (program: Program) => [await program.ended(), program.errors || program.output];

    await using nowhere = drains("--data", `${folder}/data`);
    assertEquals((await ended(nowhere))[0], 1);
    assertStringIncludes(nowhere.errors, "drain needs the address of the server's HTTP gateway: --http");
    await using tokenless = drains("--http", port!);
    assertEquals((await ended(tokenless))[0], 1);
    assertStringIncludes(tokenless.errors, "THRUM_HTTP_TOKEN");
    await using wrong = startServer(["drain", "--http", port!], { cwd: folder, env: { THRUM_HTTP_TOKEN: TOKEN } });
    assertEquals(await ended(wrong), [
      3,
      `thrum-server: The server at 127.0.0.1:${port} refuses: this is not the token of this server\n`,
    ]);
    await using right = drains("--http", port!, "--data", `${folder}/data`);
    assertEquals(await ended(right), [0, `127.0.0.1:${port} drains\n127.0.0.1:${port} has stopped\n`]);
    assertEquals(await server.ended(), 0);
    await using late = drains("--http", port!, "--data", `${folder}/data`);
    assertEquals((await ended(late))[0], 2);
    assertStringIncludes(late.errors, "nothing listens there");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the program: an address that cannot be had, and a token that cannot be one", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  await using server = startServer(["--no-prompt", "--port", "0", "--ephemeral", "--http", String(port)]);
  assertEquals(await server.ended(), 2);
  assertStringIncludes(
    server.errors,
    `Cannot listen for the HTTP gateway on 127.0.0.1:${port}: another program listens there already\n`,
  );
  await using short = startServer(["--no-prompt", "--ephemeral", "--http", "0"], {
    env: { THRUM_HTTP_TOKEN: "hunter2" },
  });
  assertEquals(await short.ended(), 1);
  assertMatch(short.errors, /THRUM_HTTP_TOKEN must be 16 to 256/);
  assertEquals(short.errors.includes("hunter2"), false);
});
