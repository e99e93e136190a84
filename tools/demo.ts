/**
 * `deno task demo`. Says what is to come before Deno downloads, the first time, what the steps need: `demo_steps.ts`.
 */

import { styleFor } from "../platform/terminal.ts";

/** Not a literal: Deno would load it with this file. */
const STEPS = "./demo_steps.ts";

const { bold } = styleFor("stdout");
console.log(
  `\n${
    bold("thrum")
  } in a few seconds: first a server and three clients, then two servers more, each a process of its own\n`,
);
await import(STEPS);
