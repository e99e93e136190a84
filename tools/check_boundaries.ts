/**
 * `deno task boundaries`: the folder list is the architecture, and this keeps it so. Rooms import only rooms on floors below, pure rooms stay
 * pure, only `platform/` knows the machine, and no two files import each other in a circle. What is allowed stands in the tables here.
 */

import { importsOf, type ImportStatement, lineAt, onlyCode } from "./source_text.ts";

/** Something that is not allowed. */
export interface Violation {
  /** From the root of the project. */
  readonly path: string;
  readonly line: number;
  readonly what: string;
  /** What the right form is. */
  readonly hint: string;
}

/** The wing with what only a server has: each folder in it is a room. */
const WING = "server";

/** Shipped code, from the ground up. A room is a folder, or a file beside them. */
const FLOORS: readonly (readonly string[])[] = [
  ["protocol", "log", "platform", "trace"],
  ["config", "view"],
  ["diagram", "heartbeat", "server/store", "server/accounts", "server/hub"],
  ["client", "server/journal", "server/presence"],
  ["server/backplane"],
  ["server/mesh"],
  ["server/legacy", "server/balance", "server/places", "server/observe"],
  ["server/session"],
  ["server/guests"],
  ["server/node"],
  ["server/gateway"],
  ["mod.ts"],
  ["server.ts", "client.ts"],
];

/** Types that a file still takes from a floor above, with where it takes them from. Only ever shorter. */
const DEBTS: Readonly<Record<string, string>> = {
  "server/journal/origins.ts": "server/mesh/origins/incarnation.ts",
  "server/mesh/mesh_parts.ts": "server/legacy/legacy_servers.ts",
  "server/observe/node_metrics.ts": "server/session/connection_services.ts",
  "server/observe/own_server.ts": "server/session/connection_services.ts",
};

/** Folders with code that is not shipped: it may do what it likes. */
const NOT_SHIPPED = ["tests", "tools", "bench", "types", "docs", "dist"];

/** Rooms and files that only decide. They see neither clock nor machine, nor anything that does. */
const PURE = [
  "protocol/",
  "log/",
  "server/session/session.ts",
  "config/",
  "trace/",
  "diagram/",
  "server/presence/presence.ts",
  "server/mesh/entry_intake.ts",
  "server/mesh/holes.ts",
  "server/mesh/link_clock.ts",
  "server/mesh/members.ts",
  "server/mesh/names/claim_evidence.ts",
  "server/mesh/names/name_locks.ts",
  "server/mesh/origins/incarnation.ts",
  "server/mesh/peer_feed.ts",
  "server/mesh/speaks_for_itself.ts",
  "server/mesh/wants.ts",
  "server/balance/balance.ts",
  "server/legacy/activity_order.ts",
  "server/legacy/legacy_codec.ts",
  "server/legacy/legacy_dialect.ts",
  "server/places/lost_places.ts",
  "view/",
  "heartbeat/liveness.ts",
  "heartbeat/awake_clock.ts",
  "heartbeat/pace.ts",
  "heartbeat/wheel.ts",
  "server/gateway/grpc/rules.ts",
  "server/gateway/grpc/protobuf.ts",
  "server/gateway/grpc/messages.ts",
  "server/gateway/grpc/door_clock.ts",
];

/** The one room that knows the machine. */
const MACHINE = "platform/";
/** They may use `Deno`, to read arguments and to exit. */
const PROGRAMS = ["server.ts", "client.ts"];

/** Node's modules outside `platform/`, with the one file that has them: behind `store.ts` the database is the machine. */
const NODE_MODULES: Readonly<Record<string, readonly string[]>> = {
  "server/store/sqlite/sqlite_store.ts": ["node:sqlite"],
  "server/store/sqlite/sqlite_file.ts": ["node:sqlite", "node:fs"],
  "server/store/sqlite/disk_use.ts": ["node:fs"],
  "server/store/sqlite/sqlite_statements.ts": ["node:sqlite"],
  "server/store/recovery/salvage.ts": ["node:sqlite", "node:fs"],
  "server/store/recovery/recover.ts": ["node:sqlite", "node:fs"],
  "server/store/recovery/recovered_rows.ts": ["node:sqlite"],
  "server/store/sqlite/checksum.ts": ["node:zlib"],
  "server/store/sqlite/message_key.ts": ["node:crypto"],
  "server/store/sqlite/migrations.ts": ["node:sqlite"],
  "server/store/sqlite/migration_5.ts": ["node:sqlite"],
  "server/store/sqlite/log_files.ts": ["node:fs"],
};

const CLOCK_HINT = "take the time from the event, or from a Clock that is handed in (platform/clock.ts)";
const MACHINE_HINT = "put it behind an interface in platform/, and hand that in";

/** Names that reach for the machine, and what to use instead. */
const IMPURE: readonly { readonly pattern: RegExp; readonly hint: string }[] = [
  { pattern: /\bDeno\b/g, hint: MACHINE_HINT },
  { pattern: /(?<![\w$.#])process\s*\./g, hint: MACHINE_HINT },
  { pattern: /(?<![\w$.#])(?:Date\s*\.\s*now|new\s+Date|Date\s*\(|performance\s*\.)/g, hint: CLOCK_HINT },
  {
    pattern: /(?<![\w$.#])(?:set|clear)(?:Timeout|Interval|Immediate)\b/g,
    hint: "ask a Clock: clock.after(delayMs, wake)",
  },
  { pattern: /(?<![\w$.#])Math\s*\.\s*random\b/g, hint: "take a random source that is handed in" },
  {
    pattern: /(?<![\w$.#])crypto\s*\.\s*(?:getRandomValues|randomUUID|subtle)\b/g,
    hint: "take a random source, or SecretCrypto, that is handed in (platform/crypto.ts)",
  },
  {
    pattern: /(?<![\w$.#])console\s*\./g,
    hint: 'log with getLogger(["thrum", "…"]), or write with platform/terminal.ts',
  },
];

/** What pure code may not import, beside Node's modules: things that act or wait. */
const IMPURE_IMPORTS = /^(?:@std\/async\/|@logtape\/)/;

/** Everything that is wrong with `files`: their texts by path from the root of the project. */
export function checkBoundaries(files: ReadonlyMap<string, string>): Violation[] {
  const violations: Violation[] = [];
  const graph = new Map<string, ImportStatement[]>();
  for (const [path, source] of files) {
    const code = onlyCode(source);
    const imports = importsOf(source, code);
    graph.set(path, imports);
    if (floorOf(path) < 0) {
      const hint = "give its room a place in FLOORS (tools/check_boundaries.ts)";
      violations.push({ path, line: 1, what: `"${roomOf(path)}" is no room of the house`, hint });
      continue;
    }
    for (const statement of imports) violations.push(...checkImport(path, statement));
    violations.push(...checkNames(path, source, code));
  }
  return [...violations, ...findCircles(graph)];
}

/** A violation as a line for people, with its hint below. */
export function violationText({ path, line, what, hint }: Violation): string {
  return `${path}:${line}: ${what}\n    hint: ${hint}`;
}

function* checkImport(path: string, { specifier, line, typesOnly }: ImportStatement): Generator<Violation> {
  const pure = isPure(path);
  if (specifier.startsWith("node:")) {
    if (path.startsWith(MACHINE) || NODE_MODULES[path]?.includes(specifier)) return;
    yield { path, line, what: `imports ${specifier}`, hint: MACHINE_HINT };
  } else if (specifier.startsWith(".")) {
    const target = resolve(path, specifier);
    const room = roomOf(path);
    const targetRoom = roomOf(target);
    if (NOT_SHIPPED.includes(targetRoom)) {
      yield {
        path,
        line,
        what: `shipped code imports ${target}`,
        hint: "move what is needed into a room of the house",
      };
    } else if (room !== targetRoom && floorOf(target) >= floorOf(path) && !(typesOnly && DEBTS[path] === target)) {
      const hint = `move what both need to a floor below, or hand it in through an interface of ${room}`;
      yield { path, line, what: `${room} imports ${target}, which is not on a floor below`, hint };
    } else if (pure && target.startsWith(MACHINE) && !typesOnly) {
      yield {
        path,
        line,
        what: `pure code imports ${target}`,
        hint: "import its types only, and take the rest as an argument",
      };
    } else if (pure && room !== targetRoom && !isPure(target) && !typesOnly) {
      yield {
        path,
        line,
        what: `pure code imports ${target}, which is not pure`,
        hint: "let the one that acts call this one",
      };
    }
  } else if (pure && IMPURE_IMPORTS.test(specifier)) {
    yield {
      path,
      line,
      what: `pure code imports ${specifier}`,
      hint: "give back what is to be done, and let the caller do it",
    };
  }
}

function* checkNames(path: string, source: string, code: string): Generator<Violation> {
  if (path.startsWith(MACHINE)) return;
  for (const { pattern, hint } of IMPURE) {
    for (const { 0: name, index } of code.matchAll(pattern)) {
      if (name === "Deno" && PROGRAMS.includes(path)) continue;
      yield { path, line: lineAt(source, index), what: `uses ${name.replace(/\s*[.(]$/, "")}`, hint };
    }
  }
}

/** Each circle of imports once, reported at the import that closes it. */
function findCircles(graph: ReadonlyMap<string, readonly ImportStatement[]>): Violation[] {
  const violations: Violation[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  for (const path of graph.keys()) visit(path);
  return violations;

  function visit(path: string): void {
    if (done.has(path)) return;
    trail.push(path);
    for (const { specifier, line } of graph.get(path) ?? []) {
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

function isPure(path: string): boolean {
  return PURE.some((place) => path === place || (place.endsWith("/") && path.startsWith(place)));
}

function roomOf(path: string): string {
  const [first, second] = path.split("/");
  return first === WING && second !== undefined ? `${first}/${second}` : first!;
}

function floorOf(path: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(roomOf(path)));
}

/** The path from the root of the project that `specifier` means in the file at `path`. */
function resolve(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

function readShipped(root: URL): Map<string, string> {
  const files = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, root))) {
      const path = folder + name;
      if (name.startsWith(".") || name === "node_modules" || NOT_SHIPPED.includes(path)) continue;
      if (isDirectory) visit(`${path}/`);
      else if (name.endsWith(".ts")) files.set(path, Deno.readTextFileSync(new URL(path, root)));
    }
  };
  visit("");
  return files;
}

if (import.meta.main) {
  const files = readShipped(new URL("../", import.meta.url));
  const violations = checkBoundaries(files);
  for (const violation of violations) console.error(violationText(violation));
  console.log(
    `${files.size} files: ${violations.length === 0 ? "all boundaries hold" : `${violations.length} violations`}`,
  );
  Deno.exit(violations.length === 0 ? 0 : 1);
}
