import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { checkTicket, makeTicket, TICKET_LIFETIME_MS, type TicketClaims } from "../../accounts/ticket.ts";
import { nodeCrypto } from "../../platform/crypto.ts";

const keys = new Map([["s-1", "key of 1"], ["s-2", "key of 2"], ["s.3", "key of 3"]]);
const keyOf = (serverId: string) => keys.get(serverId);
const claims: TicketClaims = { serverId: "s-1", username: "anna", verifier: "scrypt$2$aa$bb", expiresAtMs: 1_000_000 };
const ticket = makeTicket("key of 1", claims, nodeCrypto);

function isGood(text: string, changed: Partial<TicketClaims> & { nowMs?: number } = {}): boolean {
  const { username, verifier, nowMs = 0 } = { ...claims, ...changed };
  return checkTicket(text, username, verifier, nowMs, keyOf, nodeCrypto);
}

Deno.test("hmac() is HMAC-SHA-256 (RFC 4231, test case 2)", () => {
  const expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  assertEquals(nodeCrypto.hmac("Jefe", "what do ya want for nothing?"), expected);
});

Deno.test("a ticket is good for its account until it expires, and says nothing of it", () => {
  assertMatch(ticket, /^s-1\.lfls\.[0-9a-f]{64}$/);
  assertEquals(isGood(ticket), true);
  assertEquals(isGood(ticket, { nowMs: 999_999 }), true);
  assertEquals(isGood(ticket, { nowMs: 1_000_000 }), false);
  assertEquals(TICKET_LIFETIME_MS, 86_400_000);
  assertEquals(isGood(makeTicket("key of 3", { ...claims, serverId: "s.3" }, nodeCrypto)), true);
});

Deno.test("a ticket is worth nothing for another user, after a change of the secret, or from a server whose key is not known", () => {
  assertEquals(isGood(ticket, { username: "bob" }), false);
  assertEquals(isGood(ticket, { verifier: "scrypt$2$aa$bc" }), false);
  assertEquals(isGood(ticket.replace("s-1", "s-2")), false);
  assertEquals(isGood(ticket.replace("s-1", "s-9")), false);
  assertEquals(isGood(makeTicket("another key", claims, nodeCrypto)), false);
  // Where two fields meet, nothing can be moved from one to the other.
  assertEquals(isGood(ticket, { username: "annas", verifier: "crypt$2$aa$bb" }), false);
});

Deno.test("a ticket with one character changed is worth nothing", () => {
  const character = fc.constantFrom(..."0123456789abcdefz.$ -");
  fc.assert(fc.property(fc.nat(ticket.length - 1), character, (at, other) => {
    const changed = ticket.slice(0, at) + other + ticket.slice(at + 1);
    assertEquals(isGood(changed), changed === ticket);
  }));
  assertEquals(isGood(ticket.replace(".lfls.", ".0lfls.")), false);
});

Deno.test("checkTicket() throws for no text at all", () => {
  for (const text of ["", ".", "..", "s-1..", "s-1.zz.", "s-1.lfls." + "g".repeat(64), ".".repeat(65_536)]) {
    assertEquals(isGood(text), false);
  }
  fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" })), (text) => assert(!isGood(text))));
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => assert(!isGood(`s-1.lfls.${text}`))));
});
