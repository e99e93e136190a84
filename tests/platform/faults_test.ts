/** What becomes of a handler that throws, at the edges that the platform has. */

import { configure, getConfig, type LogRecord, reset } from "@logtape/logtape";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { faultKey, Faults, guarded, UNGUARDED } from "../../platform/faults.ts";
import { enduringClock } from "../../platform/enduring_clock.ts";
import { guardHttp2 } from "../../platform/http/guarded_http2.ts";
import { realClock } from "../../platform/real_clock.ts";
import { tcpTransport } from "../../platform/tcp/tcp_transport.ts";
import type { Link, LinkHandler } from "../../platform/transport.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { LineClient } from "../support/line_client.ts";
import { until } from "../support/until.ts";
import { EventEmitter } from "node:events";

const HELLO = { command: "LIST_USERS" };

/** Keeps what is logged while `run` does. */
async function logged(run: () => void | Promise<void>): Promise<LogRecord[]> {
  assertEquals(getConfig(), null);
  const records: LogRecord[] = [];
  await configure({
    sinks: { list: (record) => records.push(record) },
    loggers: [{ category: "thrum", sinks: ["list"], lowestLevel: "error" }, { category: ["logtape", "meta"] }],
  });
  try {
    await run();
  } finally {
    await reset();
  }
  return records;
}

Deno.test("a fault is counted where it was caught, and told once with its stack, however often it comes", async () => {
  const faults = new Faults();
  assertEquals(Object.values(faults.counts), Object.keys(faults.counts).map(() => 0));
  const fault = (what: string) => new TypeError(what);
  const records = await logged(() => {
    for (const what of ["of anna", "of bob"]) faults.caught("tcp", fault(what));
    faults.caught("grpc", "a word");
    for (let count = 0; count < 500; count++) faults.caught("grpc", `another ${count}`);
  });
  assertEquals([faults.counts.tcp, faults.counts.grpc, faults.counts.http], [2, 501, 0]);
  assertEquals(records.length, 502);
  assertStringIncludes(String(records[0]!.properties.stack), "TypeError: of anna\n    at fault (");
});

Deno.test("two faults are the same when they were thrown at the same place, whatever they say", () => {
  const at = (message: string, line: number) => `Error: ${message}\n    at f (file:///a.ts:${line}:1)`;
  assertEquals(faultKey("tcp", at("one", 1)), faultKey("tcp", at("two\nlines", 1)));
  assert(faultKey("tcp", at("one", 1)) !== faultKey("tcp", at("one", 2)));
  assert(faultKey("tcp", at("one", 1)) !== faultKey("http", at("one", 1)));
});

Deno.test("what is the end of the whole server is no fault of a connection", async () => {
  const faults = new Faults();
  const taken: unknown[] = [];
  faults.takesOver = (error) => error === "the store" && taken.push(error) > 0;
  await logged(() => {
    for (const error of ["the store", "another"]) faults.caught("turn", error);
  });
  assertEquals([taken, faults.counts.turn], [["the store"], 1]);
});

Deno.test("without a guard what is thrown is thrown on, and with one the fault is contained", async () => {
  const fail = () => {
    throw new Error("no");
  };
  assertThrows(() => guarded(UNGUARDED, "tcp", fail, () => {}), Error, "no");
  const faults = new Faults();
  let isContained = false;
  await logged(() => guarded(faults, "tcp", fail, () => isContained = true));
  assertEquals([isContained, faults.counts.tcp], [true, 1]);
});

Deno.test("a timer and the end of a turn that throw keep no other from running", async () => {
  const clock = new FakeClock();
  const faults = new Faults();
  const calm = enduringClock(clock, faults);
  const ran: string[] = [];
  for (const name of ["one", "two"]) {
    const run = () => {
      ran.push(name);
      throw new Error(name);
    };
    calm.after(1, run);
    calm.endOfTurn(run);
  }
  await logged(() => clock.run(10));
  assertEquals(ran, ["one", "two", "one", "two"]);
  assertEquals(faults.counts.timer, 4);
});

for (const method of ["onData", "onDrain", "onFinish", "onEnd"] as const) {
  Deno.test(`a link whose owner throws in ${method} is cut, and others go on`, async () => {
    const faults = new Faults();
    let links = 0;
    let ends = 0;
    const transport = tcpTransport(1, { faults });
    await logged(async () => {
      await using listener = await transport.listen({ host: "127.0.0.1", port: 0 }, (link) => {
        const isFaulty = links++ === 0;
        link.attach(owner(link, isFaulty ? method : undefined, () => ends++));
      });
      await using bystander = await LineClient.connect(listener.port);
      await using other = await LineClient.connect(listener.port);
      await until(() => links === 2, "both links");
      // The first that was accepted is the faulty one, whichever that is.
      for (const client of [bystander, other]) {
        client.send(HELLO);
        if (method !== "onData" && method !== "onDrain") client.finish();
      }
      await until(() => faults.counts.tcp === 1 && ends >= 1, "the fault, and the end of its link");
      await using later = await LineClient.connect(listener.port);
      later.send(HELLO);
      await later.next("LIST_USERS");
    });
    assertEquals(faults.counts.tcp, 1);
  });
}

Deno.test("a link whose owner throws when it is accepted is cut, and the next one is accepted", async () => {
  const faults = new Faults();
  let links = 0;
  await logged(async () => {
    await using listener = await tcpTransport(65_536, { faults }).listen({ host: "127.0.0.1", port: 0 }, (link) => {
      if (links++ === 0) throw new Error("not this one");
      link.attach(owner(link, undefined, () => {}));
    });
    await using first = await LineClient.connect(listener.port);
    await first.closed();
    await using second = await LineClient.connect(listener.port);
    second.send(HELLO);
    await second.next("LIST_USERS");
  });
  assertEquals(faults.counts.tcp, 1);
});

Deno.test("a listener of an HTTP/2 server, session or stream that throws, or an answer that cannot be given, ends that session alone", async () => {
  const faults = new Faults();
  const server = new EventEmitter();
  guardHttp2(server, faults);
  const emitter = (more: Record<string, unknown> = {}) => {
    const made = Object.assign(new EventEmitter(), { isDestroyed: false, ...more });
    return Object.assign(made, { destroy: () => made.isDestroyed = true });
  };
  const fail = () => {
    throw new Error("gone");
  };
  await logged(async () => {
    for (const name of ["connection", "session"]) {
      server.once(name, fail);
      const subject = emitter();
      server.emit(name, subject);
      await Promise.resolve();
      assertEquals(subject.isDestroyed, true, name);
    }
    const session = emitter();
    server.emit("session", session);
    session.on("goaway", fail);
    session.emit("goaway");
    // The runtime may be reading for it.
    assertEquals(session.isDestroyed, false);
    await Promise.resolve();
    assertEquals(session.isDestroyed, true);
    for (const provoke of ["listener", "data", "respond", "sendTrailers"]) {
      const session = emitter();
      const stream = emitter({ session, respond: fail, sendTrailers: fail });
      if (provoke === "listener") server.once("stream", fail);
      server.emit("stream", stream);
      stream.on("data", fail);
      if (provoke === "data") stream.emit("data");
      if (provoke === "respond") (stream as unknown as { respond(): void }).respond();
      if (provoke === "sendTrailers") (stream as unknown as { sendTrailers(): void }).sendTrailers();
      assertEquals([stream.isDestroyed, session.isDestroyed], [false, false], provoke);
      await Promise.resolve();
      assertEquals([stream.isDestroyed, session.isDestroyed], [true, true], provoke);
    }
    // Its session is gone, which is when answering throws.
    const alone = emitter({ respond: fail, sendTrailers: fail });
    server.once("stream", (stream) => stream.respond());
    server.emit("stream", alone);
    await Promise.resolve();
    assertEquals(alone.isDestroyed, true);
  });
  assertEquals(faults.counts.grpc, 8);
});

Deno.test("the real clock is guarded too", async () => {
  const faults = new Faults();
  await logged(async () => {
    await new Promise<void>((resolve) => {
      enduringClock(realClock, faults).endOfTurn(() => {
        resolve();
        throw new Error("no");
      });
    });
    await until(() => faults.counts.timer === 1, "the fault");
  });
});

/** Sends everything back; and throws in one of its methods. */
function owner(link: Link, throwsIn: keyof LinkHandler | undefined, ended: () => void): LinkHandler {
  const fault = (method: keyof LinkHandler) => {
    if (method === throwsIn) throw new Error(`in ${method}`);
  };
  return {
    onData(bytes) {
      fault("onData");
      // More than any socket takes at once, for whoever is to be told that it has left.
      link.write(throwsIn === "onDrain" ? new Uint8Array(8_388_608).fill(0x20) : bytes.slice());
    },
    onDrain: () => fault("onDrain"),
    onFinish() {
      fault("onFinish");
      link.end(100);
    },
    onEnd() {
      ended();
      fault("onEnd");
    },
  };
}
