/**
 * What an operator may ask of the whole network at the gateway: a path and a body become an order, or the sentence that
 * says what is wrong with them. Pure.
 */

import { parseAddressRange } from "../../../../config/address_range.ts";
import { LOG_LEVELS, wordList } from "../../../../config/values.ts";
import { TOKEN_ROLES, type TokenRole } from "../../../accounts/operator_tokens.ts";
import { isRulingKind } from "../../../accounts/ruling.ts";
import { isServerId } from "../../../../protocol/server_id.ts";
import { FORMER_SECRET_MS, type SharedOrder } from "../../../node/order.ts";
import type { AskedRuling } from "../../../node/ruling_office.ts";

/** What is asked for. */
export type AdminRequest =
  | { readonly kind: "rulings" }
  | { readonly kind: "rule"; readonly ruling: Omit<AskedRuling, "by"> }
  | { readonly kind: "reset"; readonly user: string }
  | { readonly kind: "invitations" }
  /** An invitation: for how many, until when (milliseconds since 1970, `null` for ever), and what for. */
  | { readonly kind: "invite"; readonly uses: number; readonly until: number | null; readonly note?: string }
  /** To take one back: its code, its name, or the beginning of its name. */
  | { readonly kind: "withdraw"; readonly invitation: string }
  | { readonly kind: "roles" }
  /** The roles that an operator gives to a user, in place of those of before. */
  | { readonly kind: "role"; readonly user: string; readonly roles: readonly string[] }
  /** The token of a role that counts at every server: a new one, or none. */
  | { readonly kind: "token"; readonly role: TokenRole; readonly ends: boolean }
  /** An order for all servers, or for `only` one. */
  | { readonly kind: "everywhere"; readonly order: SharedOrder; readonly only?: string }
  /** Another secret for the network; former ones count for `lastsMs`. */
  | { readonly kind: "networkSecret"; readonly secret: string; readonly lastsMs: number };

/** The paths, and what the bodies have to be. */
export const ADMIN_SHAPES = {
  "/api/rule":
    `the body must be {"kind": "ban"|"bannedAddress"|"disabled"|"deleted", "about": "NAME or RANGE", "lifts"?: true, ` +
    `"until"?: MILLISECONDS, "why"?: "…"}`,
  "/api/reset": 'the body must be {"user": "NAME"}',
  "/api/close": 'the body must be {"user": "NAME"} or {"address": "ADDRESS or RANGE"}',
  "/api/invite": 'the body must be {"uses": NUMBER, "until"?: MILLISECONDS, "note"?: "…"}',
  "/api/withdraw": 'the body must be {"invitation": "ID or CODE"}',
  "/api/role": 'the body must be {"user": "NAME", "roles": ["WORD", …]}',
  "/api/token": 'the body must be {"role": "look"|"act", "ends"?: true}',
  "/api/reload": 'the body must be {} or {"server": "ID"}',
  "/api/network-secret": 'the body must be {"secret": "…", "lastsMs"?: MILLISECONDS}',
  "/api/log-level": `the body must be {"level": "…"}, with ${wordList(LOG_LEVELS)}`,
} as const;
/** What is asked without a body, by path. */
export const ADMIN_QUESTIONS = {
  "/api/rulings": { kind: "rulings" },
  "/api/invitations": { kind: "invitations" },
  "/api/roles": { kind: "roles" },
} as const satisfies Readonly<Record<string, AdminRequest>>;
/** One of `ADMIN_SHAPES`. */
export type AdminPath = keyof typeof ADMIN_SHAPES;

/** Longer than any code, with spaces and hyphens in it. */
const MAX_NAMED_LENGTH = 128;

/** What is asked at `path`; `undefined` where nothing is. */
export function adminQuestion(path: string): AdminRequest | undefined {
  return Object.hasOwn(ADMIN_QUESTIONS, path) ? ADMIN_QUESTIONS[path as keyof typeof ADMIN_QUESTIONS] : undefined;
}

/** Whether something is ordered at `path`. */
export function isAdminPath(path: string): path is AdminPath {
  return Object.hasOwn(ADMIN_SHAPES, path);
}

/** What `body` asks for at `path`, or what is wrong with it. */
export function readAdminRequest(path: AdminPath, body: string): AdminRequest | { readonly wrong: string } {
  const wrong = { wrong: ADMIN_SHAPES[path] };
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = JSON.parse(body);
  } catch {
    return wrong;
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return wrong;
  switch (path) {
    case "/api/rule":
      return readRuling(fields) ?? wrong;
    case "/api/reset":
      return typeof fields.user === "string" ? { kind: "reset", user: fields.user } : wrong;
    case "/api/invite": {
      const { uses, until = null, note } = fields;
      if (typeof uses !== "number" || (until !== null && typeof until !== "number")) return wrong;
      if (note !== undefined && typeof note !== "string") return wrong;
      return { kind: "invite", uses, until, ...(note === undefined ? {} : { note }) };
    }
    case "/api/withdraw": {
      const { invitation } = fields;
      const isShort = typeof invitation === "string" && invitation.length <= MAX_NAMED_LENGTH;
      return isShort ? { kind: "withdraw", invitation } : wrong;
    }
    case "/api/role": {
      const { user, roles } = fields;
      if (typeof user !== "string" || !Array.isArray(roles)) return wrong;
      return roles.every((role) => typeof role === "string") ? { kind: "role", user, roles } : wrong;
    }
    case "/api/token": {
      const role = TOKEN_ROLES.find((one) => one === fields.role);
      const isWrong = role === undefined || (fields.ends !== undefined && typeof fields.ends !== "boolean");
      return isWrong ? wrong : { kind: "token", role, ends: fields.ends === true };
    }
    case "/api/close": {
      const { user, address } = fields;
      if ((user === undefined) === (address === undefined)) return wrong;
      if (typeof user === "string") return { kind: "everywhere", order: { kind: "disconnectAll", user } };
      if (typeof address !== "string" || parseAddressRange(address) === undefined) return wrong;
      return { kind: "everywhere", order: { kind: "disconnectAll", address } };
    }
    case "/api/reload": {
      const { server } = fields;
      if (server === undefined) return { kind: "everywhere", order: { kind: "reload" } };
      if (typeof server !== "string" || !isServerId(server)) return wrong;
      return { kind: "everywhere", order: { kind: "reload" }, only: server };
    }
    case "/api/network-secret": {
      const { secret, lastsMs = FORMER_SECRET_MS } = fields;
      if (typeof secret !== "string" || typeof lastsMs !== "number") return wrong;
      return { kind: "networkSecret", secret, lastsMs };
    }
    case "/api/log-level": {
      const level = LOG_LEVELS.find((one) => one === fields.level);
      return level === undefined ? wrong : { kind: "everywhere", order: { kind: "logLevel", level } };
    }
  }
}

/** What is laid down has rules of its own, which the server says in words; here only the types count. */
function readRuling(
  { kind, about, lifts, until, why }: Readonly<Record<string, unknown>>,
): AdminRequest | undefined {
  // A new secret is made by the server: nobody sends a verifier.
  if (typeof kind !== "string" || !isRulingKind(kind) || kind === "secret" || typeof about !== "string") {
    return undefined;
  }
  if (lifts !== undefined && typeof lifts !== "boolean") return undefined;
  if (until !== undefined && typeof until !== "number") return undefined;
  if (why !== undefined && typeof why !== "string") return undefined;
  return {
    kind: "rule",
    ruling: {
      ...{ kind, about },
      ...(lifts === undefined ? {} : { lifts }),
      ...(until === undefined ? {} : { until }),
      ...(why === undefined ? {} : { why }),
    },
  };
}
