/** Pages of the past: whatever the log holds, they are what a client would have been sent, and each ends. */

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import type { Segment } from "../../../log/segment.ts";
import { EVERYONE, linesOf, SERVERS } from "../../../log/segment.ts";
import { ClientLog } from "../../../server/hub/client_log.ts";
import { MAX_PAGE_ACTIVITIES, MAX_PAGE_BYTES, Past, type PastPage } from "../../../server/hub/past.ts";
import { openMemoryStore } from "../../../server/store/memory_store.ts";
import type { HistoryMessage } from "../../../protocol/history_message.ts";
import { encodeBroadcast, parseServerLine } from "../../../protocol/server_codec.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { batchOf } from "../../support/log_writer.ts";

const FOR_BOB = { kind: "user", username: "bob" } as const;
/** What a line that is no activity says does not matter: no client gets it. */
const OTHER = "no activity\n";

/** What one turn adds. */
interface Part {
  readonly origin?: string;
  readonly audience?: Segment["audience"];
  readonly lines?: number;
  readonly takenAt?: number;
  readonly sentAt?: number;
  readonly pad?: string;
}

/** A log in memory that is asked for its past. */
class World {
  readonly clock = new FakeClock();
  readonly store = openMemoryStore({ serverId: "a" });
  readonly vector: Record<string, number> = {};
  head = 0;
  reads = 0;
  /** Every activity, as clients get it live. */
  readonly activities: { readonly id: string; readonly line: string; readonly sentAt: number }[] = [];
  readonly #past: Past;

  constructor() {
    const { store } = this;
    const log = {
      ...{ head: 0, vector: this.vector, portionAfter: () => ({ segments: [], upTo: 0 }) },
      past: {
        segmentsBefore: (position: number, maxBytes: number) => {
          this.reads++;
          return store.segmentsBefore(position, maxBytes);
        },
        segmentOf: ({ origin, sequence }: { origin: string; sequence: number }) => store.segmentOf(origin, sequence),
        boundOf: ({ origin, sequence }: { origin: string; sequence: number }) => store.boundOf(origin, sequence),
        beginning: () => store.beginning(),
      },
    };
    Object.defineProperty(log, "head", { get: () => this.head });
    this.#past = new Past(log, new ClientLog(log, 0), this.clock);
  }

  add(...parts: Part[]): this {
    const segments = parts.map((part): Segment => {
      const { origin = "a", audience = EVERYONE, lines = 1, takenAt = 1_000, sentAt = takenAt, pad = "" } = part;
      const first = (this.vector[origin] ?? 0) + 1;
      const last = this.vector[origin] = first + lines - 1;
      const texts = Array.from({ length: lines }, (_, index) => {
        if (audience !== EVERYONE) return OTHER;
        const facts = { origin, sequence: first + index, lamport: 7, sentAt, messageId: undefined };
        const line = encodeBroadcast({ ...facts, activity: JSON.stringify({ pad }), quotedUsername: '"ada"' });
        this.activities.push({ id: `${origin}:${first + index}`, line, sentAt });
        return line;
      });
      const bytes = new TextEncoder().encode(texts.join(""));
      return { position: ++this.head, origin, first, last, audience, takenAt, bytes };
    });
    this.store.commit(batchOf({ segments }));
    return this;
  }

  ask(question: Partial<HistoryMessage> = {}): PastPage | undefined {
    return this.#past.page({ command: "HISTORY", limit: 20, before: undefined, since: undefined, ...question });
  }

  page(question: Partial<HistoryMessage> = {}): PastPage {
    const page = this.ask(question);
    assert(page !== undefined);
    assertEquals(page.end.count, page.lines.length);
    return page;
  }

  ids(question: Partial<HistoryMessage> = {}): string[] {
    return idsOf(this.page(question));
  }

  /** All that there is, page by page. */
  all(question: Partial<HistoryMessage> = {}): { readonly lines: string[]; readonly pages: PastPage[] } {
    const pages: PastPage[] = [];
    for (let before = question.before;;) {
      const page = this.page({ ...question, ...(before === undefined ? {} : { before }) });
      pages.unshift(page);
      assertLessOrEqual(pages.length, 5_000, "the pages never end");
      if (!page.end.more) break;
      before = page.end.before!;
    }
    return { pages, lines: pages.flatMap(({ lines }) => lines).map((line) => new TextDecoder().decode(line)) };
  }
}

function idsOf({ lines }: PastPage): string[] {
  return lines.map((line) => JSON.parse(new TextDecoder().decode(line)).id);
}

function asPast(line: string): string {
  return `${line.slice(0, -2)},"past":true}\n`;
}

Deno.test("a page has the newest activities, the oldest of them first, as they were published", () => {
  const world = new World().add({ lines: 3 }, { audience: FOR_BOB }, { origin: "b" }, { audience: SERVERS }, {});
  assertEquals(world.ids(), ["a:1", "a:2", "a:3", "b:1", "a:6"]);
  assertEquals(world.ids({ limit: 2 }), ["b:1", "a:6"]);
  const lines = world.page().lines.map((line) => new TextDecoder().decode(line));
  assertEquals(lines, world.activities.map(({ line }) => asPast(line)));
  const message = parseServerLine(lines[0]!);
  assert(message?.command === "ACTIVITY_BROADCAST" && message.past === true);
});

Deno.test("a page says whether there is more, how to ask for it, and where the kept past begins", () => {
  const world = new World().add({ takenAt: 700.5 }, { lines: 3 });
  const begins = { id: "a:1", at: 700 };
  const end = { command: "HISTORY_PAGE", past: true } as const;
  assertEquals(world.page({ limit: 3 }).end, { ...end, count: 3, more: true, before: "a:2", begins });
  assertEquals(world.page({ limit: 3, before: "a:2" }).end, { ...end, count: 1, more: false, begins });
  assertEquals(world.page({ limit: 4 }).end, { ...end, count: 4, more: false, begins });
  assertEquals(new World().page().end, { ...end, count: 0, more: false });
  world.store.forget({ takenBefore: 900, maxBytes: Infinity, directMessagesBefore: 0, usedBefore: 0 });
  const later = { begins: { id: "a:2", at: 1_000 }, forgotten: true };
  assertEquals(world.page().end, { ...end, count: 3, more: false, ...later });
});

Deno.test("before and since name entries of any kind, also forgotten ones, and of none that is not known is told", () => {
  const world = new World().add({ takenAt: 1, lines: 2 }, { audience: FOR_BOB }, { origin: "b" }, { lines: 3 });
  assertEquals(world.ids({ before: "a:5" }), ["a:1", "a:2", "b:1", "a:4"]);
  assertEquals(world.ids({ before: "a:3" }), ["a:1", "a:2"]);
  assertEquals(world.ids({ since: "a:3" }), ["b:1", "a:4", "a:5", "a:6"]);
  assertEquals(world.ids({ since: "a:4" }), ["a:5", "a:6"]);
  assertEquals(world.ids({ since: "a:4", before: "a:6" }), ["a:5"]);
  assertEquals(world.ids({ since: "a:6" }), []);
  assertEquals(world.ids({ since: "a:5", before: "a:2" }), []);
  for (const id of ["a:7", "c:1", "nothing", "a:0", ""]) {
    assertEquals([world.ask({ before: id }), world.ask({ since: id })], [undefined, undefined], id);
  }
  world.store.forget({ takenBefore: 900, maxBytes: Infinity, directMessagesBefore: 0, usedBefore: 0 });
  // Where it stood is known from the next one of its origin: what is between may come again, and nothing is left out.
  assertEquals(world.ids({ before: "a:1" }), ["b:1"]);
  assertEquals(world.ids({ since: "a:1" }), ["b:1", "a:4", "a:5", "a:6"]);
});

Deno.test("since as a time goes by when an activity was published, and does not read what was taken in before", () => {
  const world = new World().add(
    ...Array.from({ length: 2_000 }, () => ({ takenAt: 100 })),
    // It came here late, from a server that was away.
    ...[{ takenAt: 500, sentAt: 150 }, { takenAt: 500, sentAt: 400 }, { takenAt: 500 }],
  );
  assertEquals(world.ids({ since: 400 }), ["a:2002", "a:2003"]);
  assertEquals(world.ids({ since: 100, limit: 3 }), ["a:2001", "a:2002", "a:2003"]);
  world.reads = 0;
  assertEquals([world.page({ since: 501 }).end.more, world.reads], [false, 1]);
});

Deno.test("a time of an activity is the one at its end, whatever its text and its message id say", () => {
  const world = new World();
  const text = '"},"id":"a:1","lamport":1,"sentAt":5';
  world.add({ takenAt: 1_000, pad: text });
  assertEquals(world.ids({ since: 900 }), ["a:1"]);
});

Deno.test("no page has more than a page may have, but for one line that is longer", () => {
  const world = new World().add({ lines: MAX_PAGE_ACTIVITIES + 1 }, { pad: "ä".repeat(MAX_PAGE_BYTES) }, {
    lines: 3,
    pad: "x".repeat(MAX_PAGE_BYTES / 2 - 200),
  });
  const { pages, lines } = world.all({ limit: 1_000_000 });
  assertEquals(pages.map(({ end }) => end.count), [1, MAX_PAGE_ACTIVITIES, 1, 1, 2]);
  assertEquals(lines, world.activities.map(({ line }) => asPast(line)));
});

Deno.test("what clients do not see is passed over in portions: each page ends soon, and says where to go on", () => {
  const world = new World().add({}, ...Array.from({ length: 40_000 }, () => ({ audience: FOR_BOB, lines: 10 })));
  const first = world.page();
  assertEquals([first.end.count, first.end.more, world.reads], [0, true, 4]);
  const { lines, pages } = world.all();
  assertEquals(lines.length, 1);
  assertLessOrEqual(pages.length, 200);
});

Deno.test("all pages together are the log as clients get it, whatever it holds and however it is asked for", () => {
  const part = fc.record({
    origin: fc.constantFrom("a", "b"),
    audience: fc.constantFrom(EVERYONE, EVERYONE, FOR_BOB, SERVERS),
    lines: fc.integer({ min: 1, max: 5 }),
    takenAt: fc.integer({ min: 0, max: 30 }),
    pad: fc.constantFrom("", "x".repeat(20_000)),
  });
  fc.assert(fc.property(
    fc.array(part, { maxLength: 25 }),
    fc.integer({ min: 1, max: 9 }),
    fc.nat(),
    fc.nat(),
    fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined }),
    (parts, limit, to, from, sinceMs) => {
      const world = new World();
      world.add(...parts);
      const { activities } = world;
      if (activities.length === 0) return;
      const [b, s] = [to % activities.length, from % activities.length];
      const lines = activities.map(({ line }) => asPast(line));
      assertEquals(world.all({ limit }).lines, lines);
      assertEquals(world.all({ limit, before: activities[b]!.id }).lines, lines.slice(0, b));
      const range = { before: activities[b]!.id, since: activities[s]!.id };
      assertEquals(world.all({ limit, ...range }).lines, lines.slice(s + 1, Math.max(b, s + 1)));
      if (sinceMs === undefined) return;
      // Nothing that was taken in before is looked at, nor anything before that.
      const late = world.store.segmentsAfter(0, Infinity).findLastIndex(({ takenAt }) => takenAt < sinceMs);
      const ids = world.store.segmentsAfter(0, Infinity).slice(late + 1)
        .filter(({ audience }) => audience === EVERYONE)
        .flatMap(({ bytes }) => linesOf(bytes).map((line) => `${line}\n`));
      const wanted = activities.filter(({ line, sentAt }) => sentAt >= sinceMs && ids.includes(line));
      assertEquals(world.all({ limit, since: sinceMs }).lines, wanted.map(({ line }) => asPast(line)));
    },
  ));
});
