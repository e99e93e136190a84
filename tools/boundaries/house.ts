/**
 * The plan of the house as data: which folders are rooms, on which floor each lies, and what a fault against the plan
 * looks like. The rules beside this file read it.
 */

/** Something that is not allowed. */
export interface Violation {
  /** From the root of the project. */
  readonly path: string;
  readonly line: number;
  readonly what: string;
  /** What the right form is. */
  readonly hint: string;
}

/** Texts by path from the root of the project. */
export type Texts = ReadonlyMap<string, string>;

/** The wing with what only a server has: each folder in it is a room. */
const WING = "server";

/** Shipped code, from the ground up. A room is a folder, or a file beside them. */
const FLOORS: readonly (readonly string[])[] = [
  ["protocol", "log", "platform", "trace"],
  ["config", "view"],
  ["diagram", "heartbeat", "server/store", "server/accounts", "server/rights", "server/hub"],
  ["client", "server/audit", "server/journal", "server/presence"],
  ["server/backplane"],
  ["server/mesh", "server/legacy", "server/balance", "server/places", "server/observe"],
  ["server/session"],
  ["server/guests"],
  ["server/node"],
  ["server/gateway"],
  ["mod.ts"],
  ["server.ts", "client.ts"],
];

/** Folders with code that is not shipped: it may do what it likes. */
export const NOT_SHIPPED: readonly string[] = ["tests", "tools", "bench", "types", "docs", "dist"];

/** What browsers are given: plain files without a build step. It is shipped, and no room. */
export const PAGES = "dashboard";

/** The one room that knows the machine. */
export const MACHINE = "platform/";

/** Whether the TypeScript at `path` is part of the product. */
export function isShipped(path: string): boolean {
  return path.endsWith(".ts") && !NOT_SHIPPED.includes(roomOf(path));
}

/** The room that the file at `path` lies in. */
export function roomOf(path: string): string {
  const [first, second] = path.split("/");
  return first === WING && second !== undefined ? `${first}/${second}` : first!;
}

/** How high the room of `path` lies; -1 when it is no room. */
export function floorOf(path: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(roomOf(path)));
}

/** The path from the root of the project that `specifier` means in the file at `path`. */
export function resolve(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

/** A violation as a line for people, with its hint below. */
export function violationText({ path, line, what, hint }: Violation): string {
  return `${path}:${line}: ${what}\n    hint: ${hint}`;
}

/** That `list` has an entry which nothing needs any more. */
export function needless(path: string, list: string, why: string): Violation {
  return { path, line: 1, what: `${why}, and ${list} still has it`, hint: `take it out of ${list}` };
}
