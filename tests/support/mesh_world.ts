/**
 * Several real servers on one fake clock and one network, each on a machine of its own, with clients and peers of
 * bytes. Machines, links and disks are those of the simulator; here a test says what happens when. Latencies come from
 * a fixed seed, so that every run is the same.
 */

import { assert } from "@std/assert";
import type { ConfigLayer } from "../../config/config.ts";
import type { Link } from "../../platform/transport.ts";
import type { TraceEvent } from "../../trace/trace_event.ts";
import { Chance } from "../simulation/chance.ts";
import { SimNetwork } from "../simulation/network.ts";
import { Process } from "../simulation/process.ts";
import { FakeClock } from "./fake_clock.ts";
import { FakePeer } from "./fake_peer.ts";
import type { Received } from "./line_client.ts";
import { loginOf, MeshClient } from "./mesh_client.ts";
import { MeshServer } from "./mesh_server.ts";

export { activityLine, FakePeer } from "./fake_peer.ts";
export { loginOf, MeshClient } from "./mesh_client.ts";
export { MeshServer } from "./mesh_server.ts";

/** What all servers of a test network know. */
export const SECRET = "cluster secret";
/** Where each server listens on its machine. */
export const PORT = 8000;
/** Rounds of promises that are let go on in a turn: more than any chain of them in the code is long. */
const ROUNDS = 48;
/** How long anything may take before a test fails, of the time that the test winds. */
const PATIENCE_MS = 60_000;
/** Conditions are looked at so often. */
const LOOK_MS = 5;

/** What a client asks for that people talk with. */
const CHAT_FEATURES = ["ack", "resume", "chat", "presence"];

/** A network of servers. */
export class MeshWorld {
  readonly clock: FakeClock = new FakeClock({ settled });
  readonly network: SimNetwork;
  /** Those that were started, by name. */
  readonly servers = new Map<string, MeshServer>();
  /** What the servers put on record, in the order in which it happened. */
  readonly traced: TraceEvent[] = [];
  /** Connections that were made so far, as `from>to`, the caller first. */
  readonly made: string[] = [];
  readonly #open = new Map<number, string>();
  #machines = 0;

  constructor(seed = 1) {
    let caller = "";
    this.network = new SimNetwork(this.clock, new Chance(seed, "network"), {
      linkUp: ({ machine }, peer, link) => {
        if (caller === "") caller = machine;
        else {
          this.#open.set(link, `${peer}>${machine}`);
          this.made.push(`${peer}>${machine}`);
          caller = "";
        }
      },
      linkDown: (_process, _peer, link) => void this.#open.delete(link),
    });
  }

  /** Servers of these names, each of which is to join all others, linked with each other. */
  static async of(names: readonly string[], config: ConfigLayer = {}, seed = 1): Promise<MeshWorld> {
    const world = new MeshWorld(seed);
    for (const name of names) world.start(name, names, config);
    await world.linked(...names);
    return world;
  }

  /** Starts a server that is to join `join`; again, with what is on its disk, when it was there before. */
  start(name: string, join: readonly string[] = [], config: ConfigLayer = {}): MeshServer {
    const server = this.servers.get(name) ?? new MeshServer(name, this);
    this.servers.set(name, server);
    server.start({
      ...config,
      server: { host: name, port: PORT },
      cluster: {
        secret: SECRET,
        // Peers that a test plays tell the secret. Servers prove it to each other all the same.
        clearSecret: "upgrade",
        join: join.filter((other) => other !== name).map((other) => other.includes(":") ? other : `${other}:${PORT}`),
        ...config.cluster,
      },
    });
    return server;
  }

  /** The server with this name. */
  server(name: string): MeshServer {
    return this.servers.get(name)!;
  }

  /** Lets time pass. */
  async run(ms: number): Promise<void> {
    await this.clock.run(ms);
  }

  /** Lets time pass until `condition` holds. Gives how long it took. */
  async until(condition: () => boolean, what: string): Promise<number> {
    const begin = this.clock.nowMs();
    await this.run(0);
    while (!condition()) {
      assert(this.clock.nowMs() - begin < PATIENCE_MS, `${what} did not happen within ${PATIENCE_MS} ms`);
      await this.run(LOOK_MS);
    }
    return this.clock.nowMs() - begin;
  }

  /** Lets time pass until these servers are all linked with each other, know it from each other, and take clients. */
  async linked(...names: string[]): Promise<void> {
    await this.until(() =>
      names.every((name) => {
        const { node } = this.server(name);
        return node.isJoined && names.every((other) => other === name || this.server(name).stateOf(other) === "linked");
      }), `the links between ${names.join()}`);
    // What they say about themselves right after that.
    await this.run(200);
  }

  /** Lets time pass until all of these servers have the same entries. */
  async equal(...names: string[]): Promise<void> {
    await this.until(() => {
      const [first, ...others] = names.map((name) => JSON.stringify(this.server(name).vector));
      return others.every((other) => other === first);
    }, `equal logs of ${names.join()}`);
    // And their clients have them too.
    await this.run(20);
  }

  /** Nothing gets from one side to the other any more, and nobody is told. */
  part(side: readonly string[], otherSide: readonly string[]): void {
    for (const a of side) {
      for (const b of otherSide) {
        this.network.block(a, b);
        this.network.block(b, a);
      }
    }
  }

  /** Lets time pass until no server on one side has a link to one on the other. */
  async parted(side: readonly string[], otherSide: readonly string[]): Promise<void> {
    this.part(side, otherSide);
    const isLinked = (a: string, b: string) => this.server(a).member(b)?.hasLink ?? false;
    await this.until(
      () => side.every((a) => otherSide.every((b) => !isLinked(a, b) && !isLinked(b, a))),
      "the end of the links",
    );
  }

  /** Connections that exist between two machines, as `from>to`. */
  between(a: string, b: string): string[] {
    return [...this.#open.values()].filter((link) => link === `${a}>${b}` || link === `${b}>${a}`);
  }

  /** As `dial`; `undefined` when nobody is there. */
  async tryToDial(server: string): Promise<Link | undefined> {
    let link: Link | undefined;
    const dialled = this.dial(server).then((made) => void (link = made), () => {});
    await this.run(20);
    await dialled;
    return link;
  }

  /** A link from a machine of its own, or from `machine`, to a server. */
  async dial(server: string, machine = `x${++this.#machines}`, highWaterBytes = 262_144): Promise<Link> {
    const process = new Process(machine, this.clock);
    const dialled = this.network.transport(process, highWaterBytes).dial({
      host: server,
      port: PORT,
      timeoutMs: 5_000,
    });
    const [link] = await Promise.all([dialled, this.run(20)]);
    return link;
  }

  /** A client on a link. */
  over(link: Link): MeshClient {
    return new MeshClient(link);
  }

  /** A client that has sent `lines` to a server. */
  async client(server: string, ...lines: Received[]): Promise<MeshClient> {
    const client = new MeshClient(await this.dial(server));
    if (lines.length > 0) {
      client.send(...lines);
      await this.run(20);
    }
    return client;
  }

  /** A client with all features, logged in. */
  async login(server: string, username = "anonymous", more: Received = {}): Promise<MeshClient> {
    const client = await this.client(server, loginOf(username, more));
    await this.until(() => client.commands.includes("LOGIN_SUCCESS"), `the login of ${username} at ${server}`);
    return client;
  }

  /** Registers a user, with its name as its secret. */
  async register(server: string, username: string, secret = username): Promise<MeshClient> {
    const client = await this.client(server, { command: "REGISTER", username, secret });
    await this.until(
      () => client.commands.some((command) => command.startsWith("REGISTER_")),
      `the registration of ${username} at ${server}`,
    );
    return client;
  }

  /** Registers these users at a server; resolves when all of the servers have them. */
  async users(server: string, ...usernames: string[]): Promise<void> {
    for (const username of usernames) (await this.register(server, username)).link.destroy();
    await this.equal(...this.servers.keys());
  }

  /**
   * A client that knows direct messages and presence, logged in where it asks. It takes what comes, and says
   * so, unless `isIdle`.
   */
  async chat(server: string, username: string, more: Received = {}, isIdle = false): Promise<MeshClient> {
    const client = new MeshClient(await this.dial(server));
    client.takesMessages = !isIdle;
    client.send(loginOf(username, { features: CHAT_FEATURES, redirects: 3, ...more }));
    await this.until(() => client.commands.includes("CAUGHT_UP"), `the login of ${username} at ${server}`);
    return client;
  }

  /** A client that asks for nothing, logged in where it asks. */
  async plain(server: string, username: string, link?: Link): Promise<MeshClient> {
    const client = new MeshClient(link ?? await this.dial(server));
    client.send(loginOf(username, { features: [], redirects: 3 }));
    await this.until(() => client.commands.includes("LOGIN_SUCCESS"), `the login of ${username} at ${server}`);
    await this.run(20);
    assert(
      !client.commands.includes("REDIRECT"),
      `${server} has more clients than others, and sends ${username} there`,
    );
    return client;
  }

  /** A peer of bytes that has greeted a server. */
  async peer(server: string, serverId: string, more: Received = {}): Promise<FakePeer> {
    const link = await this.dial(server, serverId);
    const peer = new FakePeer(link);
    peer.send({
      command: "AUTHENTICATE",
      secret: SECRET,
      serverId,
      host: serverId,
      port: PORT,
      features: ["thrum/1"],
      vector: {},
      lamport: 1,
      ...more,
    });
    await this.run(20);
    return peer;
  }

  /** Gives the calls that come to this machine to `answer`. */
  async answerCalls(machine: string, answer: (link: Link) => void): Promise<void> {
    const process = new Process(machine, this.clock);
    await this.network.transport(process, 262_144).listen({ host: machine, port: PORT }, answer);
  }

  /** A peer of bytes that takes calls and answers greetings; gives the links that were made to it. */
  async listen(serverId: string, vector: Record<string, number> = {}): Promise<FakePeer[]> {
    const links: FakePeer[] = [];
    const process = new Process(serverId, this.clock);
    await this.network.transport(process, 262_144).listen({ host: serverId, port: PORT }, (link) => {
      const peer = new FakePeer(link);
      peer.onGreeting = (greeting) => {
        // As 0.1.0 does, which knows nothing of proofs.
        if (greeting.secret === undefined) {
          peer.send({ command: "INVALID_MESSAGE", info: '"secret" is missing' });
          return peer.link.end(1_000);
        }
        links.push(peer);
        peer.send(...succ);
      };
      const features = ["thrum/1"];
      const succ = [{
        command: "AUTHENTICATION_SUCC",
        serverId,
        host: serverId,
        port: PORT,
        features,
        vector,
        lamport: 1,
      }];
    });
    return links;
  }
}

/** Promises have done all that they can. */
async function settled(): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) await null;
}
