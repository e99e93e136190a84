import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ConfigError, serve } from "../../../mod.ts";
import { LineClient } from "../../support/line_client.ts";

const HERE = { server: { host: "127.0.0.1", port: 0 }, store: { ephemeral: true } };

Deno.test("serve() joins nobody without the secret of the network", async () => {
  const { message } = await assertRejects(() => serve({ ...HERE, cluster: { join: ["127.0.0.1:1"] } }), ConfigError);
  assertEquals(
    message,
    'Cannot use the options of serve(): "cluster.join" needs the secret of the network, "cluster.secret"',
  );
});

/** When the secret was derived, as a ticket says it. */
function provenAt(ticket: unknown): string | undefined {
  return String(ticket).split(".").at(-3);
}

Deno.test("serve() takes tickets that were given before it was started again", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-serve-" });
  const login = { command: "LOGIN", username: "anna", secret: "right", features: ["resume"] };
  let ticket: unknown;
  try {
    {
      await using server = await serve({ ...HERE, store: { data: folder } });
      await using client = await LineClient.connect(server.port);
      client.send({ command: "REGISTER", username: "anna", secret: "right" }, login);
      ticket = (await client.next("LOGIN_SUCCESS")).ticket;
    }
    await using server = await serve({ ...HERE, store: { data: folder } });
    await using client = await LineClient.connect(server.port);
    // Another ticket than one that is good for this secret would be passed over, or refuse it.
    client.send({ ...login, ticket });
    const { ticket: renewed } = await client.next("LOGIN_SUCCESS");
    assertEquals(provenAt(renewed), provenAt(ticket));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("serve() makes no secret of a network by itself", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-serve-" });
  try {
    {
      await using _server = await serve({ ...HERE, store: { data: folder } });
    }
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assertEquals(names, ["audit-00000001.jsonl", "log-00000001.bytes", "thrum.sqlite", "ticket-key"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("serve() can be given up before it begins and while it starts, and leaves nothing", async () => {
  const reason = new Error("not any more");
  const folder = await Deno.makeTempDir({ prefix: "thrum-serve-" });
  try {
    for (const isLate of [false, true]) {
      const giveUp = new AbortController();
      if (!isLate) giveUp.abort(reason);
      const starting = serve({ ...HERE, store: { data: folder }, signal: giveUp.signal });
      giveUp.abort(reason);
      assertStrictEquals(await assertRejects(() => starting), reason);
    }
    // Nobody holds the folder, and a signal that comes later means nothing.
    const later = new AbortController();
    await using server = await serve({ ...HERE, store: { data: folder }, signal: later.signal });
    later.abort(reason);
    await using client = await LineClient.connect(server.port);
    client.send({ command: "LOGIN", username: "anonymous" });
    await client.next("LOGIN_SUCCESS");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Server.close() can be waited for no longer, and the server closes all the same", async () => {
  const reason = new Error("not any more");
  const server = await serve(HERE);
  assertStrictEquals(await assertRejects(() => server.close({ signal: AbortSignal.abort(reason) })), reason);
  assertEquals((await server.finished).reason, "stopped");
  await server.close();
  const wrong = { sginal: AbortSignal.abort() } as unknown as { signal: AbortSignal };
  await assertRejects(() => server.close(wrong), TypeError, 'did you mean "signal"?');
});
