import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import {
  checkTicket,
  makeTicket,
  stillProven,
  TICKET_LIFETIME_MS,
  TICKET_SKEW_MS,
  type TicketClaims,
  ticketExpiry,
  type TicketQuestion,
} from "../../../server/accounts/ticket.ts";
import { nodeCrypto } from "../../../platform/crypto.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 30);
const MAX_AGE_MS = 7 * DAY_MS;
const keys = new Map([["s-1", "key of 1"], ["s-2", "key of 2"], ["s.3", "key of 3"]]);
const keyOf = (serverId: string) => keys.get(serverId);
const claims: TicketClaims = {
  ...{ serverId: "s-1", username: "anna", secret: "open sesame", verifier: "scrypt$2$aa$bb" },
  ...{ provenAtMs: NOW - 1_000, expiresAtMs: NOW + DAY_MS },
};
const ticket = makeTicket("key of 1", claims, nodeCrypto);

function worth(text: string, changed: Partial<TicketQuestion> = {}) {
  const { username, secret, verifier } = claims;
  const question = { username, secret, verifier, nowMs: NOW, maxAgeMs: MAX_AGE_MS, ...changed };
  return checkTicket(text, question, keyOf, nodeCrypto).kind;
}

function made(changed: Partial<TicketClaims>): string {
  return makeTicket(keyOf(changed.serverId ?? "s-1")!, { ...claims, ...changed }, nodeCrypto);
}

Deno.test("hmac() is HMAC-SHA-256 (RFC 4231, test case 2)", () => {
  const expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  assertEquals(nodeCrypto.hmac("Jefe", "what do ya want for nothing?"), expected);
});

Deno.test("a ticket is good for its account until it expires, and says nothing of it", () => {
  assertMatch(ticket, /^s-1\.[0-9a-z]{8}\.[0-9a-z]{8}\.[0-9a-f]{32}\.[0-9a-f]{64}$/);
  assertEquals(worth(ticket), "good");
  assertEquals(worth(ticket, { nowMs: NOW + DAY_MS - 1 }), "good");
  assertEquals(worth(ticket, { nowMs: NOW + DAY_MS }), "nothing");
  assertEquals(TICKET_LIFETIME_MS, DAY_MS);
  assertEquals(worth(made({ serverId: "s.3" })), "good");
});

Deno.test("a ticket is worth nothing for another user, after a change of the secret, or from a server whose key is not known", () => {
  assertEquals(worth(ticket, { username: "bob" }), "nothing");
  assertEquals(worth(ticket, { verifier: "scrypt$2$aa$bc" }), "nothing");
  assertEquals(worth(ticket.replace("s-1", "s-2")), "nothing");
  assertEquals(worth(ticket.replace("s-1", "s-9")), "nothing");
  assertEquals(worth(makeTicket("another key", claims, nodeCrypto)), "nothing");
  // Where two fields meet, nothing can be moved from one to the other.
  assertEquals(worth(ticket, { username: "annas", verifier: "crypt$2$aa$bb" }), "nothing");
});

Deno.test("a good ticket tells a secret that is not the one that it was given for, for each account otherwise", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (secret) => {
    assertEquals(worth(ticket, { secret }), secret === claims.secret ? "good" : "wrongSecret");
  }));
  assertEquals(worth(ticket, { secret: "x", nowMs: NOW + DAY_MS }), "nothing");
  const digestOf = (text: string) => text.split(".").at(-2);
  assert(digestOf(ticket) !== digestOf(made({ username: "bob" })));
  assert(digestOf(ticket) !== digestOf(made({ serverId: "s-2" })));
  assert(!ticket.includes(claims.secret));
});

Deno.test("a ticket of a clock that was wrong says nothing, whichever way it was wrong", () => {
  const future = { provenAtMs: NOW + 40 * DAY_MS, expiresAtMs: NOW + 41 * DAY_MS };
  assertEquals(worth(made(future)), "nothing");
  assertEquals(worth(made({ expiresAtMs: NOW + 41 * DAY_MS })), "nothing");
  assertEquals(worth(ticket, { nowMs: NOW + 40 * DAY_MS }), "nothing");
  assertEquals(worth(ticket, { nowMs: NOW - 40 * DAY_MS }), "nothing");
  assertEquals(worth(ticket, { nowMs: 0 }), "nothing");
  // Another server's may be a little ahead.
  const ahead = { provenAtMs: NOW + TICKET_SKEW_MS, expiresAtMs: NOW + DAY_MS + TICKET_SKEW_MS };
  assertEquals(worth(made(ahead)), "good");
  assertEquals(worth(made({ ...ahead, provenAtMs: NOW + TICKET_SKEW_MS + 1 })), "nothing");
});

Deno.test("renewed again and again, a ticket is over at its age", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 2 * DAY_MS }), { maxLength: 20 }), (pauses) => {
    let nowMs = NOW;
    let expiresAtMs = ticketExpiry(NOW, nowMs, MAX_AGE_MS);
    for (const pause of pauses) {
      nowMs += pause;
      const renewable = worth(made({ provenAtMs: NOW, expiresAtMs }), { nowMs }) === "good";
      assertEquals(renewable, nowMs < expiresAtMs);
      if (!renewable) return;
      expiresAtMs = ticketExpiry(NOW, nowMs, MAX_AGE_MS);
      assert(expiresAtMs <= NOW + MAX_AGE_MS && expiresAtMs > nowMs);
    }
  }));
  assertEquals(stillProven(NOW, NOW + MAX_AGE_MS - 1, MAX_AGE_MS), true);
  assertEquals(stillProven(NOW, NOW + MAX_AGE_MS, MAX_AGE_MS), false);
  assertEquals(stillProven(NOW, NOW, 0), false);
});

Deno.test("a ticket with one character changed is worth nothing", () => {
  const character = fc.constantFrom(..."0123456789abcdefz.$ -");
  fc.assert(fc.property(fc.nat(ticket.length - 1), character, (at, other) => {
    const changed = ticket.slice(0, at) + other + ticket.slice(at + 1);
    assertEquals(worth(changed), changed === ticket ? "good" : "nothing");
  }));
  assertEquals(worth(ticket.replace("s-1.", "s-1.0")), "nothing");
});

Deno.test("a ticket of version 0.1.0 is none here, and one of here is none there", () => {
  const [server, expiry, , , code] = ticket.split(".");
  assertEquals(worth(`${server}.${expiry}.${code}`), "nothing");
  assertEquals(/^(.+)\.([0-9a-z]{1,11})\.([0-9a-f]{64})$/.test(ticket), false);
});

Deno.test("checkTicket() throws for no text at all", () => {
  for (const text of ["", ".", "..", "s-1..", "s-1.zz.", "s-1.lfls." + "g".repeat(64), ".".repeat(65_536)]) {
    assertEquals(worth(text), "nothing");
  }
  fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => worth(text) === "nothing"));
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => worth(`s-1.lfls.lfls.${text}`) === "nothing"));
});
