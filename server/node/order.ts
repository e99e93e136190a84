/** What an operator may want of a server of the network, and why it may not be done. Data alone. Pure. */

import type { Config } from "../../config/config.ts";

/** An order, and the server that is to carry it out. */
export type Order =
  | { readonly kind: "drain"; readonly serverId: string }
  | {
    readonly kind: "disconnect";
    readonly serverId: string;
    /** As the view of the network names it, with when it was opened, in milliseconds since 1970. */
    readonly connection: string;
    readonly since: number;
  }
  | ({ readonly kind: "disconnectAll"; readonly serverId: string } & ConnectionsOf)
  | { readonly kind: "logLevel"; readonly serverId: string; readonly level: LogLevel };

/** All connections of a user, or from a range of addresses. */
export type ConnectionsOf = { readonly user: string } | { readonly address: string };

/** How much a server writes into its log. */
export type LogLevel = Config["log"]["level"];

/** What all servers are to do: an order without its server. */
export type SharedOrder =
  | ({ readonly kind: "disconnectAll" } & ConnectionsOf)
  | { readonly kind: "logLevel"; readonly level: LogLevel };

/** What became of it at one server. */
export interface SharedResult {
  readonly serverId: string;
  /** `HOST:PORT`. */
  readonly name: string;
  readonly result: OrderResult;
}

/** Why an order was not carried out, with the sentence for the operator. */
export const ORDER_PROBLEMS = {
  UNKNOWN_SERVER: "there is no such server in the network",
  NOT_LINKED: "there is no link to that server just now",
  OLDER_VERSION: "that server is of a version that takes no orders by way of other servers: ask it at its own gateway",
  NO_ANSWER: "that server has not answered in time, and may do it all the same",
  UNKNOWN_ACTION: "that server does not know how to do this",
  GONE: "this connection has ended already",
  NOT_A_CLIENT: "this connection is a link to another server",
  TOO_MANY: "too many orders are on their way",
} as const satisfies Record<string, string>;

/** A key of `ORDER_PROBLEMS`. */
export type OrderProblem = keyof typeof ORDER_PROBLEMS;

/** What became of an order. */
export type OrderResult = { readonly ok: true; readonly count?: number } | {
  readonly ok: false;
  readonly problem: OrderProblem;
};
