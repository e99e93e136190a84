import { assertEquals } from "@std/assert";
import { askForName, type NameAnswer } from "../../../client/calls/name_question.ts";
import { ClientWorld } from "../../support/client_world.ts";

const username = "ada";
const timeoutMs = 3_000;

/** What a client learns from a server that gives `answers` (and closes), or says nothing. */
async function asked(answers: Record<string, unknown>[] | undefined): Promise<NameAnswer> {
  const world = new ClientWorld();
  world.server.onLine = (connection, line) => {
    assertEquals(line, { command: "LOGIN", username, features: ["ack"] });
    if (answers !== undefined) connection.end(...answers as { command: string }[]);
    return true;
  };
  const parts = { transport: world.network.machine("client"), clock: world.clock };
  const answer = askForName({ server: world.server.endpoint, username, timeoutMs }, parts);
  await world.clock.run(answers === undefined ? timeoutMs + 10 : 10);
  const said = await answer;
  await world.clock.run(5_000);
  assertEquals([world.network.openEnds, world.clock.timersWaiting], [0, 0]);
  return said;
}

Deno.test("askForName() says a login without a secret, and knows from the refusal that there is no such user", async () => {
  assertEquals(await asked([{ command: "LOGIN_FAILED", info: "", reason: "UNKNOWN_USER" }]), "unknownName");
  assertEquals(await asked([{ command: "LOGIN_FAILED", info: "", reason: "WRONG_SECRET" }]), "mayBeRegistered");
});

Deno.test("askForName() holds nothing against a name when it gets no answer, or another one", async () => {
  assertEquals(
    await asked([{ command: "END_CONNECTION", reason: "TOO_MANY", info: "", reconnect: "backoff" }]),
    "mayBeRegistered",
  );
  assertEquals(await asked([]), "mayBeRegistered");
  assertEquals(await asked(undefined), "mayBeRegistered");
  const world = new ClientWorld();
  const parts = { transport: world.network.machine("client"), clock: world.clock };
  const nowhere = askForName({ server: { host: "server", port: 1 }, username, timeoutMs }, parts);
  await world.clock.run(5_000);
  assertEquals(await nowhere, "mayBeRegistered");
});
