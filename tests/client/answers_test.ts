/**
 * Answers to a client's own requests come whatever waits to be taken, and what has no room is told and comes
 * again: on real sockets.
 */

import { assert, assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { type Client, type ClientEvent, connect, serve, type Server } from "../../mod.ts";

/** Far above what it takes. */
const PATIENCE_MS = 90_000;
const LOADS = [{ count: 400, size: 20_000 }, { count: 20_000, size: 200 }];

function start(): Promise<Server> {
  return serve({ server: { host: "127.0.0.1", port: 0 }, store: { ephemeral: true } });
}

async function join(
  { port }: Server,
  username: string,
  onEvent: (event: ClientEvent) => void = () => {},
): Promise<Client> {
  return await connect({ host: "127.0.0.1", port, username, secret: "s", register: true, onEvent });
}

for (const { count, size } of LOADS) {
  Deno.test(`a loop that publishes and asks for each activity gets all of ${count} of ${size} bytes, in order, once`, async () => {
    await using server = await start();
    const events: ClientEvent[] = [];
    await using client = await join(server, "slow", (event) => events.push(event));
    await using feeder = await join(server, "feeder");
    const activities = client.activities();
    const filler = "x".repeat(size);
    const fed = Promise.all(Array.from({ length: count }, (_, n) => feeder.publish({ n, filler })));
    const got: number[] = [];
    const echoed: number[] = [];
    const echoes = Math.min(count, 1_000);
    const run = async () => {
      for await (const { activity, user } of activities) {
        if (user === "slow") echoed.push(activity.echo as number);
        else {
          got.push(activity.n as number);
          if (got.length % (count / echoes) === 0) await client.publish({ echo: activity.n });
          if (got.length % 100 === 0) assert((await client.users("online")).includes("slow"));
        }
        if (got.length === count && echoed.length === echoes) return;
      }
    };
    await deadline(Promise.all([run(), fed]), PATIENCE_MS);
    assertEquals(got, Array.from({ length: count }, (_, n) => n));
    assertEquals(echoed.length, echoes);
    // Whatever had no room was said to come again, and did.
    assertEquals(events.filter(({ kind }) => kind === "gap" || kind === "duplicate" || kind === "lost"), []);
    for (const event of events) if (event.kind === "overflow") assertEquals(event.comesAgain, true);
  });
}

Deno.test("a loop that answers each direct message, and publishes, gets all of them", async () => {
  await using server = await start();
  await using client = await join(server, "slow");
  await using feeder = await join(server, "feeder");
  const count = 400;
  const filler = "y".repeat(20_000);
  const messages = client.messages();
  const sent = Promise.all(Array.from({ length: count }, (_, n) => feeder.send("slow", `${n} ${filler}`)));
  const got: number[] = [];
  const run = async () => {
    for await (const { text } of messages) {
      got.push(Number.parseInt(text));
      await client.send("feeder", "yes");
      if (got.length % 50 === 0) await client.publish({ at: got.length });
      if (got.length === count) return;
    }
  };
  await deadline(Promise.all([run(), sent]), PATIENCE_MS);
  assertEquals(got, Array.from({ length: count }, (_, n) => n));
});

Deno.test("what nobody has taken yet does not keep an answer from coming, however much it is", async () => {
  await using server = await start();
  const events: ClientEvent[] = [];
  await using client = await join(server, "slow", (event) => events.push(event));
  await using feeder = await join(server, "feeder");
  const activities = client.activities();
  const presence = client.presence();
  assertEquals((await presence.next()).value.username, "feeder");
  const count = 600;
  const filler = "z".repeat(20_000);
  // All of it is on its way before the first answer is waited for.
  await Promise.all(Array.from({ length: count }, (_, n) => feeder.publish({ n, filler })));
  await deadline(client.publish({ mine: true }), PATIENCE_MS);
  const got: unknown[] = [];
  const taking = (async () => {
    for await (const { activity } of activities) {
      got.push(activity.mine ?? activity.n);
      if (got.length === count + 1) return;
    }
  })();
  await deadline(taking, PATIENCE_MS);
  assertEquals(got, [...Array.from({ length: count }, (_, n) => n), true]);
  // Twelve million characters are more than is kept.
  assertEquals(events.filter(({ kind }) => kind === "overflow"), [{
    kind: "overflow",
    what: "activities",
    comesAgain: true,
  }]);
  // And the vector claims what was taken, and no more.
  assertEquals(Object.keys(client.vector).length, 1);
});
