import { assert, assertEquals } from "@std/assert";
import type { Link } from "../../platform/transport.ts";
import { ClientWorld, collect } from "../support/client_world.ts";

const QUICK = { idleTimeoutMs: 3_000, intervalMs: 1_000, count: 2 };
const HEARTBEAT = { command: "HEARTBEAT", sequence: 7, of: 3, intervalMs: 1_000 };

Deno.test("A heartbeat is answered at once", async () => {
  const world = new ClientWorld();
  const client = await world.connected();
  world.server.newest.send(HEARTBEAT);
  await world.clock.run(2);
  assertEquals(world.server.got("HEARTBEAT_ACK"), [{ command: "HEARTBEAT_ACK", sequence: 7 }]);
  assertEquals(world.told("heartbeat"), [
    { kind: "heartbeat", sequence: 7, of: 3, answered: true, outOfBand: false },
  ]);
  await world.closed(client);
});

Deno.test("A client that withholds heartbeats neither answers nor sends any, until that time is over", async () => {
  const world = new ClientWorld({ heartbeat: QUICK });
  const client = await world.connected({ blockHeartbeatMs: 60_000 });
  await world.clock.run(30_000);
  world.server.newest.send(HEARTBEAT);
  await world.clock.run(29_000);
  assertEquals(world.server.lines.map(({ command }) => command), ["LOGIN"]);
  assertEquals(world.told("heartbeat").map(({ answered }) => answered), [false]);
  await world.clock.run(1_000);
  world.server.newest.send(HEARTBEAT);
  await world.clock.run(2);
  assertEquals(world.server.got("HEARTBEAT_ACK").length, 1);
  await world.clock.run(10_000);
  assert(world.server.got("HEARTBEAT").length > 0);
  await world.closed(client);
});

Deno.test("A client asks a silent server, later than the server would ask it, and is content with the answer", async () => {
  const world = new ClientWorld({ heartbeat: QUICK });
  const client = await world.connected();
  // The server's own idle timeout is over, and so the next heartbeat is the server's.
  await world.clock.run(3_500);
  assertEquals(world.server.got("HEARTBEAT"), []);
  await world.clock.run(60_000);
  assert(world.server.got("HEARTBEAT").length >= 10);
  assertEquals(world.told("lost"), []);
  await world.closed(client);
});

Deno.test("A server that sends anything at all is alive", async () => {
  const world = new ClientWorld({ heartbeat: QUICK });
  world.server.answersHeartbeats = false;
  const client = await world.connected();
  for (let second = 0; second < 60; second += 2) {
    world.server.publish({ second });
    await world.clock.run(2_000);
  }
  assertEquals(world.told("lost"), []);
  await world.closed(client);
});

Deno.test("A server that is dead is left within the time of the protocol, and found again", async () => {
  const world = new ClientWorld({ heartbeat: QUICK });
  const client = await world.connected();
  const { ids } = collect(client);
  world.network.stall();
  // Idle time and the client's patience, two heartbeats, one more interval, and what a pulse may add.
  await world.clock.run(3_000 + 1_000 + 2 * 1_000 + 1_000);
  assertEquals(world.told("lost").map(({ reason }) => reason), ["HEARTBEAT_TIMEOUT"]);
  world.server.publish({ n: 1 });
  world.network.heal();
  await world.clock.run(60_000);
  assertEquals(ids, ["s:1"]);
  await world.closed(client);
});

Deno.test("A server that stops answering heartbeats is told why it is left", async () => {
  const world = new ClientWorld({ heartbeat: QUICK });
  const client = await world.connected();
  world.server.answersHeartbeats = false;
  await world.clock.run(10_000);
  assertEquals(world.server.got("END_CONNECTION")[0]?.reason, "HEARTBEAT_TIMEOUT");
  await world.closed(client);
});

Deno.test("Heartbeats out of band are answered there, and only for the server", async () => {
  const world = new ClientWorld({ heartbeat: QUICK });
  const client = await world.connected({ heartbeatChannel: { host: "client", port: 0 } });
  const { port } = world.server.got("LOGIN")[0]?.heartbeat;
  const call = async (machine: string) => {
    const answers: string[] = [];
    const dialing = world.network.machine(machine).dial({ host: "client", port, timeoutMs: 1_000 });
    await world.clock.run(2);
    const link: Link = await dialing;
    link.attach({
      onData: (bytes) => void answers.push(new TextDecoder().decode(bytes)),
      onDrain: () => {},
      onFinish: () => link.destroy(),
      onEnd: (end) => void answers.push(end),
    });
    link.write(new TextEncoder().encode(`${JSON.stringify(HEARTBEAT)}\n`));
    await world.clock.run(10);
    return { answers, link };
  };
  assertEquals((await call("somebody else")).answers, ["reset"]);
  const { answers } = await call("server");
  assertEquals(answers, ['{"command":"HEARTBEAT_ACK","sequence":7}\n']);
  assertEquals(world.told("heartbeat").map(({ outOfBand }) => outOfBand), [true]);
  // A second channel takes the place of the first.
  await call("server");
  assertEquals(answers.at(-1), "reset");
  await world.closed(client);
});

Deno.test("A server that is heard out of band is not accused, however silent the connection is", async () => {
  const world = new ClientWorld({ heartbeat: QUICK });
  world.server.answersHeartbeats = false;
  const client = await world.connected({ heartbeatChannel: { host: "client", port: 0 } });
  const { port } = world.server.got("LOGIN")[0]?.heartbeat;
  const dialing = world.network.machine("server").dial({ host: "client", port, timeoutMs: 1_000 });
  await world.clock.run(2);
  const link = await dialing;
  link.attach({ onData: () => {}, onDrain: () => {}, onFinish: () => {}, onEnd: () => {} });
  for (let second = 0; second < 60; second++) {
    link.write(new TextEncoder().encode(`${JSON.stringify(HEARTBEAT)}\n`));
    await world.clock.run(1_000);
  }
  assertEquals(world.told("lost"), []);
  link.destroy();
  await world.closed(client);
});

Deno.test("A client that cannot listen for heartbeats does without, and says so", async () => {
  const world = new ClientWorld();
  const heartbeatChannel = { host: "client", port: 8001 };
  const first = await world.connected({ heartbeatChannel });
  const second = await world.connected({ heartbeatChannel });
  assertEquals(world.server.got("LOGIN").map(({ heartbeat }) => heartbeat), [{ port: 8001 }, undefined]);
  assertEquals(world.told("noChannel").length, 1);
  await world.closed(first, second);
});
