/** What a client is told when it is logged in: plain ones a sentence, others what they asked for, and where they stand. */

import type { Feature, LoginMessage, LoginSuccessMessage } from "../protocol/message.ts";
import type { ConnectionServices } from "./connection_services.ts";
import type { Place } from "./place.ts";

/** LOGIN_SUCCESS for `login`. Without a place it says nothing of what the client has, as that is for the next server to say. */
export function welcomeOf(
  { username, features: asked }: LoginMessage,
  features: readonly Feature[],
  place: Place | undefined,
  { journal, accounts, heartbeat }: ConnectionServices,
): LoginSuccessMessage {
  const info = `logged in as ${username}`;
  if (asked.length === 0) return { command: "LOGIN_SUCCESS", info: `${info}${place?.lossInWords ?? ""}` };
  const resumes = features.includes("resume");
  const ticket = resumes ? accounts.ticketFor(username) : undefined;
  return {
    command: "LOGIN_SUCCESS",
    info,
    features,
    serverId: journal.serverId,
    lamport: journal.lamport,
    heartbeat,
    ...(resumes && place !== undefined ? { resume: place.resume } : {}),
    ...(ticket === undefined ? {} : { ticket }),
  };
}
