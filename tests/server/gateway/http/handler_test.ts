/**
 * What is answered to whom (docs/dashboard.md), as a table: every route, from everywhere, with
 * everything that can be shown.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import type { Shown } from "../../../../server/gateway/http/access.ts";
import { type Answer, decide, refuseStranger } from "../../../../server/gateway/http/handler.ts";
import { sharingHeaders } from "../../../../server/gateway/http/other_pages.ts";
import { replyOf, request, surroundings } from "./_world.ts";

const SITE = surroundings();
const ABROAD = surroundings("0.0.0.0");
const PLACES = { loopback: "127.0.0.1", foreign: "192.0.2.7", unknown: "" } as const;
const ALL_SHOWN: readonly Shown[] = ["nothing", "session", "token", "pass", "wrong", "limited"];

/** Every route with what it takes; a body where it needs one. */
const LOOKS = [
  "GET /",
  "HEAD /",
  "GET /client",
  "GET /assets/client/console.js",
  "GET /api/network",
  "GET /api/events",
  "GET /api/diagram.svg",
  "GET /api/pass",
  "GET /metrics",
  "GET /line",
  "GET /nothing-here",
];
const CHANGES = ["POST /api/drain", "POST /api/disconnect"];
const OPEN = [
  "GET /assets/sign_in.js",
  "GET /assets/style.css",
  "GET /assets/sign_in.html",
  "GET /api/session",
  "POST /api/session",
  "DELETE /api/session",
];
/** What pages of other servers may read. */
const SHARED = ["GET /api/network", "GET /api/events", "GET /api/diagram.svg", "GET /api/pass"];
/** Need no token, and none is looked at. */
const PROBES = ["GET /healthz", "HEAD /healthz", "GET /readyz"];
const BODY = '{"token":"x"}';

/** What is answered: the kind of the answer, or the status of the reply. */
function outcome(line: string, shown: Shown, from: keyof typeof PLACES, site = ABROAD): string | number {
  const headers: Record<string, string> = line === "GET /line" ? { upgrade: "websocket" } : {};
  const answer = decide(request(line, headers, PLACES[from]), BODY, shown, "ready", site);
  return answer.kind === "reply" ? answer.reply.status : answer.kind;
}

function isRefused(outcome: string | number): boolean {
  return outcome === 401 || outcome === 403 || outcome === 429;
}

Deno.test("a visitor who shows nothing sees no activity and no user where somebody without a name may not", () => {
  const asked: string[] = [];
  const site = { ...SITE, mayLook: (address: string) => asked.push(address) === 0 };
  for (const line of SHARED) {
    assertEquals(outcome(line, "nothing", "loopback", site), 401, line);
    for (const shown of ["token", "session", "pass"] as const) {
      assertEquals(isRefused(outcome(line, shown, "loopback", site)), false, line);
    }
  }
  // Whoever logs in has rights of its own, and the page asks for the token.
  // And it has to know where to go on.
  for (const line of ["GET /line", "GET /", "GET /client", "GET /api/network?only=servers"]) {
    assertEquals(isRefused(outcome(line, "nothing", "loopback", site)), false, line);
  }
  for (const line of ["GET /api/network?only=users", "GET /api/events?only=servers"]) {
    assertEquals(isRefused(outcome(line, "nothing", "loopback", site)), true, line);
  }
  assertEquals(isRefused(outcome("GET /api/network?only=servers", "nothing", "foreign", site)), true);
  const answer = decide(request("GET /api/session"), "", "nothing", "ready", site);
  assertEquals(JSON.parse(replyOf(answer)!.body as string).needsToken, true);
  assertEquals(new Set(asked), new Set(["127.0.0.1"]));
});

Deno.test("every route from everywhere with everything that can be shown: who may look, and who may change", () => {
  let rows = 0;
  for (const from of ["loopback", "foreign", "unknown"] as const) {
    for (const shown of ALL_SHOWN) {
      const isWrong = shown === "wrong" || shown === "limited";
      const hasShown = shown === "token" || shown === "session";
      for (const line of [...LOOKS, ...CHANGES, ...OPEN, ...PROBES]) {
        const got = outcome(line, shown, from);
        const where = `${line} from ${from} with ${shown}: ${got}`;
        const mayLook = hasShown || shown === "pass" || (!isWrong && from === "loopback");
        const may = CHANGES.includes(line) ? hasShown : OPEN.includes(line) || mayLook;
        const expected = PROBES.includes(line) || (!isWrong && may);
        assertEquals(!isRefused(got), expected, where);
        if (!expected) assertEquals(got, shown === "limited" ? 429 : 401, where);
        rows++;
      }
    }
  }
  assertEquals(rows, 3 * 6 * 22);
});

Deno.test("who is not known counts as this machine only where nobody else can come", () => {
  assertEquals(outcome("GET /api/network", "nothing", "unknown", SITE), "network");
  assertEquals(outcome("GET /api/network", "nothing", "unknown", surroundings("localhost")), "network");
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "thrum.example"]) {
    assertEquals(outcome("GET /api/network", "nothing", "unknown", surroundings(host)), 401, host);
  }
});

Deno.test("what came through a proxy on this machine did not come from this machine", () => {
  for (const header of ["x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-host"]) {
    const asked = request("GET /api/network", { [header]: "127.0.0.1" });
    assertEquals(replyOf(decide(asked, "", "nothing", "ready", SITE))?.status, 401, header);
  }
  const named = surroundings("127.0.0.1", ["thrum.example"]);
  const asked = request("GET /api/network", { host: "thrum.example" });
  assertEquals(refuseStranger(asked, named), undefined);
  assertEquals(replyOf(decide(asked, "", "nothing", "ready", named))?.status, 401);
});

Deno.test("each route does what it is for", () => {
  const kinds: Record<string, Answer["kind"]> = {
    "GET /api/network": "network",
    "GET /api/events": "events",
    "GET /metrics": "metrics",
    "POST /api/drain": "order",
    "DELETE /api/session": "signOut",
    "POST /api/session": "signIn",
  };
  for (const [line, kind] of Object.entries(kinds)) assertEquals(outcome(line, "token", "loopback"), kind, line);
  const body = (line: string) => replyOf(decide(request(line), "", "nothing", "ready", SITE))?.body;
  assertEquals(new TextDecoder().decode(body("GET /") as Uint8Array), "<p>dashboard</p>");
  assertEquals(new TextDecoder().decode(body("GET /client?x") as Uint8Array), "<p>client</p>");
  assertEquals(body("GET /healthz"), "ok\n");
  assertEquals(body("GET /api/session"), '{"mayChange":false,"needsToken":false,"onlyLooks":false}\n');
});

Deno.test("/api/session says whether this browser may change something, and whether it may look", () => {
  const state = (shown: Shown, from: string) =>
    JSON.parse(replyOf(decide(request("GET /api/session", {}, from), "", shown, "ready", ABROAD))!.body as string);
  const onlyLooks = false;
  assertEquals(state("nothing", "127.0.0.1"), { mayChange: false, needsToken: false, onlyLooks });
  assertEquals(state("session", "127.0.0.1"), { mayChange: true, needsToken: false, onlyLooks });
  assertEquals(state("nothing", "192.0.2.7"), { mayChange: false, needsToken: true, onlyLooks });
  assertEquals(state("token", "192.0.2.7"), { mayChange: true, needsToken: true, onlyLooks });
  assertEquals(state("look", "192.0.2.7"), { mayChange: false, needsToken: false, onlyLooks: true });
});

Deno.test("probes are answered by whatever name they call, through proxies, from anywhere; other routes are not", () => {
  for (const host of ["10.0.0.7:8080", "thrum-7f9c.pods.example", "localhost"]) {
    for (const line of PROBES) {
      const probe = request(line, { host, "x-forwarded-for": "192.0.2.9" }, "192.0.2.7");
      assertEquals(refuseStranger(probe, SITE), undefined, `${line} ${host}`);
      assertEquals(replyOf(decide(probe, "", "nothing", "ready", SITE))?.status, 200);
    }
  }
  assertEquals(refuseStranger(request("GET /metrics", { host: "10.0.0.7:8080" }), SITE)?.status, 403);
  assertEquals(refuseStranger(request("GET /healthz", { host: "a, b" }), SITE)?.status, 403);
  assertEquals(replyOf(decide(request("POST /healthz"), "", "token", "ready", SITE))?.status, 405);
});

Deno.test("/readyz is ready only when the server is", () => {
  for (const state of ["joining", "refused", "ready", "draining", "stopping"] as const) {
    const reply = replyOf(decide(request("GET /readyz"), "", "nothing", state, SITE))!;
    assertEquals([reply.status, reply.body], [state === "ready" ? 200 : 503, `${state}\n`]);
  }
});

Deno.test("a browser that needs the token gets a page where it can give it, a program an error", () => {
  const ask = (line: string, accept: string, extra: Record<string, string> = {}) =>
    replyOf(decide(request(line, { accept, ...extra }, "192.0.2.7"), "", "nothing", "ready", ABROAD))!;
  for (const line of ["GET /", "GET /client", "GET /anything"]) {
    const page = ask(line, "text/html,*/*");
    assertEquals([page.status, page.headers["content-type"]], [401, "text/html; charset=utf-8"]);
    assertEquals(page.headers["cache-control"], "no-store");
    assertEquals(page.headers["www-authenticate"], "Bearer");
  }
  for (
    const reply of [
      ask("GET /", "*/*"),
      ask("GET /api/network", "text/html"),
      ask("GET /assets/client/console.js", "text/html"),
    ]
  ) {
    assertEquals(reply.status, 401);
    assertEquals(JSON.parse(reply.body as string), {
      error: "the token of this server is needed from another machine",
    });
  }
});

Deno.test("names that do not belong to this server are refused, so that no other site's name can be made to lead here", () => {
  const refused = (host: string, site = SITE) => refuseStranger(request("GET /api/network", { host }), site)?.status;
  for (const host of ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "[::1]:8080", "[::1]"]) {
    assertEquals(refused(host), undefined, host);
  }
  for (
    const host of [
      ...[
        "",
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.0.2.1:8080",
      ],
      ...[
        "localhost:8080, evil.example",
        "localhost:8080:8080",
        "a@localhost:8080",
        "localhost/",
        "[::1",
        "localhost:",
      ],
      ...["127.1", "2130706433", "0x7f.1", "::1", "localhost:123456"],
    ]
  ) assertEquals(refused(host), 403, host);
  assertEquals(refused("192.0.2.1:8080", surroundings("192.0.2.1")), undefined);
  assertEquals(refused("thrum.local:80", surroundings("Thrum.Local")), undefined);
  // A page that calls us by an address came from that address; a name may have been made to lead here.
  for (const host of ["192.0.2.1:8080", "[2001:db8::1]:8080"]) assertEquals(refused(host, ABROAD), undefined, host);
  assertEquals(refused("evil.example:8080", ABROAD), 403);
  assertEquals(refused("thrum.example", surroundings("0.0.0.0", ["thrum.example"])), undefined);
});

Deno.test("pages of other sites may ask nothing, however they do it", () => {
  const upgrade = { upgrade: "websocket" };
  for (const line of [...LOOKS, ...CHANGES, ...OPEN, ...PROBES]) {
    const headers: Record<string, string> = line === "GET /line" ? upgrade : {};
    const refused = (more: Record<string, string>) =>
      refuseStranger(request(line, { ...headers, ...more }), SITE)?.status;
    for (
      const origin of [
        ...["http://evil.example", "https://localhost", "http://localhost:8081", "http://127.0.0.1:8080", "null", ""],
        ...["http://localhost:8080.evil.example", "http://localhost:8080/", "file://", "http://a@localhost:8080"],
      ]
    ) assertEquals(refused({ origin }), 403, `${line} from ${origin}`);
    // Another port of this machine is another site, too.
    for (const site of ["cross-site", "same-site"]) {
      assertEquals(refused({ "sec-fetch-site": site, "sec-fetch-mode": "no-cors" }), 403, `${line} ${site}`);
    }
    for (const origin of ["http://localhost:8080", "https://localhost:8080"]) {
      assertEquals(refused({ origin, "sec-fetch-site": "same-origin" }), undefined, line);
    }
  }
});

Deno.test("pages of other servers of the network may speak the line protocol here and look, and ask nothing else", () => {
  const site = (host: string) => surroundings(host);
  const asks = (line: string, origin: string, gateways: readonly string[], at = SITE) => {
    const headers: Record<string, string> = line === "GET /line" ? { upgrade: "websocket" } : {};
    return refuseStranger(request(line, { ...headers, origin }), at, gateways)?.status;
  };
  const known = ["127.0.0.1:8081", "10.0.0.7:8080", "[fe80::1]:8080", "b.example:80"];
  const good = [
    ...["http://127.0.0.1:8081", "http://localhost:8081", "http://[::1]:8081", "http://10.0.0.7:8080"],
    ...["http://[fe80::1]:8080", "http://b.example", "http://B.example:80"],
  ];
  for (const origin of good) assertEquals(asks("GET /line", origin, known), undefined, origin);
  const bad = [
    ...["http://127.0.0.1:8082", "http://10.0.0.7:8081", "http://10.0.0.7", "http://evil.example:8081", "null", ""],
    ...["http://b.example:8080", "http://10.0.0.7:8080.evil.example", "http://a@10.0.0.7:8080", "file://b.example"],
  ];
  for (const origin of bad) assertEquals(asks("GET /line", origin, known), 403, origin);
  for (const line of [...LOOKS, ...CHANGES, ...OPEN]) {
    if (line === "GET /line") continue;
    const isShared = SHARED.includes(line);
    for (const origin of good) assertEquals(asks(line, origin, known), isShared ? undefined : 403, `${line} ${origin}`);
    for (const origin of bad) assertEquals(asks(line, origin, known), 403, `${line} from ${origin}`);
  }
  // A gateway with TLS has pages that came by TLS.
  const secure = ["https://10.0.0.7:8080", "https://b.example:443", "https://127.0.0.1:8081"];
  for (const origin of ["https://10.0.0.7:8080", "https://b.example", "https://localhost:8081"]) {
    assertEquals(asks("GET /line", origin, secure), undefined, origin);
    assertEquals(asks("GET /line", origin.replace("https", "http"), secure), 403, origin);
  }
  // At another machine's loopback address there may be anything on the visitor's.
  assertEquals(asks("GET /line", "http://127.0.0.1:8081", known, site("10.0.0.8")), 403);
  assertEquals(asks("GET /line", "http://localhost:8081", known, ABROAD), 403);
  assertEquals(asks("GET /line", "http://10.0.0.7:8080", known, ABROAD), undefined);
});

Deno.test("a page of another server can read what it may ask, and the page of the network may ask the others", () => {
  const own = request("GET /api/network", { origin: "http://localhost:8080" });
  assertEquals([sharingHeaders(own), sharingHeaders(request("GET /api/network"))], [{}, {}]);
  assertEquals(sharingHeaders(request("GET /api/network", { origin: "http://127.0.0.1:8081" })), {
    "access-control-allow-origin": "http://127.0.0.1:8081",
    vary: "Origin",
  });
  const policy = (line: string, gateways: readonly string[]) => {
    const { headers } = replyOf(decide(request(line), "", "nothing", "ready", SITE, gateways))!;
    return /connect-src ([^;]*)/.exec(headers["content-security-policy"]!)![1];
  };
  const evil = ["x:1; script-src *", "*", "*:80", "a b:80", "evil.example", "javascript:alert(1)//:80", "h:80\r\nx: y"];
  assertEquals(
    policy("GET /", ["127.0.0.1:8081", ...evil, "[::1]:80", "127.0.0.1:8081"]),
    [
      ...["'self'", "http://127.0.0.1:8081", "http://[::1]:80"],
    ].join(" "),
  );
  assertEquals(policy("GET /assets/style.css", ["127.0.0.1:8081"]), "'self'");
  assertEquals(policy("GET /", ["https://b.example:443", "https://x; y:1"]), "'self' https://b.example:443");
  // Browsers take no new policy from an answer that only says that nothing has changed.
  const { etag } = replyOf(decide(request("GET /"), "", "nothing", "ready", SITE))!.headers;
  const again = request("GET /", { "if-none-match": etag! });
  const status = (gateways: readonly string[]) =>
    replyOf(decide(again, "", "nothing", "ready", SITE, gateways))?.status;
  assertEquals([status([]), status(["127.0.0.1:8081"])], [304, 200]);
});

Deno.test("a change, or a WebSocket, from a browser that does not say which page asks is refused", () => {
  const browser = { "sec-fetch-site": "same-origin" };
  for (const line of ["POST /api/drain", "POST /api/session", "DELETE /api/session"]) {
    assertEquals(refuseStranger(request(line, browser), SITE)?.status, 403, line);
    assertEquals(refuseStranger(request(line), SITE), undefined, line);
    assertEquals(refuseStranger(request(line, { ...browser, authorization: "Bearer x" }), SITE), undefined, line);
  }
  assertEquals(refuseStranger(request("GET /line", { ...browser, upgrade: "websocket" }), SITE)?.status, 403);
  assertEquals(refuseStranger(request("GET /line", { upgrade: "websocket" }), SITE), undefined);
  // A link on another site may be followed.
  const followed = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
  assertEquals(refuseStranger(request("GET /", followed), SITE), undefined);
  assertEquals(refuseStranger(request("POST /api/drain", followed), SITE)?.status, 403);
});

Deno.test("no path leads out of the folder: only what is there can be had", () => {
  const ask = (target: string) => replyOf(decide(request(`GET ${target}`), "", "token", "ready", SITE))?.status;
  for (
    const target of [
      ...[
        "/assets/../deno.json",
        "/assets/..%2fdeno.json",
        "/assets/%2e%2e/deno.json",
        "/assets//etc/passwd",
        "/assets/",
      ],
      ...[
        "/assets/style.css/",
        "/assets/STYLE.CSS",
        "/assets/style.css%00",
        "/assets/client/../style.css",
        "//style.css",
      ],
      ...["/index.html", "/assets/README", "/..", "http://localhost:8080/api/network", "*", "", "/assets/__proto__"],
      ...["/__proto__", "/constructor", "/api/network/", "/assets/index.html"],
    ]
  ) assertEquals(ask(target), 404, target);
  const part = fc.constantFrom("..", ".", "assets", "client", "style.css", "console.js", "%2e%2e", "", "deno.json");
  fc.assert(fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
    const path = `/${parts.join("/")}`;
    assertEquals(ask(path), SITE.assets.byPath.has(path) ? 200 : 404, path);
  }));
});

Deno.test("a route takes the methods that it is for", () => {
  const ask = (line: string) => replyOf(decide(request(line), "", "token", "ready", SITE));
  for (
    const line of ["POST /api/network", "GET /api/drain", "PUT /api/session", "POST /", "OPTIONS /api/drain", "TRACE /"]
  ) {
    assertEquals(ask(line)?.status, 405, line);
  }
  assertEquals(ask("GET /api/drain")?.headers.allow, "POST");
  assertEquals(ask("constructor /api/drain")?.status, 405);
});

Deno.test("everything that is answered forbids what a page should not do", () => {
  const replies = [...LOOKS, ...OPEN, ...CHANGES].flatMap((line) =>
    (["nothing", "token"] as const).flatMap((shown) => replyOf(decide(request(line), BODY, shown, "ready", SITE)) ?? [])
  );
  replies.push(refuseStranger(request("GET /", { host: "evil.example" }), SITE)!);
  assert(replies.length > 20);
  for (const { headers } of replies) {
    const policy = headers["content-security-policy"]!;
    assertStringIncludes(policy, "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-x'");
    assertStringIncludes(policy, "frame-ancestors 'none'");
    assert(!/unsafe|\*/.test(policy));
    assertEquals(headers["x-content-type-options"], "nosniff");
    assertEquals(headers["referrer-policy"], "no-referrer");
    assertEquals(headers["cross-origin-resource-policy"], "same-origin");
    assert(headers["cache-control"] !== undefined);
  }
});

Deno.test("a file that the browser has already is not sent again", () => {
  const ask = (headers: Record<string, string>) =>
    replyOf(decide(request("GET /assets/style.css", headers), "", "nothing", "ready", SITE))!;
  const first = ask({});
  assertEquals([first.status, first.headers["cache-control"]], [200, "no-cache"]);
  const etag = first.headers.etag!;
  assertEquals(ask({ "if-none-match": etag }).status, 304);
  assertEquals(ask({ "if-none-match": `"other", W/${etag}` }).status, 304);
  assertEquals(ask({ "if-none-match": '"other"' }).status, 200);
});

Deno.test("headers that are too long, bodies that are none and spans that are none are refused", () => {
  assertEquals(refuseStranger(request("GET /", { cookie: "x".repeat(16_384) }), SITE)?.status, 431);
  assertEquals(refuseStranger(request(`GET /${"x".repeat(16_384)}`), SITE)?.status, 431);
  const signIn = (body: string) => decide(request("POST /api/session"), body, "nothing", "ready", SITE);
  for (const body of ["", "x", "null", "[]", '{"token":1}', '{"token":""}', '{"token":null}', "7", '"x"']) {
    assertEquals(replyOf(signIn(body))?.status, 400, body);
  }
  assertEquals(signIn('{"token":"x"}'), { kind: "signIn", token: "x" });
  const diagram = (query: string) => decide(request(`GET /api/diagram.svg${query}`), "", "nothing", "ready", SITE);
  assertEquals(diagram(""), { kind: "diagram", seconds: 60, server: undefined, offsetMinutes: undefined });
  const asked = { kind: "diagram", seconds: 7, server: "s-1", offsetMinutes: -840 };
  assertEquals(diagram("?seconds=7&server=s-1&offset=-840"), asked as Answer);
  const wrong = ["?seconds=0", "?seconds=61", "?seconds=1e1", "?seconds=-1", "?seconds="];
  const wrongOffsets = ["?offset=841", "?offset=-841", "?offset=1.5", "?offset=", "?offset=--1", "?offset=x"];
  for (const query of [...wrong, ...wrongOffsets]) {
    assertEquals(replyOf(diagram(query))?.status, 400, query);
  }
});

Deno.test("whatever is asked is answered", () => {
  const header = fc.constantFrom("host", "origin", "cookie", "authorization", "upgrade", "accept", "if-none-match");
  const path = fc.array(fc.string(), { maxLength: 3 }).map((parts) => `/${parts.join("/")}`);
  const anything = fc.record({
    method: fc.constantFrom("GET", "HEAD", "POST", "DELETE", "PUT", "x"),
    target: fc.oneof(path, fc.string(), fc.constantFrom("/api/session", "/line", "/api/diagram.svg?seconds=%")),
    headers: fc.dictionary(header, fc.string()),
    remoteHost: fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()),
    remotePort: fc.nat(),
    isSecure: fc.boolean(),
  });
  fc.assert(fc.property(anything, fc.string(), fc.constantFrom(...ALL_SHOWN), (asked, body, shown) => {
    refuseStranger(asked, SITE);
    const answer = decide(asked, body, shown, "ready", SITE);
    if (answer.kind === "order") assert(shown === "token" || shown === "session");
  }));
});
