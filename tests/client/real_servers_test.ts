/** A client and two real servers of one network, on real sockets. */

import { assertEquals } from "@std/assert";
import { type ClientEvent, connect, serve } from "../../mod.ts";
import { until } from "../support/until.ts";
import { collect } from "../support/client_world.ts";

Deno.test("A client is told of the other server, goes there when its own stops, and misses nothing", async () => {
  const options = {
    server: { host: "127.0.0.1", port: 0 },
    store: { ephemeral: true },
    cluster: { secret: "abc", drainMs: 0, rebalance: false },
  };
  await using first = await serve(options);
  await using second = await serve({
    ...options,
    cluster: { ...options.cluster, join: [`127.0.0.1:${first.port}`] },
  });
  const events: ClientEvent[] = [];
  const told = <K extends ClientEvent["kind"]>(kind: K) => events.filter((event) => event.kind === kind);
  await using ada = await connect({
    host: first.host,
    port: first.port,
    username: "ada",
    secret: "x",
    register: true,
    onEvent: (event) => events.push(event),
  });
  await using bob = await connect({ host: second.host, port: second.port });
  await until(() => told("backups").length > 0, "the list of backups");
  const here = [first, second].find(({ serverId }) => serverId === ada.serverId)!;
  const there = here === first ? second : first;
  assertEquals(told("backups").at(-1), {
    kind: "backups",
    servers: [{ host: there.host, port: there.port }],
  });
  const { all } = collect(ada);
  await ada.publish({ n: 1 });
  const closing = here.close();
  const published = [2, 3, 4].map((n) => ada.publish({ n }));
  await Promise.all([closing, ...published]);
  await bob.publish({ n: 5 });
  await until(() => all.length >= 5, "the last activity");
  assertEquals(ada.serverId, there.serverId);
  assertEquals(all.map(({ activity }) => activity.n), [1, 2, 3, 4, 5]);
  assertEquals(told("duplicate"), []);
  assertEquals(told("gap"), []);
});
