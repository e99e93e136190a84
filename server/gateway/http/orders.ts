/**
 * What an operator may ask for at the gateway, with the token: a body becomes an order for a server of the network, and
 * what became of the order an answer. Pure.
 */

import { isServerId } from "../../../protocol/server_id.ts";
import { type Order, ORDER_PROBLEMS, type OrderProblem } from "../../node/order.ts";

/** An order as it is asked for: for this server, where none is named. */
export type AskedOrder =
  | { readonly kind: "drain"; readonly serverId: string | undefined }
  | {
    readonly kind: "disconnect";
    readonly serverId: string | undefined;
    readonly connection: string;
    readonly since: number;
  };

/** What a body has to be, for whoever sends another one. */
const SHAPES = {
  drain: 'the body must be {} or {"server": "ID"}',
  disconnect: 'the body must be {"server": "ID", "connection": "NAME", "since": MILLISECONDS}',
} as const;
const MAX_NAME_LENGTH = 64;

/** The statuses of orders that were not carried out. */
const STATUSES: Readonly<Record<OrderProblem, number>> = {
  UNKNOWN_SERVER: 404,
  GONE: 404,
  NOT_A_CLIENT: 409,
  NOT_LINKED: 503,
  TOO_MANY: 503,
  OLDER_VERSION: 501,
  UNKNOWN_ACTION: 501,
  NO_ANSWER: 504,
  REFUSED: 500,
};

/** The order in `body`, or what is wrong with that. No body at all is an order for this server. */
export function readOrder(kind: "drain" | "disconnect", body: string): AskedOrder | { readonly wrong: string } {
  const wrong = { wrong: SHAPES[kind] };
  let fields: { server?: unknown; connection?: unknown; since?: unknown };
  try {
    fields = body === "" && kind === "drain" ? {} : JSON.parse(body);
  } catch {
    return wrong;
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return wrong;
  const { server, connection, since } = fields;
  if (server !== undefined && (typeof server !== "string" || !isServerId(server))) return wrong;
  if (kind === "drain") return { kind, serverId: server };
  if (typeof connection !== "string" || connection.length > MAX_NAME_LENGTH) return wrong;
  if (typeof since !== "number" || !Number.isSafeInteger(since) || since < 0) return wrong;
  return { kind, serverId: server, connection, since };
}

/** `asked`, for the server `own` where it names none. */
export function orderFor(asked: AskedOrder, own: string): Order {
  return { ...asked, serverId: asked.serverId ?? own };
}

/** The status and the sentence for an order that was not carried out. */
export function refusedOrder(problem: OrderProblem): { readonly status: number; readonly sentence: string } {
  return { status: STATUSES[problem], sentence: ORDER_PROBLEMS[problem] };
}
