/**
 * What is going to happen, as data: who takes part and what is done to them when. So a schedule can be printed, and
 * made shorter. Every step can be left out: a step that makes no sense any more does nothing.
 */

import type { Vector } from "../../log/vector.ts";
import { type LieName } from "./liar.ts";

/** Who a client is. Two may have one name, with one secret (they are one user) or with two (only one can have it). */
export interface ClientPlan {
  readonly name: string;
  /**
   * `library` and `anonymous` use the client library. `plain` sends and reads lines and knows no features. `channels`
   * sends and reads lines, too, and says itself which channels it reads and what it has.
   */
  readonly kind: "library" | "plain" | "anonymous" | "channels";
  readonly username: string;
  readonly secret: string;
  /**
   * What it has when it enters for the first time, of a server that no other one has heard of; only with the library.
   */
  readonly has?: Vector;
  /** The channels that it reads from the beginning, as patterns. Absent for what has none; not for a plain one. */
  readonly channels?: readonly string[];
}

/** How the servers are configured. */
export interface Settings {
  readonly durability: "local" | "replicated";
  /** Whether commits wait for the disk. */
  readonly synchronous: "normal" | "full";
  /** Whether a server knows that it lost the end of its log in a power cut. */
  readonly cuts: "noticed" | "silent";
  readonly holdBackMs: number;
  readonly maxPendingBytes: number;
  /** How much of the log is in memory: what is older is read from the disk. */
  readonly tailBytes: number;
  readonly activityRetentionBytes: number;
  /** Whether clients with the library ask what was said before. */
  readonly asksPast?: boolean;
  /** After how long servers, and what is old, are forgotten; where nothing is said, after longer than this takes. */
  readonly retention?: { readonly membersMs: number; readonly entriesMs: number };
}

/** What an operator lays down of a user. */
export type Verdict = "ban" | "lift" | "disable" | "enable" | "reset" | "delete";

/** What is done. Machines are named `s1`, `s2` … and `c1`, `c2` … */
export type Action =
  /** It starts, joins, or comes back, with the disk it had. */
  | { readonly kind: "start"; readonly server: string }
  /** `kill -9`: now, or in its next commit before or after that is on the disk. */
  | { readonly kind: "crash"; readonly server: string; readonly when: "now" | "before commit" | "after commit" }
  /** `chance` says how much of what was not synced is there afterwards. */
  | { readonly kind: "power cut"; readonly server: string; readonly chance: number }
  /** SIGTERM. */
  | { readonly kind: "stop"; readonly server: string }
  /** It goes, and its disk with it. */
  | { readonly kind: "destroy"; readonly server: string }
  /** SIGSTOP, and SIGCONT after so long. */
  | { readonly kind: "stall"; readonly machine: string; readonly ms: number }
  /** The machine sleeps for so long, so often, with short moments between in which it is awake. */
  | {
    readonly kind: "doze";
    readonly machine: string;
    readonly times: number;
    readonly ms: number;
    readonly awakeMs: number;
  }
  | { readonly kind: "partition"; readonly sides: readonly [readonly string[], readonly string[]] }
  | { readonly kind: "black hole"; readonly from: string; readonly to: string }
  | { readonly kind: "slow"; readonly a: string; readonly b: string; readonly ms: number }
  | { readonly kind: "reset"; readonly a: string; readonly b: string }
  | { readonly kind: "heal" }
  /** Logs in, and registers before if need be. `resume`: goes on where it was before it was killed. */
  | { readonly kind: "enter"; readonly client: string; readonly server: string; readonly resume: boolean }
  | { readonly kind: "leave"; readonly client: string }
  /** Its process is killed, or its machine loses power, so that nobody is told. */
  | { readonly kind: "kill"; readonly client: string; readonly how: "crash" | "power cut" }
  /** For `channels` in turn, where they are given; an empty name stands for everyone. */
  | {
    readonly kind: "publish";
    readonly client: string;
    readonly count: number;
    readonly channels?: readonly string[];
  }
  /**
   * It reads these channels too, as patterns, and asks for so much that was said in them before. One with the library
   * begins to iterate over them, and asks for nothing.
   */
  | {
    readonly kind: "subscribe";
    readonly client: string;
    readonly channels: readonly string[];
    readonly history: number;
  }
  /** It does not read these patterns any more. One with the library leaves its oldest iterator of channels. */
  | { readonly kind: "unsubscribe"; readonly client: string; readonly channels: readonly string[] }
  /** Direct messages to a user, who may be there or not. */
  | { readonly kind: "send"; readonly client: string; readonly to: string; readonly count: number }
  /**
   * The server that it is connected to crashes, or is cut off from the other servers: what it has accepted
   * last is nowhere else.
   */
  | { readonly kind: "crash host"; readonly client: string; readonly when: "now" | "before commit" | "after commit" }
  | { readonly kind: "isolate host"; readonly client: string }
  /** That one is busy, as in "busy loop". */
  | {
    readonly kind: "busy host";
    readonly client: string;
    readonly times: number;
    readonly ms: number;
    readonly freeMs: number;
  }
  /** Somebody on that machine registers a name, and does nothing else. */
  | {
    readonly kind: "claim";
    readonly client: string;
    readonly server: string;
    readonly username: string;
    readonly secret: string;
  }
  /** An operator comes to that server. */
  | { readonly kind: "rule"; readonly server: string; readonly verdict: Verdict; readonly username: string }
  /** After so many more reads its disk fails. */
  | { readonly kind: "reads fail"; readonly server: string; readonly after: number }
  /** A bit on its disk flips; `chance` says where. */
  | { readonly kind: "bit flips"; readonly server: string; readonly chance: number }
  /** Somebody sets the calendar of its machine, and after so long sets it right. */
  | { readonly kind: "set calendar"; readonly server: string; readonly aheadMs: number; readonly forMs: number }
  /** It is killed, and an old copy of its data is put back; `chance` says how old. */
  | { readonly kind: "put back"; readonly server: string; readonly chance: number }
  /** A plain client does not read for a while. */
  | { readonly kind: "read slowly"; readonly client: string; readonly ms: number }
  /** Somebody who has the secret of the network is taken for a server, and lies. */
  | {
    readonly kind: "lie";
    readonly server: string;
    readonly what: LieName;
    readonly number: number;
  }
  /**
   * A server is not stopped, but so busy that nothing else happens in it: so often, for so long, with
   * short moments between.
   */
  | {
    readonly kind: "busy loop";
    readonly server: string;
    readonly times: number;
    readonly ms: number;
    readonly freeMs: number;
  };

/** One of them, and when it is its turn, in milliseconds from the beginning. */
export type Step = { readonly at: number } & Action;

/** A whole simulation. */
export interface Schedule {
  readonly seed: number;
  readonly servers: readonly string[];
  readonly clients: readonly ClientPlan[];
  readonly settings: Settings;
  readonly steps: readonly Step[];
  /** Users whom operators judge. */
  readonly judged?: readonly string[];
}

const DAY_MS = 86_400_000;

/** A step in words. */
export function stepText(step: Action): string {
  switch (step.kind) {
    case "crash":
      return `${step.server} crashes ${step.when === "now" ? "now" : `in its next commit, ${step.when}`}`;
    case "power cut":
      return `${step.server} loses power`;
    case "start":
    case "stop":
    case "destroy":
      return `${step.kind} ${step.server}`;
    case "stall":
      return `${step.machine} stands still for ${step.ms} ms`;
    case "doze":
      return `${step.machine} sleeps ${step.times} times for ${step.ms} ms, awake for ${step.awakeMs} ms between`;
    case "partition":
      return `partition: ${step.sides.map((side) => side.join(" ")).join(" | ")}`;
    case "black hole":
      return `black hole from ${step.from} to ${step.to}`;
    case "slow":
      return `${step.ms} ms more between ${step.a} and ${step.b}`;
    case "reset":
      return `connections between ${step.a} and ${step.b} are reset`;
    case "heal":
      return "the network heals";
    case "enter":
      return `${step.client} enters at ${step.server}${step.resume ? ", where it was" : ""}`;
    case "leave":
      return `${step.client} leaves`;
    case "kill":
      return step.how === "crash" ? `${step.client} is killed` : `${step.client} loses power`;
    case "publish":
      return `${step.client} publishes ${step.count}${
        step.channels === undefined ? "" : ` for ${listText(step.channels)}`
      }`;
    case "subscribe":
      return `${step.client} subscribes to ${listText(step.channels)}, with ${step.history} of the past`;
    case "unsubscribe":
      return `${step.client} unsubscribes from ${listText(step.channels)}`;
    case "send":
      return `${step.client} sends ${step.count} to ${step.to}`;
    case "crash host":
      return `the server of ${step.client} crashes ${step.when === "now" ? "now" : `in its next commit, ${step.when}`}`;
    case "busy host":
      return `the server of ${step.client} is busy ${step.times} times for ${step.ms} ms, with ${step.freeMs} ms between`;
    case "isolate host":
      return `the server of ${step.client} is cut off from the other servers`;
    case "claim":
      return `somebody on ${step.client} registers ${step.username} at ${step.server} with "${step.secret}"`;
    case "rule":
      return `an operator at ${step.server}: ${step.verdict} ${step.username}`;
    case "reads fail":
      return `the disk of ${step.server} fails after ${step.after} more reads`;
    case "bit flips":
      return `a bit flips on the disk of ${step.server}`;
    case "put back":
      return `an old copy of the data of ${step.server} is put back`;
    case "set calendar":
      return `the calendar of ${step.server} is wrong by ${step.aheadMs / DAY_MS} days for ${step.forMs} ms`;
    case "read slowly":
      return `${step.client} reads nothing for ${step.ms} ms`;
    case "lie":
      return `liar-${step.number} tells ${step.server} ${step.what}`;
    case "busy loop":
      return `${step.server} is busy ${step.times} times for ${step.ms} ms, with ${step.freeMs} ms between`;
  }
}

function listText(channels: readonly string[]): string {
  return channels.map((channel) => JSON.stringify(channel)).join(" ");
}
