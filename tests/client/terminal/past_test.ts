import { assertEquals, assertRejects } from "@std/assert";
import { pastOf, type WantedPast } from "../../../client/terminal/past.ts";
import type { HistoryOptions } from "../../../client/calls/call_options.ts";
import type { Activity, Past } from "../../../client/options.ts";
import { matches } from "../../../protocol/channels/channel_name.ts";

/** A server's past, of which `said` may grow while it is told. */
class Said {
  readonly asked: HistoryOptions[] = [];
  count: number;
  /** Called before each answer. */
  meanwhile = () => {};

  constructor(count: number) {
    this.count = count;
  }

  history(options: HistoryOptions = {}): Promise<Past> {
    this.asked.push(options);
    this.meanwhile();
    const { limit = 20, before, since } = options;
    const end = before === undefined ? this.count : Number(before.split(":")[1]) - 1;
    const from = typeof since === "string" ? Number(since.split(":")[1]) : 0;
    const first = Math.max(from, end - limit);
    const activities = Array.from({ length: end - first }, (_, index) => activity(first + index + 1));
    const next = first > from ? `s:${first + 1}` : undefined;
    return Promise.resolve({ activities, before: next, begins: undefined, isForgotten: false });
  }
}

function activity(n: number): Activity {
  return { activity: { n }, json: "{}", user: "ada", id: `s:${n}`, lamport: n, sentAt: n };
}

/** The numbers of what is shown to a client that began with `start`. */
async function shown(said: Said, start: number, wanted: WantedPast = {}): Promise<unknown[]> {
  const all = await Array.fromAsync(pastOf(said, { s: start }, wanted));
  return all.map(({ activity }) => activity.n);
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

Deno.test("the past is shown from its beginning on, and no more of it than is wanted", async () => {
  assertEquals(await shown(new Said(30), 30, { last: 4 }), range(27, 30));
  assertEquals(await shown(new Said(30), 30, { since: "s:26", last: 10 }), range(27, 30));
  assertEquals(await shown(new Said(3), 3, { last: 20 }), range(1, 3));
  assertEquals(await shown(new Said(0), 0), []);
  const none = new Said(3);
  assertEquals([await shown(none, 3, { last: 0 }), none.asked], [[], []]);
});

Deno.test("what comes live is no part of the past, and does not count for it", async () => {
  assertEquals(await shown(new Said(30), 25, { last: 3 }), range(23, 25));
  assertEquals(await shown(new Said(30), 0, { last: 3 }), []);
});

Deno.test("a long past is shown whole, with few pages in memory, while it grows", async () => {
  const said = new Said(6_250);
  said.meanwhile = () => said.count += 7;
  assertEquals(await shown(said, 6_250), range(1, 6_250));
  // What was not kept was asked for once more, and nothing else.
  const pages = Math.ceil((6_250 + 7) / 500);
  assertEquals([said.asked.length, new Set(said.asked.map(({ before }) => before)).size], [2 * pages - 4, pages]);
});

/** What was said in some channels: each `n` in its channel, and the names that are asked for. */
function channels(said: readonly (readonly [n: number, channel: string])[]) {
  const asked: (string | undefined)[] = [];
  return {
    asked,
    history({ limit = 20, before, channel = "" }: HistoryOptions = {}): Promise<Past> {
      asked.push(channel);
      const until = before === undefined ? said.length : said.findIndex(([n]) => `s:${n}` === before);
      const all = said.slice(0, until).filter(([, name]) => matches(channel, name));
      const page = all.slice(-limit);
      const next = page.length < all.length ? `s:${page[0]![0]}` : undefined;
      const activities = page.map(([n]) => activity(n));
      return Promise.resolve({ activities, before: next, begins: undefined, isForgotten: false });
    },
  };
}

Deno.test("the past of several channels is one, with no more of it than is wanted, and nothing twice", async () => {
  const said = [[1, "lab"], [2, ""], [3, "lab/door"], [4, "hall"], [5, "lab/door/1"], [6, "lab"]] as const;
  const read = async (wanted: WantedPast) => {
    const client = channels(said);
    const shown = await Array.fromAsync(pastOf(client, { s: 6 }, wanted));
    return [shown.map(({ lamport }) => lamport), client.asked];
  };
  assertEquals(await read({ channels: ["lab/**"] }), [[1, 3, 5, 6], ["lab/**"]]);
  assertEquals(await read({ channels: ["lab", "hall"] }), [[1, 4, 6], ["lab", "hall"]]);
  assertEquals((await read({ channels: ["lab", "hall"], last: 2 }))[0], [4, 6]);
  // One that another one stands for need not be asked for.
  assertEquals(await read({ channels: ["lab", "lab/**", "lab/door"] }), [[1, 3, 5, 6], ["lab/**"]]);
  // Both stand for lab/door.
  assertEquals((await read({ channels: ["lab/*", "lab/door/**"] }))[0], [3, 5]);
  assertEquals((await read({ channels: ["", "hall"] }))[0], [2, 4]);
  assertEquals(await read({ channels: ["**", "", "hall"], last: 3 }), [[4, 5, 6], ["**"]]);
});

Deno.test("what a server cannot tell is no empty past", async () => {
  const client = { history: () => Promise.reject(new Error("the server does not know the entry")) };
  await assertRejects(() => Array.fromAsync(pastOf(client, {}, { since: "s:9" })), Error, "does not know the entry");
});
