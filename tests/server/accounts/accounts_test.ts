import { assert, assertEquals, assertMatch } from "@std/assert";
import { Accounts } from "../../../server/accounts/accounts.ts";
import { makeVerifier, matchesVerifier } from "../../../server/accounts/verifier.ts";
import { nodeCrypto } from "../../../platform/crypto.ts";

const clock = { nowMs: () => 0, wallMs: () => 0 };

/** Whoever waits for an answer. */
function somebody(remoteHost = "127.0.0.1") {
  return { remoteHost };
}

/** Counts derivations, and makes them fast. */
function countingCrypto() {
  const counts = { now: 0, most: 0, all: 0 };
  const crypto = {
    ...nodeCrypto,
    async scrypt(secret: string, salt: Uint8Array, _cost: number, length: number) {
      counts.all++;
      counts.most = Math.max(counts.most, ++counts.now);
      const key = await nodeCrypto.scrypt(secret, salt, 2, length);
      counts.now--;
      return key;
    },
  };
  return { counts, crypto };
}

Deno.test("a verifier matches its secret and no other, and two of one secret differ", async () => {
  const [one, other] = await Promise.all([makeVerifier("pass", nodeCrypto), makeVerifier("pass", nodeCrypto)]);
  assertMatch(one, /^scram\$16384\$[0-9a-f]{32}\$[0-9a-f]{64}\$[0-9a-f]{64}$/);
  assert(one !== other);
  assert(!one.includes("pass"));
  assertEquals(await matchesVerifier("pass", one, nodeCrypto), true);
  assertEquals(await matchesVerifier("Pass", one, nodeCrypto), false);
});

Deno.test("a verifier that cannot be read, or would cost too much, matches nothing", async () => {
  for (const bad of ["", "x", "scrypt$3$aa$bb", "scrypt$2097152$aa$bb", "scrypt$16384$$", "md5$2$aa$bb"]) {
    assertEquals(await matchesVerifier("pass", bad, nodeCrypto), false);
  }
});

Deno.test("Accounts.register() reserves the name until it is settled, so that one of two wins", async () => {
  const { crypto } = countingCrypto();
  const stored = new Map<string, { verifier: string }>();
  const accounts = new Accounts({ account: (name) => stored.get(name) }, crypto, clock);
  const [first, second] = await Promise.all([
    accounts.register("anna", "a", somebody()),
    accounts.register("anna", "b", somebody()),
  ]);
  assert(first.ok);
  assertEquals(second, { ok: false, reason: "NAME_TAKEN" });
  assertEquals((await accounts.register("anna", "b", somebody())).ok, false);
  stored.set("anna", first);
  accounts.settled("anna");
  assertEquals(await accounts.register("anna", "b", somebody()), { ok: false, reason: "NAME_TAKEN" });
  assertEquals(await accounts.checkLogin({ username: "anna", secret: "b" }, somebody()), {
    ok: false,
    reason: "WRONG_SECRET",
  });
  assertEquals((await accounts.checkLogin({ username: "anna", secret: "a" }, somebody())).ok, true);
  assertEquals(await accounts.checkLogin({ username: "bob", secret: "a" }, somebody()), {
    ok: false,
    reason: "UNKNOWN_USER",
  });
});

Deno.test("Accounts.checkLogin() derives once for a client that comes back, a few at a time for many", async () => {
  const { counts, crypto } = countingCrypto();
  const stored = new Map<string, { verifier: string }>();
  for (let user = 0; user < 20; user++) stored.set(`u${user}`, { verifier: await makeVerifier("s", crypto) });
  // Fast verifiers, as the cost stands in them.
  for (const account of stored.values()) account.verifier = account.verifier.replace("$16384$", "$2$");
  const accounts = new Accounts({ account: (name) => stored.get(name) }, crypto, clock);
  counts.all = 0;
  const logins = () =>
    Promise.all([...stored.keys()].map((name) => accounts.checkLogin({ username: name, secret: "s" }, somebody())));
  assert((await logins()).every(({ ok }) => ok));
  assertEquals(counts.all, 20);
  assert(counts.most <= 2, `${counts.most} derivations at once`);
  assert((await logins()).every(({ ok }) => ok));
  assertEquals(counts.all, 20);
  // Another secret is never taken from what is remembered.
  assertEquals((await accounts.checkLogin({ username: "u1", secret: "t" }, somebody())).ok, false);
});

Deno.test("Accounts.matches() recognises the pair of a login, and nothing else", async () => {
  const { crypto } = countingCrypto();
  const verifier = (await makeVerifier("s", crypto)).replace("$16384$", "$2$");
  const accounts = new Accounts({ account: () => ({ verifier }) }, crypto, clock);
  const result = await accounts.checkLogin({ username: "anna", secret: "s" }, somebody());
  assert(result.ok);
  assertEquals(accounts.matches("anna", "s", result.proven.digest), true);
  assertEquals(accounts.matches("anna", "t", result.proven.digest), false);
  assertEquals(accounts.matches("bob", "s", result.proven.digest), false);
  assert(!result.proven.digest!.includes("s\0"));
});

Deno.test("Accounts derives nothing for who gave up, and lets others go before who can wait", async () => {
  const derived: string[] = [];
  const ends: (() => void)[] = [];
  const crypto = {
    ...nodeCrypto,
    scrypt: (secret: string, _salt: Uint8Array, _cost: number, length: number) => {
      derived.push(secret);
      return new Promise<Uint8Array>((resolve) => ends.push(() => resolve(new Uint8Array(length))));
    },
  };
  const accounts = new Accounts({ account: () => undefined }, crypto, clock);
  const applicants = ["1", "2", "waits", "gives up", "3"].map((name) => ({ ...somebody(), name, settled: "" }));
  const all = applicants.map(async (applicant) => {
    try {
      applicant.settled = (await accounts.register(applicant.name, applicant.name, applicant)).ok ? "ok" : "taken";
    } catch {
      applicant.settled = "gave up";
    }
  });
  accounts.letOthersGoFirst(applicants[2]!);
  accounts.giveUp(applicants[3]!);
  // Its derivation was begun: there is nothing to be spared any more.
  accounts.giveUp(applicants[0]!);
  for (let count = 0; count < 5; count++) {
    ends.splice(0).forEach((end) => end());
    await new Promise((resolve) => setTimeout(resolve));
  }
  await Promise.all(all);
  assertEquals(derived, ["1", "2", "3", "waits"]);
  assertEquals(applicants.map(({ settled }) => settled), ["ok", "ok", "ok", "gave up", "ok"]);
  const again = accounts.register("gives up", "s", somebody());
  ends.splice(0).forEach((end) => end());
  assertEquals((await again).ok, true);
});

Deno.test("Accounts looks at no secret of an address that has tried too many, at the right one neither, and serves its user elsewhere", async () => {
  const { counts, crypto } = countingCrypto();
  const now = { ms: 0 };
  const verifier = (await makeVerifier("s", crypto)).replace("$16384$", "$2$");
  const accounts = new Accounts({ account: () => ({ verifier }) }, crypto, { ...clock, nowMs: () => now.ms });
  const guesses = Array.from({ length: 1_000 }, (_, n) => ({ username: "anna", secret: `guess ${n}` }));
  counts.all = 0;
  const results = await Promise.all(guesses.map((guess) => accounts.checkLogin(guess, somebody("127.0.0.2"))));
  // Three are forgiven. The fourth costs a second; another one was under way by then.
  assert(counts.all <= 5, `${counts.all} derivations`);
  assertEquals(results.filter((result) => !result.ok && result.reason === "WRONG_SECRET").length, counts.all);
  assertEquals(results.filter((result) => !result.ok && result.reason === "TOO_MANY").length, 1_000 - counts.all);
  const right = { username: "anna", secret: "s" };
  assertEquals((await accounts.checkLogin(right, somebody("127.0.0.3"))).ok, true);
  const refused = await accounts.checkLogin(right, somebody("127.0.0.2"));
  assert(!refused.ok && refused.reason === "TOO_MANY" && refused.retryAfterMs > 0, JSON.stringify(refused));
  now.ms += refused.retryAfterMs;
  assertEquals((await accounts.checkLogin(right, somebody("127.0.0.2"))).ok, true);
  assertEquals(accounts.waiting, 0);
});

Deno.test("Accounts lets a stolen ticket make no try cheaper, and its owner in with the secret", async () => {
  const { counts, crypto } = countingCrypto();
  const now = { ms: 0 };
  const moving = { nowMs: () => now.ms, wallMs: () => now.ms };
  const stored = new Map<string, { verifier: string }>();
  const tickets = { serverId: "s-1", keyOf: () => "key", maxAgeMs: 1e9 };
  const accounts = new Accounts({ account: (name) => stored.get(name) }, crypto, moving, tickets);
  const registered = await accounts.register("anna", "s", somebody());
  assert(registered.ok);
  stored.set("anna", registered);
  const login = await accounts.checkLogin({ username: "anna", secret: "s" }, somebody());
  assert(login.ok);
  const ticket = accounts.ticketFor("anna", "s", login.proven)!;
  counts.all = 0;
  const tried = [];
  for (let n = 0; n < 10; n++) {
    const from = somebody(`127.0.0.${n + 2}`);
    tried.push(await accounts.checkLogin({ username: "anna", secret: `guess ${n}`, ticket }, from));
  }
  assert(tried.every((result) => !result.ok && result.reason === "WRONG_SECRET"));
  // The first four cost nobody anything. From then on the ticket is passed over.
  assertEquals(counts.all, 6);
  const owner = await accounts.checkLogin({ username: "anna", secret: "s", ticket }, somebody());
  assertEquals([owner.ok, owner.ok && owner.proven], [true, login.proven]);
});
