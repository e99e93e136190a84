/** What `deno task` does before it runs anything, and that it runs nothing without the hashes of what it loads. */

import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);
const { tasks, imports, importMap, lock, unstable } = JSON.parse(
  await Deno.readTextFile(new URL("deno.json", root)),
);
const commands = Object.entries(tasks as Record<string, { command: string }>).flatMap(([name, { command }]) =>
  command.split("&&").map((part) => ({ name, command: part.trim() }))
);

Deno.test("deno task has nothing to download before the first program runs", () => {
  assertEquals({ imports, importMap, lock, unstable }, {
    imports: undefined,
    importMap: "./imports.json",
    lock: false,
    unstable: ["npm-lazy-caching"],
  });
});

Deno.test("every command of a task that loads modules names the lock", () => {
  const loading = commands.filter(({ command }) => /\bdeno (?:run|test|check|doc|compile|bench|eval)\b/.test(command));
  assert(loading.length >= 15, `${loading.length}`);
  for (const { name, command } of loading) {
    assert(/\bdeno (?:run|test|check|doc) --lock=deno\.lock /.test(command), `${name}: ${command}`);
  }
});

Deno.test("the demo says what is to come before Deno looks at what its steps need", async () => {
  const demo = await Deno.readTextFile(new URL("tools/demo.ts", root));
  const loaded = [...demo.matchAll(/^import .* from "([^"]+)";$/gm)].map(([, path]) => path);
  assertEquals(loaded, ["../platform/terminal.ts"]);
  const terminal = await Deno.readTextFile(new URL("platform/terminal.ts", root));
  assert(!/^import .* from "[^.n]/m.test(terminal), "it loads a package");
  assert(!/import\("/.test(demo), "Deno loads what a literal names");
  assert(demo.indexOf("console.log(") < demo.indexOf("await import("));
});
