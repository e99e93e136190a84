/**
 * Loads `tls_init.ts` when it is asked for. The name is none that Deno follows before: whoever only serves downloads
 * nothing of what makes certificates. A compiled program has the file inside, as `tools/compile.ts` names it.
 */

/** What `tls_init.ts` has. */
export function loadTlsInit(): Promise<typeof import("./tls_init.ts")> {
  return import(new URL("./tls_init.ts", import.meta.url).href);
}
