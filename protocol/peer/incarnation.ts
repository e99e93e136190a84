/** How a server says which of its starts it runs in (docs/protocol.md, section 4.1). Pure. */

import { FieldProblem, type Fields, integerField, isObject, stringField, stringsField } from "../fields.ts";
import type { WireIncarnation } from "../message.ts";

const ID = /^[0-9a-f]{1,32}$/;
const MAX_BEFORE = 64;

/** `undefined` if the field is absent. */
export function incarnationField(value: unknown): WireIncarnation | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw new FieldProblem('"incarnation" must be an object');
  const { id, before }: Fields = value;
  const ids = [stringField(id, "incarnation.id"), ...stringsField(before, "incarnation.before")];
  if (ids.length > MAX_BEFORE + 1 || !ids.every((one) => ID.test(one))) {
    throw new FieldProblem('"incarnation" has a name that none can have, or too many');
  }
  const runningMs = integerField(value.runningMs, "incarnation.runningMs", 0, Number.MAX_SAFE_INTEGER);
  const joinedMs = integerField(value.joinedMs, "incarnation.joinedMs", 0, runningMs);
  return { id: ids[0]!, before: ids.slice(1), runningMs, joinedMs };
}
