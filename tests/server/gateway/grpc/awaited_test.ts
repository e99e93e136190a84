/** What a Publish waits for: that it ends, and that nothing of it stays. */

import { assert, assertEquals } from "@std/assert";
import { AwaitedBroadCasts } from "../../../../server/gateway/grpc/awaited.ts";
import { FakeClock } from "../../../support/fake_clock.ts";

Deno.test("All that is waited for ends when waiting ends, also what would never come", async () => {
  const clock = new FakeClock();
  const awaited = new AwaitedBroadCasts<string>(clock);
  const waiting = [awaited.wait("a", "1111", ["2222"]), awaited.orClosed(new Promise(() => {}))];
  awaited.close();
  await Promise.all(waiting);
  assertEquals(clock.timersWaiting, 0);
});

Deno.test("What was waited for and has come leaves nothing behind", async () => {
  const program = `
    import { AwaitedBroadCasts } from "${new URL("../../../../server/gateway/grpc/awaited.ts", import.meta.url)}";
    const awaited = new AwaitedBroadCasts({});
    const used = async (count) => {
      for (; count > 0; count--) await awaited.orClosed(Promise.resolve());
      gc();
      return Deno.memoryUsage().heapUsed;
    };
    const before = await used(1_000);
    console.log(await used(20_000) - before);
  `;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--v8-flags=--expose-gc", program],
    cwd: new URL("../../../../", import.meta.url),
  }).output();
  const bytes = Number(new TextDecoder().decode(stdout));
  // A promise that keeps something of each takes six million.
  assert(bytes < 1_000_000 && stdout.length > 0, `${bytes} bytes`);
});
