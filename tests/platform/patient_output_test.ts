/** Lines that nobody waits for: their order, their bound, and what is told of the rest. */

import { assertEquals } from "@std/assert";
import { PatientOutput } from "../../platform/patient_output.ts";

/** An output whose reader reads when it is told to. */
function slowOutput(maxLines: number) {
  const written: string[] = [];
  let take = Promise.withResolvers<boolean>();
  const output = new PatientOutput((text) => {
    written.push(text);
    return take.promise;
  }, { maxLines, leftOut: (count) => `… ${count} more` });
  /** The reader has taken what was written last. Resolves when the output has gone on, which takes microtasks alone. */
  const read = async (isThere: boolean) => {
    const { promise, resolve } = take;
    take = Promise.withResolvers();
    resolve(isThere);
    await promise;
    for (let ticks = 0; ticks < 10; ticks++) await Promise.resolve();
  };
  return { output, written, read };
}

Deno.test("lines are written in their order, those that wait at once", async () => {
  const { output, written, read } = slowOutput(10);
  for (const line of ["a", "b", "c"]) output.add([line]);
  assertEquals(written, ["a\n"]);
  await read(true);
  assertEquals(written, ["a\n", "b\nc\n"]);
  await read(true);
  output.add(["d"], 7);
  assertEquals(written.slice(2), ["d\n… 7 more\n"]);
  await read(true);
});

Deno.test("a reader that does not read holds a bounded number of lines, and is told of the rest", async () => {
  const { output, written, read } = slowOutput(3);
  for (let n = 0; n < 100; n++) output.add([`${n}`]);
  await read(true);
  assertEquals(written, ["0\n", "1\n2\n3\n… 96 more\n"]);
  await read(true);
});

Deno.test("a reader that is gone is written nothing more", async () => {
  const { output, written, read } = slowOutput(3);
  output.add(["a"]);
  output.add(["b"]);
  await read(false);
  output.add(["c"]);
  assertEquals(written, ["a\n"]);
});
