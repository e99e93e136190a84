/**
 * How a client comes in once its LOGIN is good: it is welcomed, finds its place in the log, and is one of the sessions
 * here; or it is welcomed and sent on to another server.
 */

import type { Endpoint } from "../../platform/address.ts";
import { getLogger } from "@logtape/logtape";
import type { ClientSession } from "../hub/sessions.ts";
import type { Feature } from "../../protocol/message.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import { ClientRequests } from "./client_requests.ts";
import type { ClientPhase, Phase } from "./connection_phase.ts";
import type { ConnectionServices } from "./connection_services.ts";
import { loginSuccess } from "./login_answers.ts";
import type { Replies } from "./replies.ts";
import { type ResumePoint, resumePointOf } from "./resume_point.ts";
import { ServedClient, type ServedClientOwner } from "./served_client.ts";
import { type CheckedLogin, featuresInForce } from "./session.ts";

/** The connection, as it is needed for that. */
export interface EntranceOwner extends ClientSession, ServedClientOwner {
  /** Host and port, for the log. */
  readonly address: string;
  readonly replies: Replies;
  /** From here on it is known by this name. */
  named(username: string): void;
  /** For the trace. */
  note(event: "login" | "redirect", what: string): void;
  /** It is a client from here on. */
  enters(as: ClientPhase): void;
}

const logger = getLogger(["thrum", "connection"]);

/** Serves it from here on. */
export function letIn(
  { session, silentMs }: Extract<Phase, { kind: "entering" }>,
  checked: CheckedLogin,
  owner: EntranceOwner,
  services: ConnectionServices,
): void {
  const { login, proven } = checked;
  const { journal, placeKeeper, placeTalk, sessions, balancer, presence } = services;
  const { username, features } = session;
  const brings = features.includes("resume") ? login.resume : undefined;
  const reads = login.reads !== false;
  const isNamed = username !== ANONYMOUS;
  const stood = isNamed && reads && brings === undefined ? placeKeeper.takeUp(username) : undefined;
  const resumePoint = resumePointOf(brings, stood, journal);
  owner.note("login", username);
  welcome(checked, owner, services, features, resumePoint);
  const cameBack = resumePoint.missed > 0 ? `, ${resumePoint.missed} activities to catch up` : "";
  owner.named(username);
  logger.info("{username} connected from {address}{cameBack}", { username, address: owner.address, cameBack });
  const client = new ServedClient(services, owner, { session, resumePoint, reads });
  const requests = new ClientRequests(services, client, session, owner.replies);
  owner.enters({ kind: "client", session, client, requests, proven });
  sessions.add(owner);
  presence.came(owner);
  balancer.begin(owner);
  // What it says that it has is known at once; where it was lost may only be found out in a moment.
  if (isNamed && brings !== undefined) placeTalk.whenKnown(username, () => placeKeeper.takeAway(username));
  client.begin(login, silentMs);
}

/** A client that is sent away is logged in for a moment, as some know no other order. */
export function sendOn(
  checked: CheckedLogin,
  { host, port }: Endpoint,
  owner: EntranceOwner,
  services: ConnectionServices,
): void {
  const { login } = checked;
  owner.named(login.username);
  welcome(checked, owner, services, featuresInForce(login));
  owner.replies.send({ command: "REDIRECT", hostname: host, port });
  owner.note("redirect", `to ${host}:${port}`);
}

/** Says LOGIN_SUCCESS. */
function welcome(
  { login, proven }: CheckedLogin,
  { replies, tracedAs }: EntranceOwner,
  services: ConnectionServices,
  features: readonly Feature[],
  resumePoint?: ResumePoint,
): void {
  const { journal, tracer } = services;
  if (login.trace !== undefined && login.features.length > 0) {
    tracer?.trace({ event: "send", peer: tracedAs, id: `login:${login.trace.attempt}` }, journal.tick());
  }
  replies.send(loginSuccess(login, { features, resumePoint, proven }, services));
}
