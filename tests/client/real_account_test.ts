/** Users who change their own accounts, by our client, at real servers of one network. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Client, connect, type ConnectOptions, RefusedError, serve, type Server } from "../../mod.ts";
import { LineClient } from "../support/line_client.ts";
import { StallingProxy } from "../support/stalling_proxy.ts";

const OLD = "correct horse battery staple";
const NEW = "a purple monkey dishwasher";

/** Two servers that know each other. */
async function withNetwork(run: (here: Server, there: Server) => Promise<void>): Promise<void> {
  const options = {
    server: { host: "127.0.0.1", port: 0 },
    store: { ephemeral: true },
    cluster: { secret: "a secret of the network", drainMs: 0, rebalance: false },
  };
  await using here = await serve(options);
  const cluster = { ...options.cluster, join: [`127.0.0.1:${here.port}`] };
  await using there = await serve({ ...options, cluster });
  await run(here, there);
}

function login(
  { host, port }: { readonly host: string; readonly port: number },
  secret: string,
  more = {},
): Promise<Client> {
  return connect({ host, port, username: "ada", secret, ...more } as ConnectOptions);
}

async function reasonOf(promise: Promise<unknown>): Promise<string | undefined> {
  return (await assertRejects(() => promise, RefusedError)).reason;
}

Deno.test("changeSecret() holds at every server; others are shown out, and this client comes back", () =>
  withNetwork(async (here, there) => {
    await using ada = await login(here, OLD, { register: true });
    await using elsewhere = await login(there, OLD, { reconnect: false });
    const back = Promise.withResolvers<void>();
    ada.on("connected", ({ returned }) => returned && back.resolve());
    await ada.changeSecret(NEW);
    assertEquals((await elsewhere.closed).reason, "SECRET_CHANGED");
    await back.promise;
    assert((await ada.publish({ n: 1 })).id !== undefined);
    for (const server of [here, there]) {
      assertEquals(await reasonOf(login(server, OLD, { reconnect: false })), "WRONG_SECRET");
      await (await login(server, NEW)).close();
    }
    // And once more, from the new one.
    await ada.changeSecret(OLD);
    await (await login(there, OLD)).close();
  }));

Deno.test("a ticket of before is worth nothing after a change of the secret", () =>
  withNetwork(async (here, there) => {
    await using ada = await login(here, OLD, { register: true });
    const plain = { command: "LOGIN", username: "ada", secret: OLD, features: ["resume"], redirects: 3 };
    await using before = await LineClient.connect(here.port);
    before.send(plain);
    const { ticket } = await before.next("LOGIN_SUCCESS");
    assert(typeof ticket === "string");
    await ada.changeSecret(NEW);
    for (const { port } of [here, there]) {
      await using again = await LineClient.connect(port);
      again.send({ ...plain, ticket });
      assertEquals((await again.next("LOGIN_FAILED")).reason, "WRONG_SECRET");
    }
  }));

Deno.test("whoever listens hears neither of the two secrets, nor what the server keeps of the new one", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-account-" });
  try {
    const heard: Uint8Array[] = [];
    {
      await using server = await serve({ server: { host: "127.0.0.1", port: 0 }, store: { data: folder } });
      await (await login(server, OLD, { register: true })).close();
      await using proxy = new StallingProxy(server.port, (bytes) => heard.push(bytes));
      await using ada = await login({ host: "127.0.0.1", port: proxy.port }, OLD);
      await ada.changeSecret(NEW);
    }
    const text = new TextDecoder("latin1").decode(Uint8Array.from(heard.flatMap((bytes) => [...bytes])));
    assert(text.includes('"command":"ACCOUNT_CHANGED"'));
    for (const secret of [OLD, NEW]) assert(!text.includes(secret) && !text.includes(btoa(secret)));
    const kept = [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile)
      .map(({ name }) => new TextDecoder("latin1").decode(Deno.readFileSync(`${folder}/${name}`))).join();
    const verifiers = [...kept.matchAll(/scram\$16384\$([0-9a-f]{32})\$([0-9a-f]{64})\$([0-9a-f]{64})/g)];
    assert(new Set(verifiers.map(([verifier]) => verifier)).size >= 2, "the folder has the old and the new one");
    const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g)!, (pair) => parseInt(pair, 16));
    for (const [, , ...keys] of verifiers) {
      for (const key of keys) assert(!text.includes(key) && !text.includes(btoa(String.fromCharCode(...bytesOf(key)))));
    }
    assert(!kept.includes(NEW));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("forget() takes secret and waiting messages away at every server, and keeps the name", () =>
  withNetwork(async (here, there) => {
    await (await connect({ host: there.host, port: there.port, username: "bob", secret: "b", register: true })).close();
    const ada = await login(here, OLD, { register: true });
    await using bob = await connect({ host: there.host, port: there.port, username: "bob", secret: "b" });
    await using elsewhere = await login(there, OLD, { reconnect: false, receive: "none" });
    await ada.forget();
    assertEquals((await ada.closed).reason, "LOGGED_OUT");
    assertEquals((await elsewhere.closed).reason, "DELETED");
    assertEquals(await bob.users("all"), ["bob"]);
    assertEquals(await reasonOf(bob.send("ada", "are you there?")), undefined);
    for (const server of [here, there]) {
      assertEquals(await reasonOf(login(server, OLD, { reconnect: false })), "UNKNOWN_USER");
      assertEquals(await reasonOf(login(server, NEW, { register: true, reconnect: false })), "NAME_TAKEN");
    }
  }));

Deno.test("a client with another secret, or without a name, changes nothing", () =>
  withNetwork(async (here) => {
    await using ada = await login(here, OLD, { register: true });
    await using other = await login(here, OLD, { reconnect: false });
    await ada.changeSecret(NEW);
    await other.closed;
    // It was made with a secret that is not the right one any more.
    await assertRejects(() => other.changeSecret("whatever else"));
    await using nobody = await connect({ host: here.host, port: here.port });
    await assertRejects(() => nobody.changeSecret(NEW), TypeError, "without a name");
    await assertRejects(() => nobody.forget(), TypeError, "without a name");
    await assertRejects(() => ada.changeSecret(""), TypeError);
    await (await login(here, NEW)).close();
  }));

Deno.test("an account is changed by nobody who has not proved its secret, and nothing else than was sealed", () =>
  withNetwork(async (here) => {
    await (await login(here, OLD, { register: true })).close();
    const refused = async (message: object): Promise<string> => {
      await using client = await LineClient.connect(here.port);
      client.send({ command: "LOGIN", username: "ada", features: ["scram"], ...message });
      return (await client.next("INVALID_MESSAGE")).info;
    };
    const needs = '"change" needs "scram": who changes an account proves its secret';
    assertEquals(await refused({ change: "forget", secret: OLD }), needs);
    assertEquals(
      await refused({ change: "rename", scram: "n,,n=ada,r=0123456789abcdef" }),
      '"change" must be one of secret, forget',
    );

    const { ScramLogin, reallyDerived } = await import("../support/scram_client.ts");
    for (const sealed of [undefined, "", "AAAA", btoa("x".repeat(112))]) {
      await using client = await LineClient.connect(here.port);
      const exchange = new ScramLogin("ada");
      client.send(exchange.login({ change: "forget" }));
      const response = await exchange.response(await client.next("CHALLENGE"), OLD, reallyDerived);
      client.send({ ...response, sealed });
      const { info } = await client.next("INVALID_MESSAGE");
      assertEquals(info, '"sealed" is not what was sealed, or is missing: nothing was changed');
    }
    await using client = await LineClient.connect(here.port);
    const exchange = new ScramLogin("ada");
    client.send(exchange.login({ change: "forget" }));
    client.send(await exchange.response(await client.next("CHALLENGE"), NEW, reallyDerived));
    assertEquals((await client.next("LOGIN_FAILED")).reason, "WRONG_SECRET");
    await (await login(here, OLD)).close();
  }));
