/**
 * Which entries get spans, and what these say: the choice by itself, and servers on a fake clock that write to a list.
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { SpanSampling } from "../../../server/observe/span_sampling.ts";
import { EntrySpans, MAX_ENTRIES_PER_SECOND, traceOf, WallTime } from "../../../server/observe/entry_spans.ts";
import { EVERYONE, SERVERS } from "../../../log/segment.ts";
import { nodeCrypto } from "../../../platform/crypto.ts";
import { isWanted, readRatio, type Span } from "../../../platform/telemetry/telemetry.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { type FakeLineClient, NodeWorld } from "../../support/node_world.ts";

const ANONYMOUS = { command: "LOGIN", username: "anonymous" };

/** A server that writes its spans to `spans`. */
async function started(ratio = 1): Promise<{ world: NodeWorld; spans: Span[]; publisher: FakeLineClient }> {
  const spans: Span[] = [];
  const world = await NodeWorld.start({}, { spans: { ratio, write: (span) => spans.push(span) } });
  const publisher = await world.connect({ ...ANONYMOUS, features: ["ack"] });
  return { world, spans, publisher };
}

function publish(publisher: FakeLineClient, count: number): void {
  publisher.send(
    ...Array.from({ length: count }, (_, n) => ({
      command: "ACTIVITY_MESSAGE",
      activity: { secret: `not for spans ${n}` },
      messageId: `m${n}-${publisher.received.length}`,
    })),
  );
}

Deno.test("an activity at its origin has a span for its publication and one for its delivery, in one trace", async () => {
  const { world, spans, publisher } = await started();
  await world.connect(ANONYMOUS);
  publish(publisher, 1);
  await world.settle();
  assertEquals(spans.map(({ name, kind }) => [name, kind]), [
    ["publish activities", "producer"],
    ["deliver activities", "producer"],
  ]);
  const [published, delivered] = spans as [Span, Span];
  const trace = traceOf({ origin: "s-1", sequence: 1 }, nodeCrypto.digest);
  const { traceId, rootSpanId } = trace;
  // The publication is the root, and the parent of all others.
  const names = spans.map(({ traceId, spanId, parentSpanId }) => ({ traceId, spanId, parentSpanId }));
  assertEquals(names, [
    { traceId, spanId: rootSpanId, parentSpanId: undefined },
    { traceId, spanId: undefined, parentSpanId: rootSpanId },
  ]);
  assertEquals(published.endMs, delivered.beginMs);
  assertEquals(published.endMs, world.clock.wallMs());
  assert(published.beginMs <= published.endMs && delivered.beginMs <= delivered.endMs);
  assertEquals(published.attributes, {
    "messaging.system": "thrum",
    "messaging.destination.name": "activities",
    "messaging.operation.name": "publish",
    "messaging.operation.type": "create",
    "thrum.entry.id": "s-1:1",
    "thrum.origin": "s-1",
    "thrum.server.id": "s-1",
  });
  assertEquals(delivered.attributes["messaging.operation.type"], "send");
  assertEquals(delivered.attributes["thrum.readers"], 2);
  await world.stop();
});

Deno.test("an entry of another server has a span for its coming here, in the trace that its origin writes", () => {
  const spans: Span[] = [];
  const clock = new FakeClock({ nowMs: 1_000 });
  const here = new EntrySpans({
    named: { serverId: "s-2" },
    clock,
    digest: nodeCrypto.digest,
    output: { ratio: 1, write: (span) => spans.push(span) },
    turnMs: () => 997.5,
    readersOf: () => 3,
  });
  here.committed();
  const bytes = new TextEncoder().encode("one\ntwo\n");
  const segment = { position: 1, origin: "s-1", first: 7, last: 8, takenAt: clock.wallMs(), bytes };
  here.delivered([{ ...segment, audience: EVERYONE }, { ...segment, position: 2, audience: SERVERS }]);
  const all = spans.map(({ name, kind, traceId, attributes }) => [name, kind, attributes["thrum.entry.id"], traceId]);
  const seventh = traceOf({ origin: "s-1", sequence: 7 }, nodeCrypto.digest).traceId;
  const eighth = traceOf({ origin: "s-1", sequence: 8 }, nodeCrypto.digest).traceId;
  assertEquals(all, [
    ["replicate activities", "consumer", "s-1:7", seventh],
    ["deliver activities", "producer", "s-1:7", seventh],
    ["replicate activities", "consumer", "s-1:8", eighth],
    ["deliver activities", "producer", "s-1:8", eighth],
  ]);
  assertEquals(spans[0]!.endMs - spans[0]!.beginMs, 2.5);
  assertEquals(spans[0]!.attributes["thrum.server.id"], "s-2");
  assertEquals(spans[1]!.attributes["thrum.readers"], 3);
});

Deno.test("the span that a client names is the parent of the publication, at every server in the client's trace", async () => {
  const { world, spans, publisher } = await started(0.000_001);
  const [traceId, parentSpanId] = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"];
  const line = (traceparent: unknown, n: number) => ({ command: "ACTIVITY_MESSAGE", activity: { n }, traceparent });
  publisher.send(
    line(`00-${traceId}-${parentSpanId}-01`, 1),
    // Its program records nothing of this trace.
    line(`00-${traceId}-${parentSpanId}-00`, 2),
    // Bad ones are ignored, and the ratio decides.
    ...["", "00-1-2-01", `00-${"0".repeat(32)}-${parentSpanId}-01`, `ff-${traceId}-${parentSpanId}-01`, 7, null]
      .map((bad) => line(bad, 3)),
    { ...line(undefined, 4), activity: { text: `"traceparent":"00-${traceId}-${parentSpanId}-01"` } },
  );
  await world.settle();
  const { rootSpanId } = traceOf({ origin: "s-1", sequence: 1 }, nodeCrypto.digest);
  assertEquals(spans.map(({ name, traceId, spanId, parentSpanId }) => ({ name, traceId, spanId, parentSpanId })), [
    { name: "publish activities", traceId, spanId: rootSpanId, parentSpanId },
    { name: "deliver activities", traceId, spanId: undefined, parentSpanId: rootSpanId },
  ]);
  const shown = publisher.received.filter(({ command }) => command === "ACTIVITY_BROADCAST");
  const flags = shown.map(({ traceparent }) => traceparent?.slice(-2));
  assertEquals(flags, ["01", "00", ...Array.from({ length: 7 }, () => undefined)]);
  await world.stop();
});

Deno.test("a trace is found by the id of its entry: it is the beginning of the id's SHA-256", () => {
  // printf %s s-0123456789ab:42 | sha256sum
  assertEquals(traceOf({ origin: "s-0123456789ab", sequence: 42 }, nodeCrypto.digest), {
    traceId: "3f7935a48327b49c0586d9e53c31040f",
    rootSpanId: "291a7e8fcda9b7dc",
  });
});

Deno.test("spans have neither content nor names of users, and registrations have none", async () => {
  const { world, spans, publisher } = await started();
  await world.register("annabel");
  await world.register("bertram");
  assertEquals(spans, []);
  const annabel = await world.connect({
    command: "LOGIN",
    username: "annabel",
    secret: "annabel",
    features: ["chat"],
  });
  await world.endAllDerivations();
  publish(publisher, 1);
  annabel.send({ command: "DIRECT_MESSAGE", to: "bertram", text: "not for spans", messageId: "m" });
  await world.settle();
  const direct = spans.filter(({ attributes }) => attributes["messaging.destination.name"] === "direct messages");
  assertEquals(direct.map(({ name }) => name), ["publish direct messages", "deliver direct messages"]);
  assertEquals(direct[1]!.attributes["thrum.readers"], 0);
  assert(!/annabel|bertram|not for spans/.test(JSON.stringify(spans)));
  await world.stop();
});

Deno.test("no more than so many entries a second have spans; the others are counted, and the next second chooses evenly", async () => {
  const { world, spans, publisher } = await started();
  const entries = () => spans.filter(({ name }) => name === "publish activities");
  publish(publisher, 900);
  await world.settle();
  assertEquals(entries().length, MAX_ENTRIES_PER_SECOND);
  await world.clock.run(1_000);
  spans.length = 0;
  publish(publisher, 900);
  await world.settle();
  // 900 of 200 is more than 4: each eighth.
  const sequences = entries().map(({ attributes }) => Number(String(attributes["thrum.entry.id"]).split(":")[1]));
  assertEquals(sequences, Array.from({ length: 113 }, (_, n) => 904 + 8 * n).filter((sequence) => sequence <= 1800));
  const leftOut = entries().map(({ attributes }) => attributes["thrum.over_cap"]);
  assertEquals(leftOut, sequences.map((sequence) => sequence === 904 ? 703 : 7));
  // After an idle second everything is taken again.
  await world.clock.run(3_000);
  spans.length = 0;
  publish(publisher, 5);
  await world.settle();
  assertEquals(entries().length, 5);
  await world.stop();
});

Deno.test("a ratio takes the same entries at every server, and about that part of them", async () => {
  const { world, spans, publisher } = await started(0.25);
  publish(publisher, 400);
  await world.settle();
  const taken = spans.filter(({ name }) => name === "publish activities");
  const expected = Array.from({ length: 400 }, (_, n) => ({ origin: "s-1", sequence: n + 1 }))
    .filter((entry) => isWanted(traceOf(entry, nodeCrypto.digest).traceId, 0.25));
  assertEquals(
    taken.map(({ attributes }) => attributes["thrum.entry.id"]),
    expected.map((one) => `s-1:${one.sequence}`),
  );
  assert(taken.length > 60 && taken.length < 140, `${taken.length}`);
  await world.stop();
});

Deno.test("what is chosen under load is what a server under more load chooses, and more", () => {
  const choose = (load: number, first: number, last: number) => {
    const choice = new SpanSampling(200);
    for (const _ of choice.among(1, load, 1, 1)) choice.took();
    const chosen = new Set<number>();
    for (const sequence of choice.among(first, last, 2, 1)) {
      chosen.add(sequence);
      choice.took();
    }
    return chosen;
  };
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 50_000 }),
    fc.integer({ min: 1, max: 50_000 }),
    fc.integer({ min: 1, max: 1e9 }),
    (load, more, first) => {
      // So few that the limit itself is not reached.
      const [few, many] = [choose(load + more, first, first + 199), choose(load, first, first + 199)];
      assert([...few].every((sequence) => many.has(sequence)));
    },
  ));
});

Deno.test("never more than the limit is chosen in a second, and all that is not is counted", () => {
  fc.assert(fc.property(
    fc.array(fc.record({ count: fc.integer({ min: 1, max: 700 }), pause: fc.integer({ min: 0, max: 3 }) })),
    (turns) => {
      const choice = new SpanSampling(50);
      const taken = new Map<number, number>();
      let next = 1;
      let second = 100;
      for (const { count, pause } of turns) {
        second += pause;
        for (const sequence of choice.among(next, next + count - 1, second, 1)) {
          assert(sequence >= next && sequence < next + count);
          choice.took();
          taken.set(second, (taken.get(second) ?? 0) + 1);
        }
        next += count;
      }
      assert([...taken.values()].every((count) => count <= 50));
      assertEquals(taken.values().reduce((sum, count) => sum + count, 0) + choice.takeOverCap(), next - 1);
    },
  ));
});

Deno.test("WallTime is never more than a millisecond off, and right once the clocks were read often enough", () => {
  fc.assert(fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), (fraction) => {
    const time = new WallTime();
    const truth = (nowMs: number) => 1_000_000 + fraction + nowMs;
    for (let step = 0; step < 400; step++) {
      const nowMs = step * 0.37;
      time.note(nowMs, Math.floor(truth(nowMs)));
      assert(truth(nowMs) - time.at(nowMs) > -1e-6 && truth(nowMs) - time.at(nowMs) < 1);
    }
    assert(truth(500) - time.at(500) < 0.05);
    // The machine's clock is set back, and set forward.
    for (const shiftMs of [-5_000, 7_000]) {
      time.note(600, Math.floor(truth(600)) + shiftMs);
      assert(Math.abs(truth(600) + shiftMs - time.at(600)) < 1);
    }
  }));
});

Deno.test("readRatio() reads the standard's variables", () => {
  assertEquals(readRatio("", ""), 1);
  // Without a sampler that takes it the argument says nothing.
  assertEquals(readRatio("", "0.5"), 1);
  assertEquals(readRatio("always_on", "0.5"), 1);
  assertEquals(readRatio("always_off", ""), 0);
  assertEquals(readRatio("parentbased_always_off", ""), 0);
  assertEquals(readRatio("traceidratio", "0.125"), 0.125);
  assertEquals(readRatio("parentbased_traceidratio", "0"), 0);
  assertEquals(readRatio("traceidratio", ""), 1);
  assertEquals(readRatio("traceidratio", "much"), 1);
  assertEquals(readRatio("traceidratio", "1.5"), 1);
  assertEquals(readRatio("jaeger_remote", "0.5"), 1);
  assertEquals(readRatio("constructor", "0.5"), 1);
});

Deno.test("isWanted() decides by the trace's identity alone", () => {
  const idWith = (high: string) => `${"f".repeat(16)}${high}${"0".repeat(8)}`;
  assert(isWanted(idWith("3fffffff"), 0.25));
  assert(!isWanted(idWith("40000000"), 0.25));
  assert(isWanted(idWith("ffffffff"), 1));
  assert(!isWanted(idWith("00000000"), 0));
});
