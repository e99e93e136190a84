/**
 * A server on a fake clock and a fake network, with clients of bytes. What happens in one turn of its event loop, and
 * when a secret is derived, is up to the test.
 */

import { type Config, type ConfigLayer, DEFAULT_CONFIG } from "../../config/config.ts";
import { layered } from "../../config/load.ts";
import { type NodeParts, ThrumNode } from "../../server/node/node.ts";
import { nodeCrypto } from "../../platform/crypto.ts";
import type { Link, LinkEnd, LinkHandler } from "../../platform/transport.ts";
import { openMemoryStore } from "../../server/store/memory_store.ts";
import { type Store, StoreError } from "../../server/store/store.ts";
import { FakeClock } from "./fake_clock.ts";
import { type FakeLink, FakeNetwork } from "./fake_network.ts";
import type { Received } from "./line_client.ts";

/** One server and its surroundings. */
export class NodeWorld {
  readonly clock = new FakeClock();
  readonly network: FakeNetwork;
  readonly node: ThrumNode;
  /** What the store cannot do from now on. */
  readonly broken = new Set<keyof Store>();
  /** Secrets whose derivation was begun, oldest first. */
  readonly derived: string[] = [];
  #underWay: (() => void)[] = [];

  private constructor(config: Config, more: Partial<NodeParts>) {
    this.network = new FakeNetwork(this.clock, { latencyMs: 0, highWaterBytes: config.limits.maxPendingBytes });
    this.node = new ThrumNode({
      config,
      clock: this.clock,
      transport: this.network.machine("server"),
      store: breakable(openMemoryStore({ serverId: "s-1" }), this.broken),
      crypto: {
        ...nodeCrypto,
        scrypt: (secret) => {
          this.derived.push(secret);
          return new Promise((resolve) => this.#underWay.push(() => resolve(new TextEncoder().encode(secret))));
        },
      },
      ...more,
    });
  }

  /** `more` is what its node is made with besides. */
  static async start(options: ConfigLayer = {}, more: Partial<NodeParts> = {}): Promise<NodeWorld> {
    const world = new NodeWorld(layered(DEFAULT_CONFIG, options), more);
    await world.node.start();
    return world;
  }

  /** What has arrived is read, answered and sent. */
  async settle(): Promise<void> {
    await this.clock.run(0);
  }

  /** Ends the derivations that were begun; what follows from that happens when the clock is wound. */
  endDerivations(): void {
    for (const end of this.#underWay.splice(0)) end();
  }

  /** Ends derivations until none is begun any more. */
  async endAllDerivations(): Promise<void> {
    await this.settle();
    while (this.#underWay.length > 0) {
      this.endDerivations();
      await this.settle();
    }
  }

  /** A client that has sent `lines`. */
  connect(...lines: Received[]): Promise<FakeLineClient> {
    return this.connectFrom("client", ...lines);
  }

  /** The same, from an address. */
  async connectFrom(address: string, ...lines: Received[]): Promise<FakeLineClient> {
    const dialled = this.network.machine(address).dial({ host: "127.0.0.1", port: this.node.port, timeoutMs: 1 });
    await this.settle();
    const client = new FakeLineClient(await dialled);
    if (lines.length > 0) {
      client.send(...lines);
      await this.settle();
    }
    return client;
  }

  /** Registers `username`, with its name as its secret. */
  async register(username: string): Promise<void> {
    const client = await this.connect({ command: "REGISTER", username, secret: username });
    await this.endAllDerivations();
    client.link.destroy();
    await this.settle();
  }

  /** Stops the server, and gives how it ended. */
  async stop(): ReturnType<typeof waitFor> {
    void this.node.stop();
    return await waitFor(this);
  }
}

/** Lets time pass until the server has ended, and gives how it did. */
export async function waitFor({ clock, node }: NodeWorld): Promise<Awaited<ThrumNode["finished"]>> {
  await clock.run(10_000);
  return await node.finished;
}

/** One connection's other end. */
export class FakeLineClient implements LinkHandler {
  /** Every line that came, in order. */
  readonly received: Received[] = [];
  end: LinkEnd | undefined;
  #text = "";

  constructor(readonly link: Link) {
    link.attach(this);
  }

  /** The commands that came, in order. */
  get commands(): string[] {
    return this.received.map(({ command }) => command);
  }

  /** The sequences of the activities that came, in order. */
  get sequences(): number[] {
    return this.received.filter(({ command }) => command === "ACTIVITY_BROADCAST")
      .map(({ id }) => Number(id.split(":")[1]));
  }

  /** Sends objects as lines, in one piece. */
  send(...messages: Received[]): void {
    this.link.write(new TextEncoder().encode(messages.map((message) => `${JSON.stringify(message)}\n`).join("")));
  }

  /** Sends no more, and reads on. */
  finish(): void {
    (this.link as FakeLink).finish();
  }

  onData(bytes: Uint8Array): void {
    const lines = (this.#text + new TextDecoder().decode(bytes)).split("\n");
    this.#text = lines.pop()!;
    for (const line of lines) this.received.push(JSON.parse(line));
  }

  onDrain(): void {}

  onFinish(): void {
    this.link.end(1_000);
  }

  onEnd(end: LinkEnd): void {
    this.end = end;
  }
}

/** `store`, of which what is named in `broken` fails. */
function breakable(store: Store, broken: ReadonlySet<keyof Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      if (broken.has(name as keyof Store)) {
        return () => {
          throw new StoreError(`Cannot ${String(name)}: the disk reports an error`);
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
