/** What `docs/architecture.md` quotes of the code stands there in the same words. */

import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);

Deno.test("docs/architecture.md quotes the steps after a commit, in their order", () => {
  const steps = [...read("server/node/after_commit.ts").matchAll(/^ *\/\/ (\d+\. .*)$/gm)].map(([, step]) => step!);
  assertEquals(steps.map((step) => parseInt(step)), steps.map((_, index) => index + 1));
  const section = read("docs/architecture.md").split("**What follows a commit**")[1]!.split(/^\*\*|^## /m)[0]!;
  const quoted = [...section.matchAll(/^(\d+\. .*)$/gm)].map(([, step]) => step!);
  assertEquals(quoted, steps);
  assert(steps.length >= 5, "there are such steps");
});

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, root));
}
