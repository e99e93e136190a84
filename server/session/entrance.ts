/**
 * How a client comes in once its LOGIN is good, and how it goes out. A client that comes in is welcomed, finds its
 * place in the log, and is one of the sessions here. Or it is welcomed and sent on to another server.
 */

import type { Endpoint } from "../../platform/address.ts";
import { getLogger } from "@logtape/logtape";
import type { Accounts } from "../accounts/accounts.ts";
import type { Balancer } from "../balance/balancer.ts";
import type { ClientSession, Sessions } from "../hub/sessions.ts";
import type { Journal } from "../journal/journal.ts";
import type { Tracer } from "../observe/tracer.ts";
import type { PlaceKeeper } from "../places/place_keeper.ts";
import type { PlaceTalk } from "../places/place_talk.ts";
import type { PresenceBoard } from "../presence/presence_board.ts";
import type { ReaderBoard } from "../presence/reader_board.ts";
import type { CloseReason } from "../../protocol/close_reason.ts";
import type { Feature, WireHeartbeat } from "../../protocol/message.ts";
import type { Door } from "../../view/network_view.ts";
import type { MetricCounters } from "../../view/metric_counters.ts";
import { ANONYMOUS } from "../../protocol/names.ts";
import { ClientRequests, type ClientRequestsParts } from "./client/client_requests.ts";
import type { ClientPhase, Phase } from "./connection_phase.ts";
import type { Replies } from "./replies.ts";
import { loginSuccess, type ResumePoint, resumePointOf, unreadPoint } from "./client/resume_point.ts";
import { ServedClient, type ServedClientOwner, type ServedClientParts, wantsAtFirst } from "./client/served_client.ts";
import { featuresInForce } from "./login/logging_in.ts";
import type { CheckedLogin } from "./session_state.ts";

/** What clients come into. */
export interface EntranceParts {
  readonly journal: Journal;
  readonly accounts: Pick<Accounts, "ticketFor" | "passFor" | "giveBack">;
  /** As clients are told. */
  readonly heartbeat: WireHeartbeat;
  readonly placeKeeper: Pick<PlaceKeeper, "takeUp" | "takeAway">;
  readonly placeTalk: Pick<PlaceTalk, "whenKnown">;
  readonly sessions: Sessions;
  readonly presence: Pick<PresenceBoard, "came" | "went">;
  readonly readers: Pick<ReaderBoard, "came" | "went" | "gone">;
  readonly balancer: Pick<Balancer, "begin">;
  readonly counters: Pick<MetricCounters, "gapsTold" | "login">;
  /** Puts events on record; absent while nobody does. */
  tracer(): Tracer | undefined;
  /** What each client is made with. */
  readonly client: ServedClientParts;
  readonly requests: ClientRequestsParts;
}

/** The connection of the client. */
export interface EntranceOwner extends ClientSession, ServedClientOwner {
  /** Host and port, for the log. */
  readonly address: string;
  readonly replies: Replies;
  /** The door that it came through. */
  readonly over: Door;
  /** From here on it is known by this name. */
  named(username: string): void;
  /** For the trace. */
  note(event: "login" | "redirect", what: string): void;
  /** It is a client from here on. */
  enters(as: ClientPhase): void;
}

const logger = getLogger(["thrum", "connection"]);

/** Of one server. */
export class Entrance {
  readonly #parts: EntranceParts;
  /** What each client was given last. */
  readonly #passes = new WeakMap<ClientSession, string>();

  constructor(parts: EntranceParts) {
    this.#parts = parts;
  }

  /** Serves the client from here on. */
  letIn(
    { session, silentMs }: Extract<Phase, { kind: "entering" }>,
    checked: CheckedLogin,
    owner: EntranceOwner,
  ): void {
    const { login, proven } = checked;
    const { journal, placeKeeper, placeTalk, sessions, balancer, presence, readers, counters } = this.#parts;
    const { username, features } = session;
    const brings = features.includes("resume") ? login.resume : undefined;
    const reads = login.reads !== false;
    const receives = login.receive !== "none";
    const isNamed = username !== ANONYMOUS;
    const stood = isNamed && reads && brings === undefined ? placeKeeper.takeUp(username) : undefined;
    const wants = wantsAtFirst(session, login.channels);
    const resumePoint = receives ? resumePointOf(brings, stood, journal, wants) : unreadPoint(journal);
    counters.login(owner.over, "success");
    if (resumePoint.resume.gap !== undefined) counters.gapsTold++;
    owner.note("login", username);
    this.#welcome(checked, owner, features, resumePoint);
    const cameBack = resumePoint.missed > 0 ? `, ${resumePoint.missed} activities to catch up` : "";
    owner.named(username);
    logger.info("{username} connected from {address}{cameBack}", { username, address: owner.address, cameBack });
    const client = new ServedClient(this.#parts.client, owner, {
      session,
      resumePoint,
      reads,
      receives,
      channels: login.channels,
    });
    const requests = new ClientRequests(this.#parts.requests, client, session, owner, login.ackRanges);
    owner.enters({ kind: "client", session, client, requests, proven });
    sessions.add(owner);
    presence.came(owner);
    readers.came(owner);
    balancer.begin(owner);
    // The client says itself what it has. Its lost connection may become known a moment later. A client that reads
    // nothing has left no place.
    if (isNamed && reads && brings !== undefined) placeTalk.whenKnown(username, () => placeKeeper.takeAway(username));
    client.begin(login, silentMs);
  }

  /** A client that is sent away is logged in for a moment, as some clients know no other order. */
  sendOn(checked: CheckedLogin, { host, port }: Endpoint, owner: EntranceOwner): void {
    const { login } = checked;
    this.#parts.counters.login(owner.over, "redirected");
    owner.named(login.username);
    this.#welcome(checked, owner, featuresInForce(login, checked.may));
    owner.replies.send({ command: "REDIRECT", hostname: host, port });
    owner.note("redirect", `to ${host}:${port}`);
  }

  /** The connection ends. `served` is the client that it was, if it was one. */
  letOut(owner: ClientSession, served: ServedClient | undefined, reason: CloseReason): void {
    served?.leave(reason);
    this.#parts.readers.gone(owner);
    const pass = this.#passes.get(owner);
    if (pass !== undefined && reason === "LOGGED_OUT") this.#parts.accounts.giveBack(owner.username, pass);
    if (served !== undefined) this.#depart(owner, served, reason === "LOGGED_OUT" ? "left" : "lost");
  }

  /**
   * The client sends no more. It gets what it has published itself, and nothing later that it has not asked for. To the
   * others it is gone.
   */
  finishes(owner: ClientSession, served: ServedClient): void {
    served.finish();
    this.#depart(owner, served, "lost");
  }

  /** The others are told that the client is gone. Once, however often this is called. */
  #depart(owner: ClientSession, served: ServedClient, how: "left" | "lost"): void {
    if (served.hasDeparted) return;
    served.hasDeparted = true;
    const { sessions, presence, readers } = this.#parts;
    const { username } = owner;
    sessions.remove(owner);
    presence.went(username, how);
    readers.went({ username, reads: served.wants }, how);
  }

  /** Says LOGIN_SUCCESS. */
  #welcome(
    { login, proven, serverFinal, may, refused }: CheckedLogin,
    owner: EntranceOwner,
    features: readonly Feature[],
    resumePoint?: ResumePoint,
  ): void {
    const { replies, tracedAs } = owner;
    const { journal, accounts, heartbeat, tracer } = this.#parts;
    if (login.trace !== undefined && login.features.length > 0) {
      tracer()?.trace({ event: "send", peer: tracedAs, id: `login:${login.trace.attempt}` }, journal.tick());
    }
    const pass = login.pass !== undefined && login.features.length > 0 && proven !== undefined
      ? accounts.passFor(login.username, proven)
      : undefined;
    if (pass !== undefined) this.#passes.set(owner, pass);
    // Beside the secret it was not taken, and there is a newer one.
    if (typeof login.pass === "string" && proven !== undefined && (login.scram ?? login.secret ?? "") !== "") {
      accounts.giveBack(login.username, login.pass);
    }
    // A login that tells no secret costs the server next to nothing: it needs no ticket.
    const ticket = features.includes("resume") && proven?.digest !== undefined
      ? accounts.ticketFor(login.username, login.secret ?? "", proven)
      : undefined;
    const { serverId, lamport } = journal;
    const facts = { features, resumePoint, serverId, lamport, heartbeat, ticket, pass, serverFinal, may, refused };
    replies.send(loginSuccess(login, facts));
  }
}
