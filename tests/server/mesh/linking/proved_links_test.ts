/** Links between servers that prove the network's secret: what a listener hears, and what a false server gets. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { serve, type Server } from "../../../../mod.ts";
import { nodeCrypto } from "../../../../platform/crypto.ts";
import { callerProof } from "../../../../server/mesh/linking/link_proof.ts";
import { FakeLineClient, NodeWorld } from "../../../support/node_world.ts";
import { LineClient, type Received } from "../../../support/line_client.ts";
import { StallingProxy } from "../../../support/stalling_proxy.ts";
import { until } from "../../../support/until.ts";

const SECRET = "the secret of a network";
const { hmac } = nodeCrypto;

async function started(cluster: object, data?: string): Promise<Server> {
  const store = data === undefined ? { ephemeral: true } : { data };
  return await serve({ server: { host: "127.0.0.1", port: 0 }, cluster: { secret: SECRET, ...cluster }, store });
}

/** Whether somebody who is registered at one of them comes in at the other. */
async function registered(at: Server, username: string, other: Server): Promise<boolean> {
  await using client = await LineClient.connect(at.port);
  client.send({ command: "REGISTER", username, secret: "open sesame" });
  await client.until(() => client.received.length > 0, "the registration");
  await using there = await LineClient.connect(other.port);
  there.send({ command: "LOGIN", username, secret: "open sesame", redirects: 3 });
  await there.until(() => there.received.length > 0, "the login");
  return there.received[0]!.command === "LOGIN_SUCCESS";
}

Deno.test("whoever listens to a link hears no secret, no verifier and no key; and it is worth nothing said again", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-link-" });
  try {
    await using first = await started({}, folder);
    const heard = { toFirst: [] as Uint8Array[], all: "" };
    await using proxy = new StallingProxy(first.port, (bytes) => {
      heard.all += new TextDecoder("latin1").decode(bytes);
      heard.toFirst.push(bytes);
    });
    await using second = await started({ join: [`127.0.0.1:${proxy.port}`], announceIntervalMs: 50 });
    assert(await registered(first, "anna", second));
    assert(await registered(second, "ben", first));
    await until(() => (heard.all.match(/SERVER_ANNOUNCE/g) ?? []).length > 4, "announcements");
    const said = heard.all;
    assertMatch(said, /"command":"ACCOUNT","username":"anna","verifier":"sealed:/);
    assertMatch(said, /"command":"ACCOUNT","username":"ben","verifier":"sealed:/);
    const ticketKey = (await Deno.readTextFile(`${folder}/ticket-key`)).trim();
    for (const secret of [SECRET, ticketKey, "scram$", "scrypt$", "open sesame"]) {
      assert(!said.includes(secret), `${secret} was heard`);
    }
    assert(!/"ticketKey":"(?!sealed:)/.test(said));

    // All that the caller has said, once more.
    await using thief = await LineClient.connect(first.port);
    const lines = said.split("\n").filter((line) => line.includes('"AUTHENTICATE"')).map((line) => JSON.parse(line));
    const [nonce, proof] = [lines.find((line) => line.nonce), lines.find((line) => line.proof)];
    thief.send(nonce!);
    await thief.until(() => thief.received.length > 0, "the challenge");
    thief.send(proof!);
    await thief.closed();
    assertEquals(thief.received.map(({ command }) => command), ["PEER_CHALLENGE", "AUTHENTICATION_FAIL"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const NONCE = "c".repeat(48);
const SELF = {
  serverId: "s-2",
  host: "10.0.0.2",
  port: 8000,
  features: ["thrum/1", "thrum/2"],
  vector: {},
  lamport: 1,
};

/** A server of bytes that has said its nonce, and was asked for a proof. */
async function asked(world: NodeWorld): Promise<{ peer: FakeLineClient; calledNonce: string }> {
  const peer = await world.connect({ command: "AUTHENTICATE", serverId: "s-2", nonce: NONCE, features: SELF.features });
  assertEquals(peer.commands, ["PEER_CHALLENGE"]);
  return { peer, calledNonce: peer.received[0]!.nonce };
}

function proofOf(secret: string, calledNonce: string, callerId = "s-2", endPoint = ""): Received {
  const proof = callerProof(secret, { callerId, callerNonce: NONCE, calledNonce, endPoint }, hmac);
  return { command: "AUTHENTICATE", proof, ...SELF };
}

Deno.test("a server is let in with a proof for this link, and shown one; nothing is told of this server before", async () => {
  const world = await NodeWorld.start({ cluster: { secret: SECRET } });
  const { peer, calledNonce } = await asked(world);
  assertEquals(Object.keys(peer.received[0]!), ["command", "nonce"]);
  peer.send(proofOf(SECRET, calledNonce));
  await world.settle();
  assertMatch(peer.received[1]!.proof, /^[0-9a-f]{64}$/);
  assertEquals(peer.received[1]!.command, "AUTHENTICATION_SUCC");
  await world.stop();
});

Deno.test("a wrong proof is refused, and so is one for another nonce or name, or without a greeting", async () => {
  const world = await NodeWorld.start({ cluster: { secret: SECRET } });
  const bad = [
    (calledNonce: string) => proofOf("another", calledNonce),
    () => proofOf(SECRET, "d".repeat(48)),
    (calledNonce: string) => proofOf(SECRET, calledNonce, "s-3"),
    (calledNonce: string) => ({ ...proofOf(SECRET, calledNonce), serverId: "s-3" }),
    (calledNonce: string) => ({ ...proofOf(SECRET, calledNonce), nonce: NONCE }),
    () => ({ command: "AUTHENTICATE", secret: SECRET, ...SELF }),
  ];
  for (const make of bad) {
    const { peer, calledNonce } = await asked(world);
    peer.send(make(calledNonce));
    await world.settle();
    assertEquals(peer.commands, ["PEER_CHALLENGE", "AUTHENTICATION_FAIL"]);
    // Some of them count as wrong secrets.
    await world.clock.run(70_000);
  }
  const hasty = await world.connect(proofOf(SECRET, "d".repeat(48)));
  assertEquals(hasty.commands, ["AUTHENTICATION_FAIL"]);
  const login = (await asked(world)).peer;
  login.send({ command: "LOGIN", username: "anonymous" });
  await world.settle();
  assertEquals(login.commands, ["PEER_CHALLENGE", "INVALID_MESSAGE"]);
  await world.stop();
});

Deno.test("by TLS a proof is good for the certificate alone that the called server has shown", async () => {
  const world = await NodeWorld.start({ cluster: { secret: SECRET } });
  const serverEndPoint = new Uint8Array(32).fill(0xee);
  world.network.channels = { called: { serverEndPoint, isResumed: false } };
  // Somebody in between shows another one, or takes TLS off.
  for (const endPoint of ["ef".repeat(32), ""]) {
    const { peer, calledNonce } = await asked(world);
    peer.send(proofOf(SECRET, calledNonce, "s-2", endPoint));
    await world.settle();
    assertEquals(peer.commands, ["PEER_CHALLENGE", "AUTHENTICATION_FAIL"]);
  }
  const { peer, calledNonce } = await asked(world);
  peer.send(proofOf(SECRET, calledNonce, "s-2", "ee".repeat(32)));
  await world.settle();
  assertEquals(peer.commands[1], "AUTHENTICATION_SUCC");
  await world.stop();
});

Deno.test("wrong proofs cost their address time, and a server that does not answer is closed", async () => {
  const world = await NodeWorld.start({ cluster: { secret: SECRET } });
  const told: string[] = [];
  for (let guess = 0; guess < 8; guess++) {
    const peer = await world.connect({
      command: "AUTHENTICATE",
      serverId: "s-2",
      nonce: NONCE,
      features: SELF.features,
    });
    if (peer.commands[0] === "PEER_CHALLENGE") {
      peer.send(proofOf(`guess ${guess}`, peer.received[0]!.nonce));
      await world.settle();
    }
    told.push(peer.commands.at(-1)!);
  }
  assertEquals(told, [...Array(6).fill("AUTHENTICATION_FAIL"), "END_CONNECTION", "END_CONNECTION"]);
  await world.clock.run(10_000);
  const { peer } = await asked(world);
  await world.clock.run(31_000);
  assertEquals(peer.commands, ["PEER_CHALLENGE", "INVALID_MESSAGE"]);
  await world.stop();
});

Deno.test("the secret in clear is taken only while the network is upgraded, and is said to be no use before it is looked at", async () => {
  const clear = { command: "AUTHENTICATE", ...SELF };
  const strict = await NodeWorld.start({ cluster: { secret: SECRET } });
  for (const secret of [SECRET, "another"]) {
    const { received } = await strict.connect({ ...clear, secret });
    assertEquals([received[0]!.command, received[0]!.reason], ["AUTHENTICATION_FAIL", "CLEAR_SECRET"]);
    assertStringIncludes(received[0]!.info, "cluster.clearSecret");
  }
  await strict.stop();
  const lenient = await NodeWorld.start({ cluster: { secret: SECRET, clearSecret: "upgrade" } });
  const { received } = await lenient.connect({ ...clear, secret: SECRET });
  assertEquals([received[0]!.command, received[0]!.proof], ["AUTHENTICATION_SUCC", undefined]);
  await lenient.stop();
});

Deno.test("from this machine the secret is taken in clear, as no network hears it", async () => {
  await using server = await started({});
  for (const [secret, answer] of [[SECRET, "AUTHENTICATION_SUCC"], ["another", "AUTHENTICATION_FAIL"]] as const) {
    await using peer = await LineClient.connect(server.port);
    peer.send({ command: "AUTHENTICATE", ...SELF, secret });
    assertEquals((await peer.next(answer)).reason, undefined);
  }
});

Deno.test("while the secret is changed, servers with the new one and the old one are one network", async () => {
  const NEW = "the next secret of a network";
  await using old = await started({ otherSecrets: [NEW] });
  await using changed = await started({ secret: NEW, otherSecrets: [SECRET], join: [`127.0.0.1:${old.port}`] });
  assert(await registered(old, "anna", changed));
  assert(await registered(changed, "ben", old));
  await using stranger = await started({ secret: "another secret", join: [`127.0.0.1:${old.port}`] });
  await using client = await LineClient.connect(old.port);
  client.send({ command: "LOGIN", username: "anonymous", features: ["resume"] });
  await client.until(() => client.received.some(({ command }) => command === "BACKUP_LIST"), "the list");
  const listed = client.received.find(({ command }) => command === "BACKUP_LIST")!.servers;
  assertEquals(listed.map(({ port }: { port: number }) => port), [changed.port]);
  assert(stranger.port !== 0);
});

Deno.test("a link on which a line is changed or not sealed ends, and what it said has no effect", async () => {
  const world = await NodeWorld.start({ cluster: { secret: SECRET } });
  const { peer, calledNonce } = await asked(world);
  peer.send(proofOf(SECRET, calledNonce));
  await world.settle();
  const verifier = "scram$16384$aa$bb$cc";
  const line = { command: "ACCOUNT", username: "anna", verifier, claim: 1, id: "s-2:1", lamport: 1, sentAt: 1 };
  peer.send({ command: "ENTRIES", origin: "s-2", first: 1, last: 1, after: 0, to: "servers" }, line);
  await world.settle();
  assertEquals(peer.received.at(-1)!.command, "END_CONNECTION");
  assertEquals(peer.received.at(-1)!.reason, "INVALID_MESSAGE");
  const client = await world.connect({ command: "LOGIN", username: "anna" });
  assertEquals(client.received[0]!.reason, "UNKNOWN_USER");
  await world.stop();
});

Deno.test("a server that may have a parent of the older dialect links with one that takes nothing but proofs", async () => {
  await using first = await started({});
  await using second = await started({ olderDialect: true, join: [`127.0.0.1:${first.port}`] });
  assert(await registered(second, "anna", first));
  assert(await registered(first, "ben", second));
});
