/** One real server of `mesh_world.ts`: its lives, its disk, and how it sees the others. */

import { type Config, type ConfigLayer, DEFAULT_CONFIG } from "../../config/config.ts";
import { layered } from "../../config/load.ts";
import { ThrumNode } from "../../server/node/node.ts";
import { nodeCrypto } from "../../platform/crypto.ts";
import { takeBack } from "../../log/vector.ts";
import { parseEntryId } from "../../protocol/entry_id.ts";
import type { DiskUse } from "../../server/store/budget.ts";
import type { Batch, Store, StoredMessage } from "../../server/store/store.ts";
import type { TraceEvent } from "../../trace/trace_event.ts";
import { Chance } from "../simulation/chance.ts";
import { Disk, type DiskCopy } from "../simulation/disk.ts";
import type { SimNetwork } from "../simulation/network.ts";
import { type Calendar, Process } from "../simulation/process.ts";
import { withDiskUse } from "./disk_use.ts";
import type { FakeClock } from "./fake_clock.ts";
import type { Received } from "./line_client.ts";

/** What it lives in. */
export interface ServerWorld {
  readonly clock: FakeClock;
  readonly network: SimNetwork;
  /** What it puts on record is added to this. */
  readonly traced: TraceEvent[];
}

const decoder = new TextDecoder();

/** One server of the network, over and over again on the same disk. */
export class MeshServer {
  readonly name: string;
  /** Every entry that it has, by id. */
  readonly entries = new Map<string, { readonly line: Received; readonly isFor: string }>();
  /** Secrets that were derived. */
  readonly derived: string[] = [];
  /** Its machine's. */
  readonly calendar: Calendar = { aheadMs: 0 };
  readonly #world: ServerWorld;
  readonly #disk: Disk;
  readonly #chance: Chance;
  #node: ThrumNode | undefined;
  #process: Process | undefined;
  #store: Store | undefined;
  #vector: Record<string, number> = {};
  /** Commits so far. */
  commits = 0;
  /** What its folder takes, where it is on a disk that has an end. */
  diskUse: DiskUse | undefined;
  /** Whether its disk follows. */
  hasRoom = true;

  constructor(name: string, world: ServerWorld) {
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
    const process = new Process(this.name, clock, this.calendar);
    this.#process = process;
    const disk = this.#disk.open(() => clock.nowMs(), {
      committing: () => true,
      committed: (batch) => this.#committed(batch),
    });
    const store = withDiskUse(disk, () => this.diskUse, () => this.hasRoom);
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
      makeServerId: () => this.#disk.makeName(),
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

  /** What is on its disk now. */
  copyData(): DiskCopy {
    return this.#disk.copy();
  }

  /** An old copy of its data is put back, while it does not run. */
  putBack(copy: DiskCopy): void {
    this.#disk.putBack(copy);
  }

  #committed({ segments, renamed, buried = {} }: Batch): void {
    this.commits++;
    for (const origin of Object.keys(buried)) delete this.#vector[origin];
    if (renamed !== undefined) {
      takeBack(this.#vector, renamed.former, renamed.after);
      for (const id of this.entries.keys()) {
        const { origin, sequence } = parseEntryId(id)!;
        if (origin === renamed.former && sequence > renamed.after) this.entries.delete(id);
      }
    }
    for (const { origin, first, last, audience, bytes } of segments) {
      this.#vector[origin] = last;
      const lines = decoder.decode(bytes).split("\n");
      for (let sequence = first; sequence <= last; sequence++) {
        const line = lines[sequence - first]!;
        // A line that is forgotten is empty.
        if (line === "") this.entries.set(`${origin}:${sequence}`, { line: { command: "" }, isFor: "nobody" });
        else this.entries.set(`${origin}:${sequence}`, { line: JSON.parse(line), isFor: audience.kind });
      }
    }
  }
}
