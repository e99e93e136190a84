/** Reads PASS_SPENT. Pure. */

import { FieldProblem, type Fields, integerField, isObject } from "../fields.ts";
import type { PassSpentMessage } from "./peer_message.ts";

/** More than are told at once. */
export const MAX_SPENT_TOLD = 10_000;
const DIGEST = /^[0-9a-f]{32}$/;

/** The message; `undefined` for another command. @throws {FieldProblem} */
export function readPassSpent(command: string, { passes }: Fields): PassSpentMessage | undefined {
  if (command !== "PASS_SPENT") return undefined;
  if (!isObject(passes) || Object.keys(passes).length > MAX_SPENT_TOLD) {
    throw new FieldProblem(`"passes" must be an object of at most ${MAX_SPENT_TOLD} moments`);
  }
  const read: Record<string, number> = {};
  for (const [digest, expiresAtMs] of Object.entries(passes)) {
    if (!DIGEST.test(digest)) throw new FieldProblem('"passes" has a key that is no digest');
    read[digest] = integerField(expiresAtMs, "passes", 0, Number.MAX_SAFE_INTEGER);
  }
  return { command, passes: read };
}
