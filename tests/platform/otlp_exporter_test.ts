/** What the environment asks for, and the way of spans to a collector that is slow, says no, or says nothing. */

import { assert, assertEquals } from "@std/assert";
import { OtlpExporter } from "../../platform/telemetry/otlp_exporter.ts";
import { otlpTraces, type Span } from "../../platform/telemetry/otlp_json.ts";
import { readPairs, resourceOf, tracesUrl } from "../../platform/telemetry/telemetry.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { eventually } from "../support/until.ts";

function variables(set: Record<string, string>): (name: string) => string {
  return (name) => set[name] ?? "";
}

Deno.test("tracesUrl() is where the environment says, and nowhere without a word", () => {
  for (
    const [set, expected] of [
      [{}, undefined],
      [{ OTEL_DENO: "false" }, undefined],
      [{ OTEL_DENO: "true" }, "http://localhost:4318/v1/traces"],
      [{ OTEL_TRACES_EXPORTER: "otlp" }, "http://localhost:4318/v1/traces"],
      [{ OTEL_EXPORTER_OTLP_ENDPOINT: "https://c.example/at/" }, "https://c.example/at/v1/traces"],
      [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c.example/t" }, "http://c.example/t"],
      [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:1", OTEL_TRACES_EXPORTER: "none" }, undefined],
      [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:1", OTEL_TRACES_EXPORTER: "zipkin" }, undefined],
      [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:1", OTEL_SDK_DISABLED: "TRUE" }, undefined],
      [{ OTEL_EXPORTER_OTLP_ENDPOINT: "c.example:4318" }, undefined],
      [{ OTEL_EXPORTER_OTLP_ENDPOINT: "file:///etc" }, undefined],
    ] as const
  ) assertEquals(tracesUrl(variables(set as Record<string, string>)), expected, JSON.stringify(set));
});

Deno.test("resourceOf() says which server of which version writes, unless the environment says so", () => {
  const of = (set: Record<string, string>) =>
    resourceOf({ name: "thrum", version: "1.2.3", instanceId: "s-1" }, variables(set));
  assertEquals(of({}), { "service.name": "thrum", "service.version": "1.2.3", "service.instance.id": "s-1" });
  assertEquals(
    of({ OTEL_SERVICE_NAME: "chat", OTEL_RESOURCE_ATTRIBUTES: "service.instance.id=a%2Cb,host.name=h,=,x" }),
    {
      ...{ "service.name": "chat", "service.version": "1.2.3", "service.instance.id": "a,b", "host.name": "h" },
    },
  );
  assertEquals(readPairs("a = 1 ,b=%zz"), { a: "1", b: "%zz" });
});

Deno.test("otlpTraces() is OTLP in JSON", () => {
  const span = {
    ...{ name: "publish activities", kind: "producer" as const, traceId: "a".repeat(32), spanId: "b".repeat(16) },
    ...{ beginMs: 1_700_000_000_000.25, endMs: 1_700_000_000_001, attributes: { text: "t", whole: 3, part: 0.5 } },
  };
  assertEquals(JSON.parse(otlpTraces({ "service.name": "x" }, { name: "thrum", version: "1" }, [span])), {
    resourceSpans: [{
      resource: { attributes: [{ key: "service.name", value: { stringValue: "x" } }] },
      scopeSpans: [{
        scope: { name: "thrum", version: "1" },
        spans: [{
          ...{ traceId: span.traceId, spanId: span.spanId, name: span.name, kind: 4 },
          startTimeUnixNano: "1700000000000250000",
          endTimeUnixNano: "1700000000001000000",
          attributes: [
            { key: "text", value: { stringValue: "t" } },
            { key: "whole", value: { intValue: "3" } },
            { key: "part", value: { doubleValue: 0.5 } },
          ],
        }],
      }],
    }],
  });
});

/** A collector that answers each request when it is told to. */
class SlowCollector implements AsyncDisposable {
  /** The numbers of spans of each request. */
  readonly requests: number[] = [];
  readonly #answers: ((status: number) => void)[] = [];
  readonly #server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { resourceSpans: [{ scopeSpans: [{ spans }] }] } = await request.json();
    this.requests.push(spans.length);
    const answer = Promise.withResolvers<number>();
    this.#answers.push(answer.resolve);
    return new Response(null, { status: await answer.promise });
  });

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/v1/traces`;
  }

  answer(status = 200): void {
    this.#answers.shift()!(status);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const answer of this.#answers) answer(200);
    await this.#server.shutdown();
  }
}

const SPAN: Span = {
  ...{ name: "publish activities", kind: "producer", traceId: "a".repeat(32), beginMs: 1, endMs: 2, attributes: {} },
};

function exporterTo(url: string, clock: FakeClock): OtlpExporter {
  return new OtlpExporter({
    ...{
      clock,
      url,
      headers: {},
      timeoutMs: 3_600_000,
      delayMs: 5_000,
      resource: {},
      scope: { name: "t", version: "1" },
    },
    randomBytes: (size) => new Uint8Array(size).fill(7),
  });
}

Deno.test("OtlpExporter sends what comes within its delay together, one request at a time, and drops what is too much", async () => {
  await using collector = new SlowCollector();
  const clock = new FakeClock();
  const exporter = exporterTo(collector.url, clock);
  for (let n = 0; n < 3; n++) exporter.write(SPAN);
  await clock.run(4_999);
  assertEquals(collector.requests, []);
  await clock.run(1);
  await eventually(() => collector.requests.length === 1, () => "the first request");
  for (let n = 0; n < 3_000; n++) exporter.write(SPAN);
  collector.answer(503);
  for (let more = 2; more <= 5; more++) {
    await eventually(async () => {
      await clock.run(5_000);
      return collector.requests.length === more;
    }, () => `request ${more}: ${collector.requests}`);
    collector.answer();
  }
  // Nothing is left.
  await exporter.close();
  assertEquals(collector.requests, [3, 512, 512, 512, 512]);
  exporter.write(SPAN);
  await exporter.close();
});

Deno.test("OtlpExporter.close() sends the rest, and waits for no collector that does not answer", async () => {
  for (const answers of [true, false]) {
    await using collector = new SlowCollector();
    const clock = new FakeClock();
    const exporter = exporterTo(collector.url, clock);
    for (let n = 0; n < 600; n++) exporter.write(SPAN);
    let isClosed = false;
    const closed = exporter.close().then(() => isClosed = true);
    await eventually(() => collector.requests.length === 1, () => "the first request");
    if (answers) {
      collector.answer();
      await eventually(() => collector.requests.length === 2, () => "the second request");
      collector.answer();
    } else {
      await clock.run(1_999);
      assert(!isClosed);
      await clock.run(1);
    }
    await closed;
    assertEquals(collector.requests, answers ? [512, 88] : [512]);
  }
});
