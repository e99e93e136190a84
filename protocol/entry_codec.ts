/**
 * Lines of the log as servers read and write them. Activities are written by `server_codec.ts`, as clients get them as they are; what is written here goes from
 * server to server, never to a client. Pure.
 */

import { type Fields, isObject } from "./fields.ts";
import { type EntryId, parseEntryId } from "./entry_id.ts";
import { type PlaceNote, readPlace } from "./peer/place_codec.ts";

/** A registration, as the log keeps it. */
export interface AccountEntry {
  readonly username: string;
  /** Never the secret. */
  readonly verifier: string;
  /** Lamport time of the claim to the name: of two accounts of one name the one with the lower (claim, origin) holds. */
  readonly claim: number;
  readonly origin: string;
  readonly sequence: number;
  readonly lamport: number;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
}

/** What a server takes out of a line that another one has accepted. */
export interface EntryFacts {
  /** `"other"`: only a newer server knows what it is. */
  readonly kind: "activity" | "account" | "message" | "receipt" | "place" | "other";
  readonly lamport: number;
  /** An activity or a direct message: who sent it. */
  readonly username: string | undefined;
  /** Under which it was sent; of a receipt, under which the direct message was. */
  readonly messageId: string | undefined;
  /** The entry that its sender published before it, where that has another origin. */
  readonly after: EntryId | undefined;
  /** A registration. */
  readonly account: Pick<AccountEntry, "username" | "verifier" | "claim"> | undefined;
  /** A direct message: whom it is for, and when it was sent, in milliseconds since 1970. */
  readonly to?: string;
  readonly sentAt?: number;
  /** A receipt: of which direct message. */
  readonly of?: EntryId;
  /** Where a lost connection stood, or that its place was taken up. */
  readonly place?: PlaceNote;
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
  /** The `id` of the entry that its sender sent before it, where that has another origin. */
  readonly after: string | undefined;
}

/** That a direct message was delivered, as the log keeps it. */
export interface ReceiptEntry {
  /** The `id` of the direct message. */
  readonly of: string;
  readonly to: string;
  readonly messageId: string | undefined;
  readonly origin: string;
  readonly sequence: number;
  readonly lamport: number;
}

/** A DIRECT_MESSAGE line, its end included: what the receiver gets. */
export function encodeDirectMessage({ origin, sequence, ...message }: MessageEntry): string {
  const { from, to, text, lamport, sentAt, messageId, after } = message;
  const id = `${origin}:${sequence}`;
  return JSON.stringify({ command: "DIRECT_MESSAGE", from, to, text, id, lamport, sentAt, messageId, after }) + "\n";
}

/** A RECEIPT line, its end included: what the sender gets, if it gave a `messageId`. */
export function encodeReceipt({ origin, sequence, of, to, messageId, lamport }: ReceiptEntry): string {
  const id = `${origin}:${sequence}`;
  return JSON.stringify({ command: "RECEIPT", messageId, state: "delivered", of, to, id, lamport }) + "\n";
}

/** An ACCOUNT line, its end included. */
export function encodeAccount(
  { username, verifier, claim, origin, sequence, lamport, sentAt }: AccountEntry,
): string {
  const id = `${origin}:${sequence}`;
  return JSON.stringify({ command: "ACCOUNT", username, verifier, claim, id, lamport, sentAt }) + "\n";
}

/** The kinds of entries that are known here, as `command` names them. Append only: they are in every log. */
export const ENTRY_KINDS = {
  activity: "ACTIVITY_BROADCAST",
  account: "ACCOUNT",
  message: "DIRECT_MESSAGE",
  receipt: "RECEIPT",
  place: "PLACE",
} as const;

/** What a line of the log says to a server; `undefined` for what cannot be one. A kind that only a newer server knows is kept and passed on all the same. */
export function parseEntry(line: string): EntryFacts | undefined {
  return readEntry(line)?.facts;
}

/** As `parseEntry`, with all that the line has. What is in it is looked at only as far as a server needs it: `entry_check.ts` looks at the rest. */
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

/** What is left of an entry that nobody is to act on: it is kept, and passed on. */
export function unknownFacts(lamport: number, after?: EntryId): EntryFacts {
  return { kind: "other", lamport, username: undefined, messageId: undefined, after, account: undefined };
}

function factsOf(fields: Fields): EntryFacts | undefined {
  const lamport = fields.lamport as number;
  const after = typeof fields.after === "string" ? parseEntryId(fields.after) : undefined;
  switch (fields.command) {
    case ENTRY_KINDS.activity: {
      const { activity, messageId } = fields;
      const user = isObject(activity) ? activity.authenticated_user : undefined;
      return {
        kind: "activity",
        lamport,
        username: typeof user === "string" ? user : undefined,
        messageId: typeof messageId === "string" ? messageId : undefined,
        after,
        account: undefined,
      };
    }
    case ENTRY_KINDS.account: {
      const { username, verifier, claim = lamport } = fields;
      if (typeof username !== "string" || typeof verifier !== "string" || typeof claim !== "number") return undefined;
      const account = { username, verifier, claim };
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
    default:
      return unknownFacts(lamport, after);
  }
}
