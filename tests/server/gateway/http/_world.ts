/**
 * What the tests of the HTTP gateway have in common: a site, requests to it, and a node that only
 * says what it is told to.
 */

import type { Assets } from "../../../../server/gateway/http/assets.ts";
import { assetsOf } from "../../../../server/gateway/http/assets.ts";
import type { GatewayNode } from "../../../../server/gateway/http/gateway_node.ts";
import type { Answer, Surroundings } from "../../../../server/gateway/http/handler.ts";
import { nodeCrypto } from "../../../../platform/crypto.ts";
import type { HttpReply, HttpRequest } from "../../../../platform/http/http_server.ts";
import type { NetworkChange, NetworkView } from "../../../../view/network_view.ts";

export const TOKEN = "0123456789abcdef0123456789abcdef";

const PAGE = '<link href="/assets/style.css"><script src="/assets/sign_in.js"></script>';

/** A small site. */
export function sampleAssets(): Assets {
  const files = {
    "index.html": "<p>dashboard</p>",
    "client.html": "<p>client</p>",
    "sign_in.html": PAGE,
    "sign_in.js": "signIn()",
    "style.css": "p { color: red }",
    "client/console.js": "write()",
    "README": "of no known kind",
  };
  const encoder = new TextEncoder();
  return assetsOf(new Map(Object.entries(files).map(([name, text]) => [name, encoder.encode(text)])), nodeCrypto);
}

/** A gateway on this machine alone, unless another host is given. */
export function surroundings(host = "127.0.0.1", names: readonly string[] = []): Surroundings {
  return {
    hosts: { host, names },
    assets: sampleAssets(),
    diagramStyle: "sha256-x",
    maxHeaderBytes: 16_384,
    mayLook: () => true,
  };
}

/** A request; from this machine, without a cookie, unless something else is given. */
export function request(
  line: string,
  headers: Readonly<Record<string, string>> = {},
  remoteHost = "127.0.0.1",
): HttpRequest {
  const [method, target] = line.split(" ");
  return {
    method: method!,
    target: target!,
    headers: { host: "localhost:8080", ...headers },
    remoteHost,
    remotePort: 5000,
    isSecure: false,
  };
}

/** The reply that an answer is; `undefined` when it is something else. */
export function replyOf(answer: Answer): HttpReply | undefined {
  return answer.kind === "reply" ? answer.reply : undefined;
}

/** A view with one server and nothing else. */
export function sampleView(at = 1): NetworkView {
  return {
    at,
    from: "s-1",
    servers: {},
    connections: {},
    users: {},
    waiting: {},
    lastSeen: {},
    ends: [],
    activities: [],
  };
}

/** A change of nothing. */
export function sampleChange(at: number): NetworkChange {
  return { at, patch: {}, ends: [], activities: [], skipped: 0 };
}

/** A node whose network changes when the test says so. */
export class ObservedNode implements Pick<GatewayNode, "observe"> {
  view = sampleView();
  readonly observers = new Set<{ changed(change: NetworkChange): void }>();

  observe(observer: { changed(change: NetworkChange): void }): { view: NetworkView; end(): void } {
    this.observers.add(observer);
    return { view: this.view, end: () => void this.observers.delete(observer) };
  }

  change(at: number): void {
    this.view = sampleView(at);
    const change = sampleChange(at);
    for (const observer of this.observers) observer.changed(change);
  }
}
