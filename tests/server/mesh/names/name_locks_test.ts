import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Claim, NameLocks } from "../../../../server/mesh/names/name_locks.ts";

const ALLOWED = { isAllowed: true, loses: [] as string[] };
const LOST = { isAllowed: true, loses: ["anna"] };
const DENIED = { isAllowed: false, loses: [] as string[] };

function anna(lamport: number, origin: string): Claim {
  return { username: "anna", lamport, origin };
}

Deno.test("claim() is granted at once where there is nobody to ask, else when all have allowed it", () => {
  assertEquals(new NameLocks("a").claim("anna", 1, []), "granted");
  const locks = new NameLocks("a");
  assertEquals(locks.claim("anna", 1, ["b", "c"]), "wait");
  assertEquals(locks.onAnswer("anna", 1, "b", true), undefined);
  assertEquals(locks.onAnswer("anna", 1, "b", true), undefined);
  assertEquals(locks.onAnswer("anna", 1, "c", true), "granted");
  assertEquals(locks.onAnswer("anna", 1, "c", false), undefined);
});

Deno.test("claim() is denied by one denial, and the name is free here again", () => {
  const locks = new NameLocks("a");
  locks.claim("anna", 1, ["b", "c"]);
  assertEquals(locks.onAnswer("anna", 1, "b", false), "denied");
  assertEquals(locks.onAnswer("anna", 1, "c", true), undefined);
  assertEquals(locks.size, 0);
  // Answers to the claim of before are about nothing now.
  locks.claim("anna", 4, ["b", "c"]);
  assertEquals(locks.onAnswer("anna", 1, "c", false), undefined);
  assertEquals(locks.onAnswer("anna", 4, "x", false), undefined);
  assertEquals(locks.onAnswer("bob", 4, "b", false), undefined);
});

Deno.test("claim() is denied while the name is locked here, for another server or for a client of this one", () => {
  const locks = new NameLocks("a");
  assertEquals(locks.onRequest(anna(5, "b"), false), ALLOWED);
  assertEquals(locks.claim("anna", 6, []), "denied");
  assertEquals(locks.claim("bob", 6, []), "granted");
  assertEquals(locks.claim("bob", 7, []), "denied");
});

Deno.test("a lock is on what the name looks like, and two names of ASCII alone are two unless they differ in case only", () => {
  const locks = new NameLocks("m");
  assertEquals(locks.claim("scope", 5, ["b"]), "wait");
  assertEquals(locks.claim("ѕсоре", 6, ["b"]), "denied");
  assertEquals(locks.claim("SCOPE", 6, ["b"]), "denied");
  assertEquals(locks.onRequest({ username: "ѕсоре", lamport: 7, origin: "b" }, false), DENIED);
  assertEquals(locks.onRequest({ username: "ѕсоре", lamport: 4, origin: "b" }, false), {
    isAllowed: true,
    loses: ["scope"],
  });
  assertEquals([locks.size, locks.claim("scope", 8, [])], [1, "denied"]);
  locks.release({ username: "ѕсоре", lamport: 4, origin: "b" });
  assertEquals([locks.size, locks.claim("scope", 8, [])], [0, "granted"]);
  assertEquals([locks.claim("user1", 9, []), locks.claim("userl", 10, [])], ["granted", "granted"]);
});

Deno.test("onRequest() denies a name that has an account, and one that was granted here", () => {
  const locks = new NameLocks("m");
  assertEquals(locks.onRequest(anna(5, "b"), true), DENIED);
  assertEquals(locks.size, 0);
  locks.claim("anna", 9, []);
  assertEquals(locks.onRequest(anna(5, "b"), false), DENIED);
});

Deno.test("onRequest() lets the lower of two claims win, by Lamport time and then by name", () => {
  const answer = (claim: Claim) => {
    const locks = new NameLocks("m");
    locks.claim("anna", 5, ["b", "z"]);
    return locks.onRequest(claim, false);
  };
  assertEquals(answer(anna(4, "z")), LOST);
  assertEquals(answer(anna(5, "b")), LOST);
  assertEquals(answer(anna(5, "z")), DENIED);
  assertEquals(answer(anna(6, "b")), DENIED);
  // Between two others the same rule holds, and no claim of ours is lost by it.
  const locks = new NameLocks("m");
  assertEquals(locks.onRequest(anna(5, "c"), false), ALLOWED);
  assertEquals(locks.onRequest(anna(6, "b"), false), DENIED);
  assertEquals(locks.onRequest(anna(5, "b"), false), ALLOWED);
  assertEquals(locks.onRequest(anna(5, "c"), false), DENIED);
  assertEquals(locks.onRequest(anna(9, "b"), false), ALLOWED);
});

Deno.test("a claim that was lost hears no more of its answers", () => {
  const locks = new NameLocks("m");
  locks.claim("anna", 5, ["b"]);
  assertEquals(locks.onRequest(anna(4, "b"), false), LOST);
  assertEquals(locks.onAnswer("anna", 5, "b", true), undefined);
  locks.release(anna(5, "m"));
  assertEquals(locks.claim("anna", 6, []), "denied");
});

Deno.test("peerGone() frees what the peer held, and grants what waited for nobody else", () => {
  const locks = new NameLocks("a");
  locks.onRequest(anna(1, "b"), false);
  locks.onRequest({ username: "bob", lamport: 1, origin: "c" }, false);
  locks.claim("carl", 2, ["b"]);
  locks.claim("dora", 3, ["b", "c"]);
  locks.claim("eve", 4, []);
  assertEquals(locks.peerGone("b"), [{ username: "carl", lamport: 2, origin: "a" }]);
  assertEquals(locks.claim("anna", 5, []), "granted");
  assertEquals(locks.claim("bob", 6, []), "denied");
  assertEquals(locks.onAnswer("dora", 3, "c", true), "granted");
  assertEquals(locks.peerGone("b"), []);
});

Deno.test("release() ends the claim that it names and no other", () => {
  const locks = new NameLocks("a");
  locks.onRequest(anna(7, "b"), false);
  locks.release(anna(6, "b"));
  locks.release(anna(7, "c"));
  assertEquals(locks.size, 1);
  locks.release(anna(7, "b"));
  locks.release(anna(7, "b"));
  assertEquals(locks.size, 0);
});

Deno.test("onRequest() denies when more names are locked than there can be registrations", () => {
  const locks = new NameLocks("a", 3);
  const ask = (n: number) => locks.onRequest({ username: `user${n}`, lamport: n, origin: "b" }, false).isAllowed;
  assertEquals([1, 2, 3, 4].map(ask), [true, true, true, false]);
  // One that is locked already takes no more place.
  assertEquals(locks.onRequest({ username: "user2", lamport: 1, origin: "a0" }, false).isAllowed, true);
});

type Line =
  | { kind: "request" | "release"; claim: Claim }
  | { kind: "answer"; lamport: number; isAllowed: boolean }
  | { kind: "account" }
  | { kind: "gone" };

/** What a schedule does next; numbers are taken modulo what there is. */
type Move = { kind: "claim" | "deliver" | "die"; pick: number };

/** Servers that are all linked with each other by lines that arrive in order, one name, and its accounts. */
class Network {
  readonly names: string[];
  readonly locks: NameLocks[];
  readonly lamports: number[];
  readonly dead = new Set<number>();
  readonly accounts: Set<number>[] = [];
  readonly lines = new Map<string, Line[]>();
  readonly claims: { claim: Claim; by: number; result: "open" | "granted" | "denied" }[] = [];

  constructor(count: number) {
    this.names = Array.from({ length: count }, (_, n) => `s${n}`);
    this.locks = this.names.map((name) => new NameLocks(name));
    this.lamports = this.names.map(() => 0);
    this.accounts = this.names.map(() => new Set());
  }

  get winners(): number[] {
    return this.claims.filter(({ result }) => result === "granted").map(({ by }) => by);
  }

  do({ kind, pick }: Move): void {
    if (kind === "claim") this.#claim(pick % this.names.length);
    else if (kind === "die") this.#die(pick % this.names.length);
    else this.#deliver(pick);
  }

  /** Delivers all that is under way, in an order that `picks` gives. */
  settle(picks: readonly number[]): void {
    for (let n = 0; this.#busy().length > 0; n++) this.#deliver(picks[n % picks.length]!);
  }

  #claim(by: number): void {
    if (this.dead.has(by) || this.accounts[by]!.size > 0) return;
    const claim = anna(++this.lamports[by]!, this.names[by]!);
    const peers = this.#peers(by);
    const result = this.locks[by]!.claim("anna", claim.lamport, peers.map((peer) => this.names[peer]!));
    if (result === "denied") return;
    this.claims.push({ claim, by, result: "open" });
    for (const peer of peers) this.#send(by, peer, { kind: "request", claim });
    if (result === "granted") this.#settle(by, claim.lamport, "granted");
  }

  #die(who: number): void {
    if (this.dead.has(who)) return;
    this.dead.add(who);
    for (const peer of this.#peers(who)) {
      // What it had sent may have arrived in part.
      const sent = this.#queue(who, peer);
      sent.splice(Math.ceil(sent.length / 2));
      sent.push({ kind: "gone" });
      this.#queue(peer, who).length = 0;
    }
  }

  #deliver(pick: number): void {
    const busy = this.#busy();
    if (busy.length === 0) return;
    const [from, to] = busy[pick % busy.length]!.split(" ").map(Number) as [number, number];
    const line = this.#queue(from, to).shift()!;
    const locks = this.locks[to]!;
    switch (line.kind) {
      case "request": {
        this.lamports[to] = Math.max(this.lamports[to]!, line.claim.lamport) + 1;
        const { isAllowed, loses } = locks.onRequest(line.claim, this.accounts[to]!.size > 0);
        if (loses.length > 0) this.#settle(to, undefined, "denied");
        this.#send(to, from, { kind: "answer", lamport: line.claim.lamport, isAllowed });
        break;
      }
      case "answer": {
        const outcome = locks.onAnswer("anna", line.lamport, this.names[from]!, line.isAllowed);
        if (outcome !== undefined) this.#settle(to, line.lamport, outcome);
        break;
      }
      case "release":
        locks.release(line.claim);
        break;
      case "account":
        this.accounts[to]!.add(from);
        break;
      case "gone":
        for (const { lamport } of locks.peerGone(this.names[from]!)) this.#settle(to, lamport, "granted");
    }
  }

  #settle(by: number, lamport: number | undefined, result: "granted" | "denied"): void {
    const mine = this.claims.find((one) =>
      one.by === by && one.result === "open" && (lamport ?? one.claim.lamport) === one.claim.lamport
    );
    assert(mine !== undefined, "only a claim that is open can be settled");
    mine.result = result;
    if (result === "granted") {
      this.accounts[by]!.add(by);
      for (const peer of this.#peers(by)) this.#send(by, peer, { kind: "account" });
    }
    this.locks[by]!.release(mine.claim);
    for (const peer of this.#peers(by)) this.#send(by, peer, { kind: "release", claim: mine.claim });
  }

  #peers(of: number): number[] {
    return [...this.names.keys()].filter((peer) => peer !== of && !this.dead.has(peer));
  }

  #queue(from: number, to: number): Line[] {
    const key = `${from} ${to}`;
    if (!this.lines.has(key)) this.lines.set(key, []);
    return this.lines.get(key)!;
  }

  #send(from: number, to: number, line: Line): void {
    if (!this.dead.has(to)) this.#queue(from, to).push(line);
  }

  #busy(): string[] {
    return [...this.lines.keys()].filter((key) => this.lines.get(key)!.length > 0);
  }
}

const pick = fc.nat(1000);
const picks = fc.array(pick, { minLength: 1, maxLength: 30 });
const claimOrDeliver: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom("claim", "deliver", "deliver", "deliver"),
  pick,
});
const anything: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom("claim", "deliver", "deliver", "deliver", "die"),
  pick,
});

Deno.test("of all who claim a name at once exactly one wins: the lowest (lamport, origin)", () => {
  const starts = fc.array(fc.nat(4), { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(starts, picks, (lamports, order) => {
      const network = new Network(lamports.length);
      for (const [n, lamport] of lamports.entries()) network.lamports[n] = lamport;
      for (const n of lamports.keys()) network.do({ kind: "claim", pick: n });
      network.settle(order);
      const lowest = lamports.indexOf(Math.min(...lamports));
      assertEquals(network.winners, [lowest]);
      assert(network.locks.every(({ size }) => size === 0), "a lock was left behind");
    }),
    { numRuns: 1000 },
  );
});

Deno.test("while nobody dies, exactly one of all claims of a name wins, whenever they are made", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 5 }),
      fc.array(claimOrDeliver, { maxLength: 60 }),
      picks,
      (n, moves, order) => {
        const network = new Network(n);
        for (const move of moves) network.do(move);
        network.settle(order);
        assertEquals(network.winners.length, network.claims.length === 0 ? 0 : 1);
        assert(network.claims.every(({ result }) => result !== "open"), "a claim was never settled");
        assert(network.locks.every(({ size }) => size === 0), "a lock was left behind");
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("at most one of those who survive has a name, and deaths leave no claim waiting", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 5 }), fc.array(anything, { maxLength: 60 }), picks, (n, moves, order) => {
      const network = new Network(n);
      for (const move of moves) network.do(move);
      network.settle(order);
      const survivors = network.winners.filter((winner) => !network.dead.has(winner));
      assert(survivors.length <= 1, `${survivors} all have the name`);
      const open = network.claims.filter(({ result, by }) => result === "open" && !network.dead.has(by));
      assertEquals(open, []);
      for (const [who, { size }] of network.locks.entries()) assert(network.dead.has(who) || size === 0);
    }),
    { numRuns: 2000 },
  );
});
