/** docs/configuration.md and the code say the same: every key, its default, and what is allowed. */

import { assert, assertEquals } from "@std/assert";
import { DEFAULT_CONFIG } from "../../config/config.ts";
import { ConfigError, parseConfig } from "../../config/load.ts";

const rows = Deno.readTextFileSync(new URL("../../docs/configuration.md", import.meta.url))
  .matchAll(/^\| `(\w+)\.(\w+)` \| `(.*)` \| (.*) \|$/gm);
const documented = [...rows].map(([, section, key, value, allowed]) => ({ section, key, value, allowed }));

Deno.test("docs/configuration.md has every key with its default, in the order of the code", () => {
  const keys = Object.entries(DEFAULT_CONFIG).flatMap(([section, values]) =>
    Object.entries(values).map(([key, value]) => ({ section, key, value: JSON.stringify(value) }))
  );
  assertEquals(documented.map(({ section, key, value }) => ({ section, key, value })), keys);
});

Deno.test("docs/configuration.md says what is allowed in the words of a refusal", () => {
  for (const { section, key, allowed } of documented) {
    // No key is allowed to be an object.
    const message = refusal(`{"${section}": {"${key}": {}}}`);
    const words = /must be (.*?)(?:, not an object)?$/.exec(message)?.[1];
    assertEquals(allowed!.replaceAll("`", ""), words, `${section}.${key}`);
  }
});

function refusal(text: string): string {
  try {
    parseConfig(text, "my.json");
  } catch (error) {
    assert(error instanceof ConfigError, String(error));
    return error.message;
  }
  throw new Error(`${text} was taken`);
}
