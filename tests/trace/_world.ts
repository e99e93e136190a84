/**
 * Real servers and real clients on one fake clock, all of which keep a trace; and the order in which things happened,
 * found without a look at any clock.
 */

import { openClient } from "../../client/client.ts";
import type { Client, ConnectOptions } from "../../client/options.ts";
import { historyOf } from "../../diagram/history.ts";
import type { TraceEvent } from "../../trace/trace_event.ts";
import { Chance } from "../simulation/chance.ts";
import { Process } from "../simulation/process.ts";
import { MeshWorld, PORT } from "../support/mesh_world.ts";

/** A client on a machine of its own. */
export interface TracedClient {
  readonly client: Client;
  readonly machine: string;
}

/** A network in which everybody keeps a trace, in `world.traced`. */
export class TracedWorld {
  readonly world: MeshWorld;
  readonly #chance = new Chance(7, "traced clients");
  /** Texts of the direct messages that came, by who took them. */
  readonly taken = new Map<string, string[]>();
  #machines = 0;

  constructor(world: MeshWorld) {
    this.world = world;
  }

  /** A client that is logged in at `server`; calls the others when it is lost. */
  async client(server: string, options: Partial<ConnectOptions> = {}): Promise<TracedClient> {
    const { clock, network, traced, servers } = this.world;
    const machine = `c${++this.#machines}`;
    const process = new Process(machine, clock);
    const others = [...servers.keys()].filter((name) => name !== server);
    const opening = openClient({
      host: server,
      port: PORT,
      servers: others.map((host) => ({ host, port: PORT })),
      reconnect: { minDelayMs: 50, maxDelayMs: 500, stableAfterMs: 1_000 },
      ...options,
    }, {
      clock: process,
      transport: network.transport(process, 262_144),
      random: () => this.#chance.next(),
      writeTrace: (event) => void traced.push(event),
    });
    let client: Client | undefined;
    opening.then((opened) => client = opened, () => {});
    await this.world.until(() => client !== undefined, `the login of ${options.username ?? "anonymous"} at ${server}`);
    return { client: client!, machine };
  }

  /** Lets a client take every direct message that comes, which it then says. */
  takesMessages(client: Client): void {
    const taken: string[] = [];
    this.taken.set(client.username, taken);
    const take = async () => {
      for await (const { text } of client.messages()) taken.push(text);
    };
    // Ends with the client, in whatever way.
    take().catch(() => {});
  }
}

/**
 * Where Lamport's condition does not hold in `events`, which are in the order in which each node wrote them: an event
 * whose time is not above that of the one before it on its node, or of the send that it is the receive of. That a
 * direct message was delivered comes after its receipt by the client that said so. Of chains nothing has to be said:
 * each is made of these.
 */
export function violations(events: readonly TraceEvent[]): string[] {
  const found: string[] = [];
  const before = new Map<string, TraceEvent>();
  const sent = new Map<string, TraceEvent[]>();
  const arrived = new Map<string, TraceEvent>();
  const add = (key: string, event: TraceEvent) => void sent.set(key, [...sent.get(key) ?? [], event]);
  // Of what was sent twice the first: had that been lost, it would still be before the receipt of the second.
  const take = (key: string) => sent.get(key)?.shift();
  const tell = (cause: TraceEvent, effect: TraceEvent) => {
    if (cause.lamport >= effect.lamport) found.push(`${JSON.stringify(cause)} is not before ${JSON.stringify(effect)}`);
  };
  for (const event of events) {
    const { node, peer, id = "" } = event;
    const previous = before.get(node);
    if (previous !== undefined) tell(previous, event);
    before.set(node, event);
    // Written before they can have arrived, as there is one order of everything here.
    if (event.event === "send" || event.event === "heartbeat") {
      add(`${node} ${id} ${peer!.includes(":") ? "" : peer}`, event);
    }
    if (event.event === "broadcast") {
      for (const entry of entriesOf(id)) add(`${node} ${entry} all`, event);
    } else if (event.event === "delivered") {
      // A client without a trace says nothing of when it had it.
      const got = arrived.get(`${peer} ${event.what}`);
      if (got !== undefined) tell(got, event);
    } else if (event.event === "receive" || event.event === "answered") {
      if (!arrived.has(`${node} ${id}`)) arrived.set(`${node} ${id}`, event);
      const isClient = node.includes("#");
      const cause = take(`${peer} ${id} ${node}`) ?? take(`${peer} ${id} `) ??
        (isClient ? sent.get(`${peer} ${id} all`)?.[0] : undefined);
      if (cause !== undefined) tell(cause, event);
    }
  }
  return found;
}

/** How many messages a history has, and of how many that came it does not know where from. */
export function messages(
  events: readonly TraceEvent[],
): { readonly paired: number; readonly unsent: readonly TraceEvent[] } {
  const history = historyOf(events);
  return { paired: history.arrows.length, unsent: history.unsent.map((index) => history.events[index]!) };
}

function entriesOf(id: string): string[] {
  const [, origin, first, last = first] = /^(.*):(\d+)(?:-(\d+))?$/.exec(id)!;
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => `${origin}:${Number(first) + index}`);
}
