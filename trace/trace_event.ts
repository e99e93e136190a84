/**
 * What a node can put on record: one JSON object a line, from which the order of things can be seen later, also across nodes: a `receive` names the node that
 * it came from (`peer`) and the `id` under which that node has its `send` or `broadcast`. Pure; writing is for `platform/`.
 */

/** What can happen. `docs/time.md` says what each has in `peer`, `id` and `what`. */
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
  // What it is all for.
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
  /** The node that writes this: a server's name, or `username#` and a few characters for one client of that user. */
  readonly node: string;
  readonly event: TraceKind;
  /** The other side: the node where it is known, otherwise an address. */
  readonly peer?: string;
  /** What it is about: entries (`origin:4`, `origin:4-9`), a sender's message id, a login (`login:1`), a heartbeat (`heartbeat:3`). */
  readonly id?: string;
  /** What else there is to say. */
  readonly what?: string;
}

/** An event, as whoever it happens to says it. */
export type Happening = Omit<TraceEvent, "at" | "lamport" | "node">;

/** Where events go, with their Lamport times. Absent when nobody traces, so that tracing costs nothing then. */
export type Trace = (happening: Happening, lamport: number) => void;

/** A run of entries of one origin. */
export interface EntryRange {
  readonly origin: string;
  readonly first: number;
  readonly last: number;
}

/** When a trace goes on in a new file, where nothing else is said. */
export const DEFAULT_TRACE_LIMIT_BYTES = 67_108_864;
/** Characters that JSON writes in another way than they are. */
const ESCAPED = /["\\\p{Cc}\p{Cs}]/u;
const KINDS: ReadonlySet<unknown> = new Set(TRACE_KINDS);
/** What is numbered and is no entry. */
const COUNTED: ReadonlySet<string> = new Set(["login", "heartbeat"]);

/** An event as a line, its end included. Written by hand, as this is most of what tracing costs. */
export function encodeTraceEvent({ at, lamport, node, event, peer, id, what }: TraceEvent): string {
  let line = `{"at":${at},"lamport":${lamport},"node":${quoted(node)},"event":"${event}"`;
  if (peer !== undefined) line += `,"peer":${quoted(peer)}`;
  if (id !== undefined) line += `,"id":${quoted(id)}`;
  if (what !== undefined) line += `,"what":${quoted(what)}`;
  return line + "}\n";
}

/** The event that a line says; `undefined` when it says none, as the last line of a server that was killed may not. */
export function parseTraceEvent(line: string): TraceEvent | undefined {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) ?? {};
  } catch {
    // Cut off in the middle, or no trace at all: the caller counts it.
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

/** How a run of entries is written. */
export function formatRange({ origin, first, last }: EntryRange): string {
  return first === last ? `${origin}:${first}` : `${origin}:${first}-${last}`;
}

/** The run of entries that `id` stands for, if it stands for one. */
export function parseRange(id: string): EntryRange | undefined {
  const [, origin, first, last] = /^(.+):(\d+)(?:-(\d+))?$/.exec(id) ?? [];
  if (origin === undefined || first === undefined || COUNTED.has(origin)) return undefined;
  return { origin, first: Number(first), last: Number(last ?? first) };
}

function quoted(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}
