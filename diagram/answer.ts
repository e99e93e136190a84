/** The common parts of answers: the ends of connections, and moments and spans in words. Pure. */

import type { TraceEvent } from "../trace/trace_event.ts";
import type { WallTime } from "./wall_time.ts";
import { isNamed } from "./window.ts";

/** An answer. */
export interface Told {
  readonly text: string;
  /** Whether anything is known about the question. */
  readonly isFound: boolean;
}

/** Explanations of close reasons whose names do not say enough. */
const MEANINGS: Readonly<Record<string, string>> = {
  HEARTBEAT_TIMEOUT: "it answered no heartbeat",
  CLOSED_BY_OTHER_SIDE: "the client closed it without a word",
  CONNECTION_RESET: "the client's machine, or the network between, broke it",
  LOGGED_OUT: "the client logged out",
  SERVER_STOPPING: "the server was stopped",
  SERVER_FAILED: "the server could not go on",
  REDIRECTED: "it was sent to another server, which had fewer clients",
  IDENTIFY_TIMEOUT: "it did not log in in time",
  INVALID_MESSAGE: "it sent a line that means nothing",
  NAME_LOST: "its name had been registered at another server first",
  SESSION_REPLACED: "the user logged in elsewhere, and one session is allowed",
  SERVER_LOST: "its server was lost",
  FELL_BEHIND: "the log no longer had its unread entries",
};

/** A close reason, with its explanation if it needs one. */
export function sentenceOfEnd(reason: string): string {
  const meaning = MEANINGS[reason];
  return meaning === undefined ? reason : `${reason}, ${meaning}`;
}

/** When something happened, by both clocks. */
export function when({ at, lamport }: TraceEvent, wallTime: WallTime): string {
  return `at ${wallTime.of(at)} (Lamport time ${lamport})`;
}

/** A span for people. */
export function seconds(spanMs: number): string {
  return `${Math.round(spanMs / 100) / 10} s`;
}

/** The logins of a user whose connections and servers are still there. */
export function openConnections(events: readonly TraceEvent[], user: string): TraceEvent[] {
  const open = new Map<string, TraceEvent>();
  for (const event of events) {
    const key = `${event.node}\n${event.peer}`;
    if (event.event === "login" && isNamed(event.peer, user)) open.set(key, event);
    else if (event.event === "closed") open.delete(key);
    else if (event.event === "stop" || event.event === "start") {
      for (const [other, login] of open) if (login.node === event.node) open.delete(other);
    }
  }
  return [...open.values()];
}
