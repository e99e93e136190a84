import { assertEquals } from "@std/assert";
import { VERSION } from "../../protocol/version.ts";

Deno.test("deno.json and the programs have one version", () => {
  const { version } = JSON.parse(Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)));
  assertEquals(version, VERSION);
});
