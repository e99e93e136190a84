/**
 * Who may import whom: rooms only rooms on floors below, and no two files each other in a circle. What a file still
 * takes from above stands in `DEBTS`, with the reason why the list may only get shorter: an entry that no import
 * needs is a fault, too.
 */

import type { ImportStatement } from "../source_text.ts";
import { floorOf, needless, NOT_SHIPPED, resolve, roomOf, type Violation } from "./house.ts";

/** What each file imports, by path. */
export type Imports = ReadonlyMap<string, readonly ImportStatement[]>;

/** Files that take something which they should not, with where they take it from. */
export type Debts = Readonly<Record<string, string>>;

/** Types that a file still takes from a floor above, with where it takes them from. Only ever shorter. */
export const DEBTS: Debts = {};

/** Imports of `path` that lead to a place where it may not go. */
export function* checkFloors(
  path: string,
  statements: readonly ImportStatement[],
  debts: Debts = DEBTS,
): Generator<Violation> {
  if (floorOf(path) < 0) {
    const hint = "give its room a place in FLOORS (tools/boundaries/house.ts)";
    yield { path, line: 1, what: `"${roomOf(path)}" is no room of the house`, hint };
    return;
  }
  const room = roomOf(path);
  for (const { specifier, line, typesOnly } of statements) {
    if (!specifier.startsWith(".")) continue;
    const target = resolve(path, specifier);
    const targetRoom = roomOf(target);
    if (NOT_SHIPPED.includes(targetRoom)) {
      const hint = "move what is needed into a room of the house";
      yield { path, line, what: `shipped code imports ${target}`, hint };
    } else if (room !== targetRoom && floorOf(target) >= floorOf(path) && !(typesOnly && debts[path] === target)) {
      const hint = `move what both need to a floor below, or hand it in through an interface of ${room}`;
      yield { path, line, what: `${room} imports ${target}, which is not on a floor below`, hint };
    }
  }
}

/**
 * Entries of `debts`, called `list`, that no import needs. `check` finds what is wrong with a file that has no debts.
 */
export function* needlessDebts(
  debts: Debts,
  list: string,
  check: (path: string) => Iterable<Violation>,
): Generator<Violation> {
  for (const [path, target] of Object.entries(debts)) {
    const isNeeded = [...check(path)].some(({ what }) => what.includes(` imports ${target}, `));
    if (!isNeeded) yield needless(path, list, `may import ${target} or does not`);
  }
}

/** Each circle of imports once, reported at the import that closes it. */
export function findCircles(imports: Imports): Violation[] {
  const violations: Violation[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  for (const path of imports.keys()) visit(path);
  return violations;

  function visit(path: string): void {
    if (done.has(path)) return;
    trail.push(path);
    for (const { specifier, line } of imports.get(path) ?? []) {
      if (!specifier.startsWith(".")) continue;
      const target = resolve(path, specifier);
      const begin = trail.indexOf(target);
      if (begin < 0) visit(target);
      else {
        const circle = [...trail.slice(begin), target].join(" → ");
        violations.push({ path, line, what: `circle: ${circle}`, hint: "move what both need into a file of its own" });
      }
    }
    trail.pop();
    done.add(path);
  }
}
