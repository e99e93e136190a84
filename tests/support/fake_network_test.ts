/** Links of the network in memory keep what every link promises. */

import { testLinkContract } from "../contract/link_contract.ts";
import type { Link } from "../../platform/transport.ts";
import { FakeClock } from "./fake_clock.ts";
import { FakeNetwork } from "./fake_network.ts";
import { FakeLineClient } from "./node_world.ts";

testLinkContract({
  name: "a link in memory",
  use: async (test) => {
    const clock = new FakeClock();
    const network = new FakeNetwork(clock);
    let near: Link | undefined;
    await network.machine("a").listen({ host: "a", port: 1 }, (link) => near = link);
    const dialled = network.machine("b").dial({ host: "a", port: 1, timeoutMs: 100 });
    await clock.run(10);
    const far = new FakeLineClient(await dialled);
    await test(near!, {
      send: (line) => far.send(line),
      pause: () => far.link.pause(),
      resume: () => far.link.resume(),
      finish: () => far.link.end(10_000),
      reset: () => far.link.destroy(),
    }, async (holds, what) => {
      for (let turn = 0; turn < 1_000 && !holds(); turn++) await clock.run(1);
      if (!holds()) throw new Error(`No ${what}`);
    });
  },
});
