/**
 * A process with connections, for tests of the supervisor: one fake clock, one supervisor, bytes that wait in the
 * operating system until a turn reads them, and others at the far ends that answer or do not. Bytes travel in real
 * time, whether this process stands still or not.
 */

import type { LivenessConfig } from "../../heartbeat/liveness.ts";
import { type Supervised, Supervisor, type Watch } from "../../heartbeat/supervisor.ts";
import { FakeClock } from "../support/fake_clock.ts";

interface Arrival {
  readonly at: number;
  readonly read: () => void;
}

/** What was asked of a connection. */
export type Call =
  | { readonly kind: "heartbeat"; readonly at: number; readonly sequence: number; readonly attempt: number }
  | { readonly kind: "alive"; readonly at: number; readonly roundTripMs: number | undefined }
  | { readonly kind: "gaveUp"; readonly at: number };

/** How this process reads. */
export interface Reading {
  /** A turn reads from at most so many sockets. */
  readonly socketsPerTurn?: number;
  /** Of so many turns one looks for what has arrived. */
  readonly turnsPerRead?: number;
  /** How long reading from one socket takes. */
  readonly readMs?: number;
}

export class World {
  readonly clock = new FakeClock({ nowMs: 777 });
  readonly supervisor = new Supervisor(this.clock);
  readonly #reading: Required<Reading>;
  #turns = 0;
  #arrivals: Arrival[] = [];

  constructor({ socketsPerTurn = Infinity, turnsPerRead = 1, readMs = 0 }: Reading = {}) {
    this.#reading = { socketsPerTurn, turnsPerRead, readMs };
    this.clock.onRead(() => this.#read());
  }

  /** Since the world began. */
  get nowMs(): number {
    return this.clock.nowMs() - 777;
  }

  connect(config: LivenessConfig): Connection {
    return new Connection(this, config);
  }

  /** `read` is called once bytes that are sent now have arrived and are read. */
  arrive(afterMs: number, read: () => void): void {
    this.#arrivals.push({ at: this.clock.nowMs() + afterMs, read });
    this.clock.after(afterMs, () => {});
  }

  #read(): void {
    const { socketsPerTurn, turnsPerRead, readMs } = this.#reading;
    const now = this.clock.nowMs();
    const hasArrived = ({ at }: Arrival) => at <= now;
    if (++this.#turns % turnsPerRead === 0) {
      for (let sockets = 0; sockets < socketsPerTurn; sockets++) {
        const index = this.#arrivals.findIndex(hasArrived);
        if (index < 0) return;
        this.clock.take(readMs);
        this.#arrivals.splice(index, 1)[0]!.read();
      }
    }
    if (this.#arrivals.some(hasArrived)) this.clock.after(0, () => {});
  }
}

/** One connection of this process, and the other side of it. */
export class Connection implements Supervised {
  readonly world: World;
  readonly watch: Watch;
  readonly calls: Call[] = [];
  /** When data was read last. */
  readAt = 0;
  /**
   * How long the other side, with the way there and back, takes to answer a heartbeat; `undefined` when it does not.
   */
  answersAfterMs: (sequence: number) => number | undefined = () => undefined;

  constructor(world: World, config: LivenessConfig) {
    this.world = world;
    this.watch = world.supervisor.watch(this, config);
  }

  sendHeartbeat(sequence: number, attempt: number): void {
    this.calls.push({ kind: "heartbeat", at: this.world.nowMs, sequence, attempt });
    const afterMs = this.answersAfterMs(sequence);
    if (afterMs === undefined) return;
    this.world.arrive(afterMs, () => {
      this.watch.heard();
      this.watch.answered(sequence);
    });
  }

  alive(roundTripMs: number | undefined): void {
    this.calls.push({ kind: "alive", at: this.world.nowMs, roundTripMs });
  }

  gaveUp(): void {
    this.calls.push({ kind: "gaveUp", at: this.world.nowMs });
  }

  /** The other side sends something that arrives `afterMs` from now. */
  data(afterMs: number): void {
    this.world.arrive(afterMs, () => {
      this.readAt = this.world.nowMs;
      this.watch.heard();
    });
  }

  count(kind: Call["kind"]): number {
    return this.calls.filter((call) => call.kind === kind).length;
  }

  get gaveUpAt(): number | undefined {
    return this.calls.find((call) => call.kind === "gaveUp")?.at;
  }
}
