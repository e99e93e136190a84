/**
 * How a server comes to its end: gently, with its clients handed over to others; at once; or because it cannot go on.
 * This file knows in which order parts stop. So everything under way is stored, and sent to the others, before anything
 * is closed.
 */

import { getLogger } from "@logtape/logtape";
import type { AuditLog } from "../audit/audit_log.ts";
import type { RefusalLog } from "../accounts/refusal_log.ts";
import type { Supervisor } from "../../heartbeat/supervisor.ts";
import type { CloseReason } from "../../protocol/close_reason.ts";
import type { Store } from "../store/store.ts";
import type { AuditTalk } from "./audit_talk.ts";
import type { Balancer } from "../balance/balancer.ts";
import type { Backplane } from "../backplane/backplane.ts";
import { CloneError } from "../backplane/clone_error.ts";
import type { Connections } from "../session/connections.ts";
import type { DiskBudget } from "../store/disk_budget.ts";
import type { GoneServers } from "../journal/origins/gone_servers.ts";
import type { Forgetting } from "../journal/forgetting.ts";
import type { Handover } from "../balance/handover.ts";
import type { Journal } from "../journal/journal.ts";
import type { Observatory } from "../observe/observatory.ts";
import type { LegacyServers } from "../legacy/legacy_servers.ts";
import type { PlaceTalk } from "../places/place_talk.ts";
import type { PresenceBoard } from "../presence/presence_board.ts";
import type { ReaderBoard } from "../presence/reader_board.ts";
import type { Tracer } from "../observe/tracer.ts";
import { unlessUnreadable } from "../journal/unreadable_store.ts";

/** How a node came to its end. */
export interface NodeEnd {
  /** Whether all went well until the end. */
  readonly reason: "stopped" | "failed";
  /** With `failed`: what could not be done. */
  readonly error?: unknown;
}

/** Where a server stands in its life. */
export type NodeState = "joining" | "refused" | "ready" | "draining" | "stopping";

/** What ends, and what it ends with. */
export interface ClosingParts {
  /** How long clients are handed over to other servers (`cluster.drainMs`). */
  readonly drainMs: number;
  readonly store: Store;
  readonly journal: Journal;
  readonly forgetting: Forgetting;
  readonly goneServers: GoneServers;
  readonly budget: DiskBudget;
  readonly connections: Connections;
  readonly handover: Handover;
  readonly balancer: Balancer;
  readonly refusals: RefusalLog;
  readonly backplane: Backplane;
  /** Absent where there is none. */
  readonly auditLog: AuditLog | undefined;
  audits(): Pick<AuditTalk, "tellNow" | "stop">;
  readonly placeTalk: PlaceTalk;
  readonly legacy: LegacyServers | undefined;
  readonly presence: PresenceBoard;
  readonly readers: Pick<ReaderBoard, "stop">;
  readonly observatory: Observatory;
  readonly supervisor: Supervisor;
  /** Puts events on record; absent while nobody does. */
  tracer(): Tracer | undefined;
  /** Stops to listen. */
  closeListener(): Promise<void>;
}

/** How long this server waits, when it stops, until others have what they miss. */
const FINISH_MS = 2_000;
const logger = getLogger(["thrum", "server"]);

/**
 * Where the server of `closing` stands. It is `ready` when it has found its network and logs clients in, or has looked
 * for it for long enough. It is `refused` while it reached only servers of the network that do not want it.
 */
export function stateOf(
  closing: Pick<Closing, "isDraining" | "hasBegun">,
  { joinState, isJoined }: Pick<Backplane, "joinState" | "isJoined">,
): NodeState {
  if (closing.isDraining) return "draining";
  if (closing.hasBegun) return "stopping";
  if (joinState === "refused") return "refused";
  return isJoined && joinState !== "joining" ? "ready" : "joining";
}

/** The end of one server. */
export class Closing {
  /** Resolves when all is over. Never rejects. */
  readonly finished: Promise<NodeEnd>;
  readonly #parts: ClosingParts;
  #finish!: (end: NodeEnd) => void;
  #failure: { readonly error: unknown } | undefined;
  #closing: Promise<void> | undefined;
  #isDraining = false;

  constructor(parts: ClosingParts) {
    this.#parts = parts;
    this.finished = new Promise((resolve) => this.#finish = resolve);
  }

  /** Whether the end has begun. Then nobody is taken in any more. */
  get hasBegun(): boolean {
    return this.#closing !== undefined || this.#failure !== undefined;
  }

  /** Whether clients go to other servers one by one, with no hurry. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Tells everybody, stores and sends what is under way, and closes everything. */
  stop(): Promise<void> {
    this.#parts.handover.hurry();
    return this.#closing ??= this.#stop("SERVER_STOPPING");
  }

  /** As `stop`, but gently: nobody logs in any more, and each client goes to another server when it is idle. */
  drain(): void {
    this.#closing ??= this.#drain();
  }

  /** Ends the server with a failure, also if its end has begun already. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    logger.fatal("cannot go on: {error}", { error: sentenceOf(error) });
    const { backplane, legacy, connections, observatory } = this.#parts;
    // All of this before the call returns. The store did not take or give something, so the next line of this server
    // could be wrong. Other servers end first, so that none of them hears of lost clients.
    backplane.silence();
    legacy?.end();
    // The clients of a copy have another server, with the same name.
    const reason = error instanceof CloneError ? "SERVER_STOPPING" : "SERVER_FAILED";
    connections.end(reason);
    observatory.stop();
    this.#closing ??= this.#stop(reason);
  }

  async #drain(): Promise<void> {
    const { connections, handover } = this.#parts;
    logger.info("draining; connections: {count}", { count: connections.size });
    this.#isDraining = true;
    await this.#retire();
    // A client that has not logged in yet would come too late.
    for (const connection of connections) {
      if (connection.describe(0).kind === "new") connection.end("SERVER_STOPPING");
    }
    await handover.gently("SERVER_STOPPING");
    this.#isDraining = false;
    await this.#stop("SERVER_STOPPING");
  }

  /** Takes nobody in any more. */
  async #retire(): Promise<void> {
    const { balancer, backplane, observatory, connections, closeListener } = this.#parts;
    balancer.stop();
    backplane.retire();
    observatory.soon();
    await closeListener();
    connections.turnAwayWaiting();
    this.#flush();
  }

  #flush(): void {
    unlessUnreadable(() => this.#parts.journal.flush());
  }

  async #stop(reason: CloseReason): Promise<void> {
    const { drainMs, forgetting, goneServers, budget, connections, handover, backplane, placeTalk, legacy } =
      this.#parts;
    if (this.#failure === undefined) logger.info("stopping; connections: {count}", { count: connections.size });
    forgetting.stop();
    goneServers.stop();
    budget.stop();
    await this.#retire();
    await handover.within(this.#failure === undefined ? drainMs : 0, reason);
    this.#flush();
    await this.#endAudit();
    if (this.#failure === undefined) await backplane.finish(FINISH_MS);
    unlessUnreadable(() => legacy?.stop());
    this.#flush();
    placeTalk.stop();
    await backplane.stop();
    await connections.endAll(reason);
    // The ends of connections left notes behind: where plain clients stood.
    this.#parts.journal.retention.note();
    this.#flush();
    this.#close(reason);
    logger.info("stopped");
    this.#finish(this.#failure === undefined ? { reason: "stopped" } : { reason: "failed", ...this.#failure });
  }

  /** While the others can still be told where the log ends. */
  async #endAudit(): Promise<void> {
    const { auditLog, audits, journal } = this.#parts;
    const more = { failed: this.#failure !== undefined };
    auditLog?.audit({ what: "serverStopped", of: journal.serverId, more });
    await auditLog?.close();
    if (this.#failure === undefined) audits().tellNow();
    audits().stop();
  }

  /** Called when nobody is there any more. */
  #close(reason: CloseReason): void {
    const { journal, presence, readers, observatory, supervisor, refusals, store, tracer } = this.#parts;
    presence.stop();
    readers.stop();
    observatory.stop();
    supervisor.stop();
    refusals.stop();
    tracer()?.trace({ event: "stop", what: reason }, journal.tick());
    try {
      store.close();
    } catch (error) {
      this.fail(error);
    }
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
