/**
 * What a client is told when it is logged in: plain ones a sentence, others what they asked for, and where they stand.
 */

import type { Proven } from "../accounts/credential.ts";
import type { Feature, LoginMessage, LoginSuccessMessage } from "../../protocol/message.ts";
import type { ConnectionServices } from "./connection_services.ts";
import type { ResumePoint } from "./resume_point.ts";

/** What is known of a client that logs in. */
export interface LoginSuccessFacts {
  /** Those in force. */
  readonly features: readonly Feature[];
  readonly resumePoint: ResumePoint | undefined;
  /** Not there for who needs no account. */
  readonly proven: Proven | undefined;
}

/**
 * LOGIN_SUCCESS for `login`. Without a resume point it says nothing of what the client has, as that is for
 * the next server to say.
 */
export function loginSuccess(
  { username, secret = "", features: asked }: LoginMessage,
  { features, resumePoint, proven }: LoginSuccessFacts,
  { journal, accounts, heartbeat }: ConnectionServices,
): LoginSuccessMessage {
  const info = `logged in as ${username}`;
  if (asked.length === 0) return { command: "LOGIN_SUCCESS", info: `${info}${resumePoint?.lossInWords ?? ""}` };
  const resumes = features.includes("resume");
  const ticket = resumes && proven !== undefined ? accounts.ticketFor(username, secret, proven) : undefined;
  return {
    command: "LOGIN_SUCCESS",
    info,
    features,
    serverId: resumePoint?.serverId ?? journal.serverId,
    lamport: journal.lamport,
    heartbeat,
    ...(resumes && resumePoint !== undefined ? { resume: resumePoint.resume } : {}),
    ...(ticket === undefined ? {} : { ticket }),
  };
}
