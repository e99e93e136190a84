/** Who watches how the server is: one look serves all, and there is a bound. */

import { assertEquals } from "@std/assert";
import { LOOK_MS, MAX_WATCHERS, Watchers } from "../../../../../server/gateway/grpc/standard/watchers.ts";
import { FakeClock } from "../../../../support/fake_clock.ts";

/** A server that counts how often somebody looks at it. */
function world() {
  const clock = new FakeClock();
  const server = { isReady: true, looks: 0 };
  const watchers = new Watchers(clock, () => {
    server.looks++;
    return server.isReady;
  });
  return { clock, server, watchers };
}

function watcher() {
  const told: boolean[] = [];
  return { told, tell: (isReady: boolean) => void told.push(isReady) };
}

Deno.test("One look serves all who watch, and each is told each change once", () => {
  const { clock, server, watchers } = world();
  const all = Array.from({ length: MAX_WATCHERS }, watcher);
  for (const one of all) assertEquals(watchers.add(one), true);
  const before = server.looks;
  clock.advance(10 * LOOK_MS);
  assertEquals(server.looks - before, 10);
  server.isReady = false;
  clock.advance(LOOK_MS);
  assertEquals(all.map(({ told }) => told.join()), all.map(() => "true,false"));
  for (const one of all) watchers.delete(one);
  const after = server.looks;
  clock.advance(10 * LOOK_MS);
  assertEquals(server.looks, after, "nobody watches, and nobody looks");
});

Deno.test("There is a bound, and room again when somebody goes", () => {
  const { watchers } = world();
  const all = Array.from({ length: MAX_WATCHERS }, watcher);
  for (const one of all) watchers.add(one);
  const late = watcher();
  assertEquals([watchers.add(late), late.told], [false, []]);
  watchers.delete(late);
  assertEquals(watchers.add(late), false, "one that was refused gives no room");
  watchers.delete(all[3]!);
  assertEquals([watchers.add(late), late.told], [true, [true]]);
});

Deno.test("A watcher may go while it is told, also the last one", () => {
  const { clock, server, watchers } = world();
  const other = watcher();
  const goes = { tell: (isReady: boolean) => void (isReady || watchers.delete(goes)) };
  watchers.add(goes);
  watchers.add(other);
  server.isReady = false;
  clock.advance(LOOK_MS);
  assertEquals(other.told, [true, false]);
  watchers.delete(other);
  const looks = server.looks;
  clock.advance(10 * LOOK_MS);
  assertEquals(server.looks, looks);
});
