/** What everybody in a simulation shares. */

import type { FakeClock } from "../support/fake_clock.ts";
import type { History } from "./history.ts";
import type { SimNetwork } from "./network.ts";

/** Seed, time, network and history. */
export interface Surroundings {
  readonly seed: number;
  readonly clock: FakeClock;
  readonly network: SimNetwork;
  readonly history: History;
  /** All servers, by name. */
  readonly servers: readonly string[];
  /** Whether clients ask what was said before. */
  readonly asksPast: boolean;
}

/** What the world asks of a client, of whatever kind. */
export interface SimClient {
  readonly name: string;
  /** Its user, if it has a name. */
  readonly username: string | undefined;
  /** Whether it is logged in, as far as it knows. */
  readonly isConnected: boolean;
  /** Whether it wants to be. */
  readonly isIn: boolean;
  /** The server that it is, or was last, connected to. */
  readonly server: string | undefined;
  /** Publications that are not acknowledged. */
  readonly unacknowledged: number;
  enter(server: string, resume: boolean): void;
  leave(): void;
  kill(how: "crash" | "power cut"): void;
  /** For everyone, or for these channels in turn. */
  publish(count: number, channels?: readonly string[]): void;
  /** Reads these channels too, with so much of their past. */
  subscribe(channels: readonly string[], history: number): void;
  unsubscribe(channels: readonly string[]): void;
  /** Direct messages to a user. */
  send(to: string, count: number): void;
  readSlowly(ms: number): void;
  stall(): void;
  goOn(): void;
  /** Writes down how it stands. */
  tellEnd(): void;
}
