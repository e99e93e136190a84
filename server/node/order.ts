/** What an operator may want of a server of the network, and why it may not be done. Data alone. Pure. */

/** An order, and the server that is to carry it out. */
export type Order =
  | { readonly kind: "drain"; readonly serverId: string }
  | {
    readonly kind: "disconnect";
    readonly serverId: string;
    /** As the view of the network names it, with when it was opened, in milliseconds since 1970. */
    readonly connection: string;
    readonly since: number;
  };

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
export type OrderResult = { readonly ok: true } | { readonly ok: false; readonly problem: OrderProblem };
