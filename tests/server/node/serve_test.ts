import { assertEquals, assertRejects } from "@std/assert";
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
    assertEquals(names, ["thrum.sqlite", "ticket-key"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
