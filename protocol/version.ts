/** The version of the programs and of the library, as `--version` says it. A test keeps `deno.json` equal. Pure. */
export const VERSION = "0.1.0";
