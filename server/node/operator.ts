/**
 * What an operator may want of a server of the network: to drain it, or to disconnect one of its clients. The order
 * comes in at any server, which has looked at the operator's proof. Another server's part goes over the link to that
 * server, and so does the answer. Servers with the network's secret trust each other: no proof goes along.
 */

import { getLogger } from "@logtape/logtape";
import { isWithin, parseAddressRange } from "../../config/address_range.ts";
import { endpointText, LOG_LEVELS } from "../../config/values.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { type FaultGuard, UNGUARDED } from "../../platform/faults.ts";
import {
  OPERATE_FEATURE,
  type OperatedMessage,
  type OperateMessage,
  type OrderMessage,
  refusalInfo,
  SECRETS_FEATURE,
} from "../../protocol/peer/operate_message.ts";
import type { Auditor } from "../audit/audit_event.ts";
import type { Backplane, Route } from "../backplane/backplane.ts";
import type {
  LogLevel,
  Order,
  OrderProblem,
  OrderResult,
  ReloadOutcome,
  SecretOrder,
  SharedOrder,
  SharedResult,
} from "./order.ts";
import type { ServedConnection } from "../session/served_connection.ts";

/** What it is made with. */
export interface OperatorParts {
  /** This server, which can get another name. */
  readonly named: { readonly serverId: string };
  readonly clock: Pick<Clock, "after">;
  readonly backplane: Pick<Backplane, "self" | "members" | "isMember" | "routes" | "say">;
  readonly connections: Iterable<ServedConnection>;
  readonly auditor: Auditor;
  /** Drains this server. */
  drain(): void;
  /** Changes how much is logged; absent where the log is somebody else's. */
  readonly setLogLevel?: ((level: LogLevel) => void) | undefined;
  /** Reads the configuration anew, for whoever `from` names; absent where it is in no file. */
  readonly reload?: ((from: string) => Promise<ReloadOutcome>) | undefined;
  /** Takes another secret for the network, for whoever `from` names. */
  takeSecret(order: SecretOrder, from: string): Promise<OrderResult>;
  /** Told what an order throws that takes a while. */
  readonly faults?: FaultGuard;
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
/** What the wire says where it was not done. Append only. */
const PROBLEMS: Readonly<Record<string, OrderProblem>> = Object.freeze({
  gone: "GONE",
  notAClient: "NOT_A_CLIENT",
  unknownAction: "UNKNOWN_ACTION",
  refused: "REFUSED",
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
    const { kind: action, serverId: _, ...more } = order;
    const message: OperateMessage = { command: "OPERATE", ask: ++this.#asks, action, ...more, by };
    if (serverId === named.serverId) return this.#obey(message, by);
    const route = [...backplane.routes].find((route) => route.serverId === serverId);
    const obstacle = this.#asked.size >= MAX_ASKED
      ? "TOO_MANY"
      : obstacleOf(order, route, backplane.isMember(serverId));
    if (obstacle !== undefined) return Promise.resolve(problem(obstacle));
    logger.info("tells {serverId}, as {by} asks: {action}", { serverId, by, action: order.kind });
    return new Promise((settle) => {
      const timer = clock.after(ORDER_PATIENCE_MS, () => this.#settle(message.ask, problem("NO_ANSWER")));
      this.#asked.set(message.ask, { serverId, timer, settle });
      backplane.say(message, serverId);
    });
  }

  /**
   * Carries `order` out at every server of the network, or at `only` one of them; tells what became of it at each, this
   * one first.
   */
  async everywhere(order: SharedOrder, by: string, only?: string): Promise<SharedResult[]> {
    const { backplane } = this.#parts;
    const { self, members } = backplane;
    const servers = [self, ...members.filter(({ state }) => state !== "left")]
      .filter(({ serverId }) => only === undefined || serverId === only);
    return await Promise.all(servers.map(async ({ serverId, host, port }) => ({
      serverId,
      name: endpointText({ host, port }),
      result: await this.carryOut({ ...order, serverId } as Order, by),
    })));
  }

  /** Another server says so. */
  heard(serverId: string, message: OrderMessage): void {
    if (message.command === "OPERATED") return this.#answered(serverId, message);
    const { ask, by } = message;
    const who = `${by} at ${serverId}`;
    const act = this.#decide(message);
    if (act.later !== undefined) {
      return void this.#carriedOut(act.later, who).then((result) => this.#tell(serverId, ask, result));
    }
    // The answer goes first: the link ends some time after a drain has begun.
    this.#tell(serverId, ask, resultOf(act));
    act.run?.(who);
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

  #answered(serverId: string, message: OperatedMessage): void {
    const { ask } = message;
    // It speaks for itself alone.
    if (this.#asked.get(ask)?.serverId === serverId) this.#settle(ask, resultOf(message));
  }

  #tell(serverId: string, ask: number, result: OrderResult): void {
    this.#parts.backplane.say({ command: "OPERATED", ask, ...saidOf(result) }, serverId);
  }

  /** A fault of this server is told to whoever waits. */
  async #carriedOut(later: NonNullable<Act["later"]>, who: string): Promise<OrderResult> {
    try {
      return await later(who);
    } catch (error) {
      (this.#parts.faults ?? UNGUARDED).caught("peers", error);
      return problem("REFUSED");
    }
  }

  #settle(ask: number, result: OrderResult): void {
    const asked = this.#asked.get(ask);
    this.#asked.delete(ask);
    asked?.timer.cancel();
    asked?.settle(result);
  }

  #obey(message: OperateMessage, who: string): Promise<OrderResult> {
    const act = this.#decide(message);
    if (act.later !== undefined) return this.#carriedOut(act.later, who);
    act.run?.(who);
    return Promise.resolve(resultOf(act));
  }

  /** What becomes of an order here, and what is then to be done for whoever wants it. */
  #decide(message: OperateMessage): Act {
    const { action, connection: id, since } = message;
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
    if (action === "disconnectAll") return this.#disconnectAll(message);
    if (action === "logLevel") return this.#setLogLevel(message);
    if (action === "reload") return this.#reload();
    if (action === "networkSecret") return this.#takeSecret(message);
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

  #disconnectAll({ user, address }: OperateMessage): Act {
    const range = address === undefined ? undefined : parseAddressRange(address);
    if (user === undefined && range === undefined) return { result: "unknownAction" };
    const { connections, auditor } = this.#parts;
    const found = [...connections].filter((connection) => {
      const { kind, user: name } = connection.describe(0);
      if (kind === "server") return false;
      return range === undefined ? name === user : isWithin(range, connection.remoteHost);
    });
    return {
      result: "done",
      count: found.length,
      run: (who) => {
        const of = user ?? address;
        logger.info("asked to disconnect {of} by {who}: connections {count}", { of, who, count: found.length });
        if (found.length === 0) return;
        auditor.audit({ what: "connectionEnded", by: OPERATOR, from: who, of, more: { count: found.length } });
        for (const connection of found) connection.end("ENDED_BY_OPERATOR");
      },
    };
  }

  #reload(): Act {
    const { reload } = this.#parts;
    if (reload === undefined) return { result: "unknownAction" };
    return {
      result: "done",
      later: async (who) => {
        const outcome = await reload(who);
        return outcome.ok ? outcome : { ok: false, problem: "REFUSED", info: outcome.sentence };
      },
    };
  }

  #takeSecret({ networkSecret, number, until }: OperateMessage): Act {
    if (networkSecret === undefined || number === undefined || until === undefined) return { result: "unknownAction" };
    const { takeSecret } = this.#parts;
    return { result: "done", later: (who) => takeSecret({ networkSecret, number, until }, who) };
  }

  #setLogLevel({ level }: OperateMessage): Act {
    const { setLogLevel, auditor } = this.#parts;
    const known = LOG_LEVELS.find((one) => one === level);
    if (known === undefined || setLogLevel === undefined) return { result: "unknownAction" };
    return {
      result: "done",
      run: (who) => {
        setLogLevel(known);
        logger.info("logs {level} and above, as {who} wants", { level, who });
        auditor.audit({ what: "logLevelChanged", by: OPERATOR, from: who, of: known });
      },
    };
  }
}

/** What an order is answered with, and what is then to be done for whoever wants it. */
interface Act {
  readonly result: string;
  /** How many connections end. */
  readonly count?: number;
  readonly run?: (who: string) => void;
  /** In place of all the rest: does it, and gives what became of it. */
  readonly later?: (who: string) => Promise<OrderResult>;
}

/** Why a server cannot be told an order; `undefined` when it can. */
function obstacleOf({ kind }: Order, route: Route | undefined, isMember: boolean): OrderProblem | undefined {
  if (route === undefined) return isMember ? "NOT_LINKED" : "UNKNOWN_SERVER";
  // Nobody is told a secret who might not know what it is.
  const needed = kind === "networkSecret" ? SECRETS_FEATURE : OPERATE_FEATURE;
  return route.features.includes(needed) ? undefined : "OLDER_VERSION";
}

/** What an answer of the wire means. */
function resultOf({ result, ...more }: Omit<OperatedMessage, "command" | "ask">): OrderResult {
  if (result === "done") {
    const { count, changed, kept } = more;
    return {
      ok: true,
      ...(count === undefined ? {} : { count }),
      ...(changed === undefined ? {} : { changed }),
      ...(kept === undefined ? {} : { kept }),
    };
  }
  if (result === "refused" && more.info !== undefined) return { ok: false, problem: "REFUSED", info: more.info };
  return problem(Object.hasOwn(PROBLEMS, result) ? PROBLEMS[result]! : "UNKNOWN_ACTION");
}

/** What the wire says of a result: the opposite of `resultOf`. */
function saidOf(result: OrderResult): Omit<OperatedMessage, "command" | "ask"> {
  if (result.ok) {
    const { ok: _, ...more } = result;
    return { result: "done", ...more };
  }
  const word = Object.entries(PROBLEMS).find(([, problem]) => problem === result.problem)?.[0] ?? "unknownAction";
  return { result: word, ...(result.info === undefined ? {} : { info: refusalInfo(result.info) }) };
}

function problem(problem: OrderProblem): OrderResult {
  return { ok: false, problem };
}
