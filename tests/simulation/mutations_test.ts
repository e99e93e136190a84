import { assertEquals } from "@std/assert";
import { MUTATIONS } from "./mutations.ts";

Deno.test("what is broken on purpose stands in the sources exactly once", () => {
  for (const { name, path, text } of MUTATIONS) {
    const source = Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url));
    assertEquals(source.split(text).length - 1, 1, name);
  }
});
