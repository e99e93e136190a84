import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { TokenGuard } from "../../../../server/gateway/http/token_guard.ts";
import { nodeCrypto } from "../../../../platform/crypto.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { request, TOKEN } from "./_world.ts";

const HOUR_MS = 3_600_000;

function world(port = 8080): { clock: FakeClock; guard: TokenGuard } {
  const clock = new FakeClock();
  return { clock, guard: new TokenGuard(TOKEN, port, clock, nodeCrypto) };
}

const bearer = (token: string, from?: string) => request("GET /", { authorization: `Bearer ${token}` }, from);
const withCookie = (cookie: string) => request("GET /", { cookie });

/** Signs in, and gives what the browser sends from then on. */
function cookieOf(guard: TokenGuard): string {
  const signedIn = guard.signIn(TOKEN, "127.0.0.1", false);
  if (signedIn.kind !== "signedIn") throw new Error(signedIn.kind);
  return signedIn.cookie.split(";")[0]!;
}

Deno.test("TokenGuard knows the token and nothing else", () => {
  const { guard } = world();
  assertEquals(guard.judge(request("GET /")), "nothing");
  assertEquals(guard.judge(bearer(TOKEN)), "token");
  assertEquals(guard.judge(request("GET /", { authorization: `bearer  ${TOKEN} ` })), "token");
  for (const token of ["x", TOKEN.slice(1), `${TOKEN}0`, TOKEN.toUpperCase()]) {
    assertEquals(world().guard.judge(bearer(token)), "wrong", token);
  }
  // Another scheme is none of ours.
  for (const authorization of [`Basic ${btoa(`x:${TOKEN}`)}`, TOKEN, "Bearer", "Bearer  ", ""]) {
    assertEquals(guard.judge(request("GET /", { authorization })), "nothing", authorization);
  }
});

Deno.test("a browser that has signed in is known by its cookie for twelve hours, or until it signs out", async () => {
  const { clock, guard } = world();
  const cookie = cookieOf(guard);
  assertEquals(guard.judge(withCookie(cookie)), "session");
  assertEquals(guard.judge(withCookie(`a=b; ${cookie}; c=d`)), "session");
  assertEquals(guard.judge(withCookie(`x${cookie}`)), "nothing");
  assertEquals(guard.judge(withCookie(cookie.slice(0, -1))), "nothing");
  await clock.run(12 * HOUR_MS - 1);
  assertEquals(guard.judge(withCookie(cookie)), "session");
  await clock.run(1);
  assertEquals(guard.judge(withCookie(cookie)), "nothing");

  const [one, other] = [cookieOf(guard), cookieOf(guard)];
  assertNotEquals(one, other);
  assertMatch(guard.signOut(withCookie(one)), /^thrum_session_8080=; .*Max-Age=0/);
  assertEquals(guard.judge(withCookie(one)), "nothing");
  assertEquals(guard.judge(withCookie(other)), "session");
});

Deno.test("the cookie is for this server's pages alone, and over TLS for nothing else", () => {
  const { guard } = world();
  const cookie = (isSecure: boolean) => guard.signIn(TOKEN, "", isSecure) as { cookie: string };
  assertMatch(
    cookie(false).cookie,
    /^thrum_session_8080=[0-9a-f]{48}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/,
  );
  assertMatch(cookie(true).cookie, /; Secure$/);
  // Another server on the same machine, whose pages the browser sends the same cookies to.
  assertEquals(world(8081).guard.judge(withCookie(cookieOf(guard))), "nothing");
});

Deno.test("after five wrong tokens in a minute further ones from that address are refused unseen, and the right one never is", async () => {
  const { clock, guard } = world();
  const session = withCookie(cookieOf(guard));
  for (let wrong = 1; wrong <= 4; wrong++) assertEquals(guard.judge(bearer("x")), "wrong");
  // A right one in between changes nothing.
  assertEquals(guard.judge(bearer(TOKEN)), "token");
  assertEquals(guard.signIn("x", "127.0.0.1", false), { kind: "wrong" });
  assertEquals(guard.judge(bearer("x")), "limited");
  assertEquals(guard.signIn("x", "127.0.0.1", false), { kind: "limited" });
  // Whoever guesses must not keep the owner out, who may be on the same machine, or behind the same proxy.
  assertEquals(guard.judge(bearer(TOKEN)), "token");
  assertEquals(guard.signIn(TOKEN, "127.0.0.1", false).kind, "signedIn");
  assertEquals(guard.judge(session), "session");
  assertEquals(guard.judge(bearer("x", "192.0.2.7")), "wrong");
  await clock.run(59_999);
  assertEquals(guard.judge(bearer("x")), "limited");
  await clock.run(1);
  assertEquals(guard.judge(bearer("x")), "wrong");
});

Deno.test("what is remembered of strangers and of browsers has a bound", () => {
  const { guard } = world();
  for (let wrong = 0; wrong < 5; wrong++) guard.judge(bearer("x", "first"));
  assertEquals(guard.judge(bearer("x", "first")), "limited");
  for (let one = 0; one < 10_000; one++) guard.judge(bearer("x", `address ${one}`));
  assertEquals(guard.judge(bearer("x", "first")), "wrong");
  const oldest = withCookie(cookieOf(guard));
  for (let one = 0; one < 1_000; one++) cookieOf(guard);
  assertEquals(guard.judge(oldest), "nothing");
});

Deno.test("wrong tokens from all addresses of one IPv6 network are counted as one", () => {
  const { guard } = world();
  const guessers = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:0:1::", "2001:db8:0:0:5:6:7:8", "2001:db8::3"];
  for (const guesser of guessers) assertEquals(guard.judge(bearer("x", guesser)), "wrong", guesser);
  assertEquals(guard.judge(bearer("x", "2001:db8::9")), "limited");
  for (const other of ["2001:db8:0:1::1", "2001:db9::1", "::1", "fe80::1"]) {
    assertEquals(guard.judge(bearer("x", other)), "wrong", other);
  }
});
