/** `thrum-server recover`, and a server that does it by itself: real programs, real files, real bits. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { LineClient, type Received } from "../support/line_client.ts";
import { type Program, startServer } from "../support/program.ts";

const SECRET = "a secret of the network";
const ENV = { THRUM_SECRET: SECRET };
/** So large that a turn goes to a file of its own. */
const FILLER = "x".repeat(20_000);
const ENTRIES = 8;

interface Running {
  readonly program: Program;
  readonly port: number;
}

async function start(data: string, ...flags: string[]): Promise<Running> {
  const program = startServer(["--no-prompt", "--port", "0", "--data", data, ...flags], { env: ENV });
  const [, port] = await program.sees(/listening on \S+:(\d+)/);
  return { program, port: Number(port) };
}

async function stop({ program }: Running): Promise<void> {
  program.signal("SIGTERM");
  assertEquals(await program.ended(), 0);
}

/** Publishes numbered activities, each in a turn of its own, and registers a user. Gives the ids. */
async function fill(port: number): Promise<string[]> {
  await using client = await LineClient.connect(port);
  client.send({ command: "REGISTER", username: "ann", secret: "s" });
  await client.next("REGISTER_SUCCESS");
  client.send({ command: "LOGIN", username: "ann", secret: "s", features: ["ack"], redirects: 3 });
  await client.next("LOGIN_SUCCESS");
  const ids: string[] = [];
  for (let n = 0; n < ENTRIES; n++) {
    client.send({ command: "ACTIVITY_MESSAGE", messageId: `m${n}`, activity: { n, FILLER } });
    ids.push((await client.next("ACTIVITY_ACK")).id);
  }
  return ids;
}

/** What somebody gets who has nothing: the numbers, and what is told as lost. */
async function readAll(port: number): Promise<{ numbers: number[]; gap: Received[] | undefined }> {
  await using client = await LineClient.connect(port);
  const resume = { vector: {} };
  client.send({ command: "LOGIN", username: "anonymous", features: ["resume"], resume, redirects: 3 });
  const login = await client.next("LOGIN_SUCCESS");
  await client.untilActivities(login.resume.replayed);
  const activities = client.received.filter(({ command }) => command === "ACTIVITY_BROADCAST");
  return { numbers: activities.map(({ activity }) => activity.n), gap: login.resume.gap };
}

/** Flips a bit in the middle of the activities. */
function damage(data: string): void {
  const path = `${data}/log-00000001.bytes`;
  const bytes = Deno.readFileSync(path);
  bytes[Math.floor(bytes.length / 2)]! ^= 4;
  Deno.writeFileSync(path, bytes);
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "thrum-recover-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function recover(data: string, ...flags: string[]): Promise<string> {
  await using program = startServer(["recover", "--data", data, ...flags], { env: ENV });
  assertEquals(await program.ended(), 0, program.errors);
  return program.output;
}

Deno.test("recover brings back what is whole, names what is not, and clients are told the gap", async () => {
  await inFolder(async (folder) => {
    const data = `${folder}/data`;
    let ids: string[];
    {
      const server = await start(data);
      await using _program = server.program;
      ids = await fill(server.port);
      await stop(server);
    }
    damage(data);
    const text = await recover(data);
    const [origin] = ids[0]!.split(":");
    const [, first, last] = text.match(new RegExp(`${origin}: (\\d+) to (\\d+) lost\n`))!;
    assertStringIncludes(text, `The server is still ${origin}.`);
    assertStringIncludes(text, "accounts: 1, none lost");
    assertMatch(text, /are in \S+\/damaged-1\.\n/);

    const server = await start(data);
    await using _program = server.program;
    const { numbers, gap } = await readAll(server.port);
    const lost = (id: string) => Number(id.split(":")[1]) >= Number(first) && Number(id.split(":")[1]) <= Number(last);
    assertEquals(numbers, ids.flatMap((id, n) => lost(id) ? [] : [n]));
    assert(numbers.length < ENTRIES);
    assertEquals(gap?.map(({ origin, last }) => [origin, last]), [[origin, Number(last)]]);
    await using ann = await LineClient.loggedIn(server.port, { username: "ann", secret: "s" });
    assertEquals(ann.isClosed, false);
    await stop(server);
  });
});

Deno.test("recover asks the others of the network, and what they have comes again from them", async () => {
  await inFolder(async (folder) => {
    const data = `${folder}/a`;
    const other = await start(`${folder}/b`);
    await using _other = other.program;
    const join = ["--join", `127.0.0.1:${other.port}`];
    {
      const server = await start(data, ...join);
      await using program = server.program;
      await program.tells(/joined; servers linked: 1/);
      await fill(server.port);
      await stop(server);
    }
    damage(data);
    const text = await recover(data, ...join);
    assertStringIncludes(text, "servers that answered: 1 of 1\n");
    assertMatch(text, /lost; other servers have it, and send it when this one starts\n/);
    assertMatch(text, /The server is s-\w+ from here on, and was s-\w+/);

    const server = await start(data, ...join);
    await using program = server.program;
    await program.tells(/joined; servers linked: 1/);
    const { numbers, gap } = await readAll(server.port);
    assertEquals([numbers, gap], [Array.from({ length: ENTRIES }, (_, n) => n), undefined]);
    await stop(server);
  });
});

Deno.test("a server with store.recover does it by itself, if another one answers; without one it ends with 5", async () => {
  await inFolder(async (folder) => {
    const data = `${folder}/a`;
    const config = `${folder}/config.json`;
    await Deno.writeTextFile(config, JSON.stringify({ store: { recover: true } }));
    const other = await start(`${folder}/b`);
    await using _other = other.program;
    const join = ["--join", `127.0.0.1:${other.port}`, "--config", config];
    {
      const server = await start(data, ...join);
      await using program = server.program;
      await program.tells(/joined; servers linked: 1/);
      await fill(server.port);
      await stop(server);
    }
    // One that is noticed at the start.
    const path = `${data}/log-00000001.bytes`;
    Deno.truncateSync(path, Math.floor(Deno.statSync(path).size / 2));
    {
      await using alone = startServer(["--no-prompt", "--port", "0", "--data", data, "--config", config], { env: ENV });
      assertEquals(await alone.ended(), 5);
    }
    const server = await start(data, ...join);
    await using program = server.program;
    await program.tells(/recovered: .*\n/);
    await program.tells(/joined; servers linked: 1/);
    const { numbers, gap } = await readAll(server.port);
    assertEquals([numbers, gap], [Array.from({ length: ENTRIES }, (_, n) => n), undefined]);
    await stop(server);
  });
});
