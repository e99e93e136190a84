import { assertEquals } from "@std/assert";
import { checkClientSeam } from "../../../tools/boundaries/client_seam.ts";
import { importsOf, onlyCode } from "../../../tools/source_text.ts";

/** What of `sources`, by path, keeps the client out of browsers. */
function faults(sources: Record<string, string>): string[] {
  const codes = new Map(Object.entries(sources).map(([path, source]) => [path, onlyCode(source)]));
  const imports = new Map(Object.entries(sources).map(([path, source]) => [path, importsOf(source, codes.get(path)!)]));
  return checkClientSeam(imports, codes).map(({ path, line, what }) => `${path}:${line}: ${what}`);
}

Deno.test("the client library imports neither sockets of the machine nor Node's modules", () => {
  assertEquals(faults({ "client/a.ts": 'import { connect } from "node:net";' }), [
    "client/a.ts:1: the client library reaches node:net, which no browser has",
  ]);
  assertEquals(faults({ "client/a.ts": '\nimport { tcpTransport } from "../platform/tcp/tcp_transport.ts";' }), [
    "client/a.ts:2: the client library reaches platform/tcp/tcp_transport.ts, which no browser has",
  ]);
  assertEquals(faults({ "client/a.ts": 'import type { Transport } from "../platform/tcp/tcp_transport.ts";' }), []);
});

Deno.test("the client library reaches the machine through no other room", () => {
  const sources = {
    "client/a.ts": 'import { b } from "../heartbeat/b.ts";',
    "heartbeat/b.ts": 'import { c } from "../platform/c.ts";\nimport { a } from "./d.ts";',
    "heartbeat/d.ts": 'import { b } from "./b.ts";',
    "platform/c.ts": "Deno.memoryUsage()",
  };
  assertEquals(faults(sources), [
    "client/a.ts:1: the client library reaches Deno in platform/c.ts, which no browser has",
  ]);
  assertEquals(faults({ ...sources, "platform/c.ts": 'import "node:os";' }), [
    "client/a.ts:1: the client library reaches node:os, which no browser has",
  ]);
  assertEquals(faults({ ...sources, "platform/c.ts": "// Deno has that, too." }), []);
});

Deno.test("the terminal, and the file that puts the machine in, may have all of it", () => {
  const source = 'import { connect } from "node:net";';
  assertEquals(faults({ "client/terminal/a.ts": source, "client/connect.ts": source, "server/hub/a.ts": source }), []);
});
