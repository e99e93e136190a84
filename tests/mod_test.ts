/** The library as somebody uses it who has read the README. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Endpoint } from "../platform/address.ts";
import { ConfigError, connect, ConnectError, RefusedError, serve, StoreError } from "../mod.ts";

const OPTIONS = { server: { host: "127.0.0.1", port: 0 }, store: { ephemeral: true } };

Deno.test("serve() and connect() embed a server and clients, and end with their scope", async () => {
  let finished: Promise<{ reason: string }>;
  {
    await using server = await serve(OPTIONS);
    finished = server.finished;
    await using ada = await connect({ ...address(server), username: "ada", secret: "s", register: true });
    await using bob = await connect(address(server));
    const received = bob.activities();
    const { id } = await ada.publish({ text: "Hello, there" });
    const { value } = await received.next();
    assertEquals([value?.user, value?.id, value?.activity.text], ["ada", id, "Hello, there"]);
    assertEquals(server.connectionCount, 2);
  }
  assertEquals(await finished, { reason: "stopped" });
});

Deno.test("serve() says what is wrong with its options, its address and its folder", async () => {
  const typo = { ...OPTIONS, heartbeat: { intervallMs: 5 } } as unknown as typeof OPTIONS;
  const unknown = await assertRejects(() => serve(typo), ConfigError);
  assertMatch(unknown.message, /serve\(\).*intervallMs.*intervalMs/);
  await using server = await serve(OPTIONS);
  const taken = await assertRejects(
    () => serve({ ...OPTIONS, server: { host: "127.0.0.1", port: server.port } }),
    Error,
  );
  assertEquals((taken as Error & { code: string }).code, "EADDRINUSE");
  const file = await Deno.makeTempFile();
  try {
    const folder = await assertRejects(() => serve({ ...OPTIONS, store: { data: file } }), StoreError);
    assert(folder.message.includes(file));
    const trace = await assertRejects(() => serve({ ...OPTIONS, trace: `${file}/x` }), StoreError);
    assertMatch(trace.message, /Cannot open trace file/);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("connect() says whether nobody is there, or whom the server refuses", async () => {
  const server = await serve(OPTIONS);
  const where = address(server);
  await assertRejects(
    () => connect({ ...where, username: "ada", secret: "s" }),
    RefusedError,
    "no user with this name",
  );
  await server.close();
  await assertRejects(() => connect(where), ConnectError);
});

Deno.test("a trace has an object for each event, with its logical time, and no secret", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const trace = `${folder}/trace.jsonl`;
    {
      await using server = await serve({ ...OPTIONS, trace });
      await using ada = await connect({ ...address(server), username: "ada", secret: "top-secret", register: true });
      await ada.publish({ n: 1 });
      await ada.publish({ n: 2 });
    }
    const text = await Deno.readTextFile(trace);
    assert(!text.includes("top-secret"));
    const events = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(events.map(({ event }) => event).filter((event) => event !== "answered"), [
      ...["start", "connect", "register", "login", "receive", "publish", "broadcast"],
      ...["receive", "publish", "broadcast", "closed", "stop"],
    ]);
    const times = events.map(({ lamport }) => lamport);
    assertEquals(times, [...new Set<number>(times)].toSorted((a, b) => a - b));
    const [first, second] = events.filter(({ event }) => event === "publish");
    assert(first.lamport < second.lamport && first.id !== second.id);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

function address({ host, port }: Endpoint): Endpoint {
  return { host, port };
}
