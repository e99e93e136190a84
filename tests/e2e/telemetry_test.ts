/** Servers as processes that Deno's own OpenTelemetry exports from, and a collector that takes what they send. */

import { assert, assertEquals } from "@std/assert";
import { traceOf } from "../../server/observe/entry_spans.ts";
import { nodeCrypto } from "../../platform/crypto.ts";
import { LineClient } from "../support/line_client.ts";
import { type Program, startServer } from "../support/program.ts";
import { eventually } from "../support/until.ts";

const WITHOUT = /OTEL_DENO has no effect: this program was compiled without it/;
/** Two processes on one machine read one clock; each knows its own wall time to a millisecond. */
const CLOCKS_MS = 1;

const without = await compiledWithout();
if (without) console.log("SKIPPED spans of the compiled server: it was made without OTEL_DENO=true, and says so");

/** A span as it was received. */
interface Collected {
  readonly name: string;
  readonly traceId: string;
  readonly parentSpanId: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly service: unknown;
  readonly attributes: Record<string, unknown>;
}

/** Takes spans as OTLP in JSON over HTTP. */
class Collector implements AsyncDisposable {
  readonly spans: Collected[] = [];
  /** Everything that was sent, as it was. */
  text = "";
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const text = await request.text();
    this.text += text;
    if (new URL(request.url).pathname === "/v1/traces") this.#take(JSON.parse(text));
    return Response.json({});
  });

  /** What a server needs in its environment to send here. */
  environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_DENO_CONSOLE: "ignore",
      OTEL_SERVICE_NAME: "thrum-test",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_BSP_SCHEDULE_DELAY: "100",
      OTEL_TRACES_SAMPLER: "",
      THRUM_SECRET: "of-the-network",
      ...more,
    };
  }

  /** The spans of one entry, in the order in which they began. */
  of(id: string): Collected[] {
    return this.spans.filter(({ attributes }) => attributes["thrum.entry.id"] === id)
      .toSorted((a, b) => beginMs(a) - beginMs(b));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  // deno-lint-ignore no-explicit-any -- The shape is OTLP's.
  #take({ resourceSpans }: any): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = valuesOf(resource.attributes)["service.name"];
      for (const { scope, spans } of scopeSpans) {
        if (scope.name !== "thrum") continue;
        for (const span of spans) this.spans.push({ ...span, service, attributes: valuesOf(span.attributes) });
      }
    }
  }
}

Deno.test("an activity is one trace: published at its origin, replicated at another server, delivered at both", {
  ignore: without,
}, async () => {
  await using collector = new Collector();
  const environment = collector.environment();
  await using first = start(environment);
  const port = await portOf(first);
  await using second = start(environment, "--join", `127.0.0.1:${port}`);
  await using publisher = await LineClient.loggedIn(port, { features: ["ack", "resume"], redirects: 3 });
  // A login is answered when a server has joined.
  await using listener = await LineClient.loggedIn(await portOf(second), { features: ["resume"], redirects: 3 });
  publisher.send({ command: "ACTIVITY_MESSAGE", activity: { text: "not for collectors" }, messageId: "m-1" });
  const { id } = await publisher.next("ACTIVITY_ACK");
  assertEquals((await listener.next("ACTIVITY_BROADCAST")).id, id);

  await eventually(() => collector.of(id).length >= 4, () => `four spans, but ${JSON.stringify(collector.spans)}`);
  const spans = collector.of(id);
  assertEquals(spans.map(({ name }) => name).toSorted(), [
    "thrum deliver",
    "thrum deliver",
    "thrum publish",
    "thrum replicate",
  ]);
  const [origin, sequence] = id.split(":");
  const trace = traceOf({ origin, sequence: Number(sequence) }, nodeCrypto.digest);
  for (const { traceId, parentSpanId, service } of spans) {
    assertEquals({ traceId, parentSpanId, service }, { ...trace, service: "thrum-test" });
  }

  const at = (name: string, isOrigin: boolean) =>
    spans.find((span) => span.name === name && (span.attributes["thrum.server.id"] === origin) === isOrigin)!;
  const published = at("thrum publish", true);
  const replicated = at("thrum replicate", false);
  const [here, there] = [at("thrum deliver", true), at("thrum deliver", false)];
  assertEquals(published.attributes["thrum.origin"], origin);
  assertEquals([published.kind, replicated.kind, here.kind, there.kind], [4, 5, 4, 4]);
  assertEquals([here, there].map(({ attributes }) => Number(attributes["thrum.readers"])), [1, 1]);
  for (const span of spans) assert(beginMs(span) <= endMs(span));
  assertEquals(endMs(published), beginMs(here));
  assertEquals(endMs(replicated), beginMs(there));
  // It is sent to the other server when it is stored at its origin, and not before.
  assert(endMs(replicated) > endMs(published) - CLOCKS_MS, `${endMs(published)}, then ${endMs(replicated)}`);
  assert(!collector.text.includes("not for collectors"));

  for (const server of [first, second]) server.signal("SIGTERM");
  assertEquals([await first.ended(), await second.ended()], [0, 0]);
});

Deno.test("spans that are not sent yet are sent when the server stops", { ignore: without }, async () => {
  await using collector = new Collector();
  await using server = start(collector.environment({ OTEL_BSP_SCHEDULE_DELAY: "3600000" }));
  const port = await portOf(server);
  await using publisher = await LineClient.loggedIn(port, { features: ["ack"] });
  publisher.send({ command: "ACTIVITY_MESSAGE", activity: { n: 1 }, messageId: "m-1" });
  const { id } = await publisher.next("ACTIVITY_ACK");
  assertEquals(collector.spans, []);
  server.signal("SIGTERM");
  assertEquals(await server.ended(), 0);
  if (/"process.runtime.version",\s*"value":\s*{\s*"stringValue":\s*"2\.5\./.test(collector.text)) {
    console.log("SKIPPED the spans of a server's last moment: Deno 2.5 does not always send them");
    return;
  }
  assertEquals(collector.of(id).map(({ name }) => name), ["thrum publish", "thrum deliver"]);
});

Deno.test("with the sampler always_off, and without OTEL_DENO, there are no spans", async () => {
  for (const more of [{ OTEL_TRACES_SAMPLER: "always_off" }, { OTEL_DENO: "false" }]) {
    await using collector = new Collector();
    await using server = start(collector.environment(more));
    const port = await portOf(server);
    await using publisher = await LineClient.loggedIn(port, { features: ["ack"] });
    publisher.send({ command: "ACTIVITY_MESSAGE", activity: { n: 1 }, messageId: "m-1" });
    await publisher.next("ACTIVITY_ACK");
    server.signal("SIGTERM");
    assertEquals(await server.ended(), 0);
    assertEquals(collector.spans, []);
  }
});

function start(env: Readonly<Record<string, string>>, ...args: string[]): Program {
  return startServer(["--no-prompt", "--port", "0", "--ephemeral", ...args], { env });
}

async function portOf(server: Program): Promise<number> {
  const [, port] = await server.sees(/listening on 127\.0\.0\.1:(\d+)/);
  return Number(port);
}

/**
 * Whether servers here are a compiled program that says that it was made without telemetry, which
 * cannot be changed later.
 */
async function compiledWithout(): Promise<boolean> {
  if (!Deno.env.get("THRUM_SERVER_BIN")) return false;
  await using server = start({ OTEL_DENO: "true", THRUM_SECRET: "of-the-network" });
  await portOf(server);
  server.signal("SIGTERM");
  await server.ended();
  return WITHOUT.test(server.errors);
}

// deno-lint-ignore no-explicit-any -- The shape is OTLP's.
function valuesOf(attributes: any[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

function beginMs({ startTimeUnixNano }: Collected): number {
  return Number(startTimeUnixNano) / 1e6;
}

function endMs({ endTimeUnixNano }: Collected): number {
  return Number(endTimeUnixNano) / 1e6;
}
