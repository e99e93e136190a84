/** What an error of the client says of a typed line. Pure. */

import { ConnectionEndedError, RefusedError } from "../../errors.ts";
import { KNOWS_NO_CHANNELS } from "../notices.ts";

/** The reason why a line was not taken. The row before says that it was not. */
export function whyNot(error: Error): string {
  return error instanceof RefusedError ? error.info : error.message;
}

/** Whether `error` is that the client has ended, and not that it did not take a line. */
export function isEnd(error: unknown): boolean {
  if (error instanceof ConnectionEndedError) return true;
  return error instanceof RefusedError
    ? error.command !== "DIRECT_MESSAGE_FAILED" && error.command !== "ACTIVITY_FAILED"
    : !(error instanceof TypeError || error instanceof RangeError);
}

/** Why a channel cannot be read; `undefined` when the client has ended. */
export function whyNotRead(error: Error): string | undefined {
  if (error instanceof RefusedError) return error.command === "SUBSCRIBE_FAILED" ? error.info : undefined;
  return error instanceof TypeError ? KNOWS_NO_CHANNELS : undefined;
}
