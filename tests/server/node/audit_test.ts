/** What a server writes into its audit log. */

import { assert, assertEquals } from "@std/assert";
import { nodeCrypto } from "../../../platform/crypto.ts";
import { hashOfLine, MemoryAuditFiles } from "../../support/audit_files.ts";
import { NodeWorld } from "../../support/node_world.ts";

async function withNode(run: (world: NodeWorld, files: MemoryAuditFiles) => Promise<void>): Promise<void> {
  const files = new MemoryAuditFiles();
  const world = await NodeWorld.start({}, { auditFiles: files });
  await run(world, files);
  await world.stop();
}

Deno.test("a server notes its start and its end, and the others are told before it is gone", () =>
  withNode(async (world, files) => {
    await world.stop();
    assertEquals(files.events.map(({ what, of }) => [what, of]), [["serverStarted", "s-1"], ["serverStopped", "s-1"]]);
    assert(files.isClosed);
  }));

Deno.test("a server notes registrations and failed logins with where they came from, and no secret", () =>
  withNode(async (world, files) => {
    await world.register("anna");
    const wrong = { command: "LOGIN", username: "anna", secret: "my wrong secret" };
    await world.connectFrom("10.0.0.7", wrong);
    await world.endAllDerivations();
    for (let count = 0; count < 5; count++) await world.connectFrom("10.0.0.7", { ...wrong, features: ["ack"] });
    await world.endAllDerivations();
    await world.connectFrom("10.0.0.8", { command: "LOGIN", username: "my secret by mistake", secret: "anna" });
    await world.connectFrom("10.0.0.9", { command: "REGISTER", username: "anna", secret: "x" });
    await world.endAllDerivations();
    await world.clock.run(61_000);
    assertEquals(files.events.slice(1), [
      { what: "registered", from: "client", of: "anna" },
      { what: "loginFailed", from: "10.0.0.7", of: "anna", more: { reason: "WRONG_SECRET" } },
      // A name without an account may be a secret that somebody typed in the wrong place.
      { what: "loginFailed", from: "10.0.0.8", more: { reason: "UNKNOWN_USER" } },
      { what: "registrationFailed", from: "10.0.0.9", of: "anna", more: { reason: "NAME_TAKEN" } },
      // These were not looked at, so nothing is known of their name either.
      { what: "loginFailed", from: "10.0.0.7", more: { count: 5 } },
    ]);
    assert(!files.lines.join().includes("secret"));
  }));

Deno.test("a server notes programs that want to be servers of its network and are not", () =>
  withNode(async (world, files) => {
    await world.connectFrom("10.0.0.7", { command: "AUTHENTICATE", secret: "guessed", features: ["thrum/1"] });
    await world.clock.run(1_000);
    const { what, from } = files.events.at(-1)!;
    assertEquals([what, from], ["peerRefused", "10.0.0.7"]);
    assert(!files.lines.join().includes("guessed"));
  }));

Deno.test("a server notes what operators order, and who it was", () =>
  withNode(async (world, files) => {
    await world.register("anna");
    const anna = await world.connectFrom("10.0.0.5", { command: "LOGIN", username: "anna", secret: "anna" });
    await world.endAllDerivations();
    const view = await world.node.look();
    const [id, connection] = Object.entries(view.connections["s-1"]!).find(([, { user }]) => user === "anna")!;
    await world.node.operate(
      { kind: "disconnect", serverId: "s-1", connection: id, since: connection.since },
      "10.0.0.9",
    );
    assert(anna.commands.length > 0);
    await world.node.operate({ kind: "drain", serverId: "s-1" }, "10.0.0.9 at s-2");
    await world.clock.run(1_000);
    const [ended, drained] = files.events.slice(2);
    const { more, ...told } = ended!;
    assertEquals(told, { what: "connectionEnded", by: "operator", from: "10.0.0.9", of: "anna" });
    assert(String((more as { address: string }).address).startsWith("10.0.0.5:"));
    assertEquals(drained, { what: "drained", by: "operator", from: "10.0.0.9 at s-2" });
  }));

Deno.test("a server goes on without its audit log, and says in its numbers that the disk fails", () =>
  withNode(async (world, files) => {
    files.failure = new Error("the disk is full");
    await world.register("anna");
    await world.clock.run(1_000);
    assertEquals(world.node.metrics().audit?.isFailing, true);
    files.failure = undefined;
    await world.clock.run(5_000);
    assertEquals(world.node.metrics().audit, { lines: 2, missed: 0, isFailing: false });
    assertEquals(world.node.metrics().auditDisagreements, 0);
    assertEquals(nodeCrypto.digest(files.lines[1]!), hashOfLine(files.lines[1]!));
  }));
