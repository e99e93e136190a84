/** The HTTP gateway on real sockets (docs/dashboard.md). */

import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { serve, type ServeOptions, type Server } from "../../../../mod.ts";
import { DEFAULT_CONFIG } from "../../../../config/config.ts";
import { ConfigError, layered } from "../../../../config/load.ts";
import { type HttpDoorParts, openHttpDoor } from "../../../../server/gateway/http/http_door.ts";
import { nodeCrypto } from "../../../../platform/crypto.ts";
import { realClock } from "../../../../platform/real_clock.ts";
import { LineClient } from "../../../support/line_client.ts";
import { ask, exchange, open, requestText } from "../../../support/raw_http.ts";
import { until } from "../../../support/until.ts";
import { ObservedNode, TOKEN } from "./_world.ts";

const BEARER = { authorization: `Bearer ${TOKEN}` };

async function start(options: ServeOptions = {}): Promise<{ server: Server; port: number } & AsyncDisposable> {
  const server = await serve({
    gateway: { http: { listen: "0", token: TOKEN } },
    ...options,
    server: { host: "127.0.0.1", port: 0 },
    store: { ephemeral: true },
  });
  return { server, port: server.http!.port, [Symbol.asyncDispose]: () => server.close() };
}

Deno.test("pages, their files, the network, metrics and health are served", async () => {
  await using gateway = await start();
  const { server, port } = gateway;
  const page = await ask(port, "GET /");
  assertEquals([page.status, page.headers["content-type"]], [200, "text/html; charset=utf-8"]);
  for (const [, path] of page.body.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
    assertEquals((await ask(port, `GET ${path}`)).status, 200, path);
  }
  assertEquals((await ask(port, "GET /client")).status, 200);
  const head = await ask(port, "HEAD /");
  assertEquals([head.status, head.body, head.headers["content-length"]], [200, "", page.headers["content-length"]]);
  const view = JSON.parse((await ask(port, "GET /api/network")).body);
  assertEquals([view.from, view.servers[server.serverId].state], [server.serverId, "self"]);
  assertStringIncludes((await ask(port, "GET /api/diagram.svg")).body, "<svg ");
  assertStringIncludes((await ask(port, "GET /metrics")).body, `server="${server.serverId}"`);
  assertEquals((await ask(port, "GET /healthz")).body, "ok\n");
  assertEquals((await ask(port, "GET /readyz")).body, "ready\n");
  assertEquals((await ask(port, "GET /line")).status, 426);
});

Deno.test("pages, files, the network and metrics are compressed for who takes that, and mean the same", async () => {
  await using gateway = await start();
  const { port } = gateway;
  for (const path of ["/", "/assets/style.css", "/metrics"]) {
    const plain = await ask(port, `GET ${path}`);
    const { headers } = await ask(port, `GET ${path}`, { "accept-encoding": "gzip, deflate, br" });
    assertEquals([plain.headers["content-encoding"], headers["content-encoding"]], [undefined, "br"], path);
    assertEquals(headers.vary, "Accept-Encoding");
    assert(Number(headers["content-length"]) < Number(plain.headers["content-length"]) / 2, path);
    const again = { "accept-encoding": "br", "if-none-match": headers.etag ?? "none" };
    assertEquals((await ask(port, `GET ${path}`, again)).status, path === "/metrics" ? 200 : 304);
    if (path === "/metrics") continue;
    // What decodes by itself, as browsers do.
    assertEquals(await (await fetch(`http://localhost:${port}${path}`)).text(), plain.body);
  }
  const events = await open(port);
  events.write(requestText("GET /api/events", { host: "localhost", "accept-encoding": "br" }));
  const head = await new Promise<string>((resolve) => events.once("data", (bytes) => resolve(`${bytes}`)));
  events.destroy();
  assert(!/content-encoding/i.test(head), head);
});

Deno.test("the diagram's own style is what the policy allows, and the only one", async () => {
  await using gateway = await start();
  const { headers, body } = await ask(gateway.port, "GET /api/diagram.svg?seconds=60");
  const [, style] = /<style>([^]*?)<\/style>/.exec(body)!;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style)));
  assertStringIncludes(headers["content-security-policy"]!, `'sha256-${btoa(String.fromCharCode(...digest))}'`);
  assertEquals(body.match(/<style/g)!.length, 1);
  assert(!/\sstyle=|<script|\son\w+=/.test(body));
});

Deno.test("an activity is seen as an event within moments, whatever it says, and stays text", async () => {
  await using gateway = await start();
  const { server, port } = gateway;
  const events = await openEvents(port);
  await until(() => events.text().includes("event: view"), "the view");
  await using client = await LineClient.loggedIn(server.port);
  const text = "</script><script>alert(1)</script>\u2028\n event: end";
  client.send({ command: "ACTIVITY_MESSAGE", username: "anonymous", activity: { text } });
  await until(() => events.text().includes("alert(1)"), "the activity");
  const changes = [...events.text().matchAll(/event: change\ndata: ([^\n]*)\n\n/g)].map(([, data]) =>
    JSON.parse(data!)
  );
  assertEquals(changes.flatMap(({ activities }) => activities)[0].activity, { text });
  events.close();
});

Deno.test("a browser that opens the network and reads nothing costs one view, and gets the newest when it reads", async () => {
  const node = new ObservedNode();
  const filler = "x".repeat(500_000);
  const large = () => Object.assign(node.view, { users: { [filler]: [] } });
  large();
  const door = await openFake(node);
  const socket = await open(door.port);
  socket.pause();
  socket.write(requestText("GET /api/events", { host: "localhost" }));
  await until(() => node.observers.size > 0, "somebody who looks");
  // What the system's own buffers take is not in this process.
  for (let at = 2; node.observers.size > 0; at++) {
    assert(at < 1_000, "it was sent everything");
    node.view = { ...node.view, at };
    for (const observer of node.observers) {
      observer.changed({ at, patch: { users: { [filler]: null } }, ends: [], activities: [], skipped: 0 });
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
    // Deno 2.5 does not say that it waits: then the stream ends at its bound.
  }
  const last = node.view = { ...node.view, at: 4_711 };
  let text = "";
  socket.on("data", (bytes: Uint8Array) => text += new TextDecoder().decode(bytes));
  socket.resume();
  await until(() => text.includes("event: end") || text.includes(`"at":${last.at}`), "the newest view, or the end");
  assert(text.length < 16_000_000);
  socket.destroy();
  await door.close();
});

Deno.test("strangers are refused: other names, other sites, no token, wrong tokens", async () => {
  await using gateway = await start();
  const { port } = gateway;
  assertEquals((await ask(port, "GET /api/network", { host: "evil.example" })).status, 403);
  assertEquals((await ask(port, "GET /", { host: `evil.example:${port}` })).status, 403);
  const twoHosts = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
  assertEquals((await exchange(port, twoHosts)).status, 403);
  assertEquals((await exchange(port, "GET /healthz HTTP/1.0\r\n\r\n")).status, 403);
  assertEquals((await ask(port, "GET /api/network", { origin: "http://evil.example" })).status, 403);
  assertEquals((await ask(port, "POST /api/drain", { origin: "http://localhost:1" }, "{}")).status, 403);
  assertEquals((await ask(port, "POST /api/drain", {}, "{}")).status, 401);
  assertEquals((await ask(port, "POST /api/drain", { authorization: "Bearer wrong" }, "{}")).status, 401);
  assertEquals((await ask(port, `POST /api/drain?token=${TOKEN}`, {}, "{}")).status, 401);
  assertEquals((await ask(port, "GET /readyz")).body, "ready\n");
  for (
    const headers of [{ origin: "http://evil.example" }, { host: "evil.example" }, { "sec-fetch-site": "cross-site" }]
  ) {
    assertEquals(await refusalOf(port, headers), "refused", JSON.stringify(headers));
  }
  const wrong = { authorization: "Bearer wrong" };
  for (let count = 2; count <= 5; count++) await ask(port, "GET /", wrong);
  assertEquals((await ask(port, "GET /", wrong)).status, 429);
  // The owner may be on the same machine as whoever guesses.
  assertEquals((await ask(port, "GET /", BEARER)).status, 200);
});

Deno.test("signing in gives a cookie that opens what the token opens, and signing out closes it", async () => {
  await using gateway = await start();
  const { port } = gateway;
  // As if from another machine.
  const abroad = { "x-forwarded-for": "192.0.2.7", origin: "http://localhost" };
  assertEquals((await ask(port, "GET /api/network", abroad)).status, 401);
  assertEquals((await ask(port, "POST /api/session", abroad, '{"token":"wrong"}')).status, 401);
  const signedIn = await ask(port, "POST /api/session", abroad, JSON.stringify({ token: TOKEN }));
  assertEquals(signedIn.status, 204);
  const cookie = signedIn.headers["set-cookie"]!.split(";")[0]!;
  const known = { ...abroad, cookie };
  assertEquals((await ask(port, "GET /api/network", known)).status, 200);
  const { mayChange, needsToken } = JSON.parse((await ask(port, "GET /api/session", known)).body);
  assertEquals([mayChange, needsToken], [true, true]);
  assertEquals(await refusalOf(port, { "x-forwarded-for": "192.0.2.7" }), "refused");
  assertEquals(await refusalOf(port, { "x-forwarded-for": "192.0.2.7", cookie }), "open");
  assertEquals((await ask(port, "DELETE /api/session", known)).status, 204);
  assertEquals((await ask(port, "GET /api/network", known)).status, 401);
});

Deno.test("a token to act that other machines show in clear is refused, and one to look is taken", async () => {
  const http = { listen: "0", token: TOKEN, trustedProxies: ["127.0.0.1"] };
  await using gateway = await start({ gateway: { http } });
  const { port } = gateway;
  const clear = { "x-forwarded-for": "192.0.2.7", origin: "http://localhost" };
  const byTls = { ...clear, "x-forwarded-proto": "https" };
  const { token: look } = JSON.parse((await ask(port, "POST /api/token", BEARER, '{"role":"look"}')).body);
  const looks = { authorization: `Bearer ${look}` };
  const status = async (line: string, headers: Record<string, string>, body?: string) =>
    (await ask(port, line, headers, body)).status;
  const level = '{"level":"info"}';
  const refused = await ask(port, "POST /api/log-level", { ...clear, ...BEARER }, level);
  assertEquals(refused.status, 403);
  assertStringIncludes(JSON.parse(refused.body).error, "came in clear from another machine");
  // Also where it would only look: it was heard all the same.
  assertEquals(await status("GET /api/network", { ...clear, ...BEARER }), 403);
  assertEquals(await status("GET /api/network", { ...clear, ...looks }), 200);
  assertEquals(await status("POST /api/log-level", { ...byTls, ...BEARER }, level), 200);
  assertEquals(await status("POST /api/log-level", BEARER, level), 200);
  const signIn = (headers: Record<string, string>, token: string) =>
    ask(port, "POST /api/session", headers, JSON.stringify({ token }));
  const clearly = await signIn(clear, TOKEN);
  assertEquals([clearly.status, clearly.headers["set-cookie"]], [403, undefined]);
  assertEquals((await signIn(clear, look)).status, 204);
  const protectedly = await signIn(byTls, TOKEN);
  assertEquals(protectedly.status, 204);
  // Nor does the cookie count that it got for it.
  const cookie = protectedly.headers["set-cookie"]!.split(";")[0]!;
  assertEquals(await status("POST /api/log-level", { ...byTls, cookie }, level), 200);
  assertEquals(await status("POST /api/log-level", { ...clear, cookie }, level), 403);

  await using allowed = await start({ gateway: { http: { ...http, clearToken: true } } });
  assertEquals((await ask(allowed.port, "POST /api/log-level", { ...clear, ...BEARER }, level)).status, 200);
});

Deno.test("behind a trusted proxy everybody is counted for himself: wrong tokens, and connections", async () => {
  await using gateway = await start({
    gateway: { http: { listen: "0", token: TOKEN, trustedProxies: ["127.0.0.1"] } },
    limits: { maxConnectionsPerAddress: 1 },
  });
  const { port, server } = gateway;
  const from = (address: string) => ({ "x-forwarded-for": `198.51.100.1, ${address}` });
  const wrong = { authorization: "Bearer wrong" };
  for (let n = 0; n < 5; n++) await ask(port, "GET /", { ...wrong, ...from("192.0.2.7") });
  assertEquals((await ask(port, "GET /", { ...wrong, ...from("192.0.2.7") })).status, 429);
  assertEquals((await ask(port, "GET /", { ...wrong, ...from("192.0.2.8") })).status, 401);
  const connect = (address: string) => LineClient.connectWebSocket(port, "127.0.0.1", { ...BEARER, ...from(address) });
  await using first = await connect("192.0.2.8");
  first.send({ command: "LOGIN", username: "anonymous" });
  await first.next("LOGIN_SUCCESS");
  await using second = await connect("192.0.2.8");
  assertEquals((await second.next("END_CONNECTION")).reason, "TOO_MANY");
  await using other = await connect("192.0.2.9");
  other.send({ command: "LOGIN", username: "anonymous" });
  await other.next("LOGIN_SUCCESS");
  assertEquals(server.connectionCount, 2);
});

Deno.test("headers and bodies that are too long are refused, and others are served meanwhile", async () => {
  await using gateway = await start();
  const { port } = gateway;
  const giant = await ask(port, "GET /healthz", { cookie: "x".repeat(20_000) });
  assert(giant.status === 431 || giant.status === 0, `${giant.status}`);
  assertEquals((await ask(port, "POST /api/session", {}, JSON.stringify({ token: "x".repeat(20_000) }))).status, 413);
  // A body that nobody wants is no way to keep a connection either.
  const unwanted = await ask(port, "GET /healthz", {}, "x".repeat(20_000));
  // Deno 2.5 throws it away by itself.
  assertEquals(unwanted.status, Deno.version.deno.startsWith("2.5.") ? 200 : 413);
  const chunked = requestText("POST /api/session", { host: "localhost", "transfer-encoding": "chunked" });
  assertEquals((await exchange(port, `${chunked}4e20\r\n${"x".repeat(20_000)}\r\n0\r\n\r\n`)).status, 413);
  for (const junk of ["\0\x01\x02\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"]) {
    const { status } = await exchange(port, junk);
    assert(status === 0 || status >= 400, JSON.stringify(junk));
  }
  assertEquals((await ask(port, "GET /healthz")).status, 200);
});

Deno.test("paths with dots, encoded or not, find nothing", async () => {
  await using gateway = await start();
  for (const path of ["/assets/../deno.json", "/assets/%2e%2e/deno.json", "/assets/..%2fdeno.json", "//etc/passwd"]) {
    assertEquals((await ask(gateway.port, `GET ${path}`)).status, 404, path);
  }
});

Deno.test("draining through the gateway stops the server, and ends the streams", async () => {
  const { server, port } = await start();
  const events = await openEvents(port);
  await until(() => events.text().includes("event: view"), "the view");
  const drained = await ask(port, "POST /api/drain", BEARER, "{}");
  assertEquals([drained.status, JSON.parse(drained.body)], [202, { state: "draining" }]);
  assertEquals(await server.finished, { reason: "stopped" });
  await until(() => events.isClosed(), "the end of the stream");
  assertStringIncludes(events.text(), "event: end");
  await assertRejects(() => ask(port, "GET /healthz"));
});

Deno.test("an operator disconnects a client, and is told what cannot be done", async () => {
  await using gateway = await start();
  const { server, port } = gateway;
  await using client = await LineClient.connect(server.port);
  client.send({ command: "LOGIN", username: "anonymous", features: ["ack"] });
  await client.next("LOGIN_SUCCESS");
  const view = JSON.parse((await ask(port, "GET /api/network")).body);
  const [[connection, { since }]] = Object.entries(view.connections[server.serverId]) as [[string, { since: number }]];
  const order = (fields: object, headers: Record<string, string> = BEARER) =>
    ask(
      port,
      "POST /api/disconnect",
      headers,
      JSON.stringify({ server: server.serverId, connection, since, ...fields }),
    );
  assertEquals((await order({}, {})).status, 401);
  const statusOf = async (fields: object) => (await order(fields)).status;
  assertEquals([await statusOf({ connection: "99" }), await statusOf({ since: since + 1 })], [404, 404]);
  assertEquals([await statusOf({ server: "s-nobody" }), await statusOf({ since: "now" })], [404, 400]);
  const done = await order({});
  assertEquals([done.status, JSON.parse(done.body)], [200, { state: "disconnected" }]);
  assertEquals((await client.next("END_CONNECTION")).reason, "ENDED_BY_OPERATOR");
  assertEquals((await ask(port, "POST /api/drain", BEARER, '{"server":"s-nobody"}')).status, 404);
});

Deno.test("a page that has signed in gets a pass, which lets it look from elsewhere, and nothing else", async () => {
  await using gateway = await start();
  const { port } = gateway;
  const elsewhere = { "x-forwarded-for": "192.0.2.1" };
  assertEquals((await ask(port, "GET /api/pass", elsewhere)).status, 401);
  assertEquals(JSON.parse((await ask(port, "GET /api/pass")).body), { pass: "" });
  const passOf = async (query: string, headers: Record<string, string>) =>
    JSON.parse((await ask(port, `GET /api/pass${query}`, headers)).body).pass as string;
  const pass = await passOf("", BEARER);
  assertEquals(pass.includes(TOKEN), false);
  const query = `?pass=${encodeURIComponent(pass)}`;
  assertEquals((await ask(port, `GET /api/network${query}`, elsewhere)).status, 200);
  for (const line of [`GET /${query}`, `GET /metrics${query}`, `POST /api/drain${query}`]) {
    assertEquals((await ask(port, line, elsewhere, line.startsWith("POST") ? "{}" : undefined)).status, 401, line);
  }
  assertEquals((await ask(port, `GET /api/network${query}x`, elsewhere)).status, 401);
  // It gives way to a newer one, which ends with the same session.
  const next = await passOf(query, elsewhere);
  assertEquals(next.split(".").at(-2), pass.split(".").at(-2));
  assertEquals((await ask(port, `GET /api/network?pass=${encodeURIComponent(next)}`, elsewhere)).status, 200);
});

Deno.test("a gateway that other machines reach needs a token", async () => {
  await assertRejects(
    () =>
      serve({
        server: { host: "127.0.0.1", port: 0 },
        store: { ephemeral: true },
        gateway: { http: { listen: "0.0.0.0:0" } },
      }),
    ConfigError,
    "gateway.http.token",
  );
});

/** The door of a node that a test plays. */
async function openFake(node: ObservedNode): Promise<{ port: number; close(): Promise<void> }> {
  const parts = {
    node: Object.assign(node, { serverId: "s-1", state: "ready", gateways: [] }) as unknown as HttpDoorParts["node"],
    config: layered(DEFAULT_CONFIG, { gateway: { http: { token: TOKEN } } }),
    clock: realClock,
    crypto: nodeCrypto,
  };
  return await openHttpDoor(parts, { host: "127.0.0.1", port: 0 });
}

/** A stream of events that is read. */
async function openEvents(port: number): Promise<{ text(): string; isClosed(): boolean; close(): void }> {
  const socket = await open(port);
  const decoder = new TextDecoder();
  let text = "";
  let isClosed = false;
  socket.on("data", (bytes: Uint8Array) => text += decoder.decode(bytes, { stream: true }));
  socket.on("close", () => isClosed = true);
  socket.write(requestText("GET /api/events", { host: "localhost" }));
  // Without the sizes of chunks, which may stand anywhere.
  const whole = () => text.replace(/\r\n[0-9a-f]+\r\n/g, "");
  return { text: whole, isClosed: () => isClosed, close: () => socket.destroy() };
}

/** What becomes of a WebSocket. */
async function refusalOf(port: number, headers: Record<string, string>): Promise<"refused" | "open"> {
  try {
    await using client = await LineClient.connectWebSocket(port, "127.0.0.1", headers);
    client.send({ command: "LOGIN", username: "anonymous" });
    await client.until(() => client.received.length > 0 || client.frames!.closeCode !== undefined, "an answer");
    // Where the runtime cannot refuse an upgrade it is made and closed.
    return client.frames!.closeCode === 1008 ? "refused" : "open";
  } catch (error) {
    assertMatch((error as Error).message, /No upgrade: HTTP\/1.1 40[13]/);
    return "refused";
  }
}
