/** Ordinary mistakes of people who start the client: each is one sentence that says what to do, and no fault of it. */

import { assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { clientCommand, type Program, startClient, startServer } from "../support/program.ts";

/** What a device that is always full looks like; Linux has one. */
const FULL = "/dev/full";
const NO_FULL_DISK = Deno.build.os === "linux" ? undefined : `there is no ${FULL}`;
if (NO_FULL_DISK !== undefined) console.log(`SKIPPED a full disk behind standard output: ${NO_FULL_DISK}`);

async function serving(): Promise<{ server: Program; port: string }> {
  const server = startServer(["--no-prompt", "--port", "0", "--ephemeral"]);
  const [, port] = await server.sees(/listening on 127\.0\.0\.1:(\d+)/);
  return { server, port: port! };
}

/** Runs a client in a shell, as `script` says, where `"$@"` is the client. */
async function shell(script: string): Promise<{ code: number; output: string; errors: string }> {
  const command = new Deno.Command("bash", {
    args: ["-c", script, "bash", ...clientCommand()],
    env: { NO_COLOR: "1", THRUM_SECRET: "" },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, output: decoder.decode(stdout), errors: decoder.decode(stderr) };
}

Deno.test({
  name: "a full disk behind standard output is exit code 5, for whatever writes there",
  ignore: NO_FULL_DISK !== undefined,
  async fn() {
    const { server, port } = await serving();
    await using _server = server;
    const full = "thrum-client: Cannot write standard output: the disk is full\n";
    for (
      const args of ["--help", "-V", "completion bash", `publish {} --port ${port}`]
    ) {
      const { code, errors } = await shell(`"$@" ${args.replace("{}", "'{}'")} > ${FULL}`);
      assertEquals({ code, errors }, { code: 5, errors: full }, args);
    }
    const exchange = await shell(`"$@" exchange --interval 0.05 --port ${port} > ${FULL}`);
    assertEquals(exchange.code, 5);
    assertStringIncludes(exchange.errors, full);
    // The only copy of a new secret must not be lost with it.
    const register = await shell(`"$@" register -u ada --port ${port} > ${FULL}`);
    assertEquals(register.code, 5);
    assertMatch(register.errors, /^\w{4}(-\w{4}){4}$/m);
    assertEquals((await shell(`"$@" users --port ${port} > ${FULL}`)).code, 5);
  },
});

Deno.test("standard input that cannot be published says why, with exit code 1", async () => {
  const { server, port } = await serving();
  await using _server = server;
  for (
    const [input, why] of [
      ["< /", "Cannot read standard input: it is a folder"],
      [
        `< <(printf '\\xef\\xbb\\xbf{}\\n')`,
        "Line 1 of standard input: it begins with a byte order mark; save it as UTF-8",
      ],
      [`< <(printf '\\xff\\xfe{\\0}\\0\\n\\0')`, "byte order mark; it is UTF-16"],
      [`< <(printf '{}\\n\\xff\\n')`, "Line 2 of standard input: the line is not valid UTF-8"],
    ] as const
  ) {
    const { code, errors } = await shell(`"$@" publish --port ${port} ${input}`);
    assertStringIncludes(errors, why);
    assertNotMatch(errors, /Fault in the program/);
    assertEquals(code, 1, why);
  }
});

Deno.test("files that are none, or not what they should be, are named", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-mistakes-" });
  try {
    for (
      const [args, why] of [
        [`--config ${folder}`, "it is a folder"],
        [`--config ${folder}/none`, "there is no such file"],
        [`--trace ${folder}`, "Cannot open trace file"],
        [`--trace ${folder}/none/trace`, "there is no such file or folder"],
      ] as const
    ) {
      const { code, errors } = await shell(`"$@" users --port 1 ${args}`);
      assertStringIncludes(errors, why);
      assertEquals([code, errors.split("\n").length], [1, 2], errors);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("publish --skip-invalid tells each line that it leaves out; --text takes any line", async () => {
  const { server, port } = await serving();
  await using _server = server;
  await using listener = startClient(["listen", "--port", port, "--format", "{activity}", "--count", "4"]);
  await listener.tells(/connected/);
  const skipping = await shell(
    `printf '{"n":1}\\n\\xff\\n{broken\\n{"n":"%070000d"}\\n\\n{"n":2}' 0 | "$@" publish --skip-invalid --port ${port}`,
  );
  assertEquals([skipping.code, skipping.output.trimEnd().split("\n").length], [0, 2]);
  const told = skipping.errors.trimEnd().split("\n");
  assertEquals(told.map((line) => line.slice(0, 7)), ["Line 2 ", "Line 3 ", "Line 4 ", "3 lines"]);
  const { code } = await shell(`printf 'say "hi"\\r\\n{}\\n' | "$@" publish --text --port ${port}`);
  assertEquals(code, 0);
  assertEquals(await listener.ended(), 0);
  assertEquals(listener.output, '{"n":1}\n{"n":2}\n{"text":"say \\"hi\\""}\n{"text":"{}"}\n');
});

Deno.test("listen that waits longer than it may ends with exit code 8, and one that waits for nothing with 0", async () => {
  const { server, port } = await serving();
  await using _server = server;
  const late = await shell(`"$@" listen --count 1 --timeout 0.2 --port ${port}`);
  assertEquals(late.code, 8);
  assertStringIncludes(late.errors, "thrum-client: Only 0 of 1 came in the given time\n");
  assertEquals((await shell(`"$@" listen --timeout 0.2 --port ${port}`)).code, 0);
  assertEquals((await shell(`"$@" listen --until-caught-up --timeout 20 --port ${port}`)).code, 0);
});
