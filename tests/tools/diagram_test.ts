/** The programs behind `deno task diagram` and `deno task why`, on files, and on a server that runs. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { liveNetwork } from "../diagram/_live_network.ts";
import { LOCKED } from "../../tools/locked.ts";

Deno.test("diagram draws files in every format, with the files that these went on from, and says what is wrong", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-diagram-" });
  try {
    const lines = Deno.readTextFileSync(SAMPLE).trimEnd().split("\n");
    const trace = `${folder}/trace.jsonl`;
    await Deno.writeTextFile(`${trace}.1`, lines.slice(0, 20).join("\n") + "\n");
    await Deno.writeTextFile(trace, [...lines.slice(20), '{"at":1,"lam'].join("\n"));
    const begins = { svg: "<svg ", text: "  ", json: "{", mermaid: "sequenceDiagram", shiviz: "(?<host>" };
    for (const [format, begin] of Object.entries(begins)) {
      const { code, out, err } = await run("diagram", "--format", format, trace);
      assertEquals([code, out.slice(0, begin.length), err], [0, begin, `${trace}: 1 lines are no events\n`]);
      const whole = await run("diagram", "--format", format, SAMPLE);
      assertEquals(out, whole.out);
    }
    const part = await run("diagram", "--format", "text", "--from", "9", "--to", "10", SAMPLE);
    assertStringIncludes(part.out, "publish s-aaaa:4");
    const second = await run("diagram", "--format", "json", "--from", "00:00:02", "--to", "00:00:02", SAMPLE);
    const times = JSON.parse(second.out).events.map(({ at }: { at: number }) => at);
    assertEquals([Math.min(...times), Math.max(...times), times.length], [2_000, 2_003, 10]);
    const mixed = await run("diagram", "--format", "json", "--from", "14", "--to", "1970-01-01T00:00:05Z", SAMPLE);
    assertEquals(JSON.parse(mixed.out).events.map(({ lamport }: { lamport: number }) => lamport), [14, 14, 14]);
    const whole = await run("diagram", "--format", "text", "--around", "s-aaaa11:4", SAMPLE);
    const short = await run("diagram", "--format", "text", "--around", "s-aaaa:4", SAMPLE);
    assertEquals([short.code, short.out], [0, whole.out]);
    assertStringIncludes((await run("diagram", "--format", "text", "--only", "s-bb", SAMPLE)).out, "s-bbbb");
    await Deno.writeTextFile(`${folder}/empty`, "");
    for (
      const [args, sentence] of [
        [["--around", "s-aaaa:99", SAMPLE], "Nothing in these traces is about s-aaaa11:99.\n"],
        [["--only", "nobody", SAMPLE], "Nothing in these traces is about nobody.\n"],
        [["--from", "9000", SAMPLE], "Nothing in these traces is within that time.\n"],
        [["--only", "s-", SAMPLE], '"s-" is the beginning of several: s-aaaa11, s-bbbb22. Type more of it.\n'],
        [[`${folder}/empty`], "There are no events in these traces.\n"],
      ] as const
    ) {
      const { code, out, err } = await run("diagram", ...args);
      assertEquals([code, out, err], [1, "", sentence]);
    }
    const wrong = await run("diagram", "--from", "25:61", SAMPLE);
    assertEquals([wrong.code, wrong.err.startsWith('"25:61" is no moment: it has to be a Lamport time')], [1, true]);
    for (
      const args of [[], ["--format", "png", SAMPLE], ["--form", SAMPLE], ["--from", "x", SAMPLE], [`${folder}/none`]]
    ) {
      const { code, out, err } = await run("diagram", ...args);
      assertEquals([code, out], [1, ""]);
      assert(err.length > 0);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("why answers for a user or an activity, and wants one of them", async () => {
  assertStringIncludes((await run("why", "--user", "bob", SAMPLE)).out, "HEARTBEAT_TIMEOUT");
  assertStringIncludes((await run("why", "--id", "k3f2abcdef-1", SAMPLE)).out, "2 of 2 clients");
  const short = await run("why", "--id", "s-aa:4", SAMPLE);
  assertEquals([short.code, short.out], [0, (await run("why", "--id", "s-aaaa11:4", SAMPLE)).out]);
  for (
    const [args, sentence] of [
      [["--id", "s-:4"], '"s-" is the beginning of several: s-aaaa11, s-bbbb22. Type more of it.\n'],
      [["--id", "s-aaaa11:99"], "Nothing in these traces is about s-aaaa11:99.\n"],
      [["--user", "nobody"], "Nothing in these traces is about a connection of nobody.\n"],
    ] as const
  ) {
    const { code, out, err } = await run("why", ...args, SAMPLE);
    assertEquals([code, out, err], [1, "", sentence]);
  }
  assertEquals((await run("why", SAMPLE)).code, 1);
  assertEquals((await run("why", "--user", "a", "--id", "b", SAMPLE)).code, 1);
  assertEquals((await run("why", "--user", "a", "--server", "http://127.0.0.1:1", SAMPLE)).code, 1);
});

Deno.test("why asks a server that runs, with its token where there is one", async () => {
  const asked: string[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    asked.push(`${new URL(request.url).pathname} ${request.headers.get("authorization")}`);
    return request.headers.get("authorization") === "Bearer the right token"
      ? new Response(JSON.stringify(liveNetwork(), (_key, value) => value ?? undefined))
      : Response.json({ error: "the token is needed" }, { status: 401 });
  });
  const where = `127.0.0.1:${server.addr.port}`;
  const token = { THRUM_HTTP_TOKEN: "the right token" };
  const user = await runWith(token, "why", "--user", "eve", "--server", `http://${where}/`);
  assertEquals([user.code, user.err], [0, ""]);
  assertStringIncludes(user.out, "127.0.0.1:8000 closed the connection of eve (10.0.0.7:5001) at 00:00:40.000");
  assertStringIncludes(user.out, "eve is connected to 127.0.0.1:8001");
  assertStringIncludes((await runWith(token, "why", "--id", "s-a:7", "--server", where)).out, "1 of 3 servers has it");
  assertStringIncludes(
    (await runWith(token, "why", "--id", "s-:7", "--server", where)).err,
    "is the beginning of several: s-a, s-b, s-c. Type",
  );
  const nothing = await runWith(token, "why", "--user", "nobody", "--server", where);
  assertEquals([nothing.code, nothing.out], [1, ""]);
  assertStringIncludes(nothing.err, "Nobody called nobody is registered or connected.");
  const none = await run("why", "--user", "eve", "--server", where);
  assertEquals([none.code, none.out], [1, ""]);
  assertStringIncludes(none.err, "wants its token: set THRUM_HTTP_TOKEN");
  const wrong = await runWith({ THRUM_HTTP_TOKEN: "another token" }, "why", "--user", "eve", "--server", where);
  assertStringIncludes(wrong.err, "does not take the token in THRUM_HTTP_TOKEN");
  assertEquals(new Set(asked.map((one) => one.split(" ")[0])), new Set(["/api/network"]));
});

Deno.test("why says what is wrong with a server that says nothing, or something else", async () => {
  const answers: Response[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => answers.shift()!);
  const where = `http://127.0.0.1:${server.addr.port}`;
  const told: string[] = [];
  for (
    const answer of [
      Response.json({ hello: 1 }),
      new Response("<html>"),
      Response.json({ error: "the server is stopping" }, { status: 503 }),
      new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/" } }),
    ]
  ) {
    answers.push(answer);
    const { code, out, err } = await run("why", "--user", "eve", "--server", where);
    assertEquals([code, out], [1, ""]);
    told.push(err);
  }
  assertStringIncludes(told[0]!, "answers with something else than a network");
  assertStringIncludes(told[1]!, "answers with something else than a network");
  assertStringIncludes(told[2]!, "answers with status 503: the server is stopping");
  assertStringIncludes(told[3]!, "answers with status 302");
  const nobody = await run("why", "--user", "eve", "--server", "http://127.0.0.1:1");
  assertStringIncludes(nobody.err, "Cannot ask http://127.0.0.1:1: ");
  assertStringIncludes((await run("why", "--user", "eve", "--server", "http://")).err, "is no address of a server");
});

const SAMPLE = new URL("../diagram/sample.jsonl", import.meta.url).pathname;

function run(tool: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return runWith({}, tool, ...args);
}

async function runWith(
  env: Record<string, string>,
  tool: string,
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  const program = new URL(`../../tools/${tool}.ts`, import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", LOCKED, "-R", "-N=127.0.0.1", "--allow-env=THRUM_HTTP_TOKEN", "--no-check", program, ...args],
    // The same time zone everywhere, and no token but the one that is given.
    env: { NO_COLOR: "1", TZ: "UTC", THRUM_HTTP_TOKEN: "", ...env },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out: out!, err: err! };
}
