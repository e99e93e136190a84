/**
 * Messages between servers about whole origins, beside the log: their types and their reading. Servers of older
 * versions ignore these commands. docs/protocol.md, section 4.9, explains the fields. Pure.
 */

import {
  FieldProblem,
  type Fields,
  integerField,
  isObject,
  optionalStringField,
  stringField,
  vectorField,
} from "../fields.ts";
import type { WireVector } from "../message.ts";
import { usernameProblem } from "../names.ts";
import { isServerId } from "../server_id.ts";

/**
 * Entries `first` to `last` of `origin` were given out twice, because an old copy of its data was put back. Clients may
 * have seen other entries under these ids than the log has.
 */
export interface RetractedMessage {
  readonly command: "RETRACTED";
  readonly origin: string;
  readonly first: number;
  readonly last: number;
  /** The digest of the lost entry `first`; absent if unknown. */
  readonly digest?: string;
}

/** Asks for the digests of these entries of an origin, and of its newest one. */
export interface DigestsAskMessage {
  readonly command: "DIGESTS_ASK";
  readonly origin: string;
  readonly sequences: readonly number[];
}

/** The digests, of the entries that are kept. */
export interface DigestsMessage {
  readonly command: "DIGESTS";
  readonly origin: string;
  readonly digests: Readonly<Record<string, string>>;
}

/** The receiver runs on a copy of a data folder whose server is in the network. The end of the link follows. */
export interface ClonedMessage {
  readonly command: "CLONED";
  readonly info: string;
}

/**
 * An account of the receiver was claimed earlier than the receiver's clock had been known to be: its data is an old
 * copy. The sender has its entries up to `has`, and takes no more of them.
 */
export interface OldClaimMessage {
  readonly command: "OLD_CLAIM";
  readonly username: string;
  readonly claim: number;
  readonly has: number;
}

/** The sender has forgotten these origins, up to the given numbers. Only their accounts still count. */
export interface ForgottenMessage {
  readonly command: "FORGOTTEN";
  readonly vector: WireVector;
}

/** Asks for the accounts of forgotten origins. */
export interface WantAccountsMessage {
  readonly command: "WANT_ACCOUNTS";
}

/** Accounts of origins that are no longer in the sender's log. With `more`, other accounts follow. */
export interface AccountsMessage {
  readonly command: "ACCOUNTS";
  readonly accounts: readonly WireAccount[];
  readonly more: boolean;
}

/** An account between servers, with the fields of its entry. */
export interface WireAccount {
  readonly username: string;
  readonly verifier: string;
  readonly claim: number;
  readonly origin: string;
}

/** All of them. */
export type OriginMessage =
  | RetractedMessage
  | DigestsAskMessage
  | DigestsMessage
  | ClonedMessage
  | OldClaimMessage
  | ForgottenMessage
  | WantAccountsMessage
  | AccountsMessage;

/** Accounts that one message may have. */
export const MAX_WIRE_ACCOUNTS = 500;
/** Origins that one FORGOTTEN may name. */
export const MAX_FORGOTTEN = 500;

/** Entries that one DIGESTS_ASK may name. */
export const MAX_DIGESTS = 64;

const DIGEST = /^[0-9a-f]{16,64}$/;
const VERIFIER = /^[\x21-\x7e]{1,512}$/;
/** As of entries (docs/protocol.md, section 4.8). */
const MAX_CLAIM = 2 ** 51;

/** Reads one; `undefined` for another command. @throws {FieldProblem} */
export function readOriginMessage(command: string, fields: Fields): OriginMessage | undefined {
  switch (command) {
    case "RETRACTED": {
      const first = integerField(fields.first, "first", 1, Number.MAX_SAFE_INTEGER);
      const last = integerField(fields.last, "last", first, Number.MAX_SAFE_INTEGER);
      const digest = fields.digest === undefined || fields.digest === null ? undefined : digestField(fields.digest);
      return { command, origin: originField(fields.origin), first, last, ...(digest === undefined ? {} : { digest }) };
    }
    case "DIGESTS_ASK": {
      const { sequences } = fields;
      if (!Array.isArray(sequences) || sequences.length > MAX_DIGESTS) {
        throw new FieldProblem(`"sequences" must be a list of at most ${MAX_DIGESTS} numbers`);
      }
      const numbers = sequences.map((sequence) => integerField(sequence, "sequences", 1, Number.MAX_SAFE_INTEGER));
      return { command, origin: originField(fields.origin), sequences: numbers };
    }
    case "DIGESTS":
      return { command, origin: originField(fields.origin), digests: digestsField(fields.digests) };
    case "FORGOTTEN": {
      const vector = vectorField(fields.vector, "vector");
      if (Object.keys(vector).length > MAX_FORGOTTEN) {
        throw new FieldProblem(`"vector" names more than ${MAX_FORGOTTEN}`);
      }
      return { command, vector };
    }
    case "WANT_ACCOUNTS":
      return { command };
    case "ACCOUNTS":
      return { command, accounts: accountsField(fields.accounts), more: fields.more === true };
    case "OLD_CLAIM": {
      const claim = integerField(fields.claim, "claim", 0, MAX_CLAIM);
      const has = integerField(fields.has, "has", 0, Number.MAX_SAFE_INTEGER);
      return { command, username: usernameField(fields.username), claim, has };
    }
    case "CLONED":
      return { command, info: optionalStringField(fields.info, "info") ?? "" };
  }
  return undefined;
}

function accountsField(value: unknown): WireAccount[] {
  if (!Array.isArray(value) || value.length > MAX_WIRE_ACCOUNTS || !value.every(isObject)) {
    throw new FieldProblem(`"accounts" must be a list of at most ${MAX_WIRE_ACCOUNTS} accounts`);
  }
  return value.map((account: Fields) => {
    const username = usernameField(account.username);
    const verifier = stringField(account.verifier, "verifier");
    if (!VERIFIER.test(verifier)) throw new FieldProblem('"verifier" is none');
    const claim = integerField(account.claim, "claim", 0, MAX_CLAIM);
    return { username, verifier, claim, origin: originField(account.origin) };
  });
}

function usernameField(value: unknown): string {
  const username = stringField(value, "username");
  const problem = usernameProblem(username);
  if (problem !== undefined) throw new FieldProblem(problem);
  return username;
}

function digestsField(value: unknown): Record<string, string> {
  if (!isObject(value) || Object.keys(value).length > MAX_DIGESTS + 1) {
    throw new FieldProblem(`"digests" must be an object of at most ${MAX_DIGESTS + 1} digests`);
  }
  const digests: Record<string, string> = {};
  for (const [sequence, digest] of Object.entries(value)) {
    if (!/^[1-9]\d{0,15}$/.test(sequence)) throw new FieldProblem('"digests" has a key that is no sequence');
    digests[sequence] = digestField(digest);
  }
  return digests;
}

function digestField(value: unknown): string {
  const digest = stringField(value, "digest");
  if (!DIGEST.test(digest)) throw new FieldProblem('"digest" is none');
  return digest;
}

function originField(value: unknown): string {
  const origin = stringField(value, "origin");
  if (!isServerId(origin)) throw new FieldProblem('"origin" is not the name of a server');
  return origin;
}
