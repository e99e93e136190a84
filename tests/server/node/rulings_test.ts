/** What an operator lays down at one server holds at all servers of the network (docs/protocol.md, section 4.12). */

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { InviteResult } from "../../../server/node/invitation_office.ts";
import type { RecordProblem } from "../../../server/node/operator_records.ts";
import {
  type AskedRuling,
  MAX_RULINGS,
  type ResetResult,
  RulingOffice,
  type RulingOfficeParts,
  type RulingResult,
} from "../../../server/node/ruling_office.ts";
import { Rulings } from "../../../server/accounts/rulings.ts";
import { loginOf, type MeshClient, MeshWorld } from "../../support/mesh_world.ts";

const OPERATOR = "192.0.2.7";

/** What became of a ruling that is laid down at a server. */
async function rule(world: MeshWorld, at: string, ruling: Omit<AskedRuling, "by">): Promise<RulingResult> {
  let result: RulingResult | undefined;
  void world.server(at).node.rule({ by: OPERATOR, ...ruling }).then((became) => result = became);
  await world.until(() => result !== undefined, "an answer");
  return result!;
}

/** What holds at a server. */
function rulingsOf(world: MeshWorld, at: string): string[] {
  return [...world.server(at).node.rulings].map(({ kind, about, terms }) => [kind, about, terms?.why].join(" ")).sort();
}

/** The reason and the sentence of the refusal of a login. */
async function refusedLogin(world: MeshWorld, at: string, username: string, more = {}): Promise<unknown[]> {
  const client = await world.client(at, loginOf(username, more));
  await world.until(() => client.received.length > 0, "an answer");
  const { command, reason, info } = client.received[0]!;
  return [command, reason, info];
}

async function shownOut(world: MeshWorld, client: MeshClient): Promise<unknown[]> {
  await world.until(() => client.commands.includes("END_CONNECTION"), "the end");
  const { reason, info, reconnect } = client.last("END_CONNECTION")!;
  return [reason, info, reconnect];
}

Deno.test("a user who is banned at one server is shown out at every server, and let in at none", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  await world.users("anna", "eve", "mia");
  const [here, there] = [
    await world.login("anna", "eve", { redirects: 3 }),
    await world.login("bert", "eve", { redirects: 3 }),
  ];
  const plain = await world.plain("bert", "eve");
  const other = await world.login("bert", "mia", { redirects: 3 });

  assert((await rule(world, "anna", { kind: "ban", about: "eve", why: "spam" })).ok);
  for (const client of [here, there]) {
    assertEquals(await shownOut(world, client), ["BANNED", "this user is banned: spam", "never"]);
  }
  await world.until(() => plain.commands.includes("AUTHENTICATION_FAIL"), "the end of the plain client");
  assertEquals(other.commands.includes("END_CONNECTION"), false);
  for (const at of ["anna", "bert"]) {
    assertEquals(await refusedLogin(world, at, "eve"), ["LOGIN_FAILED", "BANNED", "this user is banned: spam"]);
  }
  // Only who knows the secret is told.
  assertEquals((await refusedLogin(world, "bert", "eve", { secret: "another" }))[1], "WRONG_SECRET");

  assert((await rule(world, "bert", { kind: "ban", about: "eve", lifts: true })).ok);
  await world.equal("anna", "bert");
  await world.login("anna", "eve", { redirects: 3 });
});

Deno.test("a ban ends when it says so", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  await world.users("anna", "eve");
  const until = world.clock.wallMs() + 60_000;
  assert((await rule(world, "anna", { kind: "ban", about: "eve", until })).ok);
  await world.equal("anna", "bert");
  const [, reason, info] = await refusedLogin(world, "bert", "eve");
  assertEquals(reason, "BANNED");
  assert(String(info).startsWith("this user is banned until "), String(info));
  await world.run(60_000);
  await world.login("bert", "eve", { redirects: 3 });
});

Deno.test("a ticket and a pass let no banned user in", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  await world.users("anna", "eve");
  const client = await world.login("anna", "eve", { pass: true, redirects: 3 });
  const { ticket, pass } = client.last("LOGIN_SUCCESS")!;
  assert((await rule(world, "bert", { kind: "ban", about: "eve" })).ok);
  await shownOut(world, client);
  assertEquals((await refusedLogin(world, "bert", "eve", { ticket }))[1], "BANNED");
  assertEquals((await refusedLogin(world, "bert", "eve", { pass, secret: undefined }))[1], "BANNED");
});

Deno.test("an account that is disabled can be used nowhere, until it is enabled", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  await world.users("anna", "eve");
  const client = await world.login("bert", "eve", { redirects: 3 });
  assert((await rule(world, "anna", { kind: "disabled", about: "eve" })).ok);
  assertEquals(await shownOut(world, client), ["DISABLED", "this account is disabled", "never"]);
  assertEquals((await refusedLogin(world, "bert", "eve"))[1], "DISABLED");
  assert((await rule(world, "anna", { kind: "disabled", about: "eve", lifts: true })).ok);
  await world.equal("anna", "bert");
  await world.login("bert", "eve", { redirects: 3 });
});

Deno.test("a deleted account is gone, and its name is nobody's any more", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  await world.users("anna", "eve", "mia");
  const client = await world.login("bert", "eve", { redirects: 3 });
  const other = await world.chat("bert", "mia");
  const listed = async () => {
    const before = other.all("USER_LIST").length;
    other.send({ command: "LIST_USERS", scope: "all" });
    await world.until(() => other.all("USER_LIST").length > before, "the list");
    return other.last("USER_LIST")!.users;
  };
  assertEquals(await listed(), ["eve", "mia"]);
  assert((await rule(world, "anna", { kind: "deleted", about: "eve" })).ok);
  assertEquals((await shownOut(world, client))[0], "DELETED");
  assertEquals((await refusedLogin(world, "bert", "eve"))[1], "UNKNOWN_USER");
  assertEquals(await listed(), ["mia"]);
  for (const at of ["anna", "bert"]) {
    assertEquals((await world.register(at, "eve", "another")).last("REGISTER_FAILED")?.reason, "NAME_TAKEN");
  }
  other.tell("eve", "are you there?", "m-1");
  await world.until(() => other.commands.includes("DIRECT_MESSAGE_FAILED"), "the answer");
  // It does not come back, and cannot be deleted twice.
  assertEquals((await rule(world, "anna", { kind: "deleted", about: "eve", lifts: true })).ok, false);
  const again = await rule(world, "anna", { kind: "deleted", about: "eve" });
  assertEquals(!again.ok && again.problem, "UNKNOWN");
});

Deno.test("nobody comes from banned addresses, through whichever server", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  const near = await world.dial("bert", "10.1.2.3");
  const far = await world.dial("bert", "10.2.2.3");
  const [inside, outside] = [world.over(near), world.over(far)];
  for (const client of [inside, outside]) client.send(loginOf("anonymous", { redirects: 3 }));
  await world.until(() => outside.commands.includes("LOGIN_SUCCESS"), "the logins");
  const made = await rule(world, "anna", { kind: "bannedAddress", about: "10.1.7.7/16" });
  assert(made.ok);
  // In its one form, so that it can be lifted by another one.
  assertEquals(made.ruling.about, "10.1.0.0/16");
  assertEquals(await shownOut(world, inside), ["BANNED", "this address is banned", "never"]);
  assertEquals(outside.commands.includes("END_CONNECTION"), false);
  for (const at of ["anna", "bert"]) {
    const refused = world.over(await world.dial(at, "10.1.9.9"));
    assertEquals(await shownOut(world, refused), ["BANNED", "this address is banned", "never"]);
  }
  assert((await rule(world, "bert", { kind: "bannedAddress", about: "10.1.255.0/16", lifts: true })).ok);
  await world.equal("anna", "bert");
  const back = world.over(await world.dial("anna", "10.1.9.9"));
  back.send(loginOf("anonymous", { redirects: 3 }));
  await world.until(() => back.commands.includes("LOGIN_SUCCESS"), "the login");
});

Deno.test("of two rulings about one thing the later holds, wherever it was laid down", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  await world.users("anna", "eve");
  await world.parted(["anna"], ["bert"]);
  assert((await rule(world, "anna", { kind: "ban", about: "eve" })).ok);
  // The clock of bert is further on after a few entries of its own.
  for (let count = 0; count < 5; count++) {
    assert((await rule(world, "bert", { kind: "ban", about: "eve", lifts: count % 2 === 1 })).ok);
  }
  assertEquals(rulingsOf(world, "bert"), ["ban eve "]);
  assert((await rule(world, "bert", { kind: "ban", about: "eve", lifts: true })).ok);
  world.network.heal();
  await world.linked("anna", "bert");
  await world.equal("anna", "bert");
  assertEquals([rulingsOf(world, "anna"), rulingsOf(world, "bert")], [[], []]);
  await world.login("anna", "eve", { redirects: 3 });
});

Deno.test("rulings outlive their server, and come to one that was away", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  await world.users("anna", "eve");
  await world.parted(["anna"], ["bert"]);
  const client = await world.login("bert", "eve", { redirects: 3 });
  assert((await rule(world, "anna", { kind: "ban", about: "eve" })).ok);
  world.server("anna").kill();
  world.start("anna", ["bert"]);
  world.network.heal();
  await world.linked("anna", "bert");
  assertEquals((await shownOut(world, client))[0], "BANNED");
  assertEquals((await refusedLogin(world, "anna", "eve"))[1], "BANNED");
});

Deno.test("nothing is laid down while a server of the network would not follow it", async () => {
  const world = new MeshWorld();
  world.start("anna");
  await world.until(() => world.server("anna").node.isJoined, "a start");
  await world.users("anna", "eve");
  const old = await world.peer("anna", "old", { features: ["thrum/1", "operate"] });
  const refused = await rule(world, "anna", { kind: "ban", about: "eve" });
  assertEquals(!refused.ok && [refused.problem, refused.sentence], [
    "OLDER_VERSION",
    "not every server of the network is known to follow this: old (old:8000)",
  ]);
  // Also while that one is away.
  old.link.destroy();
  await world.until(() => world.server("anna").stateOf("old") === "dead", "the loss");
  assertEquals((await rule(world, "anna", { kind: "ban", about: "eve" })).ok, false);
  const newer = await world.peer("anna", "old", { features: ["thrum/1", "operate", "records"] });
  assertEquals((await rule(world, "anna", { kind: "ban", about: "eve" })).ok, true);
  newer.link.destroy();
  await world.until(() => world.server("anna").stateOf("old") === "dead", "the loss");
  assertEquals((await rule(world, "anna", { kind: "ban", about: "eve" })).ok, true);
});

Deno.test("a new secret is the only one, at every server, and what was proved by the earlier one ends", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  await world.users("anna", "eve", "mia");
  const client = await world.login("bert", "eve", { redirects: 3 });
  const { ticket } = client.last("LOGIN_SUCCESS")!;
  const told: ResetResult[] = [];
  void world.server("anna").node.resetSecret("eve", OPERATOR).then((became) => told.push(became));
  await world.until(() => told.length > 0, "the new secret");
  const [reset] = told;
  assert(reset?.ok);
  const { secret } = reset;
  assertMatch(secret, /^[0-9a-z]{4}(-[0-9a-z]{4}){3}$/);
  assertEquals((await shownOut(world, client))[0], "SECRET_CHANGED");
  assertEquals((await refusedLogin(world, "bert", "eve"))[1], "WRONG_SECRET");
  assertEquals((await refusedLogin(world, "bert", "eve", { ticket }))[1], "WRONG_SECRET");
  for (const at of ["anna", "bert"]) await world.login(at, "eve", { secret, redirects: 3 });
});

Deno.test("what is said of an account that lost its name says nothing of the one that has it", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  await world.parted(["anna"], ["bert"]);
  await world.register("anna", "eve", "of anna");
  // The later claim loses the name when the servers meet.
  for (const name of ["mia", "leo", "ida"]) await world.register("bert", name);
  await world.register("bert", "eve", "of bert");
  const loser = "bert";
  assert((await rule(world, loser, { kind: "deleted", about: "eve" })).ok);
  assertEquals((await refusedLogin(world, loser, "eve", { secret: "of bert" }))[1], "UNKNOWN_USER");
  world.network.heal();
  await world.linked("anna", "bert");
  await world.equal("anna", "bert");
  for (const at of ["anna", "bert"]) await world.login(at, "eve", { secret: "of anna", redirects: 3 });
});

Deno.test("who has the code of an invitation may register, at whichever server, as often as it says", async () => {
  const world = await MeshWorld.of(["anna", "bert"], { auth: { registration: "invite" } });
  const told: InviteResult[] = [];
  void world.server("anna").node.invitations.make({ uses: 1, until: null }, OPERATOR).then((became) =>
    told.push(became)
  );
  await world.until(() => told.length > 0, "the invitation");
  await world.equal("anna", "bert");
  const [made] = told;
  assert(made?.ok);
  const registered = async (username: string, more: object) => {
    const client = await world.client("bert", { command: "REGISTER", username, secret: "open sesame", ...more });
    await world.until(() => client.received.length > 0, "the answer");
    return client.received[0]!.reason ?? client.received[0]!.command;
  };
  assertEquals(await registered("eve", {}), "INVITATION");
  assertEquals(await registered("eve", { invitation: made.code }), "REGISTER_SUCCESS");
  assertEquals(await registered("mia", { invitation: made.code }), "INVITATION");
  const wrong = await world.server("anna").node.invitations.make({ uses: 0, until: null }, OPERATOR);
  assertEquals(!wrong.ok && wrong.problem, "WRONG");
});

Deno.test("what nobody can follow is refused with its reason, and nothing else happens", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  const before = world.server("anna").vector;
  const wrong: [Omit<AskedRuling, "by">, RecordProblem][] = [
    [{ kind: "ban", about: "a b:c" }, "WRONG"],
    [{ kind: "bannedAddress", about: "10.0.0.0/33" }, "WRONG"],
    [{ kind: "bannedAddress", about: "example.org" }, "WRONG"],
    [{ kind: "disabled", about: "eve", until: 1 }, "WRONG"],
    [{ kind: "ban", about: "eve", why: "x".repeat(201) }, "WRONG"],
    [{ kind: "ban", about: "eve", until: -1 }, "WRONG"],
    [{ kind: "secret", about: "eve" }, "WRONG"],
    [{ kind: "disabled", about: "nobody" }, "UNKNOWN"],
  ];
  for (const [ruling, problem] of wrong) {
    const result = await rule(world, "anna", ruling);
    assertEquals(!result.ok && result.problem, problem);
  }
  await world.run(10);
  assertEquals(world.server("anna").vector, before);
});

Deno.test("what waits for a user whose account is deleted waits no longer, at any server", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  await world.users("anna", "eve", "mia");
  const mia = await world.login("bert", "mia", { redirects: 3, features: ["chat"] });
  for (const text of ["one", "two"]) mia.send({ command: "DIRECT_MESSAGE", to: "eve", text });
  const waiting = () => ["anna", "bert"].map((at) => world.server(at).node.metrics().inbox.count);
  await world.until(() => waiting().every((count) => count === 2), "both messages at both servers");
  assert((await rule(world, "anna", { kind: "deleted", about: "eve" })).ok);
  await world.until(() => waiting().every((count) => count === 0), "the end of the messages");
});

Deno.test("a message that comes for a deleted account from a server that had not heard of that waits nowhere", async () => {
  const world = await MeshWorld.of(["anna", "bert"]);
  await world.users("anna", "eve", "mia");
  const mia = await world.login("bert", "mia", { redirects: 3, features: ["chat", "ack"] });
  await world.parted(["anna"], ["bert"]);
  assert((await rule(world, "anna", { kind: "deleted", about: "eve" })).ok);
  mia.send({ command: "DIRECT_MESSAGE", to: "eve", text: "are you there?" });
  const waiting = (at: string) => world.server(at).node.metrics().inbox.count;
  await world.until(() => waiting("bert") === 1, "the message at bert");
  world.network.heal();
  await world.linked("anna", "bert");
  await world.equal("anna", "bert");
  await world.until(() => waiting("bert") === 0, "the end of the message at bert");
  assertEquals(waiting("anna"), 0);
  // A server that is new gets all of it in whatever order.
  world.start("carl", ["anna", "bert"]);
  await world.linked("anna", "bert", "carl");
  await world.equal("anna", "bert", "carl");
  assertEquals(waiting("carl"), 0);
});

Deno.test("bans that have ended by themselves stand in the way of no other", async () => {
  let now = 0;
  const bans = Array.from({ length: MAX_RULINGS }, (_, index) => [`user-${index}`, { until: 10, by: "" }] as const);
  const rulings = new Rulings({
    records: {
      get: (of, key) => of === "ban" && key.startsWith("user-") ? { until: 10, by: "" } : undefined,
      of: (of) => of === "ban" ? bans : [],
    },
    account: () => undefined,
    clock: { wallMs: () => now },
  });
  const office = new RulingOffice({
    rulings,
    journal: { records: { all: { listen: () => () => {} } } },
    setter: { problem: undefined, set: <R>(_record: unknown, _event: unknown, result: R) => Promise.resolve(result) },
    backplane: { members: [] },
  } as unknown as RulingOfficeParts);
  const banned = async () => {
    const result = await office.make({ kind: "ban", about: "eve", by: OPERATOR });
    return result.ok || result.problem;
  };
  assertEquals(await banned(), "TOO_MANY");
  now = 10;
  assertEquals(await banned(), true);
});
