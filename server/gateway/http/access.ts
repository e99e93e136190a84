/**
 * Who may ask what. First, whether the request is meant for this server at all: pages of other sites can make a browser
 * call it, and names of other sites can lead here. Then, what the sender has shown, and what that allows. Pure.
 */

import type { HttpRequest } from "../../../platform/http/http_server.ts";

/** The address of the gateway, and its names. */
export interface Hosts {
  /** The host listened on, as it was configured. */
  readonly host: string;
  /** Other hosts that it may be called by, in lower case. */
  readonly names: readonly string[];
}

/**
 * The proof of a sender: nothing, our cookie, the token itself, a token or its cookie that lets its owner look alone, a
 * pass of a server of the network, a wrong token, or too many wrong ones.
 */
export type Shown = "nothing" | "session" | "token" | "look" | "pass" | "wrong" | "limited";

/** The right that a request needs: none, to look at the network, or to change something. */
export type Need = "nothing" | "look" | "change";

/** Why a request is refused, with the status that says so. */
export interface Refusal {
  readonly status: 401 | 403 | 429;
  readonly sentence: string;
}

/** Other hosts that stand for this machine. */
const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "::1"];
/** Stands for all of them. */
const LOOPBACK = "127.0.0.1";
/** Listening on these means listening on every address of the machine. */
const ALL_ADDRESSES = ["0.0.0.0", "::"];
/** A proxy has forwarded the request: the connection's address is not the sender's. */
const FORWARDING_HEADERS = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];
/** Methods that change nothing. They need not say which page they come from. */
const SAFE_METHODS = ["GET", "HEAD"];

/**
 * Why a request has no business here, with any proof; `undefined` if it has. `gateways` are those of other servers of
 * the network, `HOST:PORT` or `https://HOST:PORT`; their pages may ask this server, too. With `anyName` any one name
 * will do.
 */
export function misdirected(
  { method, headers }: HttpRequest,
  hosts: Hosts,
  gateways: readonly string[] = [],
  anyName = false,
): Refusal | undefined {
  const { host = "", origin } = headers;
  if (anyName ? hostName(host) === undefined : !isOurs(hostName(host), hosts)) {
    return {
      status: 403,
      sentence: "this server does not go by the name in the Host header; gateway.http.names can give it others",
    };
  }
  if (origin !== undefined) {
    return isSameOrigin(origin, host) || isGatewayOrigin(origin, hosts, gateways)
      ? undefined
      : { status: 403, sentence: "pages of other sites may not ask this" };
  }
  const site = headers["sec-fetch-site"];
  const isElsewhere = site === "cross-site" || site === "same-site";
  if (isElsewhere && headers["sec-fetch-mode"] !== "navigate") {
    return { status: 403, sentence: "pages of other sites may not ask this" };
  }
  const isSafe = SAFE_METHODS.includes(method) && headers.upgrade === undefined;
  // Browsers say where such a request comes from. Programs do not, and have no cookies that a page could misuse.
  if (!isSafe && site !== undefined && bearerOf(headers) === undefined) {
    return { status: 403, sentence: "the Origin header is missing" };
  }
  return undefined;
}

/**
 * Whether a page comes from one of `gateways`. A gateway at a loopback address counts only if this one is at such an
 * address, too. On another machine it is any program of the visitor at that port.
 */
function isGatewayOrigin(origin: string, { host }: Hosts, gateways: readonly string[]): boolean {
  const authority = authorityOf(origin);
  if (authority === undefined) return false;
  const asked = plainAuthority(authority, origin);
  return gateways.some((gateway) => {
    const known = plainAuthority(authorityOf(gateway) ?? gateway, gateway);
    // A page of a gateway with TLS came by TLS, or somebody has made it up on its way.
    if (isSecureUrl(gateway) && !isSecureUrl(origin)) return false;
    return known === asked && (!known.startsWith(`${LOOPBACK}:`) || isLoopback(host));
  });
}

/** `HOST:PORT` in which all names of this machine for itself are one. `url` has the `authority`. */
function plainAuthority(authority: string, url: string): string {
  const name = hostName(authority) ?? "";
  const port = /:(\d+)$/.exec(authority)?.[1] ?? (isSecureUrl(url) ? "443" : "80");
  return `${isLoopback(name) ? LOOPBACK : name}:${port}`;
}

/** Whether a request comes from this machine, and not through a proxy on it. Such a sender may look without a token. */
export function isLocal({ headers, remoteHost }: HttpRequest, { host }: Hosts): boolean {
  if (FORWARDING_HEADERS.some((name) => headers[name] !== undefined)) return false;
  // A proxy that forwards the name it was called by.
  if (!LOOPBACK_NAMES.includes(hostName(headers.host ?? "") ?? "")) return false;
  return remoteHost === "" ? isLoopback(host) : isLoopback(remoteHost);
}

/**
 * Whether `remoteHost` is another machine than this one. Who comes from the very address that is listened on is on this
 * machine: what goes there leaves it on no network.
 */
export function isOtherMachine(remoteHost: string, host: string): boolean {
  if (remoteHost === "") return !isLoopback(host);
  return !isLoopback(remoteHost) && remoteHost.toLowerCase() !== host.toLowerCase();
}

/** Said to who shows a token to act where others on the way hear it. */
export const OVERHEARD: Refusal = Object.freeze({
  status: 403,
  sentence: "this token lets its owner act, and came in clear from another machine: come by TLS or from the server's " +
    'own machine, or look with a token to look; "gateway.http.clearToken" allows it',
});

/** Why `shown` is not enough for `need`; `undefined` when it is. */
export function refusal(need: Need, shown: Shown, local: boolean): Refusal | undefined {
  if (shown === "limited") return { status: 429, sentence: "too many wrong tokens: try again in a minute" };
  if (shown === "wrong") return { status: 401, sentence: "this is not the token of this server" };
  if (need === "nothing" || shown === "token" || shown === "session") return undefined;
  if (need === "look" && (local || shown === "pass" || shown === "look")) return undefined;
  if (shown === "look") return { status: 403, sentence: "this token lets its owner look, and change nothing" };
  return {
    status: 401,
    sentence: need === "change"
      ? "the token of this server is needed to change anything"
      : "the token of this server is needed from another machine",
  };
}

/** The token that `Authorization: Bearer` shows. */
export function bearerOf(headers: HttpRequest["headers"]): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
}

/** The value of the cookie `name`. */
export function cookieOf(headers: HttpRequest["headers"], name: string): string | undefined {
  for (const pair of (headers.cookie ?? "").split(/[;,]/)) {
    const [key, value] = pair.split("=", 2);
    if (key!.trim() === name) return value?.trim();
  }
  return undefined;
}

/** Whether `host`, a name or an address, is this machine for itself only. */
export function isLoopback(host: string): boolean {
  return LOOPBACK_NAMES.includes(host) || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** The host in `HOST` or `HOST:PORT`, in lower case and without brackets. */
function hostName(given: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/@\s,]+))(?::\d{1,5})?$/i.exec(given) ?? [];
  return (bracketed ?? plain)?.toLowerCase();
}

function isOurs(name: string | undefined, { host, names }: Hosts): boolean {
  if (name === undefined) return false;
  if (LOOPBACK_NAMES.includes(name) || name === host.toLowerCase() || names.includes(name)) return true;
  // Only names can be made to lead elsewhere: a page that calls us by an address came from that address.
  return ALL_ADDRESSES.includes(host) && (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(name) || name.includes(":"));
}

/**
 * Whether `origin` is that of our own page, which was requested with this `Host`. The scheme may differ: TLS may end in
 * a proxy.
 */
function isSameOrigin(origin: string, host: string): boolean {
  return authorityOf(origin)?.toLowerCase() === host.toLowerCase();
}

function isSecureUrl(url: string): boolean {
  return /^https:/i.test(url);
}

/** `HOST:PORT` of an origin; `undefined` if it is none of a page that came over HTTP. */
export function authorityOf(origin: string): string | undefined {
  return /^https?:\/\/([^/?#@\s]+)$/i.exec(origin)?.[1];
}
