/** What `deno task` does before it runs anything, and that it runs nothing without the hashes of what it loads. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CLIENT_PERMISSIONS, fromSources, SERVER_PERMISSIONS } from "../../tools/permissions.ts";

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

Deno.test("the gate takes no lock that is not as it was committed", () => {
  for (const { name, command } of commands.filter(({ name }) => name === "test" || name === "check")) {
    if (/\bdeno (?:test|check) /.test(command)) assertStringIncludes(command, " --lock=deno.lock --frozen ", name);
  }
});

Deno.test("no task that a user runs may do everything, and the programs start no others", () => {
  const used = ["server", "client", "demo", "cluster", "compile", "diagram", "why", "participant"];
  for (const name of used) {
    const command = commandOf(name);
    assert(!/ (?:-A|--allow-all|--allow-ffi)\b/.test(command), `${name}: ${command}`);
  }
  for (const name of ["server", "client"]) assert(!/--allow-(?:run|ffi|import)/.test(commandOf(name)), name);
});

Deno.test("the tasks give both programs what the compiled ones have, and no more", () => {
  const flags = (name: string) =>
    [...commandOf(name).matchAll(/'?(--(?:allow-\w+|no-prompt)(?:=[^ ']+)?)'? /g)].map(([, flag]) => flag);
  assertEquals(flags("server"), [...fromSources(SERVER_PERMISSIONS)]);
  assertEquals(flags("client"), [...fromSources(CLIENT_PERMISSIONS)]);
});

/** The command of a task. */
function commandOf(name: string): string {
  return (tasks as Record<string, { command: string }>)[name]!.command;
}

Deno.test("the demo says what is to come before Deno looks at what its steps need", async () => {
  const demo = await Deno.readTextFile(new URL("tools/demo.ts", root));
  const loaded = [...demo.matchAll(/^import .* from "([^"]+)";$/gm)].map(([, path]) => path);
  assertEquals(loaded, ["../platform/terminal.ts"]);
  const terminal = await Deno.readTextFile(new URL("platform/terminal.ts", root));
  assert(!/^import .* from "[^.n]/m.test(terminal), "it loads a package");
  assert(!/import\("/.test(demo), "Deno loads what a literal names");
  assert(demo.indexOf("console.log(") < demo.indexOf("await import("));
});

Deno.test("nothing that Deno follows leads from a server to what makes certificates, and a compiled one has it", async () => {
  const read = (path: string) => Deno.readTextFile(new URL(path, root));
  const makes = "server/gateway/tls/tls_init.ts";
  assert((await read("platform/tls/authority.ts")).includes('from "@peculiar/x509"'));
  const shipped = ["init_command.ts", "init_text.ts", "load_init.ts"].map((name) => `server/gateway/tls/${name}`);
  for (const path of ["server.ts", ...shipped]) {
    const followed = [...(await read(path)).matchAll(/(?<!typeof )(?:import\(|from )"([^"]+)"/g)];
    const values = followed.filter(({ input, index }) => !/^import type .*$/m.test(lineAt(input, index)));
    assert(!values.some(([, name]) => name!.endsWith("/tls_init.ts") || name!.endsWith("/authority.ts")), path);
  }
  assert((await read("tools/compile.ts")).includes(`"${makes}"`));
});

/** The line of `text` in which the character at `index` is. */
function lineAt(text: string, index: number): string {
  return text.slice(text.lastIndexOf("\n", index) + 1).split("\n")[0]!;
}
