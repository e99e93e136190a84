/**
 * Carries out what an operator asks of the whole network, and gives the answer as a status and JSON. Whoever comes here
 * has shown the token.
 */

import { ORDER_PROBLEMS, type SharedResult } from "../../../node/order.ts";
import type { RecordProblem, Refused } from "../../../node/operator_records.ts";
import type { GatewayNode } from "../gateway_node.ts";
import type { AdminRequest } from "./admin_request.ts";

/** An answer. `value` never has a verifier in it. */
export interface AdminAnswer {
  readonly status: number;
  readonly value: unknown;
}

/** What of a server is asked here. */
export type AdminNode = Pick<
  GatewayNode,
  "rule" | "resetSecret" | "rulings" | "operateEverywhere" | "tokens" | "invitations" | "roles" | "networkSecret"
>;

const STATUSES: Readonly<Record<RecordProblem, number>> = {
  WRONG: 400,
  UNKNOWN: 404,
  SEVERAL: 409,
  SERVER_ADDRESS: 409,
  OLDER_VERSION: 501,
  TOO_MANY: 503,
  NOT_KEPT: 503,
};

/** Does what `request` asks, for an operator who comes from `by`. */
export async function carryOut(request: AdminRequest, node: AdminNode, by: string): Promise<AdminAnswer> {
  switch (request.kind) {
    case "rulings": {
      const rulings = [...node.rulings].map(({ kind, about, terms }) => {
        const { until, why, by = "" } = terms ?? {};
        return { kind, about, ...(until === undefined ? {} : { until }), ...(why === undefined ? {} : { why }), by };
      });
      return done({ rulings });
    }
    case "rule":
      return answer(await node.rule({ ...request.ruling, by }), ({ ruling: { kind, about } }) => ({ kind, about }));
    case "reset":
      return answer(await node.resetSecret(request.user, by), ({ secret }) => ({ user: request.user, secret }));
    case "invitations":
      return done({ invitations: node.invitations.all.map(({ key: id, ...how }) => ({ id, ...how })) });
    case "invite": {
      const { uses, until, note } = request;
      const result = await node.invitations.make({ uses, until, ...(note === undefined ? {} : { note }) }, by);
      return answer(result, ({ key: id, code }) => ({ id, code, uses, until }));
    }
    case "withdraw":
      return answer(await node.invitations.withdraw(request.invitation, by), ({ key: id }) => ({ id }));
    case "roles":
      return done({ users: node.roles.users, patterns: node.roles.patterns });
    case "role": {
      const result = await node.roles.give(request.user, request.roles, by);
      return answer(result, ({ user, roles, given }) => ({ user, roles, given }));
    }
    case "token": {
      const { role, ends } = request;
      return answer(await node.tokens.set(role, by, ends), ({ token }) => ends ? { role } : { role, token });
    }
    case "everywhere": {
      const results = await node.operateEverywhere(request.order, by, request.only);
      if (results.length === 0) return { status: 404, value: { error: ORDER_PROBLEMS.UNKNOWN_SERVER } };
      return done({ servers: results.map(told) });
    }
    case "networkSecret": {
      const result = await node.networkSecret.change(request.secret, request.lastsMs, by);
      return answer(result, ({ servers }) => ({ servers: servers.map(told) }));
    }
  }
}

function done(value: unknown): AdminAnswer {
  return { status: 200, value };
}

/** What `result` came to; of a good one what `tell` gives. */
function answer<R extends { readonly ok: true }>(result: R | Refused, tell: (result: R) => unknown): AdminAnswer {
  return result.ok ? done(tell(result)) : { status: STATUSES[result.problem], value: { error: result.sentence } };
}

function told({ serverId, name, result }: SharedResult) {
  if (!result.ok) {
    return { server: serverId, name, done: false, error: result.info ?? ORDER_PROBLEMS[result.problem] };
  }
  const { ok: done, ...more } = result;
  return { server: serverId, name, done, ...more };
}
