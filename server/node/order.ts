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
  | { readonly kind: "logLevel"; readonly serverId: string; readonly level: LogLevel }
  /** To read its own configuration anew. */
  | { readonly kind: "reload"; readonly serverId: string }
  | ({ readonly kind: "networkSecret"; readonly serverId: string } & SecretOrder);

/** How long former secrets count, if nothing else is asked for: as long as a server that is away is a member. */
export const FORMER_SECRET_MS = 86_400_000;

/** Another secret for the network, as an order says it (`SecretChange`). */
export interface SecretOrder {
  /** `toHex` of the secret. */
  readonly networkSecret: string;
  readonly number: number;
  readonly until: number;
}

/** All connections of a user, or from a range of addresses. */
export type ConnectionsOf = { readonly user: string } | { readonly address: string };

/** How much a server writes into its log. */
export type LogLevel = Config["log"]["level"];

/** What all servers are to do: an order without its server. */
export type SharedOrder =
  | ({ readonly kind: "disconnectAll" } & ConnectionsOf)
  | { readonly kind: "logLevel"; readonly level: LogLevel }
  | { readonly kind: "reload" }
  | ({ readonly kind: "networkSecret" } & SecretOrder);

/** What came of reading a configuration anew: keys of it, or what is wrong with it. */
export type ReloadOutcome =
  | {
    readonly ok: true;
    /** Those that count from now on. */
    readonly changed: readonly string[];
    /** Those that count from the next start on. */
    readonly kept: readonly string[];
  }
  | { readonly ok: false; readonly sentence: string };

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
  REFUSED: "that server could not do it: its log says why",
} as const satisfies Record<string, string>;

/** A key of `ORDER_PROBLEMS`. */
export type OrderProblem = keyof typeof ORDER_PROBLEMS;

/** What became of an order. */
export type OrderResult =
  | {
    readonly ok: true;
    /** How many connections have ended. */
    readonly count?: number;
    /** As in `ReloadOutcome`. */
    readonly changed?: readonly string[];
    readonly kept?: readonly string[];
  }
  | {
    readonly ok: false;
    readonly problem: OrderProblem;
    /** What the server itself says, in place of the sentence of the problem. */
    readonly info?: string;
  };
