/** The version of the programs and of the library, as `--version` says it. `deno.json` says the same; a test keeps them equal. */
export const VERSION = "0.1.0";
