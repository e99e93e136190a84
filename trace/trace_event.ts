/**
 * Events that a node records: one JSON object a line. Readers find the order of events later, also across nodes: a
 * `receive` names the other node (`peer`) and the `id` of its `send` or `broadcast`. Pure.
 */

/** The kinds of events. `docs/time.md` says which `peer`, `id` and `what` each kind has. */
export const TRACE_KINDS = [
  // A node, its life.
  "start",
  "stop",
  // Connections.
  "connect",
  "unreachable",
  "register",
  "login",
  "redirect",
  "closed",
  // Is anybody there?
  "heartbeat",
  "answered",
  "unanswered",
  "suspected",
  "trusted",
  // Servers among themselves.
  "linked",
  "unlinked",
  // The data.
  "queued",
  "publish",
  "repeated",
  "delivered",
  "acknowledged",
  // Messages.
  "send",
  "receive",
  "broadcast",
] as const;

export type TraceKind = typeof TRACE_KINDS[number];

/** One local event, send or receive. */
export interface TraceEvent {
  /** Milliseconds since 1970, by this node's clock. */
  readonly at: number;
  readonly lamport: number;
  /**
   * The node that writes this: the name of a server, or `username#` and a few characters for one client of that user.
   */
  readonly node: string;
  readonly event: TraceKind;
  /** The other side: its node if known, else its address. */
  readonly peer?: string;
  /**
   * The subject: entries (`origin:4`, `origin:4-9`), a sender's message id, a login (`login:1`) or a heartbeat
   * (`heartbeat:3`).
   */
  readonly id?: string;
  /** Further facts. */
  readonly what?: string;
}

/** An event without the fields that the node itself adds. */
export type Happening = Omit<TraceEvent, "at" | "lamport" | "node">;

/** Takes events with their Lamport times. Absent if no trace is written, so that tracing costs nothing then. */
export type Trace = (happening: Happening, lamport: number) => void;

/** A run of entries of one origin. */
export interface EntryRange {
  readonly origin: string;
  readonly first: number;
  readonly last: number;
}

/** The size at which a trace goes on in a new file, if no other is given. */
export const DEFAULT_TRACE_LIMIT_BYTES = 67_108_864;
/** Characters that JSON escapes. */
const ESCAPED = /["\\\p{Cc}\p{Cs}]/u;
const KINDS: ReadonlySet<unknown> = new Set(TRACE_KINDS);
/** Numbered things that are no entries. */
const COUNTED: ReadonlySet<string> = new Set(["login", "heartbeat"]);

/** An event as a line with its end. Written by hand, as this is most of the cost of tracing. */
export function encodeTraceEvent({ at, lamport, node, event, peer, id, what }: TraceEvent): string {
  let line = `{"at":${at},"lamport":${lamport},"node":${quoted(node)},"event":"${event}"`;
  if (peer !== undefined) line += `,"peer":${quoted(peer)}`;
  if (id !== undefined) line += `,"id":${quoted(id)}`;
  if (what !== undefined) line += `,"what":${quoted(what)}`;
  return line + "}\n";
}

/** The event in a line; `undefined` if there is none. The last line of a killed server may be cut off. */
export function parseTraceEvent(line: string): TraceEvent | undefined {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) ?? {};
  } catch {
    // A cut line, or no trace at all. The caller counts it.
    return undefined;
  }
  const { at, lamport, node, event, peer, id, what } = fields;
  if (typeof at !== "number" || !Number.isSafeInteger(lamport) || typeof node !== "string" || !KINDS.has(event)) {
    return undefined;
  }
  return {
    ...{ at, lamport: lamport as number, node, event: event as TraceKind },
    ...(typeof peer === "string" ? { peer } : {}),
    ...(typeof id === "string" ? { id } : {}),
    ...(typeof what === "string" ? { what } : {}),
  };
}

/** A run of entries as text. */
export function formatRange({ origin, first, last }: EntryRange): string {
  return first === last ? `${origin}:${first}` : `${origin}:${first}-${last}`;
}

/** The run of entries in `id`; `undefined` if it names none. */
export function parseRange(id: string): EntryRange | undefined {
  const [, origin, first, last] = /^(.+):(\d+)(?:-(\d+))?$/.exec(id) ?? [];
  if (origin === undefined || first === undefined || COUNTED.has(origin)) return undefined;
  return { origin, first: Number(first), last: Number(last ?? first) };
}

function quoted(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}
