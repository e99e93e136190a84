/** A client on a fake clock and a fake network, with a fake server and a record of what the client told. */

import { assertEquals } from "@std/assert";
import { openClient } from "../../client/client.ts";
import type { Activity, Client, ClientEvent, ConnectOptions } from "../../client/options.ts";
import { FakeClock } from "./fake_clock.ts";
import { FakeNetwork } from "./fake_network.ts";
import { FakeServer, type FakeServerParts } from "./fake_server.ts";

/** A clock, a network, a server and what a client told. */
export class ClientWorld {
  readonly clock = new FakeClock();
  readonly network = new FakeNetwork(this.clock, { latencyMs: 1 });
  readonly events: ClientEvent[] = [];
  readonly server: FakeServer;
  #chance = 0;

  constructor(options: FakeServerParts = {}) {
    this.server = new FakeServer(this.network.machine("server"), options);
  }

  /** Starts to connect. */
  connecting(options: Partial<ConnectOptions> = {}): Promise<Client> {
    return openClient({ ...this.server.endpoint, onEvent: (event) => this.events.push(event), ...options }, {
      clock: this.clock,
      transport: this.network.machine("client"),
      // Neither constant, as two clients must differ, nor a matter of luck.
      random: () => this.#chance = (this.#chance + 0.37) % 1,
    });
  }

  /** A client that is logged in. */
  async connected(options: Partial<ConnectOptions> = {}): Promise<Client> {
    const client = this.connecting(options);
    await this.clock.run(10);
    return await client;
  }

  /** Closes the client and checks that nothing of it is left. */
  async closed(...clients: Client[]): Promise<void> {
    const closing = clients.map((client) => client.close());
    await this.clock.run(3_000);
    await Promise.all(closing);
    assertEquals(this.network.openEnds, 0);
    assertEquals(this.clock.timersWaiting, 0);
  }

  /** The kinds of events so far. */
  get kinds(): string[] {
    return this.events.map(({ kind }) => kind);
  }

  /** Events of one kind. */
  told<K extends ClientEvent["kind"]>(kind: K): Extract<ClientEvent, { kind: K }>[] {
    return this.events.filter((event) => event.kind === kind) as Extract<ClientEvent, { kind: K }>[];
  }
}

/** Collects what an iterator gives, until it ends; `error` is what it threw. */
export function collect(client: Client): { ids: string[]; all: Activity[]; ended: Promise<unknown> } {
  const ids: string[] = [];
  const all: Activity[] = [];
  const ended = (async () => {
    try {
      for await (const activity of client.activities()) {
        all.push(activity);
        ids.push(activity.id);
      }
      return undefined;
    } catch (error) {
      return error;
    }
  })();
  return { ids, all, ended };
}
