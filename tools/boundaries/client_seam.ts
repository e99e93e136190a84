/**
 * The client library runs wherever there is a transport and a clock, in a browser too. So nothing of `client/`
 * may reach `node:` or `Deno`, not even through other rooms. Two places may: the terminal, and the file that
 * puts the machine in.
 */

import type { Imports } from "./imports.ts";
import { resolve, type Texts, type Violation } from "./house.ts";

/**
 * `connect.ts` hands sockets, clock and files of Deno to a client that knows none of them. A browser has
 * another file in its place.
 */
const EXCEPT = ["client/terminal/", "client/connect.ts"];

/** Imports of the client library that lead to the machine. `codes` are sources without comments and strings. */
export function checkClientSeam(imports: Imports, codes: Texts): Violation[] {
  const violations: Violation[] = [];
  const found = new Map<string, string | undefined>();
  for (const [path, statements] of imports) {
    if (!path.startsWith("client/") || EXCEPT.some((place) => path.startsWith(place))) continue;
    for (const { specifier, line, typesOnly } of statements) {
      const reached = typesOnly ? undefined : machineBehind(path, specifier);
      if (reached === undefined) continue;
      const hint = "take a Transport and a Clock that are handed in (client/connect.ts has those of Deno)";
      violations.push({ path, line, what: `the client library reaches ${reached}, which no browser has`, hint });
    }
  }
  return violations;

  /** What of the machine `specifier` leads to: `node:net`, or `Deno in platform/memory.ts`. */
  function machineBehind(path: string, specifier: string): string | undefined {
    if (specifier.startsWith("node:")) return specifier;
    if (!specifier.startsWith(".")) return undefined;
    const target = resolve(path, specifier);
    if (target.startsWith("platform/tcp/")) return target;
    if (found.has(target)) return found.get(target);
    // Whoever comes round again while this is looked at finds nothing new.
    found.set(target, undefined);
    const deeper = (imports.get(target) ?? []).flatMap(({ specifier, typesOnly }) =>
      typesOnly ? [] : machineBehind(target, specifier) ?? []
    );
    const own = /\bDeno\b/.test(codes.get(target) ?? "") ? `Deno in ${target}` : undefined;
    const reached = own ?? deeper[0];
    found.set(target, reached);
    return reached;
  }
}
