/**
 * Brings another server's words into the shape of a view. That server may be newer, older or broken, and neither this
 * server nor a page may break with it. A value of another shape counts as not told. Pure.
 */

import { parseTraceEvent, type TraceEvent } from "../../trace/trace_event.ts";
import { applyPatch, type JsonObject } from "../../view/merge_patch.ts";
import {
  type ConnectionView,
  type EndView,
  type HeartbeatMoment,
  type LinkView,
  MAX_CHANNELS,
  type ServerView,
} from "../../view/network_view.ts";
import { SERVER_NUMBERS } from "../../view/server_numbers.ts";

/** Another server's own words. */
export interface ReceivedView {
  readonly server?: ReceivedServer;
  readonly connections?: Readonly<Record<string, ConnectionView>>;
  /** How many read each channel there. */
  readonly channels?: Readonly<Record<string, number>>;
}

/** What a server tells about itself: all but what another server sees of it. */
export type ReceivedServer = Omit<
  ServerView,
  "name" | "host" | "port" | "state" | "stateSince" | "load" | "weight" | "takesClients" | "announcedAt"
>;

/** A view is five levels deep. Deeper data is no view, and would be too deep to walk through. */
const MAX_DEPTH = 8;

/** The values without any words; `null` is a number that may be missing. */
const NUMBERS = { startedAt: null, lamport: 0, connections: 0, ...SERVER_NUMBERS };
const LINK: LinkView = { roundTripMs: null, state: "watching", silentSince: 0, attempt: 0, of: 0 };
const CONNECTION: ConnectionView = {
  ...{ user: "", address: "", kind: "new", over: "tcp", since: 0, state: "unwatched", heardAt: 0, attempt: 0, of: 0 },
  ...{ heartbeats: 0, roundTripMs: null, waitingBytes: 0, behind: false },
};
const END = { at: 0, since: 0, user: "", address: "", reason: "", sentence: "", why: "" };
const MOMENT: HeartbeatMoment = { at: 0, event: "sent", attempt: 0, of: 0, roundTripMs: null };

/** `known` with `patch`. Objects that the patch does not touch stay the same. */
export function receivedView(known: ReceivedView, patch: JsonObject): ReceivedView {
  if (isDeeper(patch, MAX_DEPTH)) return known;
  const { server, connections, channels } = applyPatch(known, patch) as JsonObject;
  return {
    ...(isObject(server) ? { server: serverOf(server) } : {}),
    ...(isObject(connections) ? { connections: connectionsOf(connections, patch.connections) } : {}),
    ...(isObject(channels) ? { channels: channelsOf(channels) } : {}),
  };
}

/** An event that a server tells of; `undefined` when it is none. */
export function receivedEvent(event: JsonObject): TraceEvent | undefined {
  return isDeeper(event, MAX_DEPTH) ? undefined : parseTraceEvent(JSON.stringify(event));
}

/** An end that the server `server` tells of. */
export function receivedEnd(end: JsonObject, server: string): EndView {
  const heartbeats = Array.isArray(end.heartbeats) ? end.heartbeats.map((moment) => shaped(MOMENT, moment)) : [];
  return { ...shaped(END, end), server, heartbeats };
}

function serverOf(told: JsonObject): ReceivedServer {
  const { version, http, draining, vector, links } = told;
  return {
    ...shaped(NUMBERS, told),
    version: typeof version === "string" ? version : "",
    http: typeof http === "string" ? http : null,
    draining: isObject(draining) ? shaped({ total: 0, left: 0 }, draining) : null,
    vector: Object.fromEntries(entriesOf(vector).filter(([, last]) => Number.isFinite(last))) as Record<string, number>,
    links: Object.fromEntries(entriesOf(links).map(([id, link]) => [id, shaped(LINK, link)])),
  };
}

/** Only connections in the patch can have another shape. */
function connectionsOf(all: JsonObject, patch: unknown): Readonly<Record<string, ConnectionView>> {
  // If there is a patch, it made this object just now, and nobody else has it.
  const rows = all as Record<string, unknown>;
  for (const [id] of entriesOf(patch)) if (Object.hasOwn(rows, id)) rows[id] = shaped(CONNECTION, rows[id]);
  return rows as Record<string, ConnectionView>;
}

/** No more of them than a server tells. */
function channelsOf(told: JsonObject): Readonly<Record<string, number>> {
  const counts = entriesOf(told).filter(([, count]) => Number.isSafeInteger(count) && Number(count) > 0);
  return Object.fromEntries(counts.slice(0, MAX_CHANNELS)) as Record<string, number>;
}

/**
 * `given`, with the fields of `like` in place of fields with another type. A field that would be `null` is left out, as
 * in patches: so changes add up to the same as a new view.
 */
function shaped<T extends object>(like: T, given: unknown): T {
  const fields = isObject(given) ? given : {};
  const entries = Object.entries(like).map(([key, none]) => [key, isLike(none, fields[key]) ? fields[key] : none]);
  return Object.fromEntries(entries.filter(([, value]) => value !== null)) as T;
}

function isLike(none: unknown, value: unknown): boolean {
  return none === null || typeof none === "number" ? Number.isFinite(value) : typeof value === typeof none;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((below) => isDeeper(below, levels - 1));
}

function entriesOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
