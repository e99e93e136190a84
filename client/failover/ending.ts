/**
 * How a client goes on when a connection has ended, or none came about: what it tells its caller, and with which error
 * it gives up. Knows whether its registration may have succeeded. `failover.ts` decides where and when it calls next.
 */

import { endpointText } from "../../config/values.ts";
import type { RefusalMessage } from "../../protocol/message.ts";
import { ConnectError, ConnectionEndedError, refusedError, unreachable } from "../errors.ts";
import type { ClientEvent } from "../options.ts";
import { describeEnd, type SessionEnd } from "../session.ts";
import { type Failover, MAX_REDIRECTS, type Moment, type NextCall } from "./failover.ts";

/** Whom it tells, and what it asks of its client. */
export interface EndingOwner {
  tell(event: ClientEvent): void;
  now(): Moment;
  /** Whether the client has been logged in at some time. */
  hasLoggedIn(): boolean;
  /** The client ends, for this reason. */
  giveUp(reason: string, error: Error): void;
}

/** The result of a registration if another account has the name. */
const NAME_TAKEN: RefusalMessage = { command: "REGISTER_FAILED", info: "this name is taken", reason: "NAME_TAKEN" };

/** What a client says that may not tell its secret. */
const CLEAR_ONLY: RefusalMessage = {
  command: "LOGIN_FAILED",
  info: "this server wants the secret in clear, and offers no other way to log in",
  reason: "CLEAR_ONLY",
};

/** The ends of the connections of one client. */
export class Ending {
  readonly #failover: Failover;
  readonly #username: string;
  readonly #owner: EndingOwner;
  #register: boolean | "ifNew";
  #registered = false;
  /** Whether the client sent a REGISTER and never got the answer. */
  #mayHaveRegistered = false;

  /** Of a client that registers `username` if `register` says so. */
  constructor(failover: Failover, username: string, register: boolean | "ifNew", owner: EndingOwner) {
    this.#failover = failover;
    this.#username = username;
    this.#register = register;
    this.#owner = owner;
  }

  /** Whether the next connection registers the name. */
  get register(): boolean | "ifNew" {
    return this.#register;
  }

  /** Whether this client has registered its name. */
  get registered(): boolean {
    return this.#registered;
  }

  /** The server has answered that the name is registered. */
  nameRegistered(): void {
    this.#register = false;
    this.#registered = true;
  }

  /** The client is logged in. */
  opened(): void {
    this.#registered ||= this.#mayHaveRegistered;
    this.#mayHaveRegistered = false;
    this.#register = false;
  }

  /** The server did not answer. Returns how long to wait before the next call. */
  unreachable(cause: Error): number {
    const { server } = this.#failover;
    this.#owner.tell({ kind: "unreachable", server, info: cause.message });
    const next = this.#failover.unreachable(this.#owner.now());
    return this.#follow(next, "CLOSED_BY_OTHER_SIDE", unreachable(endpointText(server), cause));
  }

  /** A connection has ended. Returns how long to wait before the next one. */
  ended(end: SessionEnd): number {
    const owner = this.#owner;
    const { server } = this.#failover;
    const where = endpointText(server);
    switch (end.kind) {
      case "clearOnly":
        return this.ended({ kind: "refused", refusal: CLEAR_ONLY });
      case "refused": {
        const refusal = this.#mayHaveRegistered && end.refusal.reason === "WRONG_SECRET" ? NAME_TAKEN : end.refusal;
        const error = refusedError(refusal, this.#username, where);
        const next = this.#failover.refused(owner.now(), refusal.reason);
        if (next.kind === "call") owner.tell({ kind: "unreachable", server, info: refusal.info });
        return this.#follow(next, refusal.command, error);
      }
      case "nameTaken":
        this.#register = false;
        return 0;
      case "redirected": {
        const next = this.#failover.redirected(owner.now(), end.server);
        if (next.kind === "call") owner.tell({ kind: "redirected", server: end.server });
        const info = `Cannot log in: redirected more than ${MAX_REDIRECTS} times, last by ${where}`;
        return this.#follow(next, "REDIRECTED", new ConnectError(info));
      }
      case "lost":
      case "endedByServer": {
        const byServer = end.kind === "endedByServer";
        // The registration may have succeeded without an answer: then the name is taken by us.
        if (this.#register === true) {
          this.#register = "ifNew";
          this.#mayHaveRegistered = true;
        }
        const info = describeEnd(end.reason, end.info);
        if (owner.hasLoggedIn()) owner.tell({ kind: "lost", reason: end.reason, info, byServer });
        const error = !owner.hasLoggedIn() && !byServer
          ? new ConnectError(`Cannot log in at ${where}: ${info}`)
          : new ConnectionEndedError(`The connection to ${where} ended: ${info}`, end.reason);
        return this.#follow(this.#failover.lost(owner.now(), end), end.reason, error);
      }
      case "loggedOut":
        return 0;
    }
  }

  /** Returns how long to wait; or ends the client, with `reason` and `error`. */
  #follow(next: NextCall, reason: string, error: Error): number {
    if (next.kind === "giveUp") {
      this.#owner.giveUp(reason, error);
      return 0;
    }
    if (next.delayMs > 0) this.#owner.tell({ kind: "waiting", delayMs: next.delayMs });
    return next.delayMs;
  }
}
