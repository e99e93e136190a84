/**
 * The dependencies' hashes, for programs that tools, tests and measurements start with this Deno. `deno.json` names no
 * lock file: `deno task` would download everything in the lock before it runs anything. So each command names it.
 */

/** The option of `deno run`, `deno test` and so on. */
export const LOCKED: string = `--lock=${new URL("../deno.lock", import.meta.url).pathname}`;
