/**
 * Loaded before a server with `--preload`: counts what the server asks of SQLite, and at each SIGUSR2 writes a line
 * with the counts, and with the memory that is in use.
 */

import { DatabaseSync, StatementSync } from "node:sqlite";

// deno-lint-ignore no-explicit-any
type Methods = Record<string, (...args: any[]) => unknown>;

let statements = 0;

function countCalls(methods: Methods, names: readonly string[]): void {
  for (const name of names) {
    const original = methods[name]!;
    methods[name] = function (this: unknown, ...args: unknown[]) {
      statements++;
      return original.apply(this, args);
    };
  }
}

countCalls(StatementSync.prototype as unknown as Methods, ["run", "get", "all", "iterate"]);
countCalls(DatabaseSync.prototype as unknown as Methods, ["exec"]);

Deno.addSignalListener("SIGUSR2", () => {
  const { heapUsed, external } = Deno.memoryUsage();
  console.log(`counts ${JSON.stringify({ statements, heapUsed, external })}`);
});
