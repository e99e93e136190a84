/**
 * Pages of other servers of the network whose own server is silent. Says what such a page may read here, and which
 * servers a page of this server may ask. No cookie counts across servers: where a token is needed, such a page shows a
 * pass (`look_pass.ts`). Pure.
 */

import type { HttpRequest } from "../../../platform/http/http_server.ts";
import { authorityOf } from "./access.ts";

/** The view, its changes and the diagram. Nothing that changes anything, and no page. */
const SHARED: ReadonlySet<string> = new Set([
  ...["/api/network", "/api/events", "/api/diagram.svg", "/api/pass", "/healthz", "/readyz"],
]);
/** Gateways in a header. More servers than a network has. */
const MOST_GATEWAYS = 64;
/** `HOST:PORT` or `https://HOST:PORT`, and nothing that means more in a header. */
const GATEWAY = /^(?:https:\/\/)?(?:\[[0-9a-f:.]+\]|[a-z0-9_.-]+):\d{1,5}$/i;

/** Whether a page of another server may read the answer to `request`. */
export function isShared({ method, headers }: HttpRequest, path: string): boolean {
  return (method === "GET" || method === "HEAD") && headers.upgrade === undefined && SHARED.has(path);
}

/** The pass in a request for something that pages of other servers may use; empty for none. */
export function passIn(request: HttpRequest): string {
  const at = request.target.indexOf("?");
  const path = request.target.slice(0, Math.max(0, at));
  const isLine = path === "/line" && request.headers.upgrade !== undefined;
  if (!isLine && !isShared(request, path)) return "";
  return new URLSearchParams(request.target.slice(at + 1)).get("pass") ?? "";
}

/** Headers that let the page that asks read the answer; none for a page of this server, or for no page. */
export function sharingHeaders({ headers: { origin, host } }: HttpRequest): Readonly<Record<string, string>> {
  if (origin === undefined || authorityOf(origin)?.toLowerCase() === host?.toLowerCase()) return {};
  return { "access-control-allow-origin": origin, vary: "Origin" };
}

/** What the page of the network may ask, for its content policy: this server, and the gateways of the others. */
export function allowedCalls(gateways: readonly string[]): string {
  const known = [...new Set(gateways)].filter((gateway) => GATEWAY.test(gateway)).slice(0, MOST_GATEWAYS);
  return ["'self'", ...known.map((gateway) => gateway.startsWith("https:") ? gateway : `http://${gateway}`)].join(" ");
}
