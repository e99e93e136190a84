/** Servers as processes that send spans, and collectors: one that takes them, and one that says nothing. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { DEFAULT_CONFIG } from "../../config/config.ts";
import { traceOf } from "../../server/observe/entry_spans.ts";
import { nodeCrypto } from "../../platform/crypto.ts";
import { VERSION } from "../../protocol/version.ts";
import { LineClient } from "../support/line_client.ts";
import { type Program, startServer } from "../support/program.ts";
import { eventually } from "../support/until.ts";

const SECRET = { THRUM_SECRET: "of-the-network" };
/** `cluster.drainMs`, as it is by default. */
const DRAIN_MS = DEFAULT_CONFIG.cluster.drainMs;
/** Two processes on one machine read one clock; each knows its own wall time to a millisecond. */
const CLOCKS_MS = 1;

/** A span as it was received. */
interface Collected {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  /** Of the program that sent it. */
  readonly resource: Record<string, unknown>;
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
    assertEquals([request.headers.get("x-tenant"), request.headers.get("content-type")], ["a b", "application/json"]);
    if (new URL(request.url).pathname === "/v1/traces") this.#take(JSON.parse(text));
    return Response.json({});
  });

  /** What a server needs in its environment to send here. */
  environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      OTEL_SERVICE_NAME: "thrum-test",
      OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=a%20b",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_BSP_SCHEDULE_DELAY: "100",
      OTEL_TRACES_SAMPLER: "",
      ...SECRET,
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
      const about = valuesOf(resource.attributes);
      for (const { scope, spans } of scopeSpans) {
        assertEquals(scope, { name: "thrum", version: VERSION });
        for (const span of spans) {
          this.spans.push({ ...span, resource: about, attributes: valuesOf(span.attributes) });
        }
      }
    }
  }
}

Deno.test("an activity is one trace: published at its origin, replicated at another server, delivered at both", async () => {
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
    "deliver activities",
    "deliver activities",
    "publish activities",
    "replicate activities",
  ]);
  const [origin, sequence] = id.split(":");
  const trace = traceOf({ origin, sequence: Number(sequence) }, nodeCrypto.digest);
  for (const { name, traceId, spanId, parentSpanId, resource, attributes } of spans) {
    assertEquals(traceId, trace.traceId);
    // One root, of which the name is known at all servers.
    if (name === "publish activities") assertEquals([spanId, parentSpanId], [trace.rootSpanId, undefined]);
    else assertEquals(parentSpanId, trace.rootSpanId);
    assertEquals(resource, {
      "service.name": "thrum-test",
      "service.version": VERSION,
      "service.instance.id": attributes["thrum.server.id"],
    });
  }
  assertEquals(new Set(spans.map(({ spanId }) => spanId)).size, 4);

  const at = (name: string, isOrigin: boolean) =>
    spans.find((span) => span.name === name && (span.attributes["thrum.server.id"] === origin) === isOrigin)!;
  const published = at("publish activities", true);
  const replicated = at("replicate activities", false);
  const [here, there] = [at("deliver activities", true), at("deliver activities", false)];
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

Deno.test("spans that are not sent yet are sent when the server stops", async () => {
  await using collector = new Collector();
  await using server = start(collector.environment({ OTEL_BSP_SCHEDULE_DELAY: "3600000" }));
  const port = await portOf(server);
  await using publisher = await LineClient.loggedIn(port, { features: ["ack"] });
  publisher.send({ command: "ACTIVITY_MESSAGE", activity: { n: 1 }, messageId: "m-1" });
  const { id } = await publisher.next("ACTIVITY_ACK");
  assertEquals(collector.spans, []);
  server.signal("SIGTERM");
  assertEquals(await server.ended(), 0);
  assertEquals(collector.of(id).map(({ name }) => name), ["publish activities", "deliver activities"]);
});

Deno.test("a server ends in time although its collector takes every call and never answers, and says so", async () => {
  using collector = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const calls: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const call of collector) calls.push(call);
  })();
  const endpoint = `http://127.0.0.1:${collector.addr.port}`;
  await using server = start({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: "100", ...SECRET });
  await using publisher = await LineClient.loggedIn(await portOf(server), { features: ["ack"] });
  for (let n = 1; n <= 3; n++) {
    publisher.send({ command: "ACTIVITY_MESSAGE", activity: { n }, messageId: `m-${n}` });
    await publisher.next("ACTIVITY_ACK");
    // The first request is under way, and the others wait.
    await eventually(() => calls.length > 0, () => "a call");
  }
  const beganAt = performance.now();
  server.signal("SIGTERM");
  assertEquals(await server.ended(), 0);
  const tookMs = performance.now() - beganAt;
  assert(tookMs < DRAIN_MS + 5_000, `${tookMs} ms`);
  assertMatch(server.errors, new RegExp(`spans are lost: the collector at ${endpoint} does not take them`));
  for (const call of calls) call.close();
  collector.close();
  await accepting;
});

Deno.test("with the sampler always_off, and where the environment asks for none, there are no spans", async () => {
  const none = [{ OTEL_TRACES_SAMPLER: "always_off" }, { OTEL_TRACES_EXPORTER: "none" }, { OTEL_SDK_DISABLED: "true" }];
  for (const more of none) {
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
