/** The client against servers that offer proofs, and servers that know only the clear way. */

import { assertEquals, assertRejects } from "@std/assert";
import { openClient } from "../../../client/client.ts";
import { RefusedError } from "../../../client/errors.ts";
import type { Client, ConnectOptions } from "../../../client/options.ts";
import { nodeCrypto } from "../../../platform/crypto.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeNetwork } from "../../support/fake_network.ts";
import { FakeServer } from "../../support/fake_server.ts";
import { NodeWorld } from "../../support/node_world.ts";

/** A server of 0.1.0: it knows no proofs, and says so of a login without a secret. */
class OldWorld {
  readonly clock = new FakeClock();
  readonly network = new FakeNetwork(this.clock, { latencyMs: 1 });
  readonly server = new FakeServer(this.network.machine("server"));

  constructor() {
    this.server.accounts.set("ada", "x");
    this.server.onLine = (connection, line) => {
      if (line.command !== "LOGIN" || line.secret !== undefined) return false;
      connection.end({ command: "LOGIN_FAILED", info: "a secret is needed", reason: "WRONG_SECRET" });
      return true;
    };
  }

  connecting(from: string, options: Partial<ConnectOptions> = {}): Promise<Client> {
    return openClient({ ...this.server.endpoint, username: "ada", secret: "x", ...options }, {
      clock: this.clock,
      transport: this.network.machine(from),
      random: () => 0.5,
      crypto: nodeCrypto,
    });
  }

  get secretsTold(): unknown[] {
    return this.server.got("LOGIN").map(({ secret }) => secret);
  }
}

Deno.test("a client does not tell its secret to a server of another machine that knows only the clear way", async () => {
  const world = new OldWorld();
  const connecting = assertRejects(() => world.connecting("client"), RefusedError);
  await world.clock.run(1_000);
  assertEquals((await connecting).reason, "CLEAR_ONLY");
  assertEquals(world.secretsTold, [undefined]);
});

Deno.test("a client that may tell its secret in clear does so where nothing else is offered", async () => {
  const world = new OldWorld();
  const connecting = world.connecting("client", { clearSecrets: true });
  await world.clock.run(1_000);
  const client = await connecting;
  assertEquals(world.secretsTold, [undefined, "x"]);
  const closing = client.close();
  await world.clock.run(3_000);
  await closing;
});

Deno.test("a client that comes back derives its key once", async () => {
  const world = await NodeWorld.start();
  await world.register("ada");
  const derived: string[] = [];
  const connecting = openClient({
    host: "127.0.0.1",
    port: world.node.port,
    username: "ada",
    secret: "ada",
    reconnect: { minDelayMs: 1, maxDelayMs: 10 },
  }, {
    clock: world.clock,
    transport: world.network.machine("client"),
    random: () => 0.5,
    crypto: {
      ...nodeCrypto,
      scrypt: (secret) => {
        derived.push(secret);
        return Promise.resolve(new TextEncoder().encode(secret));
      },
    },
  });
  await world.clock.run(100);
  const client = await connecting;
  let connections = 1;
  client.on("connected", () => connections++);
  for (let time = 0; time < 3; time++) {
    world.network.cut();
    await world.clock.run(100);
    world.network.heal();
    await world.clock.run(60_000);
  }
  assertEquals(derived, ["ada"]);
  assertEquals(connections > 1, true);
  const closing = client.close();
  await world.clock.run(3_000);
  await closing;
  await world.stop();
});
