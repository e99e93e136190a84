/**
 * What an operator may want of a server of the network: to drain it, or to disconnect one of its clients. The order
 * comes in at any server, which has looked at the operator's proof. Another server's part goes over the link to that
 * server, and so does the answer. Servers with the network's secret trust each other: no proof goes along.
 */

import { getLogger } from "@logtape/logtape";
import type { Clock, Timer } from "../../platform/clock.ts";
import {
  OPERATE_FEATURE,
  type OperatedMessage,
  type OperateMessage,
  type OrderMessage,
} from "../../protocol/peer/operate_message.ts";
import type { Auditor } from "../audit/audit_event.ts";
import type { Backplane, Route } from "../backplane/backplane.ts";
import type { Order, OrderProblem, OrderResult } from "./order.ts";
import type { ServedConnection } from "../session/served_connection.ts";

/** What it is made with. */
export interface OperatorParts {
  /** This server, which can get another name. */
  readonly named: { readonly serverId: string };
  readonly clock: Pick<Clock, "after">;
  readonly backplane: Pick<Backplane, "isMember" | "routes" | "say">;
  readonly connections: Iterable<ServedConnection>;
  readonly auditor: Auditor;
  /** Drains this server. */
  drain(): void;
}

/** An order that another server was told. */
interface Asked {
  readonly serverId: string;
  readonly timer: Timer;
  readonly settle: (result: OrderResult) => void;
}

/** How long another server may take to answer. */
export const ORDER_PATIENCE_MS = 5_000;
/** Orders that are on their way. A person gives one at a time. */
const MAX_ASKED = 64;
/** What the wire says of each end. Append only. */
const RESULTS: Readonly<Record<string, OrderResult>> = Object.freeze({
  done: { ok: true },
  gone: problem("GONE"),
  notAClient: problem("NOT_A_CLIENT"),
  unknownAction: problem("UNKNOWN_ACTION"),
});
/** Who gives orders, in the audit log. */
const OPERATOR = "operator";
const logger = getLogger(["thrum", "server"]);

/** One server's. */
export class Operator {
  readonly #parts: OperatorParts;
  readonly #asked = new Map<number, Asked>();
  #asks = 0;

  constructor(parts: OperatorParts) {
    this.#parts = parts;
  }

  /** Carries `order` out, here or elsewhere. `by` is where the operator comes from. Never rejects. */
  carryOut(order: Order, by: string): Promise<OrderResult> {
    const { named, backplane, clock } = this.#parts;
    const { serverId } = order;
    const message: OperateMessage = {
      ...{ command: "OPERATE", ask: ++this.#asks, action: order.kind },
      ...(order.kind === "disconnect" ? { connection: order.connection, since: order.since } : {}),
      by,
    };
    if (serverId === named.serverId) return Promise.resolve(resultOf(this.#obey(message, by)));
    const route = [...backplane.routes].find((route) => route.serverId === serverId);
    const obstacle = this.#asked.size >= MAX_ASKED ? "TOO_MANY" : obstacleOf(route, backplane.isMember(serverId));
    if (obstacle !== undefined) return Promise.resolve(problem(obstacle));
    logger.info("tells {serverId}, as {by} asks: {action}", { serverId, by, action: order.kind });
    return new Promise((settle) => {
      const timer = clock.after(ORDER_PATIENCE_MS, () => this.#settle(message.ask, problem("NO_ANSWER")));
      this.#asked.set(message.ask, { serverId, timer, settle });
      backplane.say(message, serverId);
    });
  }

  /** Another server says so. */
  heard(serverId: string, message: OrderMessage): void {
    if (message.command === "OPERATED") return this.#answered(serverId, message);
    const { ask, by } = message;
    // The answer goes first: the link ends some time after a drain has begun.
    const act = this.#decide(message);
    this.#parts.backplane.say({ command: "OPERATED", ask, result: act.result }, serverId);
    act.run?.(`${by} at ${serverId}`);
  }

  /** There is no way to the server any more. */
  gone(serverId: string): void {
    for (const [ask, asked] of [...this.#asked]) {
      if (asked.serverId === serverId) this.#settle(ask, problem("NO_ANSWER"));
    }
  }

  /** Nobody waits any longer. */
  stop(): void {
    for (const ask of [...this.#asked.keys()]) this.#settle(ask, problem("NO_ANSWER"));
  }

  #answered(serverId: string, { ask, result }: OperatedMessage): void {
    // It speaks for itself alone.
    if (this.#asked.get(ask)?.serverId === serverId) this.#settle(ask, resultOf(result));
  }

  #settle(ask: number, result: OrderResult): void {
    const asked = this.#asked.get(ask);
    this.#asked.delete(ask);
    asked?.timer.cancel();
    asked?.settle(result);
  }

  #obey(message: OperateMessage, who: string): string {
    const { result, run } = this.#decide(message);
    run?.(who);
    return result;
  }

  /** What becomes of an order here, and what is then to be done for whoever wants it. */
  #decide(
    { action, connection: id, since }: OperateMessage,
  ): { readonly result: string; readonly run?: (who: string) => void } {
    const { connections, drain, auditor } = this.#parts;
    if (action === "drain") {
      return {
        result: "done",
        run: (who) => {
          logger.info("asked to drain by {who}", { who });
          auditor.audit({ what: "drained", by: OPERATOR, from: who });
          drain();
        },
      };
    }
    if (action !== "disconnect") return { result: "unknownAction" };
    const connection = [...connections].find((connection) => connection.id === id);
    const seen = connection?.describe(0);
    if (connection === undefined || seen?.since !== since) return { result: "gone" };
    if (seen?.kind === "server") return { result: "notAClient" };
    return {
      result: "done",
      run: (who) => {
        logger.info("asked to disconnect {user} ({address}) by {who}", {
          user: seen?.user,
          address: seen?.address,
          who,
        });
        const of = seen?.user === "" ? undefined : seen?.user;
        auditor.audit({ what: "connectionEnded", by: OPERATOR, from: who, of, more: { address: seen?.address ?? "" } });
        connection.end("ENDED_BY_OPERATOR");
      },
    };
  }
}

/** Why a server cannot be told an order; `undefined` when it can. */
function obstacleOf(route: Route | undefined, isMember: boolean): OrderProblem | undefined {
  if (route === undefined) return isMember ? "NOT_LINKED" : "UNKNOWN_SERVER";
  return route.features.includes(OPERATE_FEATURE) ? undefined : "OLDER_VERSION";
}

function resultOf(result: string): OrderResult {
  return Object.hasOwn(RESULTS, result) ? RESULTS[result]! : problem("UNKNOWN_ACTION");
}

function problem(problem: OrderProblem): OrderResult {
  return { ok: false, problem };
}
