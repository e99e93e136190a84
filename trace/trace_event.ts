/**
 * What a node can put on record: one JSON object a line, from which the order of things can be seen later. Pure; writing is for `platform/`.
 */

/** One local event, send or receive. */
export interface TraceEvent {
  /** Milliseconds since 1970, by this node's clock. */
  readonly at: number;
  readonly lamport: number;
  /** The node that writes this. */
  readonly node: string;
  readonly event: "connected" | "logged in" | "registered" | "received" | "sent" | "heartbeat" | "answered" | "closed";
  /** The other side: a username where it is known, otherwise an address. */
  readonly peer?: string;
  /** The entry that it is about. */
  readonly id?: string;
  /** What else there is to say. */
  readonly what?: string;
}

/** Where events go. Absent when nobody traces, so that tracing costs nothing then. */
export type Trace = (event: Omit<TraceEvent, "at" | "lamport" | "node">) => void;

/** An event as a line, its end included. */
export function encodeTraceEvent({ at, lamport, node, event, peer, id, what }: TraceEvent): string {
  return JSON.stringify({ at, lamport, node, event, peer, id, what }) + "\n";
}
