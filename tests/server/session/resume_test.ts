/** Clients that were away (docs/protocol.md, section 2, "Resume"), on real sockets. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type LineClient, PATIENCE_MS } from "../../support/line_client.ts";
import { doorOf } from "../../support/test_door.ts";
import { until } from "../../support/until.ts";

const door = doorOf(import.meta.url);
const { start } = door;

async function publish(client: LineClient, from: number, to: number): Promise<void> {
  const before = client.activities.length;
  for (let n = from; n <= to; n++) client.send({ command: "ACTIVITY_MESSAGE", username: "anonymous", activity: { n } });
  await client.untilActivities(before + to - from + 1);
}

function numbers(from: number, to: number): { n: number }[] {
  return Array.from({ length: to - from + 1 }, (_, index) => ({ n: from + index }));
}

Deno.test("500 activities while a client was away arrive when it resumes: once, in order, and then it is live", async () => {
  await using server = await start();
  await using publisher = await door.loggedIn(server);
  const first = await door.loggedIn(server, { features: ["resume"] });
  await publish(publisher, 1, 3);
  await first.untilActivities(3);
  const { id } = first.received.at(-1)!;
  first.reset();
  await publish(publisher, 4, 503);
  const [origin, sequence] = id.split(":");
  await using back = await door.connect(server);
  back.send({
    command: "LOGIN",
    username: "anonymous",
    features: ["resume"],
    resume: { vector: { [origin]: Number(sequence) } },
  });
  assertEquals((await back.next("LOGIN_SUCCESS")).resume, { vector: { [origin]: 503 }, replayed: 500 });
  await publish(publisher, 504, 505);
  await back.untilActivities(502);
  assertEquals(back.activities, numbers(4, 505));
});

Deno.test("a plain client gets what it missed since its connection was lost, and nothing after a LOGOUT", async () => {
  await using server = await start();
  await using publisher = await door.loggedIn(server);
  const registering = await door.connect(server);
  registering.send({ command: "REGISTER", username: "anna", secret: "s" });
  await registering.next("REGISTER_SUCCESS");
  registering.reset();
  const login = { username: "anna", secret: "s" };

  const lost = await door.loggedIn(server, login);
  await publish(publisher, 1, 2);
  await lost.untilActivities(2);
  lost.reset();
  await until(() => server.connectionCount === 1, "the end of the lost connection");
  await publish(publisher, 3, 7);
  const back = await door.loggedIn(server, login);
  await back.untilActivities(5);
  assertEquals(back.activities, numbers(3, 7));

  back.send({ command: "LOGOUT" });
  await back.closed();
  await publish(publisher, 8, 9);
  await using again = await door.loggedIn(server, login);
  await publish(publisher, 10, 10);
  await again.untilActivities(1);
  assertEquals(again.activities, numbers(10, 10));
});

Deno.test("a client that never reads slows nobody, and gets everything when it starts reading again", async () => {
  await using server = await start({ limits: { maxPendingBytes: 65_536, tailBytes: 1_000_000 } });
  await using sleeper = await door.loggedIn(server, { features: ["ack"] });
  await using reader = await door.loggedIn(server, { features: ["ack"] });
  sleeper.pause();
  const filler = "x".repeat(20_000);
  const count = 1_500;
  // 30 MB: far more than all buffers on the way hold.
  for (let n = 0; n < count; n++) {
    reader.send({ command: "ACTIVITY_MESSAGE", activity: { n, filler } });
    if (n % 50 === 49) await reader.untilActivities(n + 1);
  }
  assert(sleeper.received.length < count);
  sleeper.resume();
  await sleeper.untilActivities(count);
  assertEquals(sleeper.activities.map(({ n }) => n), numbers(0, count - 1).map(({ n }) => n));
});

Deno.test("a client that comes back too late is told which range is no longer kept", async () => {
  await using server = await start({ store: { activityRetentionBytes: 4_000 } });
  await using publisher = await door.loggedIn(server);
  // A turn of its own for each, as what is forgotten is forgotten in whole segments.
  for (let n = 1; n <= 200; n++) await publish(publisher, n, n);
  const origin = server.serverId;
  // Forgetting is done in the background, now and then.
  let gap: { origin: string; first: number; last: number }[] | undefined;
  let kept = 0;
  const giveUpAt = Date.now() + PATIENCE_MS;
  while (gap === undefined) {
    assert(Date.now() < giveUpAt, "nothing was forgotten");
    await using back = await door.connect(server);
    back.send({ command: "LOGIN", username: "anonymous", features: ["resume"], resume: { vector: { [origin]: 10 } } });
    const { resume } = await back.next("LOGIN_SUCCESS");
    gap = resume.gap;
    kept = resume.replayed;
    await back.untilActivities(kept);
  }
  assertEquals(gap[0]?.origin, origin);
  assertEquals(gap[0]?.first, 11);
  assertEquals(gap.at(-1)!.last + kept, 200);
});

Deno.test("a client that comes from a server which is not known here is told that something may be missing", async () => {
  await using server = await start();
  await using client = await door.connect(server);
  client.send({ command: "LOGIN", username: "anonymous", features: ["resume"], resume: { vector: { elsewhere: 7 } } });
  const { resume } = await client.next("LOGIN_SUCCESS");
  assertEquals(resume.gap, [{ origin: "elsewhere", first: 8, last: null }]);
  assertEquals(resume.vector, { elsewhere: 7 });
});

Deno.test("everything that was acknowledged is there after a restart on the same data", async () => {
  const folder = await Deno.makeTempDir();
  try {
    let id = "";
    {
      await using server = await start({ store: { ephemeral: false, data: folder } });
      await using client = await door.connect(server);
      client.send({ command: "REGISTER", username: "anna", secret: "s" });
      await client.next("REGISTER_SUCCESS");
      client.send({ command: "LOGIN", username: "anna", secret: "s", features: ["ack", "resume"] });
      await client.next("LOGIN_SUCCESS");
      client.send({ command: "ACTIVITY_MESSAGE", messageId: "m", activity: { n: 1 } });
      id = (await client.next("ACTIVITY_ACK")).id;
    }
    await using server = await start({ store: { ephemeral: false, data: folder } });
    assertStringIncludes(id, server.serverId);
    await using client = await door.connect(server);
    client.send({
      command: "LOGIN",
      username: "anna",
      secret: "s",
      features: ["ack", "resume"],
      resume: { vector: {} },
    });
    assertEquals((await client.next("LOGIN_SUCCESS")).resume.replayed, 1);
    await client.untilActivities(1);
    assertEquals(client.activities, [{ n: 1 }]);
    client.send({ command: "ACTIVITY_MESSAGE", messageId: "m", activity: { n: 2 } });
    assertEquals((await client.next("ACTIVITY_ACK")).id, id);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what was forgotten is not sent after all, also while it is still in memory", async () => {
  await using server = await start({ store: { activityRetentionBytes: 4_000 } });
  // A registration is kept for ever, so reading begins before what was forgotten.
  await using registrar = await door.connect(server);
  registrar.send({ command: "REGISTER", username: "anna", secret: "s" });
  await registrar.next("REGISTER_SUCCESS");
  await using publisher = await door.loggedIn(server);
  for (let n = 1; n <= 200; n++) await publish(publisher, n, n);
  const giveUpAt = Date.now() + PATIENCE_MS;
  for (;;) {
    assert(Date.now() < giveUpAt, "nothing was forgotten");
    await using back = await door.connect(server);
    back.send({ command: "LOGIN", username: "anonymous", features: ["resume"], resume: { vector: {} } });
    const { resume } = await back.next("LOGIN_SUCCESS");
    await back.untilActivities(resume.replayed);
    // A mark behind the replay shows that no more came than was announced.
    const mark = { mark: Math.random() };
    publisher.send({ command: "ACTIVITY_MESSAGE", username: "anonymous", activity: mark });
    await back.until(() => back.activities.some((one) => one.mark === mark.mark), "the mark");
    const own = back.activities.filter(({ n }) => n !== undefined);
    assertEquals(back.activities.length, resume.replayed + 1);
    if (resume.gap === undefined) continue;
    const first = Number(resume.gap.at(-1).last) + 1;
    assertEquals(own.map(({ n }) => n), numbers(first - 1, 200).map(({ n }) => n));
    break;
  }
});

Deno.test("a client that has more than the server is told that the rest is lost, and gets what comes next", async () => {
  await using server = await start();
  await using publisher = await door.loggedIn(server);
  await publish(publisher, 1, 3);
  const origin = server.serverId;
  await using client = await door.connect(server);
  client.send({ command: "LOGIN", username: "anonymous", features: ["resume"], resume: { vector: { [origin]: 9 } } });
  const { resume } = await client.next("LOGIN_SUCCESS");
  assertEquals(resume, { vector: { [origin]: 3 }, replayed: 0, gap: [{ origin, first: 4, last: 9 }] });
  await publish(publisher, 4, 4);
  await client.untilActivities(1);
  assertEquals(client.activities, numbers(4, 4));
});
