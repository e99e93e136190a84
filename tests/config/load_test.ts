import { assert, assertEquals, assertNotMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { type Config, type ConfigLayer, DEFAULT_CONFIG } from "../../config/config.ts";
import { ConfigError, layered, loadConfig, parseConfig, parseLayer, withLayer } from "../../config/load.ts";
import { CONFIG_SCHEMA } from "../../config/schema.ts";

const SHIPPED = new URL("../../config.json", import.meta.url);

function refusal(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return assertThrows(() => parseConfig(text, "my.json"), ConfigError).message;
}

Deno.test("the defaults, the checks and the shipped config.json are equal", () => {
  assertSameKeys(CONFIG_SCHEMA.entries, DEFAULT_CONFIG, "the file");
  assertEquals(parseConfig(JSON.stringify(DEFAULT_CONFIG), "defaults"), { ...DEFAULT_CONFIG });
  const { server, client } = DEFAULT_CONFIG;
  assertEquals(JSON.parse(Deno.readTextFileSync(SHIPPED)), { server, client });
  assertEquals(parseConfig(Deno.readTextFileSync(SHIPPED), "config.json"), { ...DEFAULT_CONFIG });
});

Deno.test("parseConfig() lays what a file says over the defaults", () => {
  const config = parseConfig('{"server": {"port": 9000}, "heartbeat": {"count": 5}}', "my.json");
  assertEquals(config.server, { host: "127.0.0.1", port: 9000 });
  assertEquals(config.heartbeat, { ...DEFAULT_CONFIG.heartbeat, count: 5 });
  assertEquals(config.store, DEFAULT_CONFIG.store);
});

Deno.test("programs may write into their configuration", () => {
  const config: Config = structuredClone(DEFAULT_CONFIG);
  // These lines compile only if the sections can be written.
  config.server.port = 0;
  config.client.host = "::1";
  config.limits.maxConnections = 3;
  assertEquals([config.server.port, config.client.host, config.limits.maxConnections], [0, "::1", 3]);
});

Deno.test("parseConfig() takes ports that are strings of digits", () => {
  const config = parseConfig('{"server": {"port": "9000"}, "client": {"port": "0"}}', "my.json");
  assertEquals([config.server.port, config.client.port], [9000, 0]);
});

Deno.test("parseConfig() takes servers to join, and all else about the network", () => {
  const cluster = {
    secret: "abc",
    otherSecrets: ["def"],
    clearSecret: "upgrade" as const,
    tls: false,
    advertise: "a.example",
    join: ["b.example:8001", "[::1]:8002", "10.0.0.1:8003"],
    announceIntervalMs: 1_000,
    timeBeforeReconnectMs: 10,
    peerIdleTimeoutMs: 300,
    peerIntervalMs: 100,
    peerHeartbeats: 3,
    weight: 2,
    rebalance: false,
    durability: "replicated" as const,
    holdBackMs: 0,
    memberRetentionMs: 90_000,
    joinWaitMs: 20_000,
    lockTimeoutMs: 4_000,
    drainMs: 0,
    olderDialect: true,
    activityCheckIntervalMs: 2_000,
  };
  assertEquals(parseConfig(JSON.stringify({ cluster }), "my.json").cluster, cluster);
});

Deno.test("parseConfig() takes a file with a byte order mark", () => {
  assertEquals(parseConfig('\uFEFF{"server": {"port": 1}}', "my.json").server.port, 1);
});

Deno.test("parseConfig() names file, key and the nearest known one for an unknown key", () => {
  assertEquals(
    refusal({ server: { prot: 1 } }),
    'Cannot use config file "my.json": unknown key "server.prot"; did you mean "port"?',
  );
  assertStringIncludes(refusal({ sever: {} }), '"sever"; did you mean "server"?');
  assertStringIncludes(refusal({ Server: {} }), '"Server"; did you mean "server"?');
});

Deno.test("parseConfig() finds a key that stands in the wrong section", () => {
  assertStringIncludes(refusal({ port: 8000 }), '"port"; did you mean "server.port"?');
  assertStringIncludes(refusal({ server: { count: 3 } }), '"server.count"; did you mean "heartbeat.count"?');
});

Deno.test("parseConfig() knows keys of sections in sections, and finds those that stand too high", () => {
  const config = parseConfig('{"gateway": {"grpc": {"participantHosts": ["10.0.0.7"]}}}', "my.json");
  assertEquals(config.gateway.grpc, { ...DEFAULT_CONFIG.gateway.grpc, participantHosts: ["10.0.0.7"] });
  assertEquals(config.gateway.http, DEFAULT_CONFIG.gateway.http);
  assertStringIncludes(
    refusal({ gateway: { http: { prot: 1 } } }),
    '"gateway.http.prot"; known here are listen, token, clearToken, names',
  );
  assertStringIncludes(
    refusal({ participantHosts: [] }),
    '"participantHosts"; did you mean "gateway.grpc.participantHosts"?',
  );
  assertStringIncludes(refusal({ gateway: { http: 8080 } }), '"gateway.http" must be an object in braces, not 8080');
  assertStringIncludes(
    refusal({ gateway: { http: { listen: "x" } } }),
    '"gateway.http.listen" must be HOST:PORT, or a',
  );
  assertStringIncludes(
    refusal({ gateway: { grpc: { channel: "lesson/*" } } }),
    '"gateway.grpc.channel" must be the name of a channel; empty means none, not "lesson/*"',
  );
  const short = refusal({ gateway: { http: { token: "hunter2" } } });
  assertStringIncludes(short, "16 to 256 letters");
  assertNotMatch(short, /hunter2/);
});

Deno.test("layered() and withLayer() keep what a layer does not say, at each level", () => {
  const base = layered(DEFAULT_CONFIG, {
    gateway: { http: { listen: "8080" }, grpc: { participantHosts: ["a", "b"] } },
  });
  const over = layered(base, { gateway: { http: { token: "0123456789abcdef" }, grpc: { participantHosts: ["c"] } } });
  assertEquals(over.gateway, {
    http: { ...DEFAULT_CONFIG.gateway.http, listen: "8080", token: "0123456789abcdef" },
    grpc: { ...DEFAULT_CONFIG.gateway.grpc, participantHosts: ["c"] },
  });
  assertEquals(DEFAULT_CONFIG.gateway.http.token, "");
  const text = withLayer('{"gateway": {"http": {"listen": "8080"}}}', "my.json", {
    gateway: { grpc: { listen: "7080" } },
  });
  assertEquals(JSON.parse(text), { gateway: { http: { listen: "8080" }, grpc: { listen: "7080" } } });
});

Deno.test("parseConfig() says what is known where nothing is near", () => {
  assertStringIncludes(refusal({ server: { colour: 1 } }), '"server.colour"; known here are host, port');
});

Deno.test("parseConfig() knows no key that only every object has", () => {
  for (const key of ["__proto__", "constructor", "toString"]) {
    assertStringIncludes(refusal(`{"server": {"${key}": 1}}`), `unknown key "server.${key}"`);
    assertStringIncludes(refusal(`{"${key}": {}}`), `unknown key "${key}"`);
  }
});

Deno.test("parseConfig() names key, value and what is allowed for a value that is not", () => {
  const cases: [unknown, string][] = [
    [{ server: { port: 70000 } }, '"server.port" must be a port from 0 to 65535, not 70000'],
    [{ server: { port: -1 } }, '"server.port" must be a port from 0 to 65535, not -1'],
    [{ server: { port: "70000" } }, '"server.port" must be a port from 0 to 65535, not "70000"'],
    [{ server: { port: "" } }, '"server.port" must be a port from 0 to 65535, not ""'],
    [{ server: { port: 80.5 } }, "not 80.5"],
    [{ server: { port: null } }, "not null"],
    [{ server: { port: [80] } }, "not a list"],
    [{ server: { host: "" } }, '"server.host" must be a host name or an address, not ""'],
    [{ server: { host: 5 } }, '"server.host" must be a host name or an address, not 5'],
    [{ server: [] }, '"server" must be an object in braces, not a list'],
    [{ server: "here" }, '"server" must be an object in braces, not "here"'],
    [{ heartbeat: { count: 0 } }, '"heartbeat.count" must be a number from 1 to 100, not 0'],
    [{ heartbeat: { idleTimeoutMs: "10" } }, '"heartbeat.idleTimeoutMs" must be milliseconds from 1 to 86400000'],
    [{ heartbeat: { plainClients: "no" } }, 'must be "keepalive" or "supervise", not "no"'],
    [{ store: { ephemeral: "yes" } }, '"store.ephemeral" must be true or false, not "yes"'],
    [{ store: { data: {} } }, '"store.data" must be the name of a folder, not an object'],
    [{ cluster: { join: "a:1" } }, '"cluster.join" must be a list of HOST:PORT, not "a:1"'],
    [{ cluster: { join: ["a:1", "b"] } }, '"cluster.join.1" must be HOST:PORT, not "b"'],
    [{ cluster: { join: [1] } }, '"cluster.join.0" must be HOST:PORT, not 1'],
    [{ cluster: { durability: "both" } }, '"cluster.durability" must be "local" or "replicated", not "both"'],
    [{ cluster: { weight: 0 } }, '"cluster.weight" must be a number from 1 to 1000, not 0'],
    [{ cluster: { peerHeartbeats: 0 } }, '"cluster.peerHeartbeats" must be a number from 1 to 100, not 0'],
    [[], "it must hold one JSON object, in braces"],
    ["null", "it must hold one JSON object, in braces"],
  ];
  for (const [value, words] of cases) {
    const message = refusal(value);
    assert(message.startsWith('Cannot use config file "my.json": '), message);
    assertStringIncludes(message, words);
  }
});

Deno.test("parseConfig() shows no secret in what it says", () => {
  const secret = "hunter2".repeat(100);
  assertNotMatch(refusal({ cluster: { secret } }), /hunter2/);
  assertNotMatch(refusal('{"cluster": {"secret": hunter2}}'), /hunter2/);
});

Deno.test("parseConfig() says line and column of broken JSON", () => {
  assertEquals(
    refusal('{\n  "server": {\n    "port" 8000\n  }\n}'),
    'Cannot use config file "my.json": broken JSON at line 3, column 12: expected ":" after the key, found "8"',
  );
});

Deno.test("parseConfig() takes or refuses any JSON, and fails in no other way", () => {
  fc.assert(fc.property(fc.json(), (text) => {
    try {
      parseConfig(text, "my.json");
    } catch (error) {
      assert(error instanceof ConfigError, String(error));
    }
  }));
});

Deno.test("layered() lays the last layer on top and changes none", () => {
  const file: ConfigLayer = { server: { port: 1, host: "file" } };
  const line: ConfigLayer = { server: { port: 2 } };
  assertEquals(layered(DEFAULT_CONFIG, file, line).server, { host: "file", port: 2 });
  assertEquals(file, { server: { port: 1, host: "file" } });
  assertEquals(DEFAULT_CONFIG.server.port, 8000);
});

Deno.test("loadConfig() reads the file asked for, else config.json here, else the shipped one", async () => {
  const files: Record<string, string> = {
    "mine.json": '{"server": {"port": 1}}',
    "config.json": '{"server": {"port": 2}}',
  };
  const shipped = new URL("file:///program/config.json");
  const read = (path: string | URL) => Promise.resolve(files[String(path)]);
  const portOf = async (asked?: string) => (await loadConfig(read, { asked, shipped })).config.server.port;
  assertEquals(await portOf("mine.json"), 1);
  assertEquals(await portOf(), 2);
  delete files["config.json"];
  files[shipped.href] = '{"server": {"port": 3}}';
  assertEquals(await portOf(), 3);
  delete files[shipped.href];
  assertEquals(await portOf(), 8000);
  const error = await assertRejects(() => portOf("gone.json"), ConfigError);
  assertEquals(error.message, 'Cannot read config file "gone.json": there is no such file');
});

Deno.test("loadConfig() says why a file cannot be read", async () => {
  const read = () => Promise.reject(new Error("permission denied"));
  const error = await assertRejects(() => loadConfig(read, { asked: undefined, shipped: SHIPPED }), ConfigError);
  assertEquals(error.message, 'Cannot read config file "config.json": permission denied');
});

Deno.test("withLayer() changes what it is told to and keeps everything else, in its order", () => {
  const text = '{"client": {"port": "8001"}, "heartbeat": {"count": 2, "plainClients": "supervise"}, "log": {}}';
  const written = withLayer(text, "my.json", { heartbeat: { count: 4, intervalMs: 500 } });
  assertEquals(
    written,
    `{
  "client": { "port": "8001" },
  "heartbeat": { "count": 4, "plainClients": "supervise", "intervalMs": 500 },
  "log": {}
}
`,
  );
  assertEquals(parseLayer(written, "it").heartbeat, { count: 4, plainClients: "supervise", intervalMs: 500 });
});

Deno.test("withLayer() begins a file that is not there, and leaves the shipped one in its form", () => {
  assertEquals(withLayer("", "my.json", { heartbeat: { count: 4 } }), '{\n  "heartbeat": { "count": 4 }\n}\n');
  const shipped = Deno.readTextFileSync(SHIPPED);
  assertEquals(withLayer(shipped, "config.json", {}), shipped);
});

/** At each level at which `known` has keys. */
function assertSameKeys(schemas: object, known: object, where: string): void {
  assertEquals(keysOf(schemas), keysOf(known), where);
  for (const [key, below] of Object.entries(known)) {
    if (typeof below !== "object" || Array.isArray(below)) continue;
    const { wrapped } = (schemas as Record<string, { wrapped: { entries: object } }>)[key]!;
    assertSameKeys(wrapped.entries, below, key);
  }
}

function keysOf(value: object): string[] {
  return Object.keys(value).sort();
}
