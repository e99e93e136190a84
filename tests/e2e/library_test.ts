/** `serve` and `connect` as others embed them: real sockets, one process. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { type Activity, type ClientEvent, connect, RefusedError, serve, type Server } from "../../mod.ts";
import { LOCKED } from "../../tools/locked.ts";

const PATIENCE_MS = 120_000;
const HERE = { server: { host: "127.0.0.1", port: 0 }, store: { ephemeral: true } };

/** The next `count` activities. */
async function take(iterator: AsyncIterator<Activity>, count: number): Promise<Activity[]> {
  const taken: Activity[] = [];
  while (taken.length < count) taken.push((await deadline(iterator.next(), PATIENCE_MS)).value);
  return taken;
}

/** Events of a client, and a wait for one of them. */
function watch() {
  const events: ClientEvent[] = [];
  let wake = () => {};
  return {
    events,
    onEvent(event: ClientEvent) {
      events.push(event);
      wake();
    },
    async until(isThere: (events: ClientEvent[]) => boolean): Promise<void> {
      while (!isThere(events)) await deadline(new Promise<void>((resolve) => wake = resolve), PATIENCE_MS);
    },
  };
}

Deno.test("serve() and connect() do what the first page promises", async () => {
  await using server = await serve(HERE);
  await using client = await connect({ host: server.host, port: server.port });
  const { id } = await client.publish({ text: "Hello, there" });
  for await (const activity of client.activities()) {
    assertEquals(activity.activity, { text: "Hello, there" });
    assertEquals([activity.user, activity.id], ["anonymous", id]);
    break;
  }
});

Deno.test("connect() registers, refuses a second one, and logs in again", async () => {
  await using server = await serve(HERE);
  const ada = { host: server.host, port: server.port, username: "ada", secret: "x" };
  await using first = await connect({ ...ada, register: true });
  assertEquals(first.registered, true);
  const error = await assertRejects(() => connect({ ...ada, register: true }), RefusedError);
  assertEquals([error.command, error.reason], ["REGISTER_FAILED", "NAME_TAKEN"]);
  await using second = await connect({ ...ada, register: "ifNew" });
  assertEquals(second.registered, false);
  assertEquals((await assertRejects(() => connect({ ...ada, secret: "y" }), RefusedError)).reason, "WRONG_SECRET");
});

Deno.test("a client that does not iterate for longer than the heartbeats go is not closed, and gets everything", async () => {
  const heartbeat = { idleTimeoutMs: 200, intervalMs: 100, count: 2 };
  await using server = await serve({ ...HERE, heartbeat });
  const slowWatch = watch();
  const idleWatch = watch();
  await using slow = await connect({ host: server.host, port: server.port, onEvent: slowWatch.onEvent });
  await using publisher = await connect({ host: server.host, port: server.port });
  const iterator = slow.activities();
  const text = "x".repeat(20_000);
  const published = Array.from({ length: 500 }, (_, n) => publisher.publish({ n, text }));
  await Promise.all(published);
  // Somebody else's heartbeats tell the time: many times as long as a silent client would live.
  await using _idle = await connect({ host: server.host, port: server.port, onEvent: idleWatch.onEvent });
  await idleWatch.until((events) => events.filter(({ kind }) => kind === "heartbeat").length >= 10);
  assertEquals(slowWatch.events.filter(({ kind }) => kind === "lost"), []);
  const all = await take(iterator, 500);
  assertEquals(all.map(({ activity }) => activity.n), Array.from({ length: 500 }, (_, n) => n));
});

Deno.test("a client comes back to a server that was started again, and misses nothing", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-e2e-" });
  try {
    const start = (port: number): Promise<Server> =>
      serve({ server: { host: "127.0.0.1", port }, store: { data: folder } });
    const first = await start(0);
    const { host, port } = first;
    const { events, onEvent, until } = watch();
    await using client = await connect({ host, port, username: "ada", secret: "x", register: true, onEvent });
    const iterator = client.activities();
    await client.publish({ n: 1 });
    await first.close();
    await until((all) => all.some(({ kind }) => kind === "lost"));
    const whileAway = client.publish({ n: 2 });
    await using _second = await start(port);
    await whileAway;
    assertEquals((await take(iterator, 2)).map(({ activity }) => activity.n), [1, 2]);
    const lost = events.find((event) => event.kind === "lost");
    assert(lost?.kind === "lost" && lost.reason === "SERVER_STOPPING" && lost.byServer);

    // And the same across clients.
    const since = client.vector;
    await client.close();
    await using publisher = await connect({ host, port });
    await publisher.publish({ n: 3 });
    await using later = await connect({ host, port, since });
    assertEquals((await take(later.activities(), 1)).map(({ activity }) => activity.n), [3]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a program ends although its client tries to come back, if it said that it may", async () => {
  const folder = await Deno.makeTempDir({ prefix: "thrum-e2e-" });
  const root = new URL("../../", import.meta.url);
  const server = await serve(HERE);
  const start = async (name: string, persistent: boolean) => {
    const mod = new URL("mod.ts", root).href;
    const options = JSON.stringify({ host: server.host, port: server.port, persistent });
    const program = `import { connect } from "${mod}"; await connect(${options}); console.log("in");`;
    await Deno.writeTextFile(`${folder}/${name}.ts`, program);
    const args = ["run", LOCKED, "-A", "--config", new URL("deno.json", root).pathname, `${folder}/${name}.ts`];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "piped", stderr: "inherit" }).spawn();
    const reader = child.stdout.getReader();
    await deadline(reader.read(), PATIENCE_MS);
    await reader.cancel();
    return child;
  };
  try {
    const patient = await start("patient", true);
    const other = await start("other", false);
    let hasEnded = false;
    const patientEnds = patient.status.then(() => hasEnded = true);
    // Nobody listens there any more, and both go on calling.
    await server.close();
    const { code } = await deadline(other.status, PATIENCE_MS);
    assertEquals([code, hasEnded], [0, false]);
    patient.kill("SIGKILL");
    await patientEnds;
  } finally {
    await server.close();
    await Deno.remove(folder, { recursive: true });
  }
});
