/**
 * The HTTP gateway of one server: dashboard, web client, metrics and health. Carries out the decisions of `handler.ts`;
 * `platform/` has requests and sockets.
 */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../../../config/config.ts";
import { ConfigError } from "../../../config/load.ts";
import type { Endpoint } from "../../../platform/address.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { SecretCrypto } from "../../../platform/crypto.ts";
import { type FaultGuard, guarded, UNGUARDED } from "../../../platform/faults.ts";
import { readFolder } from "../../../platform/files/folder.ts";
import {
  type HttpExchange,
  type HttpHandler,
  type HttpListener,
  type HttpReply,
  type HttpRequest,
  type HttpTls,
  type HttpUpgrade,
  listenHttp,
  MAX_HEADER_BYTES,
} from "../../../platform/http/http_server.ts";
import type { NetworkView } from "../../../view/network_view.ts";
import { roleOf, tokenDigest } from "../../accounts/operator_tokens.ts";
import type { Door } from "../door.ts";
import { isLoopback, isOtherMachine, OVERHEARD, type Shown } from "./access.ts";
import { carryOut } from "./admin/admin_desk.ts";
import { assetsOf } from "./assets.ts";
import { CompressedReplies } from "./compressed.ts";
import { callerOf, isProtected, proxiesOf } from "./caller.ts";
import { diagramStyleHash, LiveDiagram } from "./diagram.ts";
import { EventStreams, MAX_STREAMS } from "./event_streams.ts";
import type { GatewayNode } from "./gateway_node.ts";
import {
  type Answer,
  apiHeaders,
  bySecureWay,
  decide,
  errorReply,
  isProbe,
  isSecure,
  jsonReply,
  MAX_BODY_BYTES,
  refusedReply,
  refuseStranger,
  type Surroundings,
  writtenReply,
} from "./handler.ts";
import { makeLookPass, worthOfPass } from "./look_pass.ts";
import { passIn, sharingHeaders } from "./other_pages.ts";
import { type AskedOrder, orderFor, refusedOrder } from "./orders.ts";
import { LoopDelay } from "./loop_delay.ts";
import { PrometheusMetrics } from "./metrics.ts";
import { TokenGuard } from "./token_guard.ts";
import { type WebSocketAcceptor, webSocketAcceptor } from "./websocket_link.ts";
import { WrittenOnce } from "./written_once.ts";

/** What the gateway is opened with. */
export interface HttpDoorParts {
  readonly node: GatewayNode;
  readonly config: Config;
  readonly clock: Clock;
  readonly crypto: SecretCrypto;
  /** The most connections at once that are neither streams nor WebSockets. */
  readonly maxCallers?: number;
  /** Its TLS; none if absent. */
  readonly tls?: HttpTls | undefined;
  /** Takes exceptions in the gateway; without it they are thrown on. */
  readonly faults?: FaultGuard;
}

/** The pages: beside the program, or inside it when it is compiled. */
const DASHBOARD = new URL("../../../dashboard/", import.meta.url);
const logger = getLogger(["thrum", "http"]);

/**
 * Opens the gateway of `node`. Without a token in the configuration nobody can change anything through it.
 * @throws {ConfigError} when other machines could reach it and there is no token.
 * @throws {Error} with a `code` such as `EADDRINUSE` if it cannot listen at the address.
 */
export async function openHttpDoor(parts: HttpDoorParts, at: Endpoint): Promise<Door> {
  const { config, crypto } = parts;
  if (config.gateway.http.token === "" && !isLoopback(at.host)) {
    throw new ConfigError(
      `Cannot open the HTTP gateway at ${at.host}: where other machines reach it a token is needed, "gateway.http.token"`,
    );
  }
  const assets = assetsOf(await readFolder(DASHBOARD), crypto);
  const names = [...config.gateway.http.names, config.cluster.advertise].filter((name) => name !== "");
  const surroundings: Surroundings = {
    hosts: { host: at.host, names: names.map((name) => name.toLowerCase()) },
    assets,
    diagramStyle: diagramStyleHash(crypto),
    maxHeaderBytes: MAX_HEADER_BYTES,
    mayLook: (address) => parts.node.mayLook?.(address) ?? true,
  };
  const door = new HttpDoor(parts, surroundings);
  await door.open(at);
  return door;
}

class HttpDoor implements Door, HttpHandler {
  readonly #node: GatewayNode;
  readonly #parts: HttpDoorParts;
  readonly #surroundings: Surroundings;
  readonly #streams: EventStreams;
  /** The view and its parts, each written once for all who ask. */
  readonly #written = {
    whole: new WrittenOnce<NetworkView>((view) => `${JSON.stringify(view)}\n`),
    servers: new WrittenOnce<NetworkView>(({ at, from, servers }) => `${JSON.stringify({ at, from, servers })}\n`),
    users: new WrittenOnce<NetworkView>(({ at, from, users, waiting, lastSeen }) =>
      `${JSON.stringify({ at, from, users, waiting, lastSeen })}\n`
    ),
  } as const;
  readonly #compressed: CompressedReplies;
  readonly #diagram: LiveDiagram;
  readonly #metrics: PrometheusMetrics;
  readonly #loopDelay: LoopDelay;
  readonly #webSockets: WebSocketAcceptor;
  readonly #proxies: ReadonlySet<string>;
  #guard!: TokenGuard;
  #listener!: HttpListener;
  #closing: Promise<void> | undefined;

  constructor(parts: HttpDoorParts, surroundings: Surroundings) {
    const { node, config: { limits }, clock } = parts;
    this.#parts = parts;
    this.#proxies = proxiesOf(parts.config.gateway.http.trustedProxies);
    this.#node = node;
    this.#surroundings = surroundings;
    this.#streams = new EventStreams(node, clock, this.#faults);
    this.#compressed = new CompressedReplies(this.#faults);
    this.#diagram = new LiveDiagram(node, clock);
    this.#loopDelay = new LoopDelay(clock);
    this.#metrics = new PrometheusMetrics(node, clock, this.#loopDelay);
    this.#webSockets = webSocketAcceptor({
      maxLineBytes: limits.maxLineBytes,
      highWaterBytes: limits.maxPendingBytes,
      clock,
      faults: this.#faults,
    });
  }

  async open(at: Endpoint): Promise<void> {
    const { config, clock, crypto } = this.#parts;
    this.#listener = await listenHttp(at, this, {
      ...(this.#parts.maxCallers === undefined ? {} : { maxCallers: this.#parts.maxCallers }),
      faults: this.#faults,
      tls: this.#parts.tls,
    });
    // Nobody guesses a random token that nobody was told.
    const token = config.gateway.http.token || crypto.digest(String.fromCharCode(...crypto.randomBytes(32)));
    this.#guard = new TokenGuard(token, this.port, clock, crypto, (shown) => {
      const encoder = new TextEncoder();
      const isEqual = (a: string, b: string) => crypto.isEqual(encoder.encode(a), encoder.encode(b));
      return roleOf(tokenDigest(shown, (text) => crypto.digest(text)), this.#node.records.all, isEqual);
    });
    this.#loopDelay.begin();
  }

  get #faults(): FaultGuard {
    return this.#parts.faults ?? UNGUARDED;
  }

  get host(): string {
    return this.#listener.host;
  }

  get port(): number {
    return this.#listener.port;
  }

  get isSecure(): boolean {
    return this.#parts.tls !== undefined;
  }

  close(): Promise<void> {
    this.#streams.close();
    this.#loopDelay[Symbol.dispose]();
    return this.#closing ??= this.#listener.close();
  }

  request(exchange: HttpExchange): void {
    this.#answer(exchange).catch((error) => {
      guarded(this.#faults, "http", () => {
        logger.error("cannot answer {method} {target}", { ...exchange.request });
        this.#faults.noted("http", error);
        exchange.reply(errorReply(500, "this server has a fault: its log says more", this.#surroundings));
      }, () => exchange.cut());
    });
  }

  upgrade(upgrade: HttpUpgrade): void {
    const request = this.#fromCaller(upgrade.request);
    const stranger = refuseStranger(request, this.#surroundings, this.#node.gateways);
    if (stranger !== undefined) return this.#refuseUpgrade(upgrade, stranger);
    const isSafe = isProtected(upgrade.request, this.#proxies);
    if (this.isSecure && !isSafe) {
      return this.#refuseUpgrade(upgrade, errorReply(403, "this gateway speaks TLS: wss://", this.#surroundings));
    }
    const answer = decide(request, "", this.#judge(request), this.#node.state, this.#surroundings);
    if (answer.kind !== "line") {
      const isRefused = answer.kind === "reply" && answer.reply.status >= 400;
      const other = errorReply(400, "only /line is for WebSockets", this.#surroundings);
      return this.#refuseUpgrade(upgrade, isRefused ? answer.reply : other);
    }
    // Deno 2.5 does not tell the remote address. Then nobody is farther away than our own listening address allows.
    const remoteHost = request.remoteHost === "" && isLoopback(this.host) ? this.host : request.remoteHost;
    const caller = { remoteHost, isProtected: isSafe };
    this.#webSockets.accept(upgrade, caller, (link) => this.#node.accept(link, "websocket"));
  }

  #refuseUpgrade(upgrade: HttpUpgrade, reply: HttpReply): void {
    if (upgrade.refuse === undefined) this.#webSockets.turnAway(upgrade, JSON.parse(reply.body as string).error);
    else upgrade.refuse(reply);
  }

  /** Whether what `request` shows came over a network in clear, and the operator has not allowed that. */
  #isOverheard(request: HttpRequest): boolean {
    if (this.#parts.config.gateway.http.clearToken || isProtected(request, this.#proxies)) return false;
    return isOtherMachine(callerOf(request, this.#proxies), this.host);
  }

  /** The request, with the address of its real sender. */
  #fromCaller(request: HttpRequest): HttpRequest {
    return { ...request, remoteHost: callerOf(request, this.#proxies) };
  }

  async #answer(asked: HttpExchange): Promise<void> {
    const request = this.#fromCaller(asked.request);
    const { gateways } = this.#node;
    const stranger = refuseStranger(request, this.#surroundings, gateways);
    if (stranger !== undefined) return asked.reply(stranger);
    if (this.isSecure && !isProbe(request) && !isProtected(asked.request, this.#proxies)) {
      return asked.reply(bySecureWay(request, this.#surroundings));
    }
    const exchange = withHeaders(this.#compressed.around(asked), sharingHeaders(request));
    const body = await this.#bodyOf(exchange);
    if (typeof body !== "string") return exchange.reply(body);
    // An old token in a probe's settings is no guess.
    const shown = isProbe(request) ? "nothing" : this.#judge(request);
    const isAct = shown === "token" || shown === "session";
    if (isAct && this.#isOverheard(asked.request)) return exchange.reply(refusedReply(OVERHEARD, this.#surroundings));
    const answer = decide(request, body, shown, this.#node.state, this.#surroundings, gateways);
    await this.#carryOut(answer, exchange);
  }

  /** The body as text, or why it cannot be taken. */
  async #bodyOf(exchange: HttpExchange): Promise<string | HttpReply> {
    const { method, headers } = exchange.request;
    const hasBody = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
    if ((method === "GET" || method === "HEAD") && !hasBody) return "";
    const body = await exchange.body(MAX_BODY_BYTES);
    // Nobody reads the rest of the body, so nothing can follow on this connection.
    const close = { connection: "close" };
    if (body === "too large") return errorReply(413, "the body is too long", this.#surroundings, close);
    if (body === "lost") return errorReply(400, "the body did not come whole", this.#surroundings, close);
    return body.text;
  }

  async #carryOut(answer: Answer, exchange: HttpExchange): Promise<void> {
    const surroundings = this.#surroundings;
    const { request } = exchange;
    switch (answer.kind) {
      case "reply":
        return exchange.reply(answer.reply);
      case "network":
        return exchange.reply(
          writtenReply(this.#written[answer.part ?? "whole"].bytesOf(await this.#node.look()), surroundings),
        );
      case "events":
        return this.#stream(exchange);
      case "diagram": {
        const headers = { ...apiHeaders(surroundings), "content-type": "image/svg+xml" };
        return exchange.reply({ status: 200, headers, body: this.#diagram.draw(answer) });
      }
      case "metrics": {
        const { text, type } = await this.#metrics.scrape();
        return exchange.reply({
          status: 200,
          headers: { ...apiHeaders(surroundings), "content-type": type },
          body: text,
        });
      }
      case "line":
        // An upgrade that the runtime has not recognised as one.
        return exchange.reply(errorReply(400, "/line is for WebSockets", surroundings));
      case "signIn":
        return this.#signIn(answer.token, exchange);
      case "signOut":
        return exchange.reply({
          status: 204,
          headers: { ...apiHeaders(surroundings), "set-cookie": this.#guard.signOut(request) },
          body: "",
        });
      case "pass":
        return exchange.reply(jsonReply({ pass: this.#makePass(request) }, surroundings));
      case "order":
        return await this.#order(answer.order, exchange);
      case "admin": {
        const { status, value } = await carryOut(answer.request, this.#node, callerOf(request, this.#proxies));
        return exchange.reply(jsonReply(value, surroundings, status));
      }
      default:
        answer satisfies never;
    }
  }

  /** An operator wants something done, here or at another server. */
  async #order(asked: AskedOrder, exchange: HttpExchange): Promise<void> {
    const surroundings = this.#surroundings;
    const order = orderFor(asked, this.#node.serverId);
    const result = await this.#node.operate(order, callerOf(exchange.request, this.#proxies));
    if (!result.ok) {
      const { status, sentence } = refusedOrder(result.problem);
      return exchange.reply(errorReply(status, sentence, surroundings));
    }
    const isDrain = order.kind === "drain";
    exchange.reply(jsonReply({ state: isDrain ? "draining" : "disconnected" }, surroundings, isDrain ? 202 : 200));
  }

  #stream(exchange: HttpExchange): void {
    const surroundings = this.#surroundings;
    if (this.#streams.isFull) {
      const retry = { "retry-after": "10" };
      return exchange.reply(errorReply(503, `${MAX_STREAMS} pages look already`, surroundings, retry));
    }
    const headers = { ...apiHeaders(surroundings), "content-type": "text/event-stream" };
    if (exchange.request.method === "HEAD") return exchange.reply({ status: 200, headers, body: "" });
    this.#streams.begin((handler) => exchange.stream(headers, handler));
  }

  /** The proof in `request`; a wrong one is told of. */
  #judge(request: HttpRequest): Shown {
    const shown = this.#guard.judge(request);
    if (shown === "nothing" && this.#passEndsAt(request) !== undefined) return "pass";
    if (shown === "wrong" || shown === "limited") this.#tellWrongToken(request.remoteHost);
    return shown;
  }

  /** Until when a pass in `request` lets its page look; `undefined` where there is none that counts. */
  #passEndsAt(request: HttpRequest): number | undefined {
    const text = passIn(request);
    if (text === "") return undefined;
    const { clock, crypto } = this.#parts;
    return worthOfPass(text, clock.wallMs(), (serverId) => this.#node.ticketKeyOf(serverId), crypto);
  }

  /** A pass for a page that has shown who it is; empty where this server cannot make one. */
  #makePass(request: HttpRequest): string {
    const { clock, crypto } = this.#parts;
    const { serverId } = this.#node;
    const key = this.#node.ticketKeyOf(serverId);
    if (key === undefined || key === "") return "";
    const issuedAt = clock.wallMs();
    const endsAt = this.#passEndsAt(request) ?? issuedAt + this.#guard.lastsMs(request);
    return makeLookPass(key, { serverId, issuedAt, endsAt }, crypto);
  }

  #tellWrongToken(address: string): void {
    this.#node.auditor.audit({ what: "tokenRefused", from: address });
    const isFirst = this.#node.refusals.refused(address, "it showed a wrong token");
    if (isFirst) logger.warning("a wrong token from {address}", { address });
  }

  #signIn(token: string, exchange: HttpExchange): void {
    const request = this.#fromCaller(exchange.request);
    const surroundings = this.#surroundings;
    const isOverheard = this.#isOverheard(exchange.request);
    const signedIn = this.#guard.signIn(token, request.remoteHost, isSecure(request), isOverheard);
    if (signedIn.kind === "signedIn") {
      const headers = { ...apiHeaders(surroundings), "set-cookie": signedIn.cookie };
      return exchange.reply({ status: 204, headers, body: "" });
    }
    if (signedIn.kind === "overheard") return exchange.reply(refusedReply(OVERHEARD, surroundings));
    this.#tellWrongToken(request.remoteHost);
    exchange.reply(
      signedIn.kind === "wrong"
        ? errorReply(401, "this is not the token of this server", surroundings)
        : errorReply(429, "too many wrong tokens: try again in a minute", surroundings, { "retry-after": "60" }),
    );
  }
}

/** `exchange`, with `more` headers in whatever is answered. */
function withHeaders(exchange: HttpExchange, more: Readonly<Record<string, string>>): HttpExchange {
  if (Object.keys(more).length === 0) return exchange;
  return {
    request: exchange.request,
    body: (maxBytes) => exchange.body(maxBytes),
    reply: (reply) => exchange.reply({ ...reply, headers: { ...reply.headers, ...more } }),
    cut: () => exchange.cut(),
    stream: (headers, handler) => exchange.stream({ ...headers, ...more }, handler),
  };
}
