/**
 * Carries out what an operator asks of the whole network, and gives the answer as a status and JSON. Whoever comes here
 * has shown the token.
 */

import { ORDER_PROBLEMS, type SharedResult } from "../../../node/order.ts";
import type { RulingProblem } from "../../../node/ruling_office.ts";
import type { GatewayNode } from "../gateway_node.ts";
import type { AdminRequest } from "./admin_request.ts";

/** An answer. `value` never has a verifier in it. */
export interface AdminAnswer {
  readonly status: number;
  readonly value: unknown;
}

const STATUSES: Readonly<Record<RulingProblem, number>> = {
  WRONG: 400,
  UNKNOWN_USER: 404,
  SERVER_ADDRESS: 409,
  OLDER_VERSION: 501,
  TOO_MANY: 503,
};

/** Does what `request` asks, for an operator who comes from `by`. */
export async function carryOut(
  request: AdminRequest,
  node: Pick<GatewayNode, "rule" | "resetSecret" | "rulings" | "operateEverywhere" | "setOperatorToken" | "invite">,
  by: string,
): Promise<AdminAnswer> {
  switch (request.kind) {
    case "rulings": {
      const rulings = [...node.rulings].map(({ kind, about, terms }) => {
        const { until, why, by = "" } = terms ?? {};
        return { kind, about, ...(until === undefined ? {} : { until }), ...(why === undefined ? {} : { why }), by };
      });
      return { status: 200, value: { rulings } };
    }
    case "rule": {
      const result = await node.rule({ ...request.ruling, by });
      if (!result.ok) return { status: STATUSES[result.problem], value: { error: result.sentence } };
      const { kind, about } = result.ruling;
      return { status: 200, value: { kind, about } };
    }
    case "reset": {
      const result = await node.resetSecret(request.user, by);
      if (!result.ok) return { status: STATUSES[result.problem], value: { error: result.sentence } };
      return { status: 200, value: { user: request.user, secret: result.secret } };
    }
    case "invite": {
      const { uses, until } = request;
      const result = await node.invite({ uses, until }, by);
      if (!result.ok) return { status: STATUSES[result.problem], value: { error: result.sentence } };
      return { status: 200, value: { code: result.code, uses, until } };
    }
    case "token": {
      const { role, ends } = request;
      const result = await node.setOperatorToken(role, by, ends);
      if (!result.ok) return { status: STATUSES[result.problem], value: { error: result.sentence } };
      return { status: 200, value: ends ? { role } : { role, token: result.token } };
    }
    case "everywhere": {
      const results = await node.operateEverywhere(request.order, by);
      return { status: 200, value: { servers: results.map(told) } };
    }
  }
}

function told({ serverId, name, result }: SharedResult) {
  if (!result.ok) return { server: serverId, name, done: false, error: ORDER_PROBLEMS[result.problem] };
  return { server: serverId, name, done: true, ...(result.count === undefined ? {} : { count: result.count }) };
}
