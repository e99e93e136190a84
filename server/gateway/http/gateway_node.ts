/**
 * A server as its HTTP gateway needs it: its views, its counters, and its operations. Tests bring their own. Types
 * only.
 */

import type { InvitationOffice } from "../../node/invitation_office.ts";
import type { ThrumNode } from "../../node/node.ts";
import type { RoleOffice } from "../../node/role_office.ts";
import type { TokenOffice } from "../../node/token_office.ts";

/** What the gateway needs of a server. */
export type GatewayNode =
  & Partial<Pick<ThrumNode, "deliveredWithin" | "mayLook">>
  & {
    readonly invitations: Pick<InvitationOffice, "all" | "make" | "withdraw">;
    readonly roles: Pick<RoleOffice, "users" | "patterns" | "of" | "give">;
    readonly tokens: Pick<TokenOffice, "set">;
  }
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
    | "networkSecret"
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
