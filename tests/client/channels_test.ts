/** Iterators of channels at a client, on a fake network: what they ask the server for, and how they end. */

import { assertEquals, assertRejects } from "@std/assert";
import type { Activity, Client } from "../../client/options.ts";
import { ClientWorld } from "../support/client_world.ts";
import type { Line } from "../support/fake_server.ts";

/** A client at a server that takes every subscription, and sends what it is told to. */
class ChannelWorld extends ClientWorld {
  #sequence = 0;

  constructor() {
    super();
    this.server.features = [...this.server.features, "channels"];
    this.server.onLine = (connection, { command, channels }) => {
      if (command !== "SUBSCRIBE" && command !== "UNSUBSCRIBE") return false;
      connection.send({ command: `${command}D`, channels, vector: {} });
      return true;
    };
  }

  /** What the client asked for since it was asked last, in words. */
  async asked(): Promise<string[]> {
    await this.clock.run(20);
    const lines: Line[] = this.server.connections.flatMap(({ lines }) => lines.splice(0));
    return lines.filter(({ channels }) => channels !== undefined)
      .map(({ command, channels }) => `${command} ${channels.join()}`);
  }

  /** Sends one activity of each of these channels. */
  async send(...channels: string[]): Promise<void> {
    for (const channel of channels) {
      const sequence = ++this.#sequence;
      this.server.connections.at(-1)!.send({
        command: "ACTIVITY_BROADCAST",
        activity: { n: sequence, authenticated_user: "other" },
        ...{ id: `s:${sequence}`, lamport: sequence, sentAt: 1, channel },
      });
    }
    await this.clock.run(20);
  }
}

/** Takes activities in a loop, until `isEnough`. */
function reading(activities: AsyncIterable<Activity>, isEnough: (n: unknown) => boolean = () => false) {
  const taken: unknown[] = [];
  const over = (async () => {
    for await (const { activity } of activities) {
      taken.push(activity.n);
      if (isEnough(activity.n)) break;
    }
    return "over";
  })();
  over.catch(() => {});
  return { taken, over };
}

function read(client: Client, ...channels: string[]): AsyncIterableIterator<Activity> {
  return client.activities({ channels });
}

Deno.test("a loop over channels that breaks gives them up, and a program may begin anew", async () => {
  const world = new ChannelWorld();
  const client = await world.connected({ channels: [] });
  assertEquals(await world.asked(), ["LOGIN "]);
  for (let times = 0; times < 2; times++) {
    const { taken, over } = reading(read(client, "lab"), () => true);
    assertEquals(await world.asked(), ["SUBSCRIBE lab"]);
    await world.send("lab");
    assertEquals([await over, taken, await world.asked()], ["over", [times + 1], ["UNSUBSCRIBE lab"]]);
  }
  // A loop that throws leaves its iterator, too.
  const failed = (async () => {
    for await (const { activity } of read(client, "lab")) throw new Error(`at ${activity.n}`);
  })();
  failed.catch(() => {});
  await world.send("lab");
  await assertRejects(() => failed, Error, "at 3");
  assertEquals(await world.asked(), ["SUBSCRIBE lab", "UNSUBSCRIBE lab"]);
  await world.closed(client);
});

Deno.test("two overlapping patterns each give what is of them, once, and share what both stand for", async () => {
  const world = new ChannelWorld();
  const client = await world.connected();
  const below = reading(read(client, "lab/*"));
  const deep = reading(read(client, "lab/door/**", "lab/*"), (n) => n === 4);
  assertEquals(await world.asked(), ["SUBSCRIBE lab/*", "SUBSCRIBE lab/door/**"]);
  await world.send("lab/door", "lab/door/1", "lab/bench", "lab/door/2");
  assertEquals([below.taken, deep.taken, await deep.over], [[1, 3], [1, 2, 3, 4], "over"]);
  // The other one reads on.
  assertEquals(await world.asked(), ["UNSUBSCRIBE lab/door/**"]);
  await world.send("lab/door");
  assertEquals([below.taken, deep.taken.length], [[1, 3, 5], 4]);
  await world.closed(client);
  assertEquals(await below.over, "over");
});

Deno.test("an aborted signal leaves an iterator of channels, which says why once; the others read on", async () => {
  const world = new ChannelWorld();
  const client = await world.connected();
  const controller = new AbortController();
  const { signal } = controller;
  const left = client.activities({ channels: ["lab"], signal });
  const [ended, others] = [reading(left), reading(read(client, "lab", "hall"))];
  assertEquals(await world.asked(), ["SUBSCRIBE lab", "SUBSCRIBE hall"]);
  await world.send("lab");
  controller.abort(new Error("enough"));
  await assertRejects(() => ended.over, Error, "enough");
  assertEquals(await left.next(), { done: true, value: undefined });
  await world.send("lab", "hall");
  assertEquals([ended.taken, others.taken], [[1], [1, 2, 3]]);
  assertEquals(await world.asked(), []);
  // Nothing is asked for by who does not begin.
  const never = reading(client.activities({ channels: ["attic"], signal }));
  await assertRejects(() => never.over, Error, "enough");
  assertEquals(await world.asked(), []);
  await world.closed(client);
});

Deno.test("a new connection reads what is read then, and nothing that was given up without one", async () => {
  const world = new ChannelWorld();
  const client = await world.connected();
  const [lab, hall] = [read(client, "lab"), read(client, "hall")];
  const labs = reading(lab);
  await world.asked();
  // The client does not know of it yet.
  world.server.connections.at(-1)!.link.destroy();
  await hall.return!();
  const attic = reading(read(client, "attic"));
  await world.clock.run(500);
  assertEquals(await world.asked(), ["LOGIN ,attic,lab"]);
  await world.send("lab", "attic");
  assertEquals([labs.taken, attic.taken], [[1], [2]]);
  await world.closed(client);
});
