/** The rules of the Chitty-Chat door: the messages it accepts, and its words for events elsewhere. Pure. */

import type { ActivityBroadcastMessage } from "../../../protocol/message.ts";
import { withoutMember } from "../../../protocol/raw_json.ts";

/** Longest message that can be published, in characters (code points). */
export const MAX_MESSAGE_CHARACTERS = 128;
/** The highest time that an `int32` has room for. */
export const MAX_WIRE_TIME = 2 ** 31 - 1;

/**
 * A higher time of a participant is ignored. This is half of the range, so that one wrong clock cannot use it up for
 * all.
 */
const MAX_HEARD_TIME = 2 ** 30;

/** Why something is refused: one of gRPC's status codes, by name, and a sentence. */
export interface Refusal {
  readonly code:
    | "INVALID_ARGUMENT"
    | "ALREADY_EXISTS"
    | "PERMISSION_DENIED"
    | "RESOURCE_EXHAUSTED"
    | "FAILED_PRECONDITION"
    | "UNAVAILABLE";
  readonly sentence: string;
}

/** Why `id` cannot be a participant's: it is the port that the participant listens on. `ownPorts` are the server's. */
export function idProblem(id: string, ownPorts: readonly number[]): Refusal | undefined {
  const port = portOf(id);
  if (port === undefined) {
    const sentence = `The participant id ${quoted(id)} is no port: it must be a number from 1 to 65535`;
    return { code: "INVALID_ARGUMENT", sentence };
  }
  if (ownPorts.includes(port)) {
    return { code: "INVALID_ARGUMENT", sentence: `The participant id ${id} is a port that this server listens on` };
  }
  return undefined;
}

/** The port in an id; `undefined` if it is none, or has another form than plain digits. */
export function portOf(id: string): number | undefined {
  return /^[1-9][0-9]{0,4}$/.test(id) && Number(id) <= 65_535 ? Number(id) : undefined;
}

/**
 * Why `message` cannot be published. An empty message can: nobody should lose the connection for Enter on an empty
 * line.
 */
export function messageProblem(message: string): Refusal | undefined {
  const length = characters(message);
  if (length <= MAX_MESSAGE_CHARACTERS) return undefined;
  const sentence = `The message has ${length} characters; ${MAX_MESSAGE_CHARACTERS} are allowed`;
  return { code: "INVALID_ARGUMENT", sentence };
}

/**
 * The address for calls to a participant that calls from `peerHost`: this machine's loopback, or its own address if
 * that is in `participantHosts`. Otherwise anybody could have this server knock at any port of any machine.
 */
export function participantHost(peerHost: string, participantHosts: readonly string[]): string | Refusal {
  const host = plainAddress(peerHost);
  if (isLoopback(host)) return "127.0.0.1";
  if (participantHosts.some((allowed) => plainAddress(allowed) === host)) return host;
  const sentence = `Participants from ${host} are not called: "gateway.grpc.participantHosts" does not name it`;
  return { code: "PERMISSION_DENIED", sentence };
}

/** The host of `HOST:PORT`, as gRPC names a peer: an IPv6 address may stand in brackets. */
export function peerHost(peer: string): string {
  const host = peer.slice(0, peer.lastIndexOf(":"));
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

/** The words for a participant or user who came or went. */
export function announcementText(id: string, event: "joined" | "left", lamport: number): string {
  return `Participant ${id} ${event} Chitty-Chat at Lamport time ${wireTime(lamport)}`;
}

/** An activity in words: its text, if that is all it has; else its JSON. */
export function activityText({ activity, activityText: json }: ActivityBroadcastMessage): string {
  const { text, authenticated_user: _, ...rest } = activity;
  if (typeof text === "string" && Object.keys(rest).length === 0) return text;
  return withoutMember(json, "authenticated_user");
}

/** Who published an activity. */
export function activityAuthor({ activity: { authenticated_user: user } }: ActivityBroadcastMessage): string {
  return typeof user === "string" ? user : "";
}

/** A Lamport time as an `int32` carries it. The clock itself goes on above the highest one. */
export function wireTime(lamport: number): number {
  return Math.min(lamport, MAX_WIRE_TIME);
}

/** The Lamport time of a participant, if it may count. */
export function heardTime(lamportTime: number): number {
  return lamportTime > MAX_HEARD_TIME ? 0 : lamportTime;
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** An IPv4 address in its own form, also if it is written as IPv6. */
function plainAddress(host: string): string {
  return host.toLowerCase().replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, "");
}

function isLoopback(host: string): boolean {
  return host === "::1" || host === "localhost" || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Not longer than a sentence can bear. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
