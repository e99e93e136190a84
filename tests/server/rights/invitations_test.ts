/** Invitations: what they are, and that a place of one is used once in the whole network. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { nodeCrypto } from "../../../platform/crypto.ts";
import { readableCode } from "../../../server/rights/readable_code.ts";
import {
  freePlace,
  INVITATION_BYTES,
  invitationFault,
  invitationKey,
  INVITATIONS,
  invitationsOf,
  meantInvitation,
  placeIn,
  placeName,
  USES,
} from "../../../server/rights/invitations.ts";
import { Records } from "../../../server/rights/records.ts";
import { Invitations } from "../../../server/session/login/invitations.ts";
import { MeshWorld } from "../../support/mesh_world.ts";

const KEY = invitationKey("code", nodeCrypto.digest);

function recordsWith(value: unknown, ...used: number[]): Records {
  const at = { lamport: 1, origin: "a", keptAt: "a" };
  const records = new Records();
  records.take({ of: INVITATIONS, key: KEY, value, ...at });
  for (const number of used) records.take({ of: USES, key: `${KEY}:${number}`, value: "x", ...at });
  return records;
}

Deno.test("a code has 26 letters that nobody mistakes, and is known however people write it", () => {
  const code = readableCode(nodeCrypto.randomBytes(INVITATION_BYTES));
  assertMatch(code, /^[a-km-np-z2-9]{26}$/);
  const key = invitationKey(code, nodeCrypto.digest);
  assertMatch(key, /^[0-9a-f]{32}$/);
  assertEquals(invitationKey(` ${code.slice(0, 13).toUpperCase()}-${code.slice(13)}`, nodeCrypto.digest), key);
  assertEquals(placeIn(placeName(key, 12)), `${key}:12`);
});

Deno.test("an invitation is meant by its code, its name, or the beginning of its name, and nothing else", () => {
  const records = recordsWith({ uses: 1, until: null });
  const meant = (named: string) => meantInvitation(named, records, nodeCrypto.digest);
  for (const named of ["code", "CO-DE", KEY, KEY.slice(0, 4), KEY.slice(0, 8).toUpperCase()]) {
    assertEquals(meant(named), { key: KEY }, named);
  }
  for (const named of ["", KEY.slice(0, 3), "other", `${KEY}0`]) assertEquals(meant(named), undefined, named);
  const at = { lamport: 1, origin: "a", keptAt: "a" };
  const other = `${KEY.slice(0, 6)}${KEY.slice(0, 26)}`;
  records.take({ of: INVITATIONS, key: other, value: { uses: 1, until: null }, ...at });
  assertEquals(meant(KEY.slice(0, 6)), "several");
  records.take({ of: INVITATIONS, key: other, value: null, lamport: 2, origin: "a", keptAt: "a" });
  assertEquals(meant(KEY.slice(0, 6)), { key: KEY });
});

Deno.test("an invitation is open until its end, and as long as there are places", () => {
  const place = (records: Records, nowMs = 5, from = 1) => {
    const found = freePlace(KEY, records, nowMs, from);
    return found.ok ? found.number : found.problem;
  };
  assertEquals(place(new Records()), "unknown");
  assertEquals(place(recordsWith({ uses: 2, until: 9 })), 1);
  assertEquals(place(recordsWith({ uses: 2, until: 9 }, 1)), 2);
  assertEquals(place(recordsWith({ uses: 2, until: 9 }, 2, 1)), "usedUp");
  assertEquals(place(recordsWith({ uses: 2, until: 9 }), 5, 3), "usedUp");
  assertEquals(place(recordsWith({ uses: 2, until: 9 }), 9), "ended");
  assertEquals(place(recordsWith({ uses: 2, until: null }), 1e15), 1);
  assertEquals(place(recordsWith(null)), "unknown");
  assertEquals(place(recordsWith({ uses: "many" })), "unknown");
  assertEquals(invitationsOf(recordsWith({ uses: 1, until: null, note: "class 3" }, 1), 5), [
    { key: KEY, uses: 1, until: null, note: "class 3", used: 1, state: "usedUp" },
  ]);
  for (const note of ["", "two\nlines", "x".repeat(201)]) {
    assertEquals(invitationFault({ uses: 1, until: null, note })?.includes("a note"), true, note);
  }
  assertEquals(invitationFault({ uses: 0, until: null })?.includes("uses"), true);
  assertEquals(invitationFault({ uses: 1, until: 1.5 })?.includes("until"), true);
});

Deno.test("a place that was used while it was claimed is given back, and the next one is taken", () => {
  const records = recordsWith({ uses: 2, until: null });
  const claimed: string[] = [];
  let released = 0;
  const invitations = new Invitations({
    areNeeded: () => true,
    records,
    clock: { wallMs: () => 5 },
    keyOf: () => KEY,
    backplane: {
      claim: (name, settled) => {
        claimed.push(name);
        // Its account came from another server, and the lock was free again.
        if (claimed.length === 1) {
          records.take({ of: USES, key: `${KEY}:1`, value: "x", lamport: 9, origin: "b", keptAt: "b" });
        }
        settled({ lamport: 1, registered: () => {}, release: () => void released++ });
      },
    },
  });
  let key: string | undefined;
  invitations.claim("code", (place) => key = place.ok ? place.key : place.refusal.info);
  assertEquals([key, released], [`${KEY}:2`, 1]);
  assertEquals(claimed, [placeName(KEY, 1), placeName(KEY, 2)]);
});

/** Two servers where nobody registers without an invitation; the code has `uses`. */
async function inviting(uses: number, until: number | null = null): Promise<MeshWorld> {
  const world = await MeshWorld.of(["a", "b"], { auth: { registration: "invite" } });
  world.server("a").node.records.set({ of: INVITATIONS, key: KEY, value: { uses, until } });
  await world.equal("a", "b");
  return world;
}

/** The answer to who registers with a code, as a word. */
async function answerTo(world: MeshWorld, server: string, username: string, invitation?: string): Promise<string> {
  const client = await world.client(server, { command: "REGISTER", username, secret: username, invitation });
  const answer = () => client.received.find(({ command }) => command.startsWith("REGISTER_"));
  await world.until(() => answer() !== undefined, `the registration of ${username}`);
  return answer()!.reason ?? answer()!.command;
}

Deno.test("who has an invitation registers at any server, as often as it says, and nobody else does", async () => {
  const world = await inviting(2);
  assertEquals(await answerTo(world, "b", "eve"), "INVITATION");
  assertEquals(await answerTo(world, "b", "eve", "wrong"), "INVITATION");
  assertEquals(await answerTo(world, "b", "anna", "code"), "REGISTER_SUCCESS");
  // A name that is taken costs nothing.
  assertEquals(await answerTo(world, "a", "Anna", "code"), "LOOKS_ALIKE");
  assertEquals(await answerTo(world, "a", "bob", "CODE"), "REGISTER_SUCCESS");
  for (const server of ["a", "b"]) assertEquals(await answerTo(world, server, "carl", "code"), "INVITATION");
  const account = [...world.server("b").entries.values()].find(({ line }) => line.username === "anna")!.line;
  assertEquals(account.invitation, `${KEY}:1`);
  assertEquals(JSON.stringify(account).includes("code"), false);
  world.server("b").kill();
  world.start("b", ["a"], { auth: { registration: "invite" } });
  await world.linked("a", "b");
  assertEquals(await answerTo(world, "b", "carl", "code"), "INVITATION");
});

Deno.test("many who use one code at once on two servers are as many as it says", async () => {
  const world = await inviting(3);
  const names = ["n1x", "n2x", "n3x", "n4x", "n5x", "n6x"];
  const clients = await Promise.all(
    names.map(async (username, index) => {
      const link = await world.dial(index % 2 === 0 ? "a" : "b");
      const client = world.over(link);
      client.send({ command: "REGISTER", username, secret: "s", invitation: "code" });
      return client;
    }),
  );
  const answers = () => clients.flatMap(({ received }) => received.filter(({ command }) => command.startsWith("REG")));
  await world.until(() => answers().length === names.length, "all answers");
  assertEquals(answers().filter(({ command }) => command === "REGISTER_SUCCESS").length, 3);
  assertEquals(new Set(answers().flatMap(({ reason }) => reason ?? [])), new Set(["INVITATION"]));
  await world.equal("a", "b");
  const places = [...world.server("a").node.records.all.of(USES)].map(([place]) => place);
  assertEquals(places.sort(), [1, 2, 3].map((number) => `${KEY}:${number}`));
});

Deno.test("an invitation that is taken back, or has ended, is worth nothing at any server", async () => {
  const ended = await inviting(5, 1);
  assertEquals(await answerTo(ended, "b", "anna", "code"), "INVITATION");
  const world = await inviting(5);
  world.server("b").node.records.set({ of: INVITATIONS, key: KEY, value: null });
  await world.equal("a", "b");
  assertEquals(await answerTo(world, "a", "anna", "code"), "INVITATION");
});

Deno.test("two names that look alike, registered at once on two servers, come to one account", async () => {
  const world = await MeshWorld.of(["a", "b"]);
  const [one, other] = [world.over(await world.dial("a")), world.over(await world.dial("b"))];
  one.send({ command: "REGISTER", username: "scope", secret: "s" });
  other.send({ command: "REGISTER", username: "ѕсоре", secret: "s" });
  const answered = () => [one, other].flatMap(({ commands }) => commands.filter((each) => each.startsWith("REG")));
  await world.until(() => answered().length === 2, "both answers");
  assertEquals(answered().toSorted(), ["REGISTER_FAILED", "REGISTER_SUCCESS"]);
  assert([one, other].some((client) => client.last("REGISTER_FAILED")?.reason === "NAME_TAKEN"));
  // user1 and userl are two people.
  const [first, second] = [world.over(await world.dial("a")), world.over(await world.dial("b"))];
  first.send({ command: "REGISTER", username: "user1", secret: "s" });
  second.send({ command: "REGISTER", username: "userl", secret: "s" });
  await world.until(() => [first, second].every(({ commands }) => commands.includes("REGISTER_SUCCESS")), "both names");
});
