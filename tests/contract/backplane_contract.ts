/**
 * What every backplane promises to its server (server/backplane/backplane.ts), as long as no other
 * server can be reached.
 */

import { assert, assertEquals, assertGreater } from "@std/assert";
import { type FaultGuard, Faults } from "../../platform/faults.ts";
import type { Backplane, BackplaneOwner, NameClaim } from "../../server/backplane/backplane.ts";
import { Journal } from "../../server/journal/journal.ts";
import { openMemoryStore } from "../../server/store/memory_store.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** What a backplane under test is made with: those around it of one server. */
export interface BackplaneSurroundings {
  readonly journal: Journal;
  readonly clock: FakeClock;
  readonly faults: FaultGuard;
  readonly owner: BackplaneOwner;
  readonly ticketKey: string;
}

/** How the suite makes a backplane of one kind. */
export interface BackplaneKind {
  readonly name: string;
  make(surroundings: BackplaneSurroundings): Backplane;
}

const LISTENING = { host: "192.0.2.1", port: 4_242 };
/** Longer than any backplane lets anybody wait for somebody who cannot be reached. */
const PATIENCE_MS = 11_000;
const ABOUT = {
  ...{ activity: "{}", username: "anonymous", quotedUsername: '"anonymous"' },
  ...{ messageId: undefined, lamport: undefined, after: undefined },
};

/** Keeps what was caught. */
class KeptFaults extends Faults {
  readonly caughtErrors: unknown[] = [];

  override caught(_where: unknown, error: unknown): void {
    this.caughtErrors.push(error);
  }
}

/** A server around one backplane, which was not started yet. */
export class Surrounded {
  readonly clock = new FakeClock();
  readonly faults = new KeptFaults();
  readonly journal: Journal;
  readonly backplane: Backplane;
  /** What was called, in order. */
  readonly called: string[] = [];
  /** What the backplane has told, in order. */
  readonly told: (keyof BackplaneOwner)[] = [];

  constructor(kind: BackplaneKind) {
    const kept = { tailBytes: 1_000_000, messagesWaitMs: 1_000 };
    this.journal = new Journal(openMemoryStore({ serverId: "s-1" }), this.clock, kept, {
      committed: ({ segments, waiting }) => {
        if (segments.length > 0) this.backplane.committed(segments);
        for (const one of waiting) one.committed();
        if (segments.length > 0) this.backplane.delivered();
      },
      failed: (error) => {
        throw error;
      },
    });
    const { journal, clock, faults } = this;
    this.backplane = kind.make({ journal, clock, faults, owner: this.#owner(), ticketKey: "the key" });
  }

  /** Notes what is told. */
  #owner(): BackplaneOwner {
    const note = (what: keyof BackplaneOwner) => () => void this.told.push(what);
    return {
      ...{ membersChanged: note("membersChanged"), met: note("met"), startedAnew: note("startedAnew") },
      ...{ gone: note("gone"), said: note("said"), announced: note("announced") },
      ...{ renumbered: note("renumbered"), renamed: note("renamed") },
      announcesNext: () => this.told.push("announcesNext") > 0,
      ...{ cutBack: note("cutBack"), isClone: note("isClone") },
      forgotten: () => {
        this.told.push("forgotten");
        return false;
      },
      joined: (told) => {
        this.told.push("joined");
        this.called.push("joined");
        told();
      },
    };
  }

  /** Notes `name` when it is called. */
  call(name: string): () => void {
    return () => void this.called.push(name);
  }

  /** Claims a name; what that has come to, once it is known. */
  async claim(username: string): Promise<NameClaim | undefined> {
    const settled: (NameClaim | undefined)[] = [];
    this.backplane.claim(username, (claim) => settled.push(claim));
    await this.clock.run(PATIENCE_MS);
    assertEquals(settled.length, 1, "a claim is settled once");
    return settled[0];
  }
}

/** Registers the tests. */
export function testBackplaneContract(kind: BackplaneKind): void {
  const { name } = kind;

  /** Runs `act` with one that has begun; what is left of it is ended. */
  const test = (promise: string, act: (server: Surrounded) => void | Promise<void>, begins = true) => {
    Deno.test(`${name} ${promise}`, async () => {
      const server = new Surrounded(kind);
      if (begins) {
        server.backplane.start(LISTENING);
        server.called.length = 0;
      }
      await act(server);
      await server.backplane.stop();
      assertEquals(server.clock.timersWaiting, 0, "no timer stays");
    });
  };

  test("says who this server is, and that there is nobody else", ({ backplane }) => {
    assertEquals(backplane.self, { serverId: "s-1", ...LISTENING });
    assertEquals([backplane.members, [...backplane.routes], backplane.isAlone], [[], [], true]);
    assertEquals(["s-1", "s-2", ""].map((serverId) => backplane.isMember(serverId)), [true, false, false]);
    assertEquals(["s-1", "s-2"].map((serverId) => backplane.ticketKeyOf(serverId)), ["the key", undefined]);
  });

  test("joins when it is started, and calls those who waited once, in their order", (server) => {
    const { backplane, called } = server;
    assertEquals(backplane.isJoined, false);
    for (const who of ["one", "two"]) backplane.whenJoined(server.call(who));
    assertEquals(called, []);
    backplane.start(LISTENING);
    assertEquals([backplane.isJoined, called], [true, ["joined", "one", "two"]]);
    backplane.whenJoined(server.call("late"));
    assertEquals(called, ["joined", "one", "two", "late"]);
  }, false);

  test("calls who waits to join although the one before has a fault", (server) => {
    const { backplane, called, faults } = server;
    const fault = new Error("in a handler");
    backplane.whenJoined(() => {
      throw fault;
    });
    backplane.whenJoined(server.call("two"));
    backplane.start(LISTENING);
    assertEquals([called, faults.caughtErrors], [["joined", "two"], [fault]]);
  }, false);

  test("tells its owner that it has joined, once, and has nothing else to tell", async ({ backplane, told, clock }) => {
    assertEquals(told, []);
    backplane.start(LISTENING);
    assertEquals(told, ["joined"]);
    await clock.run(PATIENCE_MS);
    backplane.retire();
    await backplane.finish(1_000);
    backplane.silence();
    await backplane.stop();
    await clock.run(PATIENCE_MS);
    assertEquals(told, ["joined"]);
  }, false);

  test("lets no server in that has no secret of its network", ({ backplane }) => {
    const stranger = {
      ...{ command: "AUTHENTICATE", secret: "guessed", features: [], vector: {} } as const,
      ...{ serverId: undefined, host: undefined, port: undefined, lamport: undefined },
    };
    for (let times = 0; times < 20; times++) {
      const kind = backplane.door?.admit(stranger, { remoteHost: "192.0.2.66" }, undefined).kind ?? "refused";
      assert(kind === "refused" || kind === "notNow", kind);
    }
  });

  test("calls nobody who waits once it has stopped", async (server) => {
    const { backplane, called, clock } = server;
    backplane.whenJoined(server.call("joined"));
    backplane.whenHere("s-2:9", server.call("here"));
    // Before it stops it may call: nobody can bring that entry.
    called.length = 0;
    await backplane.stop();
    await clock.run(PATIENCE_MS);
    assertEquals(called, []);
  }, false);

  test("takes the commit of this server for safe where there is nobody else", (server) => {
    const { backplane, journal, called } = server;
    const entry = journal.publish(ABOUT);
    // In the call: the answer goes out with the turn.
    backplane.whenSafe(entry, server.call("safe"), server.call("pending"));
    backplane.whenSafe({ origin: "s-2", sequence: 3 }, server.call("at two already"));
    assertEquals([called, backplane.pending], [["safe", "at two already"], 0]);
    journal.flush();
    assertEquals(called.length, 2);
  });

  test("calls at once who waits for what is here, or for nothing", (server) => {
    const { backplane, journal, called } = server;
    journal.publish(ABOUT);
    journal.flush();
    for (const id of [undefined, "s-1:1", "no id"]) backplane.whenHere(id, server.call(`${id}`));
    assertEquals(called, ["undefined", "s-1:1", "no id"]);
  });

  test("calls who waits for what nobody can bring, once, before a client loses its patience", async (server) => {
    const { backplane, called, clock } = server;
    backplane.whenHere("s-2:9", server.call("here"));
    await clock.run(PATIENCE_MS);
    assertEquals(called, ["here"]);
  });

  test("gives a name to one claim at a time, each later than the one before", async (server) => {
    const first = await server.claim("anna");
    assert(first !== undefined);
    assertEquals(await server.claim("anna"), undefined);
    const other = await server.claim("bob");
    assert(other !== undefined);
    first.release();
    const second = await server.claim("anna");
    assert(second !== undefined);
    assertGreater(second.lamport, first.lamport);
    // It is over: it frees nothing any more.
    first.release();
    assertEquals(await server.claim("anna"), undefined);
    assertGreater(server.journal.tick(), second.lamport);
    second.release();
    other.release();
  });

  test("ends a claim when the account is registered, and tells that once", async (server) => {
    const { journal, clock, called } = server;
    const claim = await server.claim("anna");
    assert(claim !== undefined);
    journal.register({ username: "anna", verifier: "v", claim: claim.lamport }, () => {});
    journal.flush();
    claim.registered({ origin: "s-1", sequence: 1 }, server.call("registered"));
    claim.registered({ origin: "s-1", sequence: 1 }, server.call("registered again"));
    claim.release();
    await clock.run(PATIENCE_MS);
    assertEquals(called, ["registered"]);
    const again = await server.claim("anna");
    assert(again !== undefined, "whether the name has an account is not asked of it");
    claim.release();
    assertEquals(await server.claim("anna"), undefined);
    again.release();
  });

  test("lets small talk go where nobody hears it, and takes every call after its end", async (server) => {
    const { backplane, journal } = server;
    const message = { command: "ONLINE", users: [] } as const;
    const talk = () => {
      backplane.say(message);
      backplane.say(message, "s-2");
      backplane.announceSoon();
      backplane.forgot({ "s-2": 4 });
      backplane.reserveIsBack();
      journal.publish(ABOUT);
      journal.flush();
    };
    talk();
    backplane.retire();
    talk();
    await backplane.finish(1_000);
    backplane.silence();
    talk();
    await backplane.stop();
    talk();
    assertEquals(server.faults.caughtErrors, []);
  });
}
