/**
 * What another server tells of itself, brought into the shape that a view has: it may be newer, older or broken, and neither this server nor a page that shows it may break
 * with it. What has another shape counts as not told. Pure.
 */

import { parseTraceEvent, type TraceEvent } from "../../trace/trace_event.ts";
import { applyPatch, type JsonObject } from "../../view/merge_patch.ts";
import type { ConnectionView, EndView, HeartbeatMoment, LinkView, ServerView } from "../../view/network_view.ts";

/** What is known of another server by its own word. */
export interface ToldView {
  readonly server?: ToldServer;
  readonly connections?: Readonly<Record<string, ConnectionView>>;
}

/** What only a server itself knows. */
export type ToldServer = Pick<
  ServerView,
  | ("version" | "startedAt" | "lamport" | "connections" | "published" | "memoryBytes")
  | ("http" | "draining" | "vector" | "links")
>;

/** A view is five levels deep; what is deeper is none, and would be too deep to be walked through. */
const MAX_DEPTH = 8;

/** Where nothing is told; `null` stands for a number that may be missing. */
const NUMBERS = { startedAt: null, lamport: 0, connections: 0, published: null, memoryBytes: null };
const LINK: LinkView = { roundTripMs: null, state: "watching", silentSince: 0, attempt: 0, of: 0 };
const CONNECTION: ConnectionView = {
  ...{ user: "", address: "", kind: "new", over: "tcp", since: 0, state: "unwatched", heardAt: 0, attempt: 0, of: 0 },
  ...{ heartbeats: 0, roundTripMs: null, waitingBytes: 0, behind: false },
};
const END = { at: 0, since: 0, user: "", address: "", reason: "", sentence: "", why: "" };
const MOMENT: HeartbeatMoment = { at: 0, event: "sent", attempt: 0, of: 0, roundTripMs: null };

/** `known` with `patch`. What the patch does not touch is the same object. */
export function toldView(known: ToldView, patch: JsonObject): ToldView {
  if (isDeeper(patch, MAX_DEPTH)) return known;
  const { server, connections } = applyPatch(known, patch) as JsonObject;
  return {
    ...(isObject(server) ? { server: serverOf(server) } : {}),
    ...(isObject(connections) ? { connections: connectionsOf(connections, patch.connections) } : {}),
  };
}

/** An event that a server tells of; `undefined` when it is none. */
export function toldEvent(event: JsonObject): TraceEvent | undefined {
  return isDeeper(event, MAX_DEPTH) ? undefined : parseTraceEvent(JSON.stringify(event));
}

/** An end that the server `server` tells of. */
export function toldEnd(end: JsonObject, server: string): EndView {
  const heartbeats = Array.isArray(end.heartbeats) ? end.heartbeats.map((moment) => shaped(MOMENT, moment)) : [];
  return { ...shaped(END, end), server, heartbeats };
}

function serverOf(told: JsonObject): ToldServer {
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

/** Only those that are in the patch can have another shape. */
function connectionsOf(all: JsonObject, patch: unknown): Readonly<Record<string, ConnectionView>> {
  // Made by the patch just now, and nobody else's, where there is one.
  const rows = all as Record<string, unknown>;
  for (const [id] of entriesOf(patch)) if (Object.hasOwn(rows, id)) rows[id] = shaped(CONNECTION, rows[id]);
  return rows as Record<string, ConnectionView>;
}

/**
 * `given` as far as its fields are of the kinds that those of `like` are; those of `like` where they are not. What would be `null` is left out, as patches do: changes add
 * up to what a new view shows.
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
