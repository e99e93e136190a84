/**
 * Server ids are long, so pictures show only their beginnings. This completes a typed beginning from the known ids.
 * Pure.
 */

import type { TraceEvent } from "../trace/trace_event.ts";
import { parseRange } from "../trace/trace_event.ts";
import { isServer } from "./phrase.ts";

/** The typed text with its full server id, or the reason why that is impossible. */
export type Completed =
  | { readonly kind: "complete"; readonly text: string }
  | { readonly kind: "ambiguous"; readonly sentence: string };

/** The servers that wrote `events`, or whose entries the events are about. */
export function serversIn(events: readonly TraceEvent[]): string[] {
  const ids = new Set<string>();
  for (const { node, id } of events) {
    if (isServer(node)) ids.add(node);
    const origin = id === undefined ? undefined : parseRange(id)?.origin;
    if (origin !== undefined) ids.add(origin);
  }
  return [...ids].toSorted();
}

/** `typed` as the id of one of `servers`. A text that begins none of them stays unchanged. */
export function completeName(typed: string, servers: readonly string[]): Completed {
  const found = servers.includes(typed) || typed === "" ? [typed] : servers.filter((id) => id.startsWith(typed));
  return found.length > 1
    ? { kind: "ambiguous", sentence: `"${typed}" is the beginning of several: ${found.join(", ")}. Type more of it.` }
    : { kind: "complete", text: found[0] ?? typed };
}

/** The same for the origin of an entry (`origin:4`, `origin:4-9`). A message id stays unchanged. */
export function completeEntry(typed: string, servers: readonly string[]): Completed {
  const origin = parseRange(typed)?.origin;
  if (origin === undefined) return { kind: "complete", text: typed };
  const completed = completeName(origin, servers);
  return completed.kind === "ambiguous"
    ? completed
    : { kind: "complete", text: completed.text + typed.slice(origin.length) };
}
