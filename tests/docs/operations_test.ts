/** docs/operations.md and `--help` have every exit code of the two programs, and no other. */

import { assertEquals } from "@std/assert";
import { CLIENT_PROGRAM } from "../../config/client_arguments.ts";
import { SERVER_PROGRAM } from "../../config/server_arguments.ts";
import { EXIT_CODE } from "../../config/exit_code.ts";

const EVERY_CODE = Object.values<number>(EXIT_CODE).toSorted((a, b) => a - b);

async function rows(): Promise<{ code: number; server: string; client: string }[]> {
  const text = await Deno.readTextFile(new URL("../../docs/operations.md", import.meta.url));
  const found = [...text.matchAll(/^\| (\d+) \| ([^|]+) \| ([^|]+) \|$/gm)];
  return found.map(([, code, server, client]) => ({ code: Number(code), server: server!, client: client! }));
}

Deno.test("docs/operations.md has a row for every exit code", async () => {
  assertEquals((await rows()).map(({ code }) => code), EVERY_CODE);
});

Deno.test("--help of each program has the exit codes that docs/operations.md gives it, and every code has a program", async () => {
  const helped = [SERVER_PROGRAM, CLIENT_PROGRAM].map(({ exitCodes }) => exitCodes.map(([code]) => code));
  const table = await rows();
  assertEquals(helped[0], table.filter(({ server }) => server !== "–").map(({ code }) => code));
  assertEquals(helped[1], table.filter(({ client }) => client !== "–").map(({ code }) => code));
  assertEquals([...new Set(helped.flat())].toSorted((a, b) => a - b), EVERY_CODE);
});
