import { assert, assertEquals } from "@std/assert";
import { type FakeLineClient, NodeWorld } from "../../../support/node_world.ts";
import { ScramLogin, secretItself } from "../../../support/scram_client.ts";

/** A client that has been asked for a proof. */
async function challenged(world: NodeWorld, login: ScramLogin, from = "client"): Promise<FakeLineClient> {
  const client = await world.connectFrom(from, login.login());
  assertEquals(client.commands, ["CHALLENGE"]);
  return client;
}

/** The same, that has answered as who knows `secret` does. */
async function answered(world: NodeWorld, username: string, secret: string, from?: string): Promise<FakeLineClient> {
  const login = new ScramLogin(username);
  const client = await world.connectFrom(from ?? "client", login.login());
  if (client.commands[0] === "CHALLENGE") {
    client.send(await login.response(client.received[0]!, secret, secretItself));
    await world.settle();
  }
  return client;
}

async function worldWithAnna(): Promise<NodeWorld> {
  const world = await NodeWorld.start();
  await world.register("anna");
  world.derived.length = 0;
  return world;
}

Deno.test("a login that tells no secret is asked for a proof, and let in with the server's own; nothing is derived", async () => {
  const world = await worldWithAnna();
  const login = new ScramLogin("anna");
  const client = await challenged(world, login);
  client.send(await login.response(client.received[0]!, "anna", secretItself));
  await world.settle();
  const { command, scram, features, ticket } = client.received[1]!;
  assertEquals([command, scram, features, ticket], ["LOGIN_SUCCESS", login.serverFinal, ["scram"], undefined]);
  assertEquals(world.derived, []);
  client.send({ command: "ACTIVITY_MESSAGE", activity: { n: 1 } });
  await world.settle();
  assertEquals(client.received.at(-1)!.activity, { n: 1, authenticated_user: "anna" });
  await world.stop();
});

Deno.test("a wrong proof is refused as a wrong secret is", async () => {
  const world = await worldWithAnna();
  const client = await answered(world, "anna", "wrong");
  const { command, reason } = client.received[1]!;
  assertEquals([command, reason], ["LOGIN_FAILED", "WRONG_SECRET"]);
  assert(client.end !== undefined);
  await world.stop();
});

Deno.test("a name without an account is told so, as to who asks for it without a secret", async () => {
  const world = await worldWithAnna();
  const client = await answered(world, "nobody", "x");
  assertEquals(client.received.map(({ command, reason }) => [command, reason]), [["LOGIN_FAILED", "UNKNOWN_USER"]]);
  await world.stop();
});

Deno.test("a recorded exchange is worth nothing on another connection", async () => {
  const world = await worldWithAnna();
  const login = new ScramLogin("anna");
  const client = await challenged(world, login);
  const response = await login.response(client.received[0]!, "anna", secretItself);
  client.send(response);
  await world.settle();
  assertEquals(client.commands, ["CHALLENGE", "LOGIN_SUCCESS"]);
  const thief = await challenged(world, login);
  thief.send(response);
  await world.settle();
  assertEquals(thief.received[1]!.reason, "WRONG_SECRET");
  await world.stop();
});

Deno.test("RESPONSE may only follow CHALLENGE, and only RESPONSE may", async () => {
  const world = await worldWithAnna();
  const client = await world.connect({ command: "RESPONSE", scram: "c=biws" });
  assertEquals(client.commands, ["INVALID_MESSAGE"]);
  for (
    const line of [
      { command: "LOGIN", username: "anna", secret: "anna" },
      { command: "REGISTER", username: "bob", secret: "bob" },
      { command: "AUTHENTICATE", secret: "x" },
      { command: "HISTORY" },
      { command: "ACTIVITY_MESSAGE", activity: {} },
    ]
  ) {
    const client = await challenged(world, new ScramLogin("anna"));
    client.send(line);
    await world.settle();
    assert(client.end !== undefined, line.command);
    assert(["INVALID_MESSAGE", "AUTHENTICATION_FAIL"].includes(client.received[1]!.command));
  }
  await world.stop();
});

Deno.test("the proof is of the name that the login says", async () => {
  const world = await worldWithAnna();
  const client = await world.connect(new ScramLogin("anna").login({ username: "bob" }));
  assertEquals(client.commands, ["INVALID_MESSAGE"]);
  await world.stop();
});

Deno.test("a client that does not answer its challenge is closed after 30 seconds, and no sooner", async () => {
  const world = await worldWithAnna();
  const client = await challenged(world, new ScramLogin("anna"));
  await world.clock.run(29_000);
  assertEquals(client.commands, ["CHALLENGE"]);
  await world.clock.run(1_500);
  assertEquals(client.commands, ["CHALLENGE", "INVALID_MESSAGE"]);
  assert(client.end !== undefined);
  await world.stop();
});

Deno.test("wrong proofs cost their address time, also on challenges that were open before", async () => {
  const world = await worldWithAnna();
  const logins = Array.from({ length: 6 }, () => new ScramLogin("anna"));
  const clients = [];
  for (const login of logins) clients.push(await challenged(world, login));
  for (const [index, login] of logins.entries()) {
    // The last one knows the secret, and is not looked at either.
    const secret = index === 5 ? "anna" : `guess ${index}`;
    clients[index]!.send(await login.response(clients[index]!.received[0]!, secret, secretItself));
    await world.settle();
  }
  const told = clients.map(({ received }) => received[1]!.reason);
  assertEquals(told, [...Array(4).fill("WRONG_SECRET"), "TOO_MANY", "TOO_MANY"]);
  // Neither is anybody asked for a proof there now, nor is a secret in clear looked at; elsewhere the user comes in.
  assertEquals((await world.connect(new ScramLogin("anna").login())).received[0]!.reason, "TOO_MANY");
  assertEquals(
    (await world.connect({ command: "LOGIN", username: "anna", secret: "anna" })).received[0]!.reason,
    "TOO_MANY",
  );
  assertEquals((await answered(world, "anna", "anna", "elsewhere")).commands, ["CHALLENGE", "LOGIN_SUCCESS"]);
  await world.clock.run(1_000);
  assertEquals((await answered(world, "anna", "anna")).commands, ["CHALLENGE", "LOGIN_SUCCESS"]);
  await world.stop();
});

Deno.test("no more than 16 clients of an address may have the server remember a long LOGIN until they answer", async () => {
  const world = await worldWithAnna();
  const vector = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`s-${index}`, 1]));
  const more = { features: ["scram", "resume"], resume: { vector } };
  const clients = [];
  for (let index = 0; index < 17; index++) clients.push(await world.connect(new ScramLogin("anna").login(more)));
  assertEquals(clients.map(({ received }) => received[0]!.command), [
    ...Array(16).fill("CHALLENGE"),
    "END_CONNECTION",
  ]);
  clients[0]!.link.destroy();
  await world.settle();
  assertEquals((await world.connect(new ScramLogin("anna").login(more))).commands, ["CHALLENGE"]);
  await world.stop();
});

Deno.test("by TLS a proof is good for the certificate alone that the client has seen", async () => {
  const world = await worldWithAnna();
  const serverEndPoint = new Uint8Array(32).fill(7);
  const results = async (seen: Uint8Array | undefined, secret = "anna") => {
    const login = new ScramLogin("anna", undefined, seen);
    const client = await world.connect(login.login());
    if (client.commands[0] === "CHALLENGE") {
      client.send(await login.response(client.received[0]!, secret, secretItself));
      await world.settle();
    }
    const last = client.received.at(-1)!;
    return [last.command, last.reason, last.command === "LOGIN_SUCCESS" && last.scram === login.serverFinal];
  };
  world.network.channels = { called: { serverEndPoint, isResumed: false } };
  assertEquals(await results(serverEndPoint), ["LOGIN_SUCCESS", undefined, true]);
  // Whoever is in between has another certificate. That guesses no secret, and so costs nobody time.
  for (let times = 0; times < 20; times++) {
    assertEquals(await results(new Uint8Array(32).fill(8)), ["LOGIN_FAILED", "OTHER_CHANNEL", false]);
  }
  assertEquals(await results(serverEndPoint, "wrong"), ["LOGIN_FAILED", "WRONG_SECRET", false]);
  // A browser cannot know it.
  assertEquals(await results(undefined), ["LOGIN_SUCCESS", undefined, true]);
  // TLS ended before this server.
  world.network.channels = {};
  assertEquals(await results(serverEndPoint), ["LOGIN_FAILED", "OTHER_CHANNEL", false]);
  assertEquals(await results(undefined), ["LOGIN_SUCCESS", undefined, true]);
  await world.stop();
});

Deno.test("by TLS a secret may come where none may come in clear, and so may a plain client", async () => {
  const strict = await NodeWorld.start({ auth: { clearSecrets: false } });
  strict.network.channels = { called: { serverEndPoint: undefined, isResumed: false } };
  const client = await strict.connect({ command: "REGISTER", username: "anna", secret: "anna" });
  await strict.endAllDerivations();
  assertEquals(client.commands, ["REGISTER_SUCCESS"]);
  const plain = await strict.connect({ command: "LOGIN", username: "anna", secret: "anna" });
  await strict.endAllDerivations();
  assertEquals(plain.commands, ["LOGIN_SUCCESS"]);
  await strict.stop();
});

Deno.test("where TLS is required, nothing of another machine without it is looked at", async () => {
  const strict = await NodeWorld.start({ tls: { required: true } });
  for (
    const line of [
      { command: "LOGIN", username: "anonymous" },
      { command: "REGISTER", username: "anna", secret: "anna" },
      { command: "AUTHENTICATE", secret: "x" },
      { command: "ACTIVITY_MESSAGE", username: "anonymous", activity: {} },
    ]
  ) {
    const client = await strict.connect(line);
    assertEquals(client.received.map(({ command, reason }) => [command, reason]), [[
      "INVALID_MESSAGE",
      "TLS_REQUIRED",
    ]]);
    assert(client.end !== undefined);
  }
  assertEquals(strict.derived, []);
  const here = await strict.connectFrom("127.0.0.1", { command: "LOGIN", username: "anonymous" });
  assertEquals(here.commands, ["LOGIN_SUCCESS"]);
  strict.network.channels = { called: { serverEndPoint: undefined, isResumed: false } };
  assertEquals((await strict.connect({ command: "LOGIN", username: "anonymous" })).commands, ["LOGIN_SUCCESS"]);
  strict.network.channels = { called: { serverEndPoint: undefined, isResumed: true } };
  const resumed = await strict.connect({ command: "LOGIN", username: "anonymous" });
  assertEquals(resumed.received.map(({ reason }) => reason), ["TLS_RESUMED"]);
  await strict.stop();
});

Deno.test("where secrets may not come in clear, only who proves a secret comes in from another machine", async () => {
  const strict = await NodeWorld.start({ auth: { clearSecrets: false } });
  const refused = await strict.connect({ command: "REGISTER", username: "anna", secret: "anna" });
  assertEquals(refused.received.map(({ reason }) => reason), ["CLEAR_SECRET"]);
  const here = await strict.connectFrom("127.0.0.1", { command: "REGISTER", username: "anna", secret: "anna" });
  await strict.endAllDerivations();
  assertEquals(here.commands, ["REGISTER_SUCCESS"]);
  const told = await strict.connect({ command: "LOGIN", username: "anna", secret: "anna" });
  assertEquals(told.received.map(({ command, reason }) => [command, reason]), [["LOGIN_FAILED", "CLEAR_SECRET"]]);
  assertEquals((await answered(strict, "anna", "anna")).commands, ["CHALLENGE", "LOGIN_SUCCESS"]);
  const anonymous = await strict.connect({ command: "LOGIN", username: "anonymous" });
  assertEquals(anonymous.commands, ["LOGIN_SUCCESS"]);
  await strict.stop();
});
