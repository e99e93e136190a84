/**
 * A server as its HTTP gateway needs it: its views, its counters, and its operations. Tests bring their own. Types
 * only.
 */

import type { ThrumNode } from "../../node/node.ts";

/** What the gateway needs of a server. */
export type GatewayNode =
  & Partial<Pick<ThrumNode, "deliveredWithin" | "mayLook">>
  & Pick<
    ThrumNode,
    | "serverId"
    | "state"
    | "accept"
    | "observe"
    | "look"
    | "diagram"
    | "recordedSinceMs"
    | "operate"
    | "operateEverywhere"
    | "rule"
    | "resetSecret"
    | "rulings"
    | "setOperatorToken"
    | "invite"
    | "records"
    | "metrics"
    | "gateways"
    | "refusals"
    | "auditor"
    | "ticketKeyOf"
  >;

/** The state of a server. */
export type NodeState = GatewayNode["state"];

/** A server in numbers. */
export type NodeMetrics = ReturnType<GatewayNode["metrics"]>;
