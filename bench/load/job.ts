/**
 * What the benchmark asks of a load generator, and what it gets back. Both travel as one line of JSON between two
 * processes (`../generate.ts` and a generator).
 */

/** How to speak to a server: see `wire.ts`. */
export type WireName =
  | "lines"
  | "lines-network"
  | "lines-no-ids"
  | "nats"
  | "redis"
  | "jetstream-file"
  | "jetstream-memory"
  | "jetstream-file-ids"
  | "jetstream-memory-ids"
  | "redis-stream";

/** What all jobs have. */
interface ToServer {
  readonly wire: WireName;
  /** On 127.0.0.1. */
  readonly port: number;
  /** The server's process, whose CPU time and memory are read. */
  readonly serverPid: number;
  /** Further servers of the same network: receivers are spread over all of them, whoever publishes is at the first. */
  readonly others?: readonly { readonly port: number; readonly pid: number }[];
  /** Whether the server is called by TLS. Whoever answers is believed. */
  readonly tls?: boolean;
  /** The generator gives up, and ends, after this time. */
  readonly deadlineMs: number;
}

/** One publisher, so many receivers, as fast as the server can: at most `window` publications on their way. */
export interface FanoutJob extends ToServer {
  readonly kind: "fanout";
  readonly subscribers: number;
  readonly window: number;
  readonly warmupMs: number;
  readonly measureMs: number;
}

/** One publisher at a steady `ratePerS`; every delivery's latency is measured. */
export interface LatencyJob extends ToServer {
  readonly kind: "latency";
  readonly subscribers: number;
  readonly ratePerS: number;
  readonly warmupMs: number;
  readonly measureMs: number;
}

/** Connections that are logged in and idle, until the generator is ended. */
export interface HoldJob extends ToServer {
  readonly kind: "hold";
  readonly connections: number;
}

/** So many receivers at once that were away, and get all `entries` that the server keeps. */
export interface ReadersJob extends ToServer {
  readonly kind: "readers";
  readonly connections: number;
  readonly entries: number;
}

/** Publishers that wait for the server's word, each with at most `window` publications unanswered. */
export interface AckJob extends ToServer {
  readonly kind: "ack";
  readonly publishers: number;
  readonly window: number;
  readonly warmupMs: number;
  readonly measureMs: number;
}

/** So many publications, to one receiver, as fast as the server takes them: for what it has to keep. */
export interface FillJob extends ToServer {
  readonly kind: "fill";
  readonly entries: number;
  readonly window: number;
}

/** Clients that come back, spread over all servers; then the first server is killed. */
export interface FailoverJob extends ToServer {
  readonly kind: "failover";
  readonly clients: number;
  /** Activities that are published meanwhile, at a server that stays. */
  readonly ratePerS: number;
}

/**
 * One publisher, whose publications go to one after the other of so many channels, and receivers that read one channel
 * each or all of them; as fast as the server can.
 */
export interface ChannelsJob extends ToServer {
  readonly kind: "channels";
  readonly channels: number;
  /** Of each channel, or of all. */
  readonly subscribers: number;
  /** Whether each subscriber reads all channels, by a pattern. */
  readonly readAll: boolean;
  readonly window: number;
  readonly warmupMs: number;
  readonly measureMs: number;
}

/** Clients with names that log in, each on a connection of its own, and go; as fast as the server lets them in. */
export interface StormJob extends ToServer {
  readonly kind: "storm";
  /** Whether they prove their secret, or tell it. */
  readonly way: "scram" | "clear";
  /** Accounts, which are there. */
  readonly accounts: number;
  /** All together: the accounts log in one after the other, and again if these are more. */
  readonly logins: number;
  /** Logins that are under way at a time. */
  readonly atOnce: number;
}

export type Job =
  | FanoutJob
  | ChannelsJob
  | LatencyJob
  | HoldJob
  | ReadersJob
  | AckJob
  | FillJob
  | FailoverJob
  | StormJob;

/** Processor time that was used while it was measured, in cores: 1 is one core all the time. */
export interface CpuUse {
  readonly serverCores: number;
  readonly generatorCores: number;
}

/** Deliveries (`fanout`, `channels`, `readers`), answered publications (`ack`) or logins (`storm`) a second. */
export interface RateResult extends CpuUse {
  readonly kind: "rate";
  readonly perS: number;
  /** `ack`: deliveries to the publishers, for each answered publication. */
  readonly deliveriesEach?: number;
}

/** Milliseconds from the write by the publisher to the read by the receiver. */
export interface LatencyResult extends CpuUse {
  readonly kind: "latency";
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** Deliveries a second while it was measured, and how many were asked for. */
  readonly perS: number;
  readonly offeredPerS: number;
}

/** How the connections of a `hold` fared. */
export interface Held {
  readonly kind: "held";
  /** Questions whether they live, all together. */
  readonly questions: number;
}

/** How the clients of a server that was killed got over it. */
export interface FailoverResult {
  readonly kind: "failover";
  /** Clients that it had. */
  readonly affected: number;
  /** Milliseconds, for each of them, from the kill until it was logged in elsewhere and had got all that it missed. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Logins: the most in any 100 ms, and the mean from the first to the last. */
  readonly mostPerWindow: number;
  readonly meanPerWindow: number;
  /**
   * The longest that the generator itself did nothing meanwhile, as the machine was busy: all logins of that
   * time count at its end.
   */
  readonly stalledMs: number;
}

/** What went wrong, in words: a delivery that was lost or doubled is one of these. */
export interface Failure {
  readonly kind: "failure";
  readonly message: string;
}

export type JobResult = RateResult | LatencyResult | Held | FailoverResult | Failure;
