/** Which stream the page reads: a silent one is replaced, and the page goes on elsewhere, and comes back. */

import { assert, assertEquals } from "@std/assert";
import { Following } from "../../dashboard/network/reach/following.js";

const OTHERS = ["http://b:1", "http://c:1"];

/** A page, the streams that it has open, and time. */
class Page {
  readonly following = new Following();
  readonly open = new Map<number, string>();
  /** Every stream that was opened, in order. */
  readonly opened: string[] = [];
  at = 1_000_000;

  constructor(others: readonly string[] = []) {
    this.following.learn(others);
    this.tick();
  }

  get state(): string {
    return this.following.state(this.at);
  }

  get base(): string {
    return this.following.base;
  }

  tick(): void {
    this.#take({ kind: "tick" });
  }

  /** The newest stream to `base` says this. */
  say(kind: "opened" | "view" | "heard" | "ended", base = ""): void {
    this.#take({ kind, id: this.#idOf(base) });
  }

  fail(base = "", isRefused = false): void {
    const id = this.#idOf(base);
    this.#take({ kind: "failed", id, isRefused });
  }

  /** Time passes; servers of `speaking` tell once a second, and give a view to who asks. */
  run(ms: number, speaking: readonly string[] = []): void {
    const until = this.at + ms;
    while (this.at < until) {
      this.at += 250;
      for (const [id, base] of [...this.open]) {
        if (!speaking.includes(base)) continue;
        if (id !== this.following.currentId) this.#take({ kind: "view", id });
        else if (this.at % 1_000 === 0) this.#take({ kind: "heard", id });
      }
      this.tick();
    }
  }

  #idOf(base: string): number {
    return [...this.open].findLast(([, known]) => known === base)![0];
  }

  // deno-lint-ignore no-explicit-any
  #take(event: any): void {
    for (const effect of this.following.take({ at: this.at, ...event })) {
      if (effect.kind === "close") assert(this.open.delete(effect.id), "it was open");
      else {
        this.open.set(effect.id, effect.base);
        this.opened.push(effect.base);
      }
    }
    assert(this.open.size <= 2, "a server has no more than two streams of one page");
  }
}

Deno.test("a page reads its own server for as long as that tells, and asks nobody else", () => {
  const page = new Page(OTHERS);
  assertEquals(page.state, "connecting");
  page.say("view");
  page.run(60_000, [""]);
  assertEquals([page.state, page.opened], ["live", [""]]);
});

Deno.test("a stream that is open and dead is replaced within seconds, and the page is not even grey when the new one tells", () => {
  const page = new Page(OTHERS);
  page.say("view");
  const dead = page.following.currentId;
  page.run(2_500);
  assertEquals(page.opened, ["", ""]);
  page.say("view");
  assertEquals([page.state, page.open.size], ["live", 1]);
  assert(page.following.currentId !== dead);
});

Deno.test("a page whose server is silent is grey within three seconds, and then goes on at another", () => {
  const page = new Page(OTHERS);
  page.say("view");
  page.run(3_000, [OTHERS[0]!]);
  assertEquals([page.state, page.base], ["lost", ""]);
  page.run(1_500, [OTHERS[0]!]);
  assertEquals([page.state, page.base], ["live", "http://b:1"]);
  // It looks whether its own server is back, and stays where it is meanwhile.
  const before = page.opened.length;
  page.run(30_000, [OTHERS[0]!]);
  assertEquals([page.state, page.base], ["live", "http://b:1"]);
  assert(page.opened.slice(before).every((base) => base === ""), "only its own server is asked");
  page.run(6_000, ["", OTHERS[0]!]);
  assertEquals([page.state, page.base, page.open.size], ["live", "", 1]);
});

Deno.test("a page whose server is gone goes on at once; when that is gone too, at the next", () => {
  const page = new Page(OTHERS);
  page.say("view");
  page.fail();
  assertEquals(page.state, "lost");
  page.tick();
  page.say("view", "http://b:1");
  assertEquals([page.state, page.base], ["live", "http://b:1"]);
  page.fail("http://b:1");
  for (let tries = 0; tries < 40 && page.state !== "live"; tries++) {
    page.run(250);
    if ([...page.open.values()].includes("http://c:1")) page.say("view", "http://c:1");
    else for (const base of page.open.values()) page.fail(base);
  }
  assertEquals([page.state, page.base], ["live", "http://c:1"]);
});

Deno.test("a page without other servers calls its own again and again, and not without end in one second", () => {
  const page = new Page();
  page.say("view");
  page.fail();
  for (let ms = 0; ms < 10_000; ms += 250) {
    page.run(250);
    for (const base of page.open.values()) page.fail(base);
  }
  assertEquals(page.state, "lost");
  assert(page.opened.length > 5 && page.opened.length < 15, `${page.opened.length} streams`);
  page.run(2_000, [""]);
  assertEquals(page.state, "live");
});

Deno.test("a server that refuses is passed over for a while", () => {
  const page = new Page(OTHERS);
  page.say("view");
  page.fail();
  page.tick();
  page.fail("http://b:1", true);
  page.tick();
  page.fail("http://c:1", true);
  page.run(20_000);
  assertEquals(new Set(page.opened.slice(3)), new Set([""]));
  page.run(25_000);
  assertEquals(new Set(page.opened.slice(3)), new Set(["", ...OTHERS]));
});

Deno.test("a stream that ends is followed by another one of the same server, which is no loss", () => {
  const page = new Page(OTHERS);
  page.say("view");
  page.say("ended");
  assertEquals([page.state, page.opened], ["live", ["", ""]]);
  page.say("view");
  page.run(5_000, [""]);
  assertEquals([page.state, page.opened.length], ["live", 2]);
  // The server has stopped.
  page.say("ended");
  page.fail();
  assertEquals(page.state, "lost");
});

Deno.test("a page of a server that was drained stays with it", () => {
  const page = new Page(OTHERS);
  page.say("view");
  page.following.isAtRest = true;
  page.say("ended");
  page.fail();
  page.run(10_000, OTHERS);
  assertEquals([page.state, new Set(page.opened)], ["lost", new Set([""])]);
});

Deno.test("a long view of a slow server is waited for, and a slow stream that goes on is kept", () => {
  const page = new Page(OTHERS);
  page.say("opened");
  page.run(12_000);
  assertEquals([page.opened.length, page.state], [1, "connecting"]);
  page.say("view");
  page.run(2_250);
  assertEquals(page.opened.length, 2);
  // The first stream was only slow.
  const [first] = page.open.keys();
  page.following.take({ kind: "heard", id: first!, at: page.at }).forEach(({ id }) => page.open.delete(id));
  assertEquals([page.state, page.open.size, page.following.currentId], ["live", 1, first]);
});

Deno.test("a page that stood still, as its machine slept, does not take that for the silence of its server", () => {
  const page = new Page(OTHERS);
  page.say("view");
  page.run(5_000, [""]);
  page.at += 3_600_000;
  page.tick();
  assertEquals([page.state, page.opened.length], ["live", 1]);
  page.run(3_000);
  assertEquals(page.state, "lost");
});
