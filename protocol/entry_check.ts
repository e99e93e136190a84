/**
 * Checks an entry before it enters a log: the rules of docs/protocol.md, section 4.8, in one place. `entry_codec.ts`
 * says what a server takes out of a line; this file says what is wrong with the line. An unknown kind of entry has to
 * keep only the rules that all kinds share. Pure.
 */

import { channelProblem, normalName } from "./channels/channel_name.ts";
import { MAX_ACTIVITY_DEPTH } from "./client_codec.ts";
import { ENTRY_KINDS, type EntryFacts, readEntry } from "./entry_codec.ts";
import { formatEntryId, parseEntryId } from "./entry_id.ts";
import { type Fields, isObject, isWhole, MAX_MESSAGE_ID_LENGTH } from "./fields.ts";
import { MAX_ENTRY_LAMPORT } from "./lamport_bounds.ts";
import { COMMANDS } from "./message.ts";
import { ANONYMOUS, usernameProblem } from "./names.ts";
import { PEER_COMMANDS, type WireAudience } from "./peer/peer_message.ts";
import { readPlace } from "./peer/place_codec.ts";
import { readRecord } from "./peer/record_codec.ts";
import { nestingDepth, rawMembers, rawValue } from "./raw_json.ts";
import { isServerId } from "./server_id.ts";

/** The place of a line in the log of its origin, and the audience that it came for. */
export interface EntryPlace {
  readonly origin: string;
  readonly sequence: number;
  readonly to: WireAudience;
}

/** A line that a server can keep, and the facts that the server takes out of it. */
export interface CheckedEntry {
  readonly facts: EntryFacts;
  /** Why no correct server can have made the line, in words. */
  readonly problem: string | undefined;
  /** The audience, in words, if the line came for one that its kind does not allow. */
  readonly misdirected: string | undefined;
}

/** The highest number of milliseconds since 1970 that is a date. */
const MAX_TIME_MS = 8_640_000_000_000_000;
/** Far more than one verifier takes. */
const MAX_VERIFIER_LENGTH = 512;
/** The key of an invitation, and the number of a place of it. */
const PLACE_OF_INVITATION = /^[0-9a-f]{32}:[1-9]\d{0,5}$/;
/** Messages that are no entries. No log has them. A new kind of entry needs another name. */
const NO_ENTRIES: ReadonlySet<string> = new Set(Object.keys({ ...COMMANDS, ...PEER_COMMANDS }))
  .difference(new Set(Object.values(ENTRY_KINDS)));

/**
 * The entry in `line` (without its end) at `place`. `undefined` if the line is no entry at all: no server of any
 * version has ever kept such a line. Never throws.
 */
export function checkEntry(line: string, place: EntryPlace): CheckedEntry | undefined {
  const entry = readEntry(line);
  if (entry === undefined) return undefined;
  const { fields, facts } = entry;
  return { facts, problem: entryProblem(line, fields, place), misdirected: audienceProblem(facts, place.to) };
}

function entryProblem(line: string, fields: Fields, { origin, sequence }: EntryPlace): string | undefined {
  // Many readers take a carriage return for the end of a line.
  if (line.includes("\r")) return "it has a carriage return";
  // Of equal keys, readers take different ones.
  if (rawMembers(line).length !== Object.keys(fields).length) return "it says something twice";
  const { command, id, lamport } = fields;
  if (typeof command !== "string" || command === "" || command.length > 64) return '"command" is none';
  if (NO_ENTRIES.has(command)) return `${command} is no entry`;
  if (id !== formatEntryId({ origin, sequence })) return '"id" is not that of its place in the log';
  if (!isWhole(lamport, MAX_ENTRY_LAMPORT)) return `"lamport" is not a whole number from 0 to ${MAX_ENTRY_LAMPORT}`;
  if (!Object.hasOwn(CHECKS, command)) return undefined;
  return afterProblem(fields.after) ?? CHECKS[command]!(fields, line);
}

/** Gives what is wrong with the fields of one kind. */
type Check = (fields: Fields, line: string) => string | undefined;

/** The fields that each kind has beside the common ones. */
const CHECKS: Readonly<Record<string, Check>> = {
  [ENTRY_KINDS.activity]: ({ activity, messageId, channel, sentAt, via }, line) => {
    if (!isObject(activity)) return '"activity" must be an object';
    return userProblem(activity.authenticated_user, "authenticated_user") ?? activityProblem(line) ??
      messageIdProblem(messageId) ?? channelFault(channel) ?? timeProblem(sentAt) ?? viaProblem(via);
  },
  [ENTRY_KINDS.account]: ({ username, verifier, claim, invitation, lamport, sentAt }) => {
    const isVerifier = typeof verifier === "string" && verifier !== "" && verifier.length <= MAX_VERIFIER_LENGTH;
    if (!isVerifier || !/^[\x21-\x7e]*$/.test(verifier)) return '"verifier" is none';
    const isClaim = claim === undefined || isWhole(claim, lamport as number);
    if (!isClaim) return '"claim" must be a whole number from 0 to "lamport"';
    const isPlace = invitation === undefined || invitation === null ||
      (typeof invitation === "string" && PLACE_OF_INVITATION.test(invitation));
    if (!isPlace) return '"invitation" is no place of one';
    return nameProblem(username, "username") ?? timeProblem(sentAt);
  },
  [ENTRY_KINDS.message]: ({ from, to, text, messageId, sentAt }) => {
    if (typeof text !== "string" || !text.isWellFormed()) return '"text" must be a string';
    return userProblem(from, "from") ?? nameProblem(to, "to") ?? messageIdProblem(messageId) ?? timeProblem(sentAt);
  },
  [ENTRY_KINDS.receipt]: ({ of, to, state, messageId }) => {
    if (state !== "delivered") return '"state" must be "delivered"';
    if (typeof of !== "string" || !isEntryId(of)) return '"of" is not the id of an entry';
    return nameProblem(to, "to") ?? messageIdProblem(messageId);
  },
  [ENTRY_KINDS.place]: (fields) => {
    // Another event of a newer server: only that server knows its fields.
    if (fields.event !== "lost" && fields.event !== "taken") return undefined;
    return nameProblem(fields.username, "username") ??
      (readPlace(fields) === undefined ? "it does not say where a user stood, or whose place was taken up" : undefined);
  },
  [ENTRY_KINDS.record]: (fields) =>
    timeProblem(fields.sentAt) ?? (readRecord(fields) === undefined ? "it is no record" : undefined),
};

/** The audiences that each kind may have. An unknown kind may have any: only servers get it. */
const AUDIENCES: Readonly<Record<EntryFacts["kind"], readonly ("everyone" | "servers" | "user")[]>> = {
  // For servers only, if the sender had shown the same one already.
  activity: ["everyone", "servers"],
  account: ["servers"],
  message: ["user", "servers"],
  receipt: ["user", "servers"],
  place: ["user", "servers"],
  record: ["servers"],
  other: ["everyone", "servers", "user"],
};

function audienceProblem({ kind, to: ofMessage, place }: EntryFacts, to: WireAudience): string | undefined {
  const name = typeof to === "string" ? to : "user";
  if (!AUDIENCES[kind].includes(name)) return `an entry of this kind is not for "${name}"`;
  const receiver = ofMessage ?? place?.username;
  const isStranger = receiver !== undefined && typeof to !== "string" && to.user !== receiver;
  return isStranger ? "it came for another user than the one that it names" : undefined;
}

function afterProblem(after: unknown): string | undefined {
  if (after === undefined || after === null) return undefined;
  return typeof after === "string" && isEntryId(after) ? undefined : '"after" is not the id of an entry';
}

function isEntryId(text: string): boolean {
  const id = parseEntryId(text);
  return id !== undefined && isServerId(id.origin) && formatEntryId(id) === text;
}

/** A sender may have no account. */
function userProblem(username: unknown, name: string): string | undefined {
  return username === ANONYMOUS ? undefined : nameProblem(username, name);
}

function nameProblem(username: unknown, name: string): string | undefined {
  if (typeof username !== "string") return `"${name}" must be a string`;
  const problem = usernameProblem(username);
  return problem && `"${name}": ${problem}`;
}

function messageIdProblem(messageId: unknown): string | undefined {
  if (messageId === undefined || messageId === null) return undefined;
  const isOne = typeof messageId === "string" && messageId !== "" && messageId.length <= MAX_MESSAGE_ID_LENGTH &&
    messageId.isWellFormed();
  return isOne ? undefined : `"messageId" must have 1 to ${MAX_MESSAGE_ID_LENGTH} characters`;
}

/** The server that took the entry in has made a normal name of it: two texts for one channel would be two channels. */
function channelFault(channel: unknown): string | undefined {
  if (channel === undefined || channel === null) return undefined;
  const isOne = typeof channel === "string" && normalName(channel) === channel && channelProblem(channel) === undefined;
  return isOne ? undefined : '"channel" is not the name of a channel';
}

function timeProblem(sentAt: unknown): string | undefined {
  return isWhole(sentAt, MAX_TIME_MS) ? undefined : '"sentAt" must be milliseconds since 1970';
}

function viaProblem(via: unknown): string | undefined {
  if (via === undefined || via === null) return undefined;
  const isOne = typeof via === "string" && /^[^\p{Cc}]{1,64}$/u.test(via) && via.isWellFormed();
  return isOne ? undefined : '"via" is not the name of a server';
}

/**
 * Faults that only the text of an activity shows. Most activities are short, flat and name one user: then the text is
 * not read through.
 */
function activityProblem(line: string): string | undefined {
  const text = rawValue(line, "activity")!;
  const key = '"authenticated_user"';
  if (text.indexOf(key) !== text.lastIndexOf(key) || text.includes("\\u")) {
    const users = rawMembers(text).filter((member) => member.key === "authenticated_user");
    if (users.length > 1) return '"activity" has more than one user';
  }
  const isDeep = text.length > 2 * MAX_ACTIVITY_DEPTH && nestingDepth(text) > MAX_ACTIVITY_DEPTH;
  return isDeep ? `"activity" is nested deeper than ${MAX_ACTIVITY_DEPTH} levels` : undefined;
}
