/**
 * What an operator wants of another server than the one that was asked: types and reading. Only servers that offer the
 * feature `operate` are told. docs/protocol.md, section 4.11, explains the fields. Pure.
 */

import { FieldProblem, type Fields, integerField, optionalIntegerField, optionalStringField } from "../fields.ts";

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
}

/** Both of them. */
export type OrderMessage = OperateMessage | OperatedMessage;

/** Offered by a server that carries out the orders that come over its links. */
export const OPERATE_FEATURE = "operate";
const MAX_WORD_LENGTH = 64;
/** A name has 64 characters, of two units each at most. */
const MAX_NAME_LENGTH = 128;
const MAX_BY_LENGTH = 255;
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
      return {
        command,
        ask: integerField(fields.ask, "ask", 0, MAX_INTEGER),
        action: textField(fields.action, "action", MAX_WORD_LENGTH) ?? "",
        ...(connection === undefined ? {} : { connection }),
        ...(since === undefined ? {} : { since }),
        ...(user === undefined ? {} : { user }),
        ...(address === undefined ? {} : { address }),
        ...(level === undefined ? {} : { level }),
        by: textField(fields.by, "by", MAX_BY_LENGTH) ?? "",
      };
    }
    case "OPERATED": {
      const count = optionalIntegerField(fields.count, "count", 0, MAX_INTEGER);
      return {
        command,
        ask: integerField(fields.ask, "ask", 0, MAX_INTEGER),
        result: textField(fields.result, "result", MAX_WORD_LENGTH) ?? "",
        ...(count === undefined ? {} : { count }),
      };
    }
  }
  return undefined;
}

function textField(value: unknown, name: string, most: number): string | undefined {
  const text = optionalStringField(value, name);
  if (text !== undefined && text.length > most) throw new FieldProblem(`"${name}" may have at most ${most} characters`);
  return text;
}
