/** What is sent to browsers that look, to those that cannot keep up, and when. */

import { assert, assertEquals } from "@std/assert";
import { EventStreams, MAX_STREAM_BYTES, MAX_STREAMS } from "../../../../server/gateway/http/event_streams.ts";
import { Faults } from "../../../../platform/faults.ts";
import type { HttpStream, HttpStreamHandler } from "../../../../platform/http/http_server.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { ObservedNode } from "./_world.ts";

/** A browser that takes as much as the test lets it. */
class Browser implements HttpStream {
  text = "";
  isFull = false;
  lingersMs: number | undefined;
  isCut = false;
  handler!: HttpStreamHandler;

  write(bytes: Uint8Array): boolean {
    this.text += new TextDecoder().decode(bytes);
    return !this.isFull;
  }

  end(lingerMs: number): void {
    this.lingersMs = lingerMs;
  }

  cut(): void {
    this.isCut = true;
  }

  drain(): void {
    this.isFull = false;
    this.handler.drained();
  }

  /** What came, as `view 1` or `change 2`; and forgets it. */
  taken(): string[] {
    const events = this.text.split("\n\n").filter((event) => event.startsWith("event: "));
    this.text = "";
    return events.map((event) => {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event)!;
      return `${name} ${JSON.parse(data!).at ?? ""}`.trim();
    });
  }
}

class World {
  readonly clock = new FakeClock();
  readonly node = new ObservedNode();
  readonly streams: EventStreams;

  constructor(faults?: Faults) {
    this.streams = new EventStreams(this.node, this.clock, faults);
  }

  open(): Browser {
    const browser = new Browser();
    this.streams.begin((handler) => {
      browser.handler = handler;
      return browser;
    });
    return browser;
  }
}

Deno.test("a stream begins with the view, goes on with changes, and looks only as long as there is one", () => {
  const world = new World();
  const one = world.open();
  assert(one.text.startsWith("retry: 1000\n\nevent: view\n"));
  assertEquals(one.taken(), ["view 1"]);
  world.node.change(2);
  const other = world.open();
  world.node.change(3);
  assertEquals(one.taken(), ["change 2", "change 3"]);
  assertEquals(other.taken(), ["view 2", "change 3"]);
  one.handler.closed();
  assertEquals(world.node.observers.size, 1);
  other.handler.closed();
  assertEquals(world.node.observers.size, 0);
  world.node.change(4);
  assertEquals(one.taken(), []);
});

Deno.test("a browser that is full is sent nothing, costs no look, and then gets the whole view", () => {
  const world = new World();
  const slow = world.open();
  slow.taken();
  slow.isFull = true;
  world.node.change(2);
  assertEquals(slow.taken(), ["change 2"]);
  for (let at = 3; at <= 100; at++) world.node.change(at);
  assertEquals(slow.text, "");
  assertEquals(world.node.observers.size, 0);
  slow.drain();
  world.node.change(101);
  assertEquals(slow.taken(), ["view 100", "change 101"]);
});

Deno.test("a browser that was full and has missed nothing is sent no view", () => {
  const world = new World();
  const browser = world.open();
  browser.taken();
  for (let at = 2; at <= 9; at++) {
    browser.isFull = true;
    world.node.change(at);
    browser.drain();
  }
  assertEquals(browser.taken().filter((event) => event.startsWith("view")), []);
  // A view that fills the link by itself is not followed by another one.
  const large = world.open();
  large.isFull = true;
  large.drain();
  assertEquals(large.taken(), ["view 9"]);
});

Deno.test("a quiet stream says now and then that it is there", async () => {
  const world = new World();
  const browser = world.open();
  browser.taken();
  await world.clock.run(44_000);
  assertEquals(browser.text, ":\n\n:\n\n");
  browser.isFull = true;
  await world.clock.run(100_000);
  assertEquals(browser.text.length, 9);
  browser.handler.closed();
  await world.clock.run(100_000);
  assertEquals(browser.text.length, 9);
});

Deno.test("a stream ends after a while, so that what nobody reads has a bound, and says so", () => {
  const world = new World();
  const browser = world.open();
  const change = { at: 1, patch: {}, ends: [], activities: [{ text: "x".repeat(1_000_000) }], skipped: 0 };
  let changes = 0;
  while (browser.lingersMs === undefined) {
    for (const observer of world.node.observers) observer.changed(change as never);
    changes++;
    assert(changes < 100);
  }
  assertEquals(changes, Math.floor(MAX_STREAM_BYTES / 1_000_000) + 1);
  assertEquals(browser.taken().at(-1), "end");
  assertEquals(world.node.observers.size, 0);
});

Deno.test("no more streams than a server can bear, and each counts until it is gone", () => {
  const world = new World();
  const browsers = Array.from({ length: MAX_STREAMS }, () => world.open());
  assert(world.streams.isFull);
  world.streams.close();
  assert(browsers.every(({ lingersMs }) => lingersMs === 10_000));
  assertEquals(browsers[0]!.taken(), ["view 1", "end"]);
  assert(world.streams.isFull);
  browsers[0]!.handler.closed();
  assert(!world.streams.isFull);
});

Deno.test("a stream that has a fault is cut, and the others are told the same change", () => {
  const faults = new Faults();
  const world = new World(faults);
  const [one, faulty, two] = [world.open(), world.open(), world.open()];
  for (const browser of [one, two]) browser!.taken();
  faulty!.write = () => {
    throw new Error("the stream is broken");
  };
  const { error } = console;
  console.error = () => {};
  try {
    world.node.change(2);
  } finally {
    console.error = error;
  }
  assertEquals([one!.taken(), two!.taken(), faulty!.isCut], [["change 2"], ["change 2"], true]);
  assertEquals([faults.counts.events, world.node.observers.size], [1, 2]);
});
