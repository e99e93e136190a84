/** What a server tells another one that looks, in messages of which none is too long for a line. Pure. */

import type { ObservedMessage } from "../../protocol/peer/peer_message.ts";
import type { JsonObject } from "../../view/merge_patch.ts";
import { type EndView, MAX_ENDS } from "../../view/network_view.ts";

/** Connections that one message tells of, and events. */
const ROWS_PER_MESSAGE = 1_000;

/** `patch`, with what ended and happened. With `reset` it is all that there is. */
export function observedMessages(
  reset: boolean,
  patch: JsonObject,
  ends: readonly EndView[],
  events: readonly JsonObject[],
): ObservedMessage[] {
  const rows = Object.entries((patch.connections ?? {}) as JsonObject);
  const first = Object.fromEntries(rows.slice(0, ROWS_PER_MESSAGE));
  const messages: ObservedMessage[] = [{
    command: "OBSERVED",
    reset,
    patch: patch.connections === undefined ? patch : { ...patch, connections: first },
    ends: ends.slice(-MAX_ENDS) as readonly unknown[] as readonly JsonObject[],
    events: events.slice(-ROWS_PER_MESSAGE),
  }];
  for (let from = ROWS_PER_MESSAGE; from < rows.length; from += ROWS_PER_MESSAGE) {
    const connections = Object.fromEntries(rows.slice(from, from + ROWS_PER_MESSAGE));
    messages.push({ command: "OBSERVED", reset: false, patch: { connections }, ends: [], events: [] });
  }
  return messages;
}
