/** A mesh that nobody else belongs to keeps what every backplane promises. */

import { assertEquals } from "@std/assert";
import { DEFAULT_CONFIG } from "../../../config/config.ts";
import { Supervisor } from "../../../heartbeat/supervisor.ts";
import { nodeCrypto } from "../../../platform/crypto.ts";
import type { BackplaneParts } from "../../../server/backplane/backplane.ts";
import { NetworkSecrets } from "../../../server/backplane/network_secrets.ts";
import { Mesh } from "../../../server/mesh/mesh.ts";
import type { KnownServer } from "../../../server/store/store.ts";
import { type BackplaneSurroundings, Surrounded, testBackplaneContract } from "../../contract/backplane_contract.ts";
import { FakeNetwork } from "../../support/fake_network.ts";

/** What a server without configuration makes its mesh with. */
function partsOf(
  { journal, clock, faults, owner, ticketKey }: BackplaneSurroundings,
  members: readonly KnownServer[] = [],
): BackplaneParts {
  return {
    ...{ journal, clock, faults, owner, ticketKey, config: DEFAULT_CONFIG, crypto: nodeCrypto },
    secrets: new NetworkSecrets(DEFAULT_CONFIG.cluster, () => clock.wallMs()),
    transport: new FakeNetwork(clock).machine("192.0.2.1"),
    supervisor: new Supervisor(clock, faults),
    kept: { members, notes: {} },
    incarnation: { id: "start-1", before: [] },
    startedAt: clock.wallMs(),
    legacy: undefined,
    heartbeats: { sent: 0, unanswered: 0 },
    replications: { add() {} },
    makeServerId: () => "s-new",
    load: () => 0,
    http: () => "",
    hasReserve: () => true,
    hasRoom: () => true,
    isTaken: (name) => journal.hasAccount(name),
    trace: () => undefined,
  };
}

testBackplaneContract({ name: "Mesh", make: (surroundings) => new Mesh(partsOf(surroundings)) });

Deno.test("Mesh lets an entry wait for a server that is known, unless this server's commit is to be enough", async () => {
  const known = [{ serverId: "s-2", host: "192.0.2.2", port: 4_242 }];
  for (const durability of ["local", "replicated"] as const) {
    const { cluster } = DEFAULT_CONFIG;
    const server = new Surrounded({
      name: "Mesh",
      make: (surroundings) => {
        const parts = partsOf(surroundings, known);
        return new Mesh({ ...parts, config: { ...DEFAULT_CONFIG, cluster: { ...cluster, durability } } });
      },
    });
    const { backplane, called, clock } = server;
    backplane.start({ host: "192.0.2.1", port: 4_242 });
    called.length = 0;
    backplane.whenSafe({ origin: "s-2", sequence: 1 }, server.call("of another"));
    backplane.whenSafe({ origin: "s-1", sequence: 1 }, server.call("own"), server.call("pending"));
    await clock.run(11_000);
    assertEquals(called, durability === "local" ? ["of another", "own"] : ["of another", "pending"]);
    assertEquals(backplane.pending, durability === "local" ? 0 : 1);
    await backplane.stop();
  }
});
