/**
 * Only `platform/` knows the machine. Every other room has its clock, chance, sockets and disk handed in; the store is
 * the exception, file by file. Pure files of `platform/` keep the rule, too.
 */

import { type ImportStatement, lineAt } from "../source_text.ts";
import type { Imports } from "./imports.ts";
import { MACHINE, needless, type Violation } from "./house.ts";

/** They may use `Deno`, to read arguments and to exit. */
const PROGRAMS = ["server.ts", "client.ts"];

/**
 * Node's modules outside `platform/`, with the one file that has them: behind `store.ts` the database is the machine.
 */
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
  "server/store/sqlite/migrations/migrations.ts": ["node:sqlite"],
  "server/store/sqlite/migrations/migration_5.ts": ["node:sqlite"],
  "server/store/sqlite/log_files.ts": ["node:fs"],
  "server/store/ids/run.ts": ["node:fs"],
  "server/store/ids/run_files.ts": ["node:fs"],
  "server/store/ids/secret.ts": ["node:crypto"],
  "server/store/sqlite/settled_tables.ts": ["node:sqlite"],
  "server/store/sqlite/migrations/migration_6.ts": ["node:sqlite"],
  "server/store/turns/checkpoints.ts": ["node:sqlite", "node:fs"],
};

const CLOCK_HINT = "take the time from the event, or from a Clock that is handed in (platform/clock.ts)";
const MACHINE_HINT = "put it behind an interface in platform/, and hand that in";

/** Names that reach for the machine, and what to use instead. */
const NAMES: readonly { readonly pattern: RegExp; readonly hint: string }[] = [
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

/** Imports of Node's modules where they do not belong. */
export function* checkNodeModules(path: string, statements: readonly ImportStatement[]): Generator<Violation> {
  if (path.startsWith(MACHINE)) return;
  for (const { specifier, line } of statements) {
    if (!specifier.startsWith("node:") || NODE_MODULES[path]?.includes(specifier)) continue;
    yield { path, line, what: `imports ${specifier}`, hint: MACHINE_HINT };
  }
}

/** Names in `code` (`source` without comments and strings) that reach for the machine. */
export function* checkNames(path: string, source: string, code: string, isPure: boolean): Generator<Violation> {
  if (path.startsWith(MACHINE) && !isPure) return;
  for (const { pattern, hint } of NAMES) {
    for (const { 0: name, index } of code.matchAll(pattern)) {
      if (name === "Deno" && PROGRAMS.includes(path)) continue;
      yield { path, line: lineAt(source, index), what: `uses ${name.replace(/\s*[.(]$/, "")}`, hint };
    }
  }
}

/** Entries of `modules` that no import needs. */
export function* needlessModules(imports: Imports, modules = NODE_MODULES): Generator<Violation> {
  for (const [path, specifiers] of Object.entries(modules)) {
    const imported = imports.get(path)?.map(({ specifier }) => specifier) ?? [];
    for (const specifier of specifiers) {
      if (!imported.includes(specifier)) yield needless(path, "NODE_MODULES", `does not import ${specifier}`);
    }
  }
}
