/**
 * What servers tell each other of the ends of their audit logs, so that a log that was cut is noticed: types and
 * reading. docs/protocol.md, section 4.13, explains them. Pure.
 */

import { FieldProblem, type Fields, integerField, stringField } from "../fields.ts";

/** `AUDIT_END`: the newest line of the sender's audit log. `AUDIT_KEPT`: the newest that it knows of the receiver's. */
export interface AuditMessage {
  readonly command: "AUDIT_END" | "AUDIT_KEPT";
  /** The number of the line, from 1 on. */
  readonly number: number;
  /** Its SHA-256, as 64 hexadecimal digits. */
  readonly hash: string;
}

const HASH = /^[0-9a-f]{64}$/;

/** Reads one; `undefined` for another command. @throws {FieldProblem} */
export function readAuditMessage(command: string, fields: Fields): AuditMessage | undefined {
  if (command !== "AUDIT_END" && command !== "AUDIT_KEPT") return undefined;
  const number = integerField(fields.number, "number", 1, Number.MAX_SAFE_INTEGER);
  const hash = stringField(fields.hash, "hash");
  if (!HASH.test(hash)) throw new FieldProblem('"hash" must be 64 hexadecimal digits');
  return { command, number, hash };
}
