/**
 * Lines of the log, as servers read and write them. `server_codec.ts` writes activities, as clients get these lines
 * unchanged. The lines written here go from server to server. Pure.
 */

import { type Fields, isObject } from "./fields.ts";
import { type EntryId, parseEntryId } from "./entry_id.ts";
import { type PlaceNote, readPlace } from "./peer/place_codec.ts";
import { readRecord, type WireRecord } from "./peer/record_codec.ts";

/** A registration, as the log keeps it. */
export interface AccountEntry {
  readonly username: string;
  /** Never the secret. */
  readonly verifier: string;
  /**
   * Lamport time of the claim to the name. Of two accounts of one name, the one with the lower (claim, origin) holds.
   */
  readonly claim: number;
  /** The place of an invitation that it took: `KEY:NUMBER`. */
  readonly invitation?: string | undefined;
  readonly origin: string;
  readonly sequence: number;
  readonly lamport: number;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
}

/** The facts that a server takes out of a line of another server. */
export interface EntryFacts {
  /** `"other"`: a kind that only a newer server knows. */
  readonly kind: "activity" | "account" | "message" | "receipt" | "place" | "record" | "other";
  readonly lamport: number;
  /** The sender of an activity or a direct message. */
  readonly username: string | undefined;
  /** The id that the sender gave the message. In a receipt: the id of the direct message. */
  readonly messageId: string | undefined;
  /** The channel of an activity; absent if it is for everyone. */
  readonly channel?: string;
  /** The entry that its sender published before it, if that entry has another origin. */
  readonly after: EntryId | undefined;
  /** A registration. */
  readonly account: Pick<AccountEntry, "username" | "verifier" | "claim" | "invitation"> | undefined;
  /** The receiver of a direct message, and its time in milliseconds since 1970. */
  readonly to?: string;
  readonly sentAt?: number;
  /** The direct message of a receipt. */
  readonly of?: EntryId;
  /** The position of a lost connection, or the notice that somebody took that position up. */
  readonly place?: PlaceNote;
  /** What an operator has set. */
  readonly record?: WireRecord;
}

/** A direct message, as the log keeps it. */
export interface MessageEntry {
  readonly from: string;
  readonly to: string;
  readonly text: string;
  readonly origin: string;
  readonly sequence: number;
  readonly lamport: number;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
  readonly messageId: string | undefined;
  /** The `id` of the entry that its sender sent before it, if that entry has another origin. */
  readonly after: string | undefined;
}

/** The notice that a direct message was delivered, as the log keeps it. */
export interface ReceiptEntry {
  /** The `id` of the direct message. */
  readonly of: string;
  readonly to: string;
  readonly messageId: string | undefined;
  readonly origin: string;
  readonly sequence: number;
  readonly lamport: number;
}

/** A DIRECT_MESSAGE line with its end. The receiver gets this line. */
export function encodeDirectMessage({ origin, sequence, ...message }: MessageEntry): string {
  const { from, to, text, lamport, sentAt, messageId, after } = message;
  const id = `${origin}:${sequence}`;
  return JSON.stringify({ command: "DIRECT_MESSAGE", from, to, text, id, lamport, sentAt, messageId, after }) + "\n";
}

/** A RECEIPT line with its end. The sender gets this line if it gave a `messageId`. */
export function encodeReceipt({ origin, sequence, of, to, messageId, lamport }: ReceiptEntry): string {
  const id = `${origin}:${sequence}`;
  return JSON.stringify({ command: "RECEIPT", messageId, state: "delivered", of, to, id, lamport }) + "\n";
}

/** An ACCOUNT line, its end included. */
export function encodeAccount(
  { username, verifier, claim, invitation, origin, sequence, lamport, sentAt }: AccountEntry,
): string {
  const id = `${origin}:${sequence}`;
  return JSON.stringify({ command: "ACCOUNT", username, verifier, claim, invitation, id, lamport, sentAt }) + "\n";
}

/** The known kinds of entries, as `command` names them. Append only: the names are in every log. */
export const ENTRY_KINDS = {
  activity: "ACTIVITY_BROADCAST",
  account: "ACCOUNT",
  message: "DIRECT_MESSAGE",
  receipt: "RECEIPT",
  place: "PLACE",
  record: "RECORD",
} as const;

/**
 * The facts in a line of the log; `undefined` if the line cannot be an entry. An unknown kind is kept and passed on,
 * too.
 */
export function parseEntry(line: string): EntryFacts | undefined {
  return readEntry(line)?.facts;
}

/**
 * Like `parseEntry`, with all fields of the line. Checks only the fields that a server needs; `entry_check.ts` checks
 * the rest.
 */
export function readEntry(line: string): { readonly fields: Fields; readonly facts: EntryFacts } | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(fields) || !Number.isSafeInteger(fields.lamport)) return undefined;
  const facts = factsOf(fields);
  return facts && { fields, facts };
}

/** The facts of an entry that no server may act on. The entry is kept and passed on. */
export function unknownFacts(lamport: number, after?: EntryId): EntryFacts {
  return { kind: "other", lamport, username: undefined, messageId: undefined, after, account: undefined };
}

function factsOf(fields: Fields): EntryFacts | undefined {
  const lamport = fields.lamport as number;
  const after = typeof fields.after === "string" ? parseEntryId(fields.after) : undefined;
  switch (fields.command) {
    case ENTRY_KINDS.activity: {
      const { activity, messageId, channel } = fields;
      const user = isObject(activity) ? activity.authenticated_user : undefined;
      return {
        kind: "activity",
        lamport,
        username: typeof user === "string" ? user : undefined,
        messageId: typeof messageId === "string" ? messageId : undefined,
        ...(typeof channel === "string" ? { channel } : {}),
        after,
        account: undefined,
      };
    }
    case ENTRY_KINDS.account: {
      const { username, verifier, claim = lamport } = fields;
      if (typeof username !== "string" || typeof verifier !== "string" || typeof claim !== "number") return undefined;
      const { invitation } = fields;
      const account = { username, verifier, claim, ...(typeof invitation === "string" ? { invitation } : {}) };
      return { kind: "account", lamport, username: undefined, messageId: undefined, after, account };
    }
    case ENTRY_KINDS.message: {
      const { from, to, messageId, sentAt } = fields;
      if (typeof from !== "string" || typeof to !== "string" || typeof sentAt !== "number") return undefined;
      const id = typeof messageId === "string" ? messageId : undefined;
      return { kind: "message", lamport, username: from, messageId: id, after, account: undefined, to, sentAt };
    }
    case ENTRY_KINDS.receipt: {
      const of = typeof fields.of === "string" ? parseEntryId(fields.of) : undefined;
      if (of === undefined) return undefined;
      const messageId = typeof fields.messageId === "string" ? fields.messageId : undefined;
      return { kind: "receipt", lamport, username: undefined, messageId, after, account: undefined, of };
    }
    case ENTRY_KINDS.place: {
      const place = readPlace(fields);
      return { ...unknownFacts(lamport, after), ...(place && { kind: "place", place }) };
    }
    case ENTRY_KINDS.record: {
      const record = readRecord(fields);
      return { ...unknownFacts(lamport, after), ...(record && { kind: "record", record }) };
    }
    default:
      return unknownFacts(lamport, after);
  }
}
