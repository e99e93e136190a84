/**
 * What links a server with others is behind one interface (`server/backplane/backplane.ts`). An engine and its files
 * are known to the one file that chooses it, and to nobody else: so another one can take its place.
 */

import type { Imports } from "./imports.ts";
import { needless, resolve, type Violation } from "./house.ts";

/** Files of engines, by how their paths begin, and who else may import them. */
export const ENGINES: Readonly<Record<string, readonly string[]>> = {
  // The second asks the servers of a network what they have before there is a server.
  "server/mesh/": ["server/node/engines.ts", "server/gateway/recover_folder.ts"],
  "server/backplane/alone.ts": ["server/node/engines.ts"],
};

/** Imports that lead into an engine of `engines` from somewhere else, and leave that nobody needs. */
export function* checkEngines(imports: Imports, engines = ENGINES): Generator<Violation> {
  for (const [engine, mayImport] of Object.entries(engines)) {
    const users = new Set<string>();
    for (const [path, statements] of imports) {
      if (path.startsWith(engine)) continue;
      for (const { specifier, line } of statements) {
        if (!specifier.startsWith(".") || !resolve(path, specifier).startsWith(engine)) continue;
        users.add(path);
        if (mayImport.includes(path)) continue;
        const hint = "hold a Backplane (server/backplane/backplane.ts), or move what both need to a floor below";
        yield { path, line, what: `imports ${resolve(path, specifier)}, a file of an engine`, hint };
      }
    }
    for (const path of mayImport) {
      if (!users.has(path)) yield needless(path, "ENGINES", `may import ${engine} and does not`);
    }
  }
}
