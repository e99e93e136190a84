/**
 * Several real servers on one fake clock and one network, each on a machine of its own, with clients and peers of bytes. Machines, links and disks are those of the
 * simulator; here a test says what happens when. Latencies come from a fixed seed, so that every run is the same.
 */

import { assert } from "@std/assert";
import { type Config, type ConfigLayer, DEFAULT_CONFIG } from "../../config/config.ts";
import { layered } from "../../config/load.ts";
import type { Segment } from "../../log/segment.ts";
import { ThrumNode } from "../../node/node.ts";
import { nodeCrypto } from "../../platform/crypto.ts";
import type { Link, LinkHandler } from "../../platform/transport.ts";
import type { Store, StoredMessage } from "../../store/store.ts";
import type { TraceEvent } from "../../trace/trace_event.ts";
import { Chance } from "../simulation/chance.ts";
import { Disk } from "../simulation/disk.ts";
import { SimNetwork } from "../simulation/network.ts";
import { Process } from "../simulation/process.ts";
import { FakeClock } from "./fake_clock.ts";
import type { Received } from "./line_client.ts";
import { FakeLineClient } from "./node_world.ts";

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
const decoder = new TextDecoder();

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

  /** A client that knows direct messages and presence, logged in where it asks. It takes what comes, and says so, unless `isIdle`. */
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

  /** A peer of bytes that takes calls and answers greetings; gives the links that were made to it. */
  async listen(serverId: string, vector: Record<string, number> = {}): Promise<FakePeer[]> {
    const links: FakePeer[] = [];
    const process = new Process(serverId, this.clock);
    await this.network.transport(process, 262_144).listen({ host: serverId, port: PORT }, (link) => {
      const peer = new FakePeer(link);
      links.push(peer);
      const features = ["thrum/1"];
      peer.send({
        command: "AUTHENTICATION_SUCC",
        serverId,
        host: serverId,
        port: PORT,
        features,
        vector,
        lamport: 1,
      });
    });
    return links;
  }
}

/** What a client asks for that people talk with. */
const CHAT_FEATURES = ["ack", "resume", "chat", "presence"];

/** A LOGIN with everything that our own client asks for. */
export function loginOf(username: string, more: Received = {}): Received {
  return {
    command: "LOGIN",
    username,
    ...(username === "anonymous" ? {} : { secret: username }),
    features: ["ack", "resume"],
    ...more,
  };
}

/** One server of the network, over and over again on the same disk. */
export class MeshServer {
  readonly name: string;
  /** Every entry that it has, by id. */
  readonly entries = new Map<string, { readonly line: Received; readonly isFor: string }>();
  /** Secrets that were derived. */
  readonly derived: string[] = [];
  readonly #world: MeshWorld;
  readonly #disk: Disk;
  readonly #chance: Chance;
  #node: ThrumNode | undefined;
  #process: Process | undefined;
  #store: Store | undefined;
  #vector: Record<string, number> = {};
  /** Commits so far. */
  commits = 0;

  constructor(name: string, world: MeshWorld) {
    this.name = name;
    this.#world = world;
    this.#disk = new Disk(name);
    this.#chance = new Chance(1, `server ${name}`);
  }

  get node(): ThrumNode {
    return this.#node!;
  }

  get process(): Process {
    return this.#process!;
  }

  /** What it has stored. */
  get vector(): Readonly<Record<string, number>> {
    return Object.fromEntries(Object.entries(this.#vector).toSorted(([a], [b]) => a < b ? -1 : 1));
  }

  /** Direct messages that wait for a user there. */
  inboxOf(username: string): StoredMessage[] {
    return this.#store!.inboxOf(username);
  }

  /** For whom it has an entry; `undefined` when it has none. */
  isFor(id: string): string | undefined {
    return this.entries.get(id)?.isFor;
  }

  /** The activities that it has for everyone, in the order of its log. */
  get activities(): unknown[] {
    return [...this.entries.values()].filter(({ line, isFor }) =>
      line.command === "ACTIVITY_BROADCAST" && isFor === "everyone"
    ).map(({ line }) => line.activity.n);
  }

  /** How it sees another one. */
  member(name: string): ReturnType<ThrumNode["members"]["find"]> {
    return this.node.members.find(({ serverId }) => serverId === name);
  }

  /** How it sees another one, in a word. */
  stateOf(name: string): string | undefined {
    return this.member(name)?.state;
  }

  /** Begins a new life. */
  start(layer: ConfigLayer): void {
    const { clock, network } = this.#world;
    const config: Config = layered(DEFAULT_CONFIG, layer);
    network.powerOn(this.name);
    const process = new Process(this.name, clock);
    this.#process = process;
    const store = this.#disk.open(() => clock.nowMs(), {
      committing: () => true,
      committed: (segments) => this.#committed(segments),
    });
    this.#store = store;
    this.#vector = { ...store.opened.vector };
    const node = new ThrumNode({
      config,
      clock: process,
      transport: network.transport(process, config.limits.maxPendingBytes),
      store,
      crypto: {
        ...nodeCrypto,
        scrypt: (secret) => {
          this.derived.push(secret);
          return new Promise((resolve) => void process.after(5, () => resolve(new TextEncoder().encode(secret))));
        },
        randomBytes: (length) => this.#chance.bytes(length),
      },
      writeTrace: (event) => void this.#world.traced.push(event),
    });
    this.#node = node;
    void node.start();
    void node.finished.then(() => {
      if (process.isDead) return;
      process.die();
      network.died(process);
    });
  }

  /** As `kill -9`: what it sent still arrives, and its links are reset. */
  kill(): void {
    this.process.die();
    this.#world.network.died(this.process);
  }

  /** Its machine is off from one moment to the next. */
  powerOff(): void {
    this.process.die();
    this.#world.network.powerOff(this.process);
  }

  #committed(segments: readonly Segment[]): void {
    this.commits++;
    for (const { origin, first, last, audience, bytes } of segments) {
      this.#vector[origin] = last;
      const lines = decoder.decode(bytes).split("\n");
      for (let sequence = first; sequence <= last; sequence++) {
        this.entries.set(`${origin}:${sequence}`, { line: JSON.parse(lines[sequence - first]!), isFor: audience.kind });
      }
    }
  }
}

/** A client of bytes. */
export class MeshClient extends FakeLineClient {
  /** Whether it says at once that it has taken each direct message that comes. */
  takesMessages = false;
  #sent = 0;

  override onData(bytes: Uint8Array): void {
    const before = this.received.length;
    super.onData(bytes);
    if (this.takesMessages && this.received.slice(before).some(isMessage)) this.take();
  }

  /** Says that it has taken all direct messages that came. */
  take(): void {
    this.send({ command: "ACK", vector: vectorOf(this.received.filter(isMessage)) });
  }

  /** Sends a direct message; under a `messageId` where one is given. */
  tell(to: string, text: string, messageId?: string): void {
    this.send({ command: "DIRECT_MESSAGE", to, text, ...(messageId === undefined ? {} : { messageId }) });
  }

  /** The texts of the direct messages that came, in order. */
  get messages(): string[] {
    return this.received.filter(isMessage).map(({ text }) => text);
  }

  /** The same for a client that knows none, with who sent them. */
  get plainMessages(): string[] {
    return this.all("ACTIVITY_BROADCAST").filter(({ activity }) => Object.hasOwn(activity, "direct_message"))
      .map(({ activity }) => `${activity.authenticated_user}: ${activity.direct_message}`);
  }

  /** What became of its messages, as `messageId state`, in order. */
  get receipts(): string[] {
    return this.all("RECEIPT").map(({ messageId, state }) => `${messageId} ${state}`);
  }

  /** Who came and went, as `user event`, in order. */
  get presence(): string[] {
    return this.all("PRESENCE").map(({ username, event }) => `${username} ${event}`);
  }

  /** All that came and has a place in the log, on top of what the login was answered with. */
  get vector(): Record<string, number> {
    const { vector } = this.last("CAUGHT_UP") ?? this.last("LOGIN_SUCCESS")!.resume;
    return vectorOf(this.received.filter(({ id, offline }) => id !== undefined && offline !== true), vector);
  }

  /** Publishes an activity; under a `messageId` where one is given. */
  publish(n: unknown, messageId?: string): void {
    this.#sent++;
    this.send({ command: "ACTIVITY_MESSAGE", activity: { n }, ...(messageId === undefined ? {} : { messageId }) });
  }

  /** What came with this command. */
  all(command: string): Received[] {
    return this.received.filter((one) => one.command === command);
  }

  /** What came last with this command. */
  last(command: string): Received | undefined {
    return this.received.findLast((one) => one.command === command);
  }

  /** The activities that came, in order. */
  get activities(): unknown[] {
    return this.all("ACTIVITY_BROADCAST").map(({ activity }) => activity.n);
  }
}

/** Another server, as far as a test plays one: it answers heartbeats, and says what it is told to. */
export class FakePeer extends MeshClient implements LinkHandler {
  /** Whether heartbeats are not answered. */
  isMute = false;

  override onData(bytes: Uint8Array): void {
    const before = this.received.length;
    super.onData(bytes);
    for (const { command, sequence } of this.received.slice(before)) {
      if (command === "HEARTBEAT" && !this.isMute) this.send({ command: "HEARTBEAT_ACK", sequence });
    }
  }

  /** Sends lines of an origin's log, from `first` on. */
  entries(origin: string, first: number, lines: readonly Received[], more: Received = {}): void {
    const last = first + lines.length - 1;
    this.send({ command: "ENTRIES", origin, first, last, after: first - 1, to: "everyone", ...more }, ...lines);
  }
}

/** The line of an activity, as its origin has stored it. */
export function activityLine(id: string, n: unknown, more: Received = {}, username = "anonymous"): Received {
  return {
    command: "ACTIVITY_BROADCAST",
    activity: { n, authenticated_user: username },
    id,
    lamport: 1,
    sentAt: 1_735_689_600_000,
    ...more,
  };
}

function isMessage({ command }: Received): boolean {
  return command === "DIRECT_MESSAGE";
}

/** What somebody has who has these lines, and all before them. */
function vectorOf(lines: readonly Received[], from: Record<string, number> = {}): Record<string, number> {
  const vector = { ...from };
  for (const { id } of lines) {
    const [origin, sequence] = id.split(":");
    vector[origin] = Math.max(vector[origin] ?? 0, Number(sequence));
  }
  return vector;
}

/** Promises have done all that they can. */
async function settled(): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) await null;
}
