/**
 * What an operator wants of another server than the one that was asked: types and reading. Only servers that offer the
 * feature `operate` are told. docs/protocol.md, section 4.11, explains the fields. Pure.
 */

import {
  FieldProblem,
  type Fields,
  integerField,
  optionalIntegerField,
  optionalStringField,
  stringsField,
} from "../fields.ts";

/** An order of an operator who was let in at the sender. */
export interface OperateMessage {
  readonly command: "OPERATE";
  /** The answer names it. */
  readonly ask: number;
  /** What is to be done. A newer server may want more than this one knows. */
  readonly action: string;
  /** With `disconnect`: the name that the receiver has given to the connection. */
  readonly connection?: string;
  /** With `disconnect`: when the connection was opened. Names begin anew with each start of a server. */
  readonly since?: number;
  /** With `disconnectAll`: whose connections. */
  readonly user?: string;
  /** With `disconnectAll`, in place of `user`: an address, or a range of addresses. */
  readonly address?: string;
  /** With `logLevel`. */
  readonly level?: string;
  /** With `networkSecret`: the secret, as `toHex` of its UTF-8. It is sealed on its way. */
  readonly networkSecret?: string;
  /** With `networkSecret`: which change it is, and until when former ones count, in milliseconds since 1970. */
  readonly number?: number;
  readonly until?: number;
  /** Where the operator comes from, for the receiver's log. */
  readonly by: string;
}

/** What became of it. */
export interface OperatedMessage {
  readonly command: "OPERATED";
  readonly ask: number;
  /** `done`, or why not. A newer server may say more than this one knows. */
  readonly result: string;
  /** With `disconnectAll`: how many there were. */
  readonly count?: number;
  /** With `reload`: keys of the configuration that count from now on, and those that count from a start on. */
  readonly changed?: readonly string[];
  readonly kept?: readonly string[];
  /** With `refused`: why, in a sentence for the operator. */
  readonly info?: string;
}

/** Both of them. */
export type OrderMessage = OperateMessage | OperatedMessage;

/** Offered by a server that carries out the orders that come over its links. */
export const OPERATE_FEATURE = "operate";
/** Offered by a server that takes another secret for the network so. */
export const SECRETS_FEATURE = "secrets";
/** A secret has 256 characters, of three bytes for each unit at most, of two digits each. */
const MAX_SECRET_DIGITS = 1_536;
const MAX_WORD_LENGTH = 64;
/** A name has 64 characters, of two units each at most. */
const MAX_NAME_LENGTH = 128;
const MAX_BY_LENGTH = 255;
/** A sentence may name a file, and a value of it. */
const MAX_INFO_LENGTH = 1_024;
/** A configuration has fewer keys. */
const MAX_KEYS = 256;
const MAX_INTEGER = Number.MAX_SAFE_INTEGER;

/** Reads one; `undefined` for another command. @throws {FieldProblem} */
export function readOrderMessage(command: string, fields: Fields): OrderMessage | undefined {
  switch (command) {
    case "OPERATE": {
      const connection = textField(fields.connection, "connection", MAX_WORD_LENGTH);
      const since = optionalIntegerField(fields.since, "since", 0, MAX_INTEGER);
      const user = textField(fields.user, "user", MAX_NAME_LENGTH);
      const address = textField(fields.address, "address", MAX_WORD_LENGTH);
      const level = textField(fields.level, "level", MAX_WORD_LENGTH);
      const networkSecret = digitsField(fields.networkSecret, "networkSecret");
      const number = optionalIntegerField(fields.number, "number", 1, MAX_INTEGER);
      const until = optionalIntegerField(fields.until, "until", 0, MAX_INTEGER);
      return {
        command,
        ask: integerField(fields.ask, "ask", 0, MAX_INTEGER),
        action: textField(fields.action, "action", MAX_WORD_LENGTH) ?? "",
        ...(connection === undefined ? {} : { connection }),
        ...(since === undefined ? {} : { since }),
        ...(user === undefined ? {} : { user }),
        ...(address === undefined ? {} : { address }),
        ...(level === undefined ? {} : { level }),
        ...(networkSecret === undefined ? {} : { networkSecret }),
        ...(number === undefined ? {} : { number }),
        ...(until === undefined ? {} : { until }),
        by: textField(fields.by, "by", MAX_BY_LENGTH) ?? "",
      };
    }
    case "OPERATED": {
      const count = optionalIntegerField(fields.count, "count", 0, MAX_INTEGER);
      const changed = keysField(fields.changed, "changed");
      const kept = keysField(fields.kept, "kept");
      const info = textField(fields.info, "info", MAX_INFO_LENGTH);
      return {
        command,
        ask: integerField(fields.ask, "ask", 0, MAX_INTEGER),
        result: textField(fields.result, "result", MAX_WORD_LENGTH) ?? "",
        ...(count === undefined ? {} : { count }),
        ...(changed === undefined ? {} : { changed }),
        ...(kept === undefined ? {} : { kept }),
        ...(info === undefined ? {} : { info }),
      };
    }
  }
  return undefined;
}

/** The sentence of a refusal, as long as a message may have it. */
export function refusalInfo(sentence: string): string {
  return sentence.length <= MAX_INFO_LENGTH ? sentence : `${sentence.slice(0, MAX_INFO_LENGTH - 1)}…`.toWellFormed();
}

function digitsField(value: unknown, name: string): string | undefined {
  const text = textField(value, name, MAX_SECRET_DIGITS);
  if (text !== undefined && !/^(?:[0-9a-f]{2})+$/.test(text)) {
    throw new FieldProblem(`"${name}" must be pairs of digits`);
  }
  return text;
}

function keysField(value: unknown, name: string): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const keys = stringsField(value, name);
  if (keys.length <= MAX_KEYS && keys.every((key) => key.length <= MAX_WORD_LENGTH)) return keys;
  throw new FieldProblem(`"${name}" may have at most ${MAX_KEYS} keys`);
}

function textField(value: unknown, name: string, most: number): string | undefined {
  const text = optionalStringField(value, name);
  if (text !== undefined && text.length > most) throw new FieldProblem(`"${name}" may have at most ${most} characters`);
  return text;
}
