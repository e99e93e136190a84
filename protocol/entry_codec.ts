/**
 * Lines of the log as servers read and write them. Activities are written by `server_codec.ts`, as clients get them as they are; what is written here goes from
 * server to server, never to a client. Pure.
 */

import { isObject } from "./fields.ts";
import { type EntryId, parseEntryId } from "./entry_id.ts";

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
  readonly kind: "activity" | "account" | "other";
  readonly lamport: number;
  /** An activity: who published it, and under which `messageId`. */
  readonly username: string | undefined;
  readonly messageId: string | undefined;
  /** The entry that its sender published before it, where that has another origin. */
  readonly after: EntryId | undefined;
  /** A registration. */
  readonly account: Pick<AccountEntry, "username" | "verifier" | "claim"> | undefined;
}

/** An ACCOUNT line, its end included. */
export function encodeAccount(
  { username, verifier, claim, origin, sequence, lamport, sentAt }: AccountEntry,
): string {
  const id = `${origin}:${sequence}`;
  return JSON.stringify({ command: "ACCOUNT", username, verifier, claim, id, lamport, sentAt }) + "\n";
}

/** What a line of the log says to a server; `undefined` for what cannot be one. A kind that only a newer server knows is kept and passed on all the same. */
export function parseEntry(line: string): EntryFacts | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(fields) || !Number.isSafeInteger(fields.lamport)) return undefined;
  const lamport = fields.lamport as number;
  const after = typeof fields.after === "string" ? parseEntryId(fields.after) : undefined;
  switch (fields.command) {
    case "ACTIVITY_BROADCAST": {
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
    case "ACCOUNT": {
      const { username, verifier, claim = lamport } = fields;
      if (typeof username !== "string" || typeof verifier !== "string" || typeof claim !== "number") return undefined;
      const account = { username, verifier, claim };
      return { kind: "account", lamport, username: undefined, messageId: undefined, after, account };
    }
    default:
      return { kind: "other", lamport, username: undefined, messageId: undefined, after, account: undefined };
  }
}
