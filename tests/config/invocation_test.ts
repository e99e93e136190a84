/** How a program says that it is started again. */

import { assertEquals } from "@std/assert";
import { type Invocation, invocationText } from "../../config/invocation.ts";
import { shellWord } from "../../config/shell_word.ts";

const SOURCE: Invocation = {
  isCompiled: false,
  executable: "/usr/local/bin/deno",
  denoVersion: "2.9.6",
  mainModule: "file:///home/ada/thrum/server.ts",
  folder: "/home/ada/thrum",
  isTask: false,
};

Deno.test("invocationText() is what a person types in the same folder", () => {
  const told = (changes: Partial<Invocation>) => invocationText({ ...SOURCE, ...changes }, "server");
  assertEquals(told({}), "deno run -A server.ts");
  assertEquals(told({ isTask: true }), "deno task server");
  const npm = "/home/ada/.npm/_npx/7a4/node_modules/@deno/linux-x64-glibc/deno";
  assertEquals(told({ isTask: true, executable: npm }), "npx -y deno@2.9.6 task server");
  // A task of another project may start it, too.
  assertEquals(told({ isTask: true, folder: "/tmp" }), "deno run -A /home/ada/thrum/server.ts");
  assertEquals(
    told({ folder: "/tmp", mainModule: "file:///home/ada/it's%20here/server.ts" }),
    `deno run -A '/home/ada/it'\\''s here/server.ts'`,
  );
  assertEquals(told({ mainModule: "https://a.example/server.ts" }), "deno run -A https://a.example/server.ts");
});

Deno.test("invocationText() names a compiled program so that a shell finds it", () => {
  const compiled = (executable: string) => invocationText({ ...SOURCE, isCompiled: true, executable }, "server");
  assertEquals(compiled("/usr/local/bin/thrum-server"), "thrum-server");
  assertEquals(compiled("/home/ada/thrum/dist/thrum-server"), "./dist/thrum-server");
  assertEquals(compiled("/opt/thrum/thrum-server"), "/opt/thrum/thrum-server");
});

Deno.test("shellWord() leaves a plain word, and quotes any other", () => {
  assertEquals(["a/b-1.2:3", "a b", "it's", "$HOME", ""].map(shellWord), [
    "a/b-1.2:3",
    "'a b'",
    `'it'\\''s'`,
    "'$HOME'",
    "''",
  ]);
});
