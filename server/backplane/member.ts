/** What a backplane knows of another server of the network. Types only. */

import type { Vector } from "../../log/vector.ts";
import type { KnownServer } from "../store/store.ts";

/** How a member is, as far as this server can tell. */
export type MemberState = "linked" | "suspect" | "dead" | "left";

/** What is known of another server of the network. */
export interface Member extends KnownServer {
  readonly state: MemberState;
  /** Whether there is a link to it, silent or not. */
  readonly hasLink: boolean;
  /**
   * Set while it is dead and only silent: nothing says that its process has ended. It may stand still, or be on the
   * other side of a partition.
   */
  readonly isSilent?: true;
  /** Logged-in clients, by its last announcement. */
  readonly load: number;
  readonly weight: number;
  /** Whether it takes clients. */
  readonly online: boolean;
  /** What it has of the log, by its last announcement. */
  readonly vector: Vector;
  /** Servers that it has a link to. */
  readonly linkedTo: ReadonlySet<string>;
  /** Since when it is in this state, in milliseconds of a monotonic clock. */
  readonly sinceMs: number;
  /** When it said last how it is, on the same clock. */
  readonly announcedAtMs?: number;
  readonly about?: MemberAbout;
  /** Whether it understands channels; absent while it has not said so since this server was started. */
  readonly takesChannels?: boolean;
}

/** What there is to say about a server that decides nothing. */
export interface MemberAbout {
  /** Of the program; empty where it is not known. */
  readonly version: string;
  /** When it was started, in milliseconds since 1970; 0 where it is not known. */
  readonly startedAt: number;
  /** Where its HTTP gateway is, `HOST:PORT`; empty for none. */
  readonly http: string;
  readonly lamport: number;
}
