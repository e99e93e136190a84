/**
 * What a client is told when it is logged in: plain ones a sentence, others what they asked for, and where they stand.
 */

import type { Proven } from "../accounts/credential.ts";
import type { Feature, LoginMessage, LoginSuccessMessage } from "../../protocol/message.ts";
import type { ConnectionServices } from "./connection_services.ts";
import type { Place } from "./resume_point.ts";

/** What is known of a client that logs in. */
export interface Welcomed {
  /** Those in force. */
  readonly features: readonly Feature[];
  readonly place: Place | undefined;
  /** Not there for who needs no account. */
  readonly proven: Proven | undefined;
}

/**
 * LOGIN_SUCCESS for `login`. Without a place it says nothing of what the client has, as that is for
 * the next server to say.
 */
export function welcomeOf(
  { username, secret = "", features: asked }: LoginMessage,
  { features, place, proven }: Welcomed,
  { journal, accounts, heartbeat }: ConnectionServices,
): LoginSuccessMessage {
  const info = `logged in as ${username}`;
  if (asked.length === 0) return { command: "LOGIN_SUCCESS", info: `${info}${place?.lossInWords ?? ""}` };
  const resumes = features.includes("resume");
  const ticket = resumes && proven !== undefined ? accounts.ticketFor(username, secret, proven) : undefined;
  return {
    command: "LOGIN_SUCCESS",
    info,
    features,
    serverId: place?.serverId ?? journal.serverId,
    lamport: journal.lamport,
    heartbeat,
    ...(resumes && place !== undefined ? { resume: place.resume } : {}),
    ...(ticket === undefined ? {} : { ticket }),
  };
}
