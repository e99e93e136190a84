/** A line of the log as people are shown it. Pure. */

import { ANONYMOUS } from "../../protocol/names.ts";
import { parseServerLine } from "../../protocol/server_codec.ts";
import { type ActivityView, MAX_ACTIVITY_LENGTH } from "../../view/network_view.ts";

/** The activity of a line; `undefined` if it has none, as lines of an old log may. */
export function activityView(line: string): ActivityView | undefined {
  const message = parseServerLine(line);
  if (message?.command !== "ACTIVITY_BROADCAST") return undefined;
  const { activity: { authenticated_user: user, ...activity }, id, lamport, sentAt } = message;
  const text = JSON.stringify(activity);
  const facts = { id, user: typeof user === "string" ? user : ANONYMOUS, at: sentAt, lamport };
  if (text.length <= MAX_ACTIVITY_LENGTH) return { ...facts, activity };
  return { ...facts, activity: text.slice(0, MAX_ACTIVITY_LENGTH), cut: true };
}
