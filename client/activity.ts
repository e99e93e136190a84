/** An activity as a program gets it, made of the line of a server. Pure. */

import type { ActivityBroadcastMessage } from "../protocol/message.ts";
import { withoutMember } from "../protocol/raw_json.ts";
import type { Activity } from "./options.ts";

/** The activity in `broadcast`. */
export function activityOf(
  { activity, activityText, id, lamport, sentAt, channel }: ActivityBroadcastMessage,
): Activity {
  const { authenticated_user: name, ...rest } = activity;
  return {
    activity: rest,
    // Cut when somebody asks: most do not.
    get json() {
      return withoutMember(activityText, "authenticated_user");
    },
    user: typeof name === "string" ? name : "",
    id,
    lamport,
    sentAt,
    ...(channel === undefined ? {} : { channel }),
  };
}
