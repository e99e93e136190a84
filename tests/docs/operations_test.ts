/** docs/operations.md has every exit code of the two programs, and no other. */

import { assertEquals } from "@std/assert";
import { EXIT_CODE } from "../../config/exit_code.ts";

Deno.test("docs/operations.md has a row for every exit code", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/operations.md", import.meta.url));
  const codes = [...text.matchAll(/^\| (\d+) \| [^|]+ \| [^|]+ \|$/gm)].map(([, code]) => Number(code));
  assertEquals(codes, Object.values<number>(EXIT_CODE).toSorted((a, b) => a - b));
});
