/** The simulator's network goes wrong as real ones do. */

import { assertEquals, assertRejects } from "@std/assert";
import type { Link, LinkEnd } from "../../platform/transport.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { Chance } from "./chance.ts";
import { testLinkContract } from "../contract/link_contract.ts";
import { SimNetwork } from "./network.ts";
import { Process } from "./process.ts";

/** A link between two machines, and what came out of it at each end. */
async function connected() {
  const clock = new FakeClock();
  const network = new SimNetwork(clock, new Chance(1, "network"), { linkUp: () => {}, linkDown: () => {} });
  const [a, b] = [new Process("a", clock), new Process("b", clock)];
  const texts: Record<string, string> = { a: "", b: "" };
  const ends: Record<string, LinkEnd> = {};
  const attach = (link: Link, name: string) => {
    link.attach({
      onData: (bytes) => texts[name] += new TextDecoder().decode(bytes),
      onDrain: () => {},
      onFinish: () => link.end(1_000),
      onEnd: (end) => ends[name] = end,
    });
  };
  await network.transport(b, 1_000).listen({ host: "b", port: 1 }, (link) => attach(link, "b"));
  const dialled = network.transport(a, 1_000).dial({ host: "b", port: 1, timeoutMs: 100 });
  await clock.run(20);
  const link = await dialled;
  attach(link, "a");
  const send = (text: string) => link.write(new TextEncoder().encode(text));
  return { clock, network, a, b, link, texts, ends, send };
}

testLinkContract({
  name: "a simulated link",
  use: async (test) => {
    const { clock, network, a, b } = await connected();
    let near: Link | undefined;
    await network.transport(b, 65_536).listen({ host: "b", port: 3 }, (link) => near = link);
    const dialled = network.transport(a, 65_536).dial({ host: "b", port: 3, timeoutMs: 100 });
    await clock.run(20);
    const link = await dialled;
    link.attach({ onData: () => {}, onDrain: () => {}, onFinish: () => {}, onEnd: () => {} });
    const send = (line: unknown) => void link.write(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
    await test(near!, {
      send,
      pause: () => link.pause(),
      resume: () => link.resume(),
      finish: () => link.end(10_000),
      reset: () => link.destroy(),
    }, async (holds, what) => {
      for (let turn = 0; turn < 1_000 && !holds(); turn++) await clock.run(1);
      if (!holds()) throw new Error(`No ${what}`);
    });
  },
});

Deno.test("bytes keep their order however long each of them takes", async () => {
  const { clock, texts, send } = await connected();
  for (const letter of "abcdefghij") send(letter);
  await clock.run(20);
  assertEquals(texts["b"], "abcdefghij");
});

Deno.test("a black hole holds bytes up and tells nobody; when it is gone they come", async () => {
  const { clock, network, texts, ends, send } = await connected();
  network.block("a", "b");
  send("late");
  await clock.run(10_000);
  assertEquals([texts["b"], ends], ["", {}]);
  network.heal();
  await clock.run(0);
  assertEquals(texts["b"], "late");
});

Deno.test("what a process sent before it died arrives, and then the news", async () => {
  const { clock, network, a, texts, ends, send } = await connected();
  send("last words");
  a.die();
  network.died(a);
  await clock.run(20);
  assertEquals([texts["b"], ends], ["last words", { b: "reset" }]);
});

Deno.test("of a machine without power nothing is heard until it is back and somebody asks", async () => {
  const { clock, network, b, ends, send } = await connected();
  b.die();
  network.powerOff(b);
  send("?");
  await clock.run(60_000);
  assertEquals(ends, {});
  network.powerOn("b");
  await clock.run(20);
  assertEquals(ends, { a: "reset" });
});

Deno.test("a process that stands still gets what came meanwhile when it goes on, its timers first", async () => {
  const { clock, b, texts, send } = await connected();
  b.stall();
  send("data");
  let heard: string | undefined;
  b.after(5, () => heard = texts["b"]);
  await clock.run(1_000);
  assertEquals([texts["b"], heard], ["", undefined]);
  b.goOn();
  await clock.run(0);
  assertEquals([texts["b"], heard], ["data", ""]);
});

Deno.test("calls to where nobody listens are refused, calls into a black hole time out", async () => {
  const { clock, network, a } = await connected();
  const { dial } = network.transport(a, 1_000);
  const refused = assertRejects(() => dial({ host: "b", port: 2, timeoutMs: 100 }), Error, "refused");
  await clock.run(20);
  await refused;
  network.block("b", "a");
  const lost = assertRejects(() => dial({ host: "b", port: 1, timeoutMs: 100 }), Error, "no answer");
  await clock.run(100);
  await lost;
});
