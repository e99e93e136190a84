/**
 * What a server loads at its start is what it uses: modules and packages, as Deno finds them. docs/dependencies.md has
 * the numbers.
 */

import { assert, assertEquals } from "@std/assert";
import { LOCKED } from "../../tools/locked.ts";

/** What `deno info --json` tells, as far as it is read here. */
interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly code?: { readonly specifier: string };
      readonly isDynamic?: boolean;
    }[];
  }[];
  readonly redirects: Readonly<Record<string, string>>;
}

const root = new URL("../../", import.meta.url);
const info = await read();
const modules = new Map(info.modules.map((module) => [module.specifier, module]));

/** For each way to start a server: what it loads beside `server.ts`, and the packages by name. */
const STARTS = [
  { name: "plain", more: [], packages: [] },
  { name: "`--http`", more: ["server/gateway/http/http_door.ts"], packages: ["prom-client", "ws"] },
  { name: "`--grpc`", more: ["server/gateway/grpc/grpc_door.ts"], packages: ["@grpc/grpc-js"] },
] as const;
/** Every server has these: logs, the command line, and the check of the configuration. */
const ALWAYS = ["@logtape/file", "@logtape/logtape", "deno-std", "valibot"];

for (const { name, more, packages } of STARTS) {
  Deno.test(`a server that is started ${name} loads the packages that it uses, and as many modules as documented`, async () => {
    const loaded = loadedBy(["server.ts", ...more]);
    assertEquals(packagesOf(loaded), [...ALWAYS, ...packages].sort());
    const own = loaded.filter((specifier) => specifier.startsWith(root.href)).length;
    const documented = await documentedOf(name);
    // So many at most, and not far fewer: then the document is old.
    assert(own <= documented && own > documented * 0.85, `${own} modules, and docs/dependencies.md says ${documented}`);
  });
}

Deno.test("a server that has no doors loads nothing of the doors, of TLS certificates or of the client's terminal", () => {
  const loaded = loadedBy(["server.ts"]).map((specifier) => specifier.replace(root.href, ""));
  const foreign =
    /^(?:server\/gateway\/(?:http\/http_door|grpc\/grpc_door|tls\/tls_init)|client\/(?:client|terminal\/chat\/))/;
  assertEquals(loaded.filter((path) => foreign.test(path)), []);
});

async function read(): Promise<Info> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", LOCKED, "--json", "server.ts"],
    cwd: root,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Everything that is loaded before the program of `entries` begins: imports that are made later do not count. */
function loadedBy(entries: readonly string[]): string[] {
  const loaded = new Set<string>();
  const open = entries.map((path) => new URL(path, root).href);
  for (let specifier = open.pop(); specifier !== undefined; specifier = open.pop()) {
    const known = info.redirects[specifier] ?? specifier;
    if (loaded.has(known)) continue;
    loaded.add(known);
    const followed = (modules.get(known)?.dependencies ?? []).filter(({ isDynamic }) => !isDynamic);
    open.push(...followed.flatMap(({ code }) => code === undefined ? [] : [code.specifier]));
  }
  return [...loaded];
}

function packagesOf(loaded: readonly string[]): string[] {
  const names = loaded.flatMap((specifier) => /^npm:\/?((?:@[^/]+\/)?[^@/]+)@/.exec(specifier)?.[1] ?? []);
  return [...new Set(names)].sort();
}

async function documentedOf(name: string): Promise<number> {
  const text = await Deno.readTextFile(new URL("docs/dependencies.md", root));
  const row = text.split("\n").find((line) => line.startsWith(`| ${name} |`));
  return Number(row?.split("|")[2]);
}
