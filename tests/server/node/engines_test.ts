/** A server takes any backplane: nothing but the choice knows which it is. */

import { assertEquals } from "@std/assert";
import { linkedByTcp, onItsOwn } from "../../../server/node/engines.ts";
import { NodeWorld } from "../../support/node_world.ts";

const ALONE = { cluster: { durability: "replicated" } } as const;

for (const [name, makeBackplane] of Object.entries({ linkedByTcp, onItsOwn })) {
  Deno.test(`a server whose backplane is ${name} registers, acknowledges, delivers and refuses servers`, async () => {
    const world = await NodeWorld.start(ALONE, { makeBackplane });
    assertEquals([world.node.state, world.node.members], ["ready", []]);
    await world.register("anna");
    const login = { command: "LOGIN", username: "anna", secret: "anna", features: ["ack"] };
    const anna = await world.connect(login);
    await world.endAllDerivations();
    anna.send({ command: "ACTIVITY_MESSAGE", messageId: "m-1", activity: { a: 1 } });
    await world.settle();
    const peer = await world.connect({ command: "AUTHENTICATE", secret: "s" });
    assertEquals(peer.received.map(({ command, info }) => [command, info]), [
      ["AUTHENTICATION_FAIL", "this server takes no other servers: it has no secret"],
    ]);
    const answers = anna.commands.filter((command) => command.startsWith("ACTIVITY"));
    assertEquals(answers, ["ACTIVITY_ACK", "ACTIVITY_BROADCAST"]);
    assertEquals(world.node.metrics().pending, 0);
    assertEquals((await world.stop()).reason, "stopped");
  });
}
