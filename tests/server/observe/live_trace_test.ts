/** What is recorded for people who look, of a busy server: entries on their whole way, the same at every server. */

import { assert, assertEquals } from "@std/assert";
import { wholeWays } from "../../../diagram/whole_ways.ts";
import { historyOf } from "../../../diagram/history.ts";
import { UTC } from "../../../diagram/wall_time.ts";
import { LiveTrace } from "../../../server/observe/live_trace.ts";
import { WaySampling } from "../../../server/observe/way_sampling.ts";
import { MeshWorld } from "../../support/mesh_world.ts";

Deno.test("however many entries pass, about as many a second are chosen, and servers choose the same", () => {
  for (const perSecond of [1, 10, 100, 1_000, 100_000]) {
    const [one, other] = [new WaySampling(), new WaySampling()];
    const chosen: [number[], number[]] = [[], []];
    let sequence = 0;
    for (let second = 0; second < 10; second++) {
      for (let n = 0; n < perSecond; n++) {
        sequence++;
        const range = { origin: "s-1", first: sequence, last: sequence };
        for (const [index, sampling] of [one, other].entries()) {
          if (sampling.wants(range)) chosen[index]!.push(sequence);
          sampling.delivered(range);
        }
      }
      // One looks a little more often, as somebody begins to look there.
      one.renew();
      other.renew();
    }
    assertEquals(chosen[0], chosen[1]);
    const most = Math.min(perSecond, 80);
    assert(chosen[0].length <= 10 * most && chosen[0].length >= 10 * Math.min(perSecond, 6), `${chosen[0].length}`);
    const last = chosen[0].filter((sequence) => sequence > 9 * perSecond);
    assert(last.length <= 24 && last.length >= Math.min(perSecond, 5), `${last.length} in the last second`);
  }
});

Deno.test("a run of entries is chosen with one that is in it, and what a rarer choice has, a more frequent one has", () => {
  const rare = new WaySampling();
  for (let n = 1; n <= 1_000; n++) rare.delivered({ origin: "s", first: n, last: n });
  rare.renew();
  assertEquals(rare.wants({ origin: "s", first: 1_025, last: 1_100 }), false);
  assertEquals(rare.wants({ origin: "s", first: 1_020, last: 1_030 }), true);
  assertEquals(rare.wants({ origin: "s", first: 128, last: 128 }), true);
  assertEquals(new WaySampling().wants({ origin: "s", first: 1_001, last: 1_001 }), true);
});

Deno.test("what a client sent is recorded with the entry that it became, and not without it", () => {
  const live = new LiveTrace();
  live.renew(0);
  for (let n = 1; n <= 2_000; n++) live.delivered({ origin: "s-1", first: n, last: n });
  live.renew(1_000);
  const about = { at: 1_100, node: "s-1", peer: "ada (10.0.0.1:5)" };
  for (let n = 2_001; n <= 2_300; n++) {
    live.add({ ...about, lamport: 2 * n, event: "receive", id: `abcdefgh-${n}` });
    live.add({ ...about, lamport: 2 * n + 1, event: "publish", id: `s-1:${n}`, what: `abcdefgh-${n}` });
  }
  live.add({ at: 1_200, node: "s-1", lamport: 9_000, event: "login", peer: "bob (10.0.0.1:6)", what: "bob" });
  const events = live.since(0);
  assertEquals(events.map(({ event }) => event), ["receive", "publish", "login"]);
  assertEquals(events[1]!.id, "s-1:2048");
  assertEquals(events[0]!.id, "abcdefgh-2048");
  assertEquals(live.deliveredSince(0).all, 2_000);
});

Deno.test("a busy network of three servers is seen on whole ways at all of them, and what is left out is counted", async () => {
  const names = ["anna", "bert", "carl"];
  const world = await MeshWorld.of(names);
  const { node } = world.server("anna");
  const { end } = node.observe({ changed: () => {} });
  const clients = [];
  for (const name of names) clients.push(await world.login(name, "anonymous", { redirects: 3 }));
  await world.run(1_000);
  let n = 0;
  for (let step = 0; step < 100; step++) {
    for (const client of clients) for (let k = 0; k < 5; k++) client.publish(++n, `m-${n}`);
    await world.run(50);
  }
  await world.run(1_500);
  const history = historyOf(node.diagram(60), UTC, true);
  const { ways, shown } = wholeWays(history, 400)!;
  assert(ways >= 20, `${ways} ways`);
  const published = [...shown].map((index) => history.events[index]!).filter(({ event }) => event === "publish");
  assertEquals(new Set(published.map(({ node }) => node)).size, 3);
  const whole = published.filter(({ id }) => {
    const delivered = history.events.filter((event) => event.event === "broadcast" && covers(event.id!, id!));
    return new Set(delivered.map(({ node }) => node)).size === 3;
  });
  assert(whole.length >= 0.9 * published.length, `${whole.length} of ${published.length} ways are whole`);
  const { all, recorded } = node.deliveredWithin(60);
  assertEquals(all, 1_500);
  assert(recorded < 300, `${recorded} recorded`);
  end();
});

function covers(range: string, id: string): boolean {
  const [, origin, first, last] = /^(.*):(\d+)(?:-(\d+))?$/.exec(range)!;
  const [, of, sequence] = /^(.*):(\d+)/.exec(id)!;
  return origin === of && Number(first) <= Number(sequence) && Number(sequence) <= Number(last ?? first);
}
