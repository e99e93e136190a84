/**
 * Answers from a running network, as one of its servers sees it: why a connection was closed, how an open connection
 * is, and which servers have an activity. Says what is known and by whom. Strangers choose all names and activities.
 * Pure.
 */

import { counted } from "../protocol/counted.ts";
import { seconds, type Told } from "./answer.ts";
import { completeEntry } from "./server_ids.ts";
import { STATE_WORDS } from "../view/state_words.ts";
import type { WallTime } from "./wall_time.ts";

/**
 * The facts about the network; `GET /api/network` of a server's HTTP gateway returns them. Times are milliseconds since
 * 1970.
 */
export interface LiveNetwork {
  readonly at: number;
  /** The server that says all this. */
  readonly from: string;
  readonly servers: Readonly<Record<string, LiveServer>>;
  /** By server; no key for a server whose connections are unknown. */
  readonly connections: Readonly<Record<string, Readonly<Record<string, LiveConnection>>>>;
  /** Who is registered or online, and where. */
  readonly users: Readonly<Record<string, readonly string[]>>;
  readonly ends: readonly LiveEnd[];
  readonly activities: readonly LiveActivity[];
}

/** A server. */
export interface LiveServer {
  readonly name: string;
  readonly state: string;
  readonly stateSince: number;
  readonly announcedAt: number | null;
  readonly vector: Readonly<Record<string, number>>;
  /** Connections that were lost with it. */
  readonly lostClients?: number;
  readonly links: Readonly<Record<string, { readonly silentSince: number; readonly state: string }>>;
}

/** A connection. */
export interface LiveConnection {
  readonly user: string;
  readonly address: string;
  readonly kind: string;
  readonly over: string;
  readonly since: number;
  readonly state: string;
  readonly heardAt: number;
  readonly attempt: number;
  readonly of: number;
  readonly heartbeats: number;
  readonly roundTripMs: number | null;
  readonly waitingBytes: number;
  readonly behind: boolean;
}

/** A connection that has ended. */
export interface LiveEnd {
  readonly server: string;
  readonly at: number;
  readonly since: number;
  readonly user: string;
  readonly address: string;
  readonly reason: string;
  readonly sentence: string;
  readonly why: string;
  readonly heartbeats: readonly {
    readonly at: number;
    readonly event: string;
    readonly attempt: number;
    readonly of: number;
    readonly roundTripMs: number | null;
  }[];
}

/** An activity that passed lately. */
export interface LiveActivity {
  readonly id: string;
  readonly user: string;
  readonly at: number;
  readonly lamport: number;
  readonly activity: unknown;
}

/** The most ends in an answer. Older ones teach nothing new. */
const MAX_ENDS = 8;
const MAX_ACTIVITY_LETTERS = 200;

/** Why connections of `user` were closed lately, and how the open ones are. */
export function whyClosedLive(network: LiveNetwork, user: string, wallTime: WallTime): Told {
  const ends = network.ends.filter((end) => end.user === user);
  const paragraphs = ends.slice(-MAX_ENDS).map((end) => endOf(network, end, wallTime));
  if (ends.length > MAX_ENDS) {
    paragraphs.unshift(`${counted(ends.length - MAX_ENDS, "connection")} of ${shown(user)} ended before.`);
  }
  const open = openConnections(network, user);
  for (const [server, connection] of open) paragraphs.push(connectionOf(network, server, connection, wallTime));
  const elsewhere = (ownValue(network.users, user) ?? []).filter((server) => !open.some(([known]) => known === server));
  for (const server of elsewhere) {
    paragraphs.push(
      `${shown(user)} is logged in at ${nameOf(network, server)}. The state of that connection is not known.`,
    );
  }
  if (open.length === 0 && elsewhere.length === 0) {
    paragraphs.push(
      Object.hasOwn(network.users, user)
        ? `${shown(user)} is registered, and not connected now.`
        : `Nobody called ${shown(user)} is registered or connected.`,
    );
  }
  if (ends.length === 0) {
    paragraphs.push(`${nameOf(network, network.from)} remembers no connection of ${shown(user)} that was closed.`);
    paragraphs.push(...unnamedLosses(network));
  }
  const isFound = ends.length + open.length + elsewhere.length > 0 || Object.hasOwn(network.users, user);
  return { text: paragraphs.join("\n\n") + "\n", isFound };
}

/**
 * Which servers have the entry `typed`, and which do not yet. `typed` is `origin:number`; the beginning of the origin
 * is enough.
 */
export function whereIsLive(network: LiveNetwork, typed: string, wallTime: WallTime): Told {
  const origins = Object.entries(network.servers).flatMap(([server, { vector }]) => [server, ...Object.keys(vector)]);
  const completed = completeEntry(typed, [...new Set(origins)].toSorted());
  if (completed.kind === "ambiguous") return { text: `${shown(completed.sentence)}\n`, isFound: false };
  const id = completed.text;
  const [, origin, number] = /^(.+):(\d+)$/.exec(id) ?? [];
  if (origin === undefined) {
    return {
      text: `"${shown(id)}" is no entry (origin:number). Only traces say what became of a message id: ` +
        "name their files.\n",
      isFound: false,
    };
  }
  const sequence = Number(number);
  const servers = Object.entries(network.servers);
  const newest = Math.max(0, ...servers.map(([, { vector }]) => ownValue(vector, origin) ?? 0));
  const activity = network.activities.find((one) => one.id === id);
  const lines = [
    activity === undefined
      ? newest >= sequence
        ? `No server remembers ${shown(id)}: it is too old, or no activity.`
        : newest === 0
        ? `No server of this network has anything of an origin ${shown(origin)}.`
        : `There is no ${shown(id)} yet: the newest is ${shown(origin)}:${newest}.`
      : `${shown(id)} was published by ${shown(activity.user)} at ${
        wallTime.of(activity.at)
      } (Lamport time ${activity.lamport}): ${activityText(activity.activity)}`,
    "",
  ];
  if (newest < sequence) return { text: lines[0] + "\n", isFound: false };
  for (const [server, { name, vector }] of servers) {
    const has = ownValue(vector, origin) ?? 0;
    const what = has >= sequence
      ? "has it"
      : `not yet: it has ${has === 0 ? "nothing" : `up to ${has}`} of this origin`;
    lines.push(
      `  ${shown(name)}  ${what}${stateOf(network, server, wallTime)}${readersOf(network, server, has >= sequence)}`,
    );
  }
  const having = servers.filter(([, { vector }]) => (ownValue(vector, origin) ?? 0) >= sequence).length;
  lines.push(
    "",
    `${having} of ${counted(servers.length, "server")} ${having === 1 ? "has" : "have"} it, says ${
      nameOf(network, network.from)
    }.`,
  );
  return { text: lines.join("\n") + "\n", isFound: true };
}

function endOf(network: LiveNetwork, end: LiveEnd, wallTime: WallTime): string {
  const { server, at, since, user, address, reason, sentence, why, heartbeats } = end;
  // The newest that nothing came after was not answered.
  const lastAnswer = heartbeats.findLastIndex(({ event }) => event === "answered");
  const isOver = heartbeats.some(({ event }) => event === "unanswered");
  // A lost server closes nothing that anybody could know of.
  const isLost = reason === "SERVER_LOST";
  const whose = `the connection of ${shown(user)}${address === "" ? "" : ` (${shown(address)})`}`;
  const begin = isLost
    ? `${nameOf(network, server)} was lost with ${whose}`
    : `${nameOf(network, server)} closed ${whose}`;
  return [
    `${begin} at ${wallTime.of(at)}: ${shown(reason)}, ${shown(sentence)}.`,
    ...(why === sentence || why === "" ? [] : [`  That is: ${shown(why)}`]),
    ...(since > 0 ? [`  ${wallTime.of(since)}  connected; lasted ${seconds(at - since)}`] : []),
    ...heartbeats.map(({ at, event, attempt, of, roundTripMs }, index) => {
      const said = event === "sent"
        ? `♥ ${attempt} of ${of} → ${shown(user)}${isOver && index > lastAnswer ? "   no answer" : ""}`
        : event === "answered"
        ? `♥ ${shown(user)}: ${roundTripMs === null ? "data came" : `after ${Math.round(roundTripMs * 10) / 10} ms`}`
        : `${shown(user)} answers nothing`;
      return `  ${wallTime.of(at)}  ${said}`;
    }),
    `  ${wallTime.of(at)}  ${isLost ? "lost" : "closed"}`,
  ].join("\n");
}

/** Of a server with very many connections not every one is remembered by name. */
function unnamedLosses({ servers, ends }: LiveNetwork): string[] {
  return Object.entries(servers).flatMap(([id, { name, lostClients = 0 }]) => {
    const named = ends.filter(({ server, reason }) => server === id && reason === "SERVER_LOST").length;
    return lostClients <= named ? [] : [
      `${shown(name)} was lost with ${counted(lostClients, "connection")}, of which ${named} are remembered by name.`,
    ];
  });
}

function connectionOf(network: LiveNetwork, server: string, connection: LiveConnection, wallTime: WallTime): string {
  const { user, address, kind, over, since, waitingBytes, behind } = connection;
  const door = over === "tcp" ? "" : `, over ${shown(over)}`;
  const lines = [
    `${shown(user)} is connected to ${nameOf(network, server)} since ${wallTime.of(since)}, for ${
      seconds(network.at - since)
    } (${shown(kind)} from ${shown(address)}${door}).`,
    `  ${heartbeatOf(network, connection)}`,
  ];
  if (behind) lines.push("  It is behind: the log keeps its unread entries.");
  if (waitingBytes > 0) lines.push(`  ${counted(waitingBytes, "byte waits", "bytes wait")} in the process for it.`);
  return lines.join("\n");
}

function heartbeatOf(network: LiveNetwork, { state, heardAt, attempt, of, heartbeats, roundTripMs }: LiveConnection) {
  if (state === "unwatched") return "It is not watched by heartbeats: it did not ask for them.";
  const idle = `something came ${seconds(Math.max(0, network.at - heardAt))} ago`;
  const sent = `${counted(heartbeats, "heartbeat")} so far${
    roundTripMs === null ? "" : `, the newest answered after ${Math.round(roundTripMs * 10) / 10} ms`
  }`;
  return state === "probing"
    ? `♥ ${attempt} of ${counted(of, "heartbeat")} unanswered; ${idle}; ${sent}.`
    : `♥ all is well: ${idle}; ${sent}.`;
}

/** Words about a server that does not answer, or has not announced itself for long. */
function stateOf({ servers, from, at }: LiveNetwork, server: string, wallTime: WallTime): string {
  const { state, stateSince, announcedAt } = servers[server]!;
  if (state === "self") return "";
  const silentSince = ownValue(servers[from]?.links ?? {}, server)?.silentSince;
  if (state === "suspect") {
    return `; ${STATE_WORDS.server.suspect} since ${wallTime.of(silentSince ?? stateSince)}`;
  }
  if (state === "dead") return `; ${STATE_WORDS.server.dead} since ${wallTime.of(stateSince)}`;
  if (state === "left") return `; ${STATE_WORDS.server.left} at ${wallTime.of(stateSince)}`;
  return announcedAt === null ? "" : `, as it said ${seconds(Math.max(0, at - announcedAt))} ago`;
}

/** The readers at that server, if it has the entry. */
function readersOf({ connections }: LiveNetwork, server: string, hasIt: boolean): string {
  const clients = Object.values(ownValue(connections, server) ?? {}).filter(({ kind }) => READERS.has(kind));
  if (!hasIt || clients.length === 0) return "";
  const behind = clients.filter((client) => client.behind || client.waitingBytes > 0);
  const names = behind.map(({ user, address }) => `${shown(user)} (${shown(address)})`).join(", ");
  return `; ${counted(clients.length, "client")} there${
    behind.length === 0 ? "" : `; these may not have it yet: ${names}`
  }`;
}

const READERS: ReadonlySet<string> = new Set(["client", "plain", "guest"]);

function openConnections({ connections }: LiveNetwork, user: string): [string, LiveConnection][] {
  return Object.entries(connections).flatMap(([server, all]) =>
    Object.values(all).filter((one) => one.user === user).map((one): [string, LiveConnection] => [server, one])
  );
}

function nameOf({ servers }: LiveNetwork, server: string): string {
  return shown(ownValue(servers, server)?.name ?? server);
}

/** Keys come from strangers too. */
function ownValue<T>(values: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}

function activityText(activity: unknown): string {
  const text = shown(typeof activity === "string" ? activity : JSON.stringify(activity) ?? "");
  return text.length <= MAX_ACTIVITY_LETTERS ? text : `${text.slice(0, MAX_ACTIVITY_LETTERS - 1)}…`;
}

/** On one line, without characters that a terminal obeys. */
function shown(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cs}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, "\ufffd");
}
