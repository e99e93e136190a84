/**
 * The decisions of the gateway: request, proof and surroundings go in, the answer and the action come out. All routes
 * and all their guards are here; the door does what this says. Pure.
 */

import type { HttpReply, HttpRequest } from "../../../platform/http/http_server.ts";
import { bearerOf, type Hosts, isLocal, misdirected, type Need, type Refusal, refusal, type Shown } from "./access.ts";
import type { Asset, Assets } from "./assets.ts";
import type { DiagramRequest } from "./diagram.ts";
import type { NodeState } from "./gateway_node.ts";
import {
  type AdminPath,
  adminQuestion,
  type AdminRequest,
  isAdminPath,
  readAdminRequest,
} from "./admin/admin_request.ts";
import { type AskedOrder, readOrder } from "./orders.ts";
import { allowedCalls, isShared } from "./other_pages.ts";

/** Everything that does not change between requests, and the state of the server. */
export interface Surroundings {
  readonly hosts: Hosts;
  readonly assets: Assets;
  /** `sha256-…` of the style that comes with a diagram. */
  readonly diagramStyle: string;
  /** All headers of a request. */
  readonly maxHeaderBytes: number;
  /** Whether a visitor from this address who has shown nothing may see what the network does. */
  mayLook(address: string): boolean;
}

/** The action for a request. */
export type Answer =
  | { readonly kind: "reply"; readonly reply: HttpReply }
  /** The whole view, as JSON, or its servers alone. */
  | { readonly kind: "network"; readonly part?: "servers" | "users" }
  /** The view, and then what changes in it. */
  | { readonly kind: "events" }
  | ({ readonly kind: "diagram" } & DiagramRequest)
  | { readonly kind: "metrics" }
  /** The connection becomes a WebSocket with the line protocol. */
  | { readonly kind: "line" }
  | { readonly kind: "signIn"; readonly token: string }
  | { readonly kind: "signOut" }
  /** A pass for the pages of other servers. */
  | { readonly kind: "pass" }
  /** An operator wants something done. */
  | { readonly kind: "order"; readonly order: AskedOrder }
  /** An operator wants something of the whole network, or asks what is laid down there. */
  | { readonly kind: "admin"; readonly request: AdminRequest };

/** The largest body of a request. */
export const MAX_BODY_BYTES = 16_384;
/** The page of the network, and what asks other servers for it. */
const CALLERS: ReadonlySet<string> = new Set(["/", "/assets/network/reach/elsewhere.js"]);
/** What shows who there is and what is said, and what tells a page whether that will be shown. */
const VIEWS: ReadonlySet<string> = new Set([
  ...["/api/network", "/api/events", "/api/diagram.svg", "/api/pass", "/api/session"],
  ...["/api/rulings", "/api/invitations", "/api/roles"],
]);
/** For programs that watch over servers. They may come from anywhere, by any name, and show nothing or anything. */
const PROBES: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);
const DEFAULT_DIAGRAM_SECONDS = 60;
/** As far back as a server remembers. */
const MAX_DIAGRAM_SECONDS = 60;
/** No time zone is further from UTC. */
const MAX_OFFSET_MINUTES = 840;

/** The methods of each route, and the right that each needs. Any other path is a page, a file, or missing. */
const ROUTES: Readonly<Record<string, Readonly<Record<string, Need>>>> = {
  "/api/network": { GET: "look" },
  "/api/events": { GET: "look" },
  "/api/diagram.svg": { GET: "look" },
  "/api/pass": { GET: "look" },
  "/api/session": { GET: "nothing", POST: "nothing", DELETE: "nothing" },
  "/api/drain": { POST: "change" },
  "/api/disconnect": { POST: "change" },
  "/api/rulings": { GET: "look" },
  "/api/invitations": { GET: "look" },
  "/api/roles": { GET: "look" },
  "/api/rule": { POST: "change" },
  "/api/reset": { POST: "change" },
  "/api/close": { POST: "change" },
  "/api/log-level": { POST: "change" },
  "/api/token": { POST: "change" },
  "/api/invite": { POST: "change" },
  "/api/withdraw": { POST: "change" },
  "/api/role": { POST: "change" },
  "/api/reload": { POST: "change" },
  "/api/network-secret": { POST: "change" },
  "/metrics": { GET: "look" },
  "/healthz": { GET: "nothing" },
  "/readyz": { GET: "nothing" },
  "/line": { GET: "look" },
};

/**
 * Why `request` is refused before its proof is checked; `undefined` if it is not. Pages of `gateways`, which are those
 * of other servers of the network, may speak the line protocol here, and look. They do so when their own server is
 * gone.
 */
export function refuseStranger(
  request: HttpRequest,
  surroundings: Surroundings,
  gateways: readonly string[] = [],
): HttpReply | undefined {
  if (sizeOf(request) > surroundings.maxHeaderBytes) {
    return { status: 431, headers: apiHeaders(surroundings), body: json({ error: "the headers are too long" }) };
  }
  const { path } = partsOf(request.target);
  const isLine = path === "/line" && request.headers.upgrade !== undefined;
  const isOpen = isLine || isShared(request, path);
  const refused = misdirected(request, surroundings.hosts, isOpen ? gateways : [], isProbe(request));
  return refused && refusedReply(refused, surroundings);
}

/**
 * The decision about `request` with this `body`. The request is no stranger's. `gateways` are those of other servers:
 * the page of the network may go on there.
 */
export function decide(
  request: HttpRequest,
  body: string,
  shown: Shown,
  state: NodeState,
  surroundings: Surroundings,
  gateways: readonly string[] = [],
): Answer {
  const { path, query } = partsOf(request.target);
  const method = request.method === "HEAD" ? "GET" : request.method;
  const { assets, hosts } = surroundings;
  // Without a token a visitor is nobody in particular, and sees what such a user would.
  const isView = VIEWS.has(path) && !isOfServersAlone(path, query);
  const local = isLocal(request, hosts) && (!isView || surroundings.mayLook(request.remoteHost));
  const needs = Object.hasOwn(ROUTES, path) ? ROUTES[path]! : { GET: assets.open.has(path) ? "nothing" : "look" };
  const need = Object.hasOwn(needs, method) ? needs[method as keyof typeof needs] as Need : "look";
  const refused = isProbe(request) ? undefined : refusal(need, shown, local);
  if (refused !== undefined) {
    return reply(refusedPage(request, path, refused, surroundings) ?? refusedReply(refused, surroundings));
  }
  if (!Object.hasOwn(needs, method)) {
    const allow = Object.keys(needs).join(", ");
    return reply(errorReply(405, `${path} takes ${allow}`, surroundings, { allow }));
  }
  if (isAdminPath(path)) return admin(path, body, surroundings);
  const question = adminQuestion(path);
  if (question !== undefined) return { kind: "admin", request: question };
  const isUpgrade = request.headers.upgrade?.toLowerCase() === "websocket";
  switch (path) {
    case "/api/network":
      return networkPart(query.get("only"));
    case "/api/events":
      return { kind: "events" };
    case "/api/diagram.svg":
      return diagram(query, surroundings);
    case "/api/pass":
      // Who needed no proof here has none that would count elsewhere.
      return hasProof(shown) ? { kind: "pass" } : reply(jsonReply({ pass: "" }, surroundings));
    case "/api/session":
      if (method === "GET") return reply(jsonReply(sessionState(shown, local), surroundings));
      return method === "DELETE" ? { kind: "signOut" } : signIn(body, surroundings);
    case "/api/drain":
      return order("drain", body, surroundings);
    case "/api/disconnect":
      return order("disconnect", body, surroundings);
    case "/metrics":
      return { kind: "metrics" };
    case "/healthz":
      return reply(textReply(200, "ok", surroundings));
    case "/readyz":
      return reply(textReply(state === "ready" ? 200 : 503, state, surroundings));
    case "/line":
      return isUpgrade
        ? { kind: "line" }
        : reply(errorReply(426, "/line is for WebSockets", surroundings, { upgrade: "websocket" }));
  }
  const asset = assets.byPath.get(path);
  if (asset === undefined) return reply(errorReply(404, "there is nothing here", surroundings));
  return reply(assetReply(asset, request, surroundings, gateways));
}

/** Whether a request only asks how this server is. Then it needs no proof, and none is looked at. */
export function isProbe({ method, target }: HttpRequest): boolean {
  return (method === "GET" || method === "HEAD") && PROBES.has(partsOf(target).path);
}

/** Whether a request comes from a page that came over TLS, which may have ended in a proxy. */
export function isSecure({ headers, isSecure }: HttpRequest): boolean {
  return isSecure || (headers.origin?.startsWith("https:") ?? false);
}

/** The answer of a gateway with TLS to a request that came without, and is no stranger's. */
export function bySecureWay({ method, target, headers }: HttpRequest, surroundings: Surroundings): HttpReply {
  const location = `https://${headers.host}${target}`;
  // Whatever else was said is said already, and anybody could hear it: nobody should say it twice.
  const isHarmless = method === "GET" || method === "HEAD";
  return isHarmless
    ? errorReply(308, `this gateway speaks TLS: ${location}`, surroundings, { location })
    : errorReply(403, "this gateway speaks TLS: https://", surroundings);
}

/** Headers of every answer that is not a file of the site. */
export function apiHeaders({ diagramStyle }: Surroundings): Record<string, string> {
  return { ...securityHeaders(diagramStyle), "cache-control": "no-store" };
}

/** `value` as an answer in JSON. */
export function jsonReply(value: unknown, surroundings: Surroundings, status = 200): HttpReply {
  return {
    status,
    headers: { ...apiHeaders(surroundings), "content-type": "application/json" },
    body: json(value),
  };
}

/** An answer in JSON that was written before. */
export function writtenReply(body: Uint8Array, surroundings: Surroundings): HttpReply {
  return { status: 200, headers: { ...apiHeaders(surroundings), "content-type": "application/json" }, body };
}

/** An error as every route says it. */
export function errorReply(
  status: number,
  error: string,
  surroundings: Surroundings,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  const reply = jsonReply({ error }, surroundings, status);
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

function textReply(status: number, text: string, surroundings: Surroundings): HttpReply {
  const headers = { ...apiHeaders(surroundings), "content-type": "text/plain; charset=utf-8" };
  return { status, headers, body: `${text}\n` };
}

function assetReply(
  { bytes, type, etag }: Asset,
  request: HttpRequest,
  { diagramStyle }: Surroundings,
  gateways: readonly string[],
): HttpReply {
  const { path } = partsOf(request.target);
  // The pages go on at other servers' gateways when their own is gone.
  const calls = path === "/client" ? "'self' ws: wss:" : CALLERS.has(path) ? allowedCalls(gateways) : "'self'";
  const headers = { ...securityHeaders(diagramStyle, calls), "cache-control": "no-cache", etag };
  const known = (request.headers["if-none-match"] ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  // A browser keeps the policy of the file that it has: what may ask others is sent with its policy each time.
  const isOwn = !CALLERS.has(path) || calls === "'self'";
  if (isOwn && known.includes(etag)) return { status: 304, headers, body: "" };
  return { status: 200, headers: { ...headers, "content-type": type }, body: bytes };
}

/** For a person with a browser a refusal is a page where the token can be given. */
function refusedPage(
  { method, headers }: HttpRequest,
  path: string,
  { status }: Refusal,
  { assets: { signIn }, diagramStyle }: Surroundings,
): HttpReply | undefined {
  const isPage = !Object.hasOwn(ROUTES, path) && !path.startsWith("/assets/");
  const isRead = (method === "GET" || method === "HEAD") && (headers.accept ?? "").includes("text/html");
  // A sender with a token in a header is no browser.
  if (signIn === undefined || status !== 401 || !isPage || !isRead || bearerOf(headers) !== undefined) return undefined;
  return {
    status: 401,
    headers: {
      ...securityHeaders(diagramStyle),
      "cache-control": "no-store",
      "content-type": signIn.type,
      "www-authenticate": "Bearer",
    },
    body: signIn.bytes,
  };
}

/** A refusal as an answer. */
export function refusedReply({ status, sentence }: Refusal, surroundings: Surroundings): HttpReply {
  const how: Record<string, string> = status === 401
    ? { "www-authenticate": "Bearer" }
    : status === 429
    ? { "retry-after": "60" }
    : {};
  return errorReply(status, sentence, surroundings, how);
}

function sessionState(shown: Shown, local: boolean): Readonly<Record<string, boolean>> {
  const onlyLooks = shown === "look";
  return { mayChange: shown === "session" || shown === "token", needsToken: !local && !onlyLooks, onlyLooks };
}

function signIn(body: string, surroundings: Surroundings): Answer {
  let token: unknown;
  try {
    ({ token } = JSON.parse(body) ?? {});
  } catch {
    // A body that is no JSON has no token. The answer below says so.
  }
  if (typeof token === "string" && token !== "") return { kind: "signIn", token };
  return reply(errorReply(400, 'the body must be {"token": "…"}', surroundings));
}

function hasProof(shown: Shown): boolean {
  return shown === "session" || shown === "token" || shown === "look" || shown === "pass";
}

function order(kind: "drain" | "disconnect", body: string, surroundings: Surroundings): Answer {
  const order = readOrder(kind, body);
  return "wrong" in order ? reply(errorReply(400, order.wrong, surroundings)) : { kind: "order", order };
}

function admin(path: AdminPath, body: string, surroundings: Surroundings): Answer {
  const request = readAdminRequest(path, body);
  return "wrong" in request ? reply(errorReply(400, request.wrong, surroundings)) : { kind: "admin", request };
}

function networkPart(only: string | null): Answer {
  return only === "servers" || only === "users" ? { kind: "network", part: only } : { kind: "network" };
}

/** The page of a client has to know where else it can go on, whatever its user may read. */
function isOfServersAlone(path: string, query: URLSearchParams): boolean {
  return path === "/api/network" && query.get("only") === "servers";
}

function diagram(query: URLSearchParams, surroundings: Surroundings): Answer {
  const seconds = query.get("seconds") ?? String(DEFAULT_DIAGRAM_SECONDS);
  if (!/^\d{1,3}$/.test(seconds) || Number(seconds) < 1 || Number(seconds) > MAX_DIAGRAM_SECONDS) {
    return reply(errorReply(400, `seconds must be a number from 1 to ${MAX_DIAGRAM_SECONDS}`, surroundings));
  }
  const offset = query.get("offset") ?? undefined;
  if (offset !== undefined && (!/^-?\d{1,3}$/.test(offset) || Math.abs(Number(offset)) > MAX_OFFSET_MINUTES)) {
    const range = `-${MAX_OFFSET_MINUTES} to ${MAX_OFFSET_MINUTES}`;
    return reply(errorReply(400, `offset must be a number of minutes from ${range}`, surroundings));
  }
  return {
    ...{ kind: "diagram", seconds: Number(seconds), server: query.get("server") ?? undefined },
    offsetMinutes: offset === undefined ? undefined : Number(offset),
  };
}

/** Headers that keep a page from doing harm, whatever strangers put into names and activities. */
function securityHeaders(diagramStyle: string, calls = "'self'"): Record<string, string> {
  return {
    "content-security-policy": [
      "default-src 'none'",
      "script-src 'self'",
      `style-src 'self' '${diagramStyle}'`,
      "img-src 'self' data:",
      `connect-src ${calls}`,
      "font-src 'self'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
    ].join("; "),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
  };
}

/** A target's path and query, unchanged: no dots are followed and nothing is decoded. */
function partsOf(target: string): { path: string; query: URLSearchParams } {
  const [path, query = ""] = target.split(/\?(.*)/s);
  return { path: path!, query: new URLSearchParams(query) };
}

function sizeOf({ method, target, headers }: HttpRequest): number {
  let size = method.length + target.length;
  for (const [name, value] of Object.entries(headers)) size += name.length + value.length + 4;
  return size;
}

function json(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

function reply(reply: HttpReply): Answer {
  return { kind: "reply", reply };
}
