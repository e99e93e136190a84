/**
 * Four servers as processes: a user with a name comes back without knowing where it was, by a plain line client, and
 * gets what came meanwhile, whatever died.
 */

import { assertEquals } from "@std/assert";
import { LineClient } from "../support/line_client.ts";
import { type Program, startServer } from "../support/program.ts";

const USERS = ["user1", "user2", "user3"];
/** What comes a second time is what came since the lost server's last announcement. */
const ANNOUNCE_MS = 200;

/** Servers of one network, each with a data folder of its own. */
class Servers implements AsyncDisposable {
  readonly #folder: string;
  readonly #programs: Program[] = [];
  readonly ports: number[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(count: number): Promise<Servers> {
    const servers = new Servers(await Deno.makeTempDir({ prefix: "thrum-e2e-" }));
    const config = { cluster: { announceIntervalMs: ANNOUNCE_MS, rebalance: false } };
    await Deno.writeTextFile(`${servers.#folder}/config.json`, JSON.stringify(config));
    for (let index = 0; index < count; index++) await servers.begin(index);
    return servers;
  }

  /**
   * Starts server `index`, for the first time or with the data that it had, and waits until it has
   * what the others have.
   */
  async begin(index: number): Promise<void> {
    const others = this.ports.filter((port, other) => other !== index && port > 0);
    const program = startServer(
      [
        ...["--no-prompt", "--config", `${this.#folder}/config.json`, "--data", `${this.#folder}/${index}`],
        ...["--port", "0", ...others.flatMap((port) => ["--join", `127.0.0.1:${port}`])],
      ],
      { env: { THRUM_SECRET: "of-the-network" } },
    );
    this.#programs[index] = program;
    const [, port] = await program.sees(/listening on \S+:(\d+)/);
    this.ports[index] = Number(port);
    if (others.length > 0) await program.tells(/joined; servers linked/);
  }

  async kill(index: number): Promise<void> {
    const program = this.#programs[index]!;
    program.signal("SIGKILL");
    await program.ended();
    await program[Symbol.asyncDispose]();
    this.ports[index] = 0;
  }

  /** A plain client that stays at server `index`: who comes back at once is not sent on a second time. */
  async login(index: number, username: string): Promise<LineClient> {
    for (;;) {
      const client = await LineClient.connect(this.ports[index]!);
      client.send({ command: "LOGIN", username, secret: username });
      await client.next("LOGIN_SUCCESS");
      client.send({ command: "LIST_USERS", scope: "all" });
      await client.until(
        () => client.received.some(({ command }) => command === "USER_LIST") || client.isClosed,
        "an answer",
      )
        .catch(() => {});
      if (client.received.some(({ command }) => command === "USER_LIST")) return client;
      await client[Symbol.asyncDispose]();
    }
  }

  async register(): Promise<void> {
    await using client = await LineClient.connect(this.ports[0]!);
    for (const username of USERS) {
      client.send({ command: "REGISTER", username, secret: username });
      await client.next("REGISTER_SUCCESS");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [index, port] of this.ports.entries()) if (port > 0) await this.kill(index);
    await Deno.remove(this.#folder, { recursive: true });
  }
}

function publish(client: LineClient, username: string, activity: unknown): void {
  client.send({ command: "ACTIVITY_MESSAGE", username, secret: username, activity });
}

/** user1 at the first server, user2 and user3 at others; what user2 publishes from then on. */
async function threeUsers(servers: Servers): Promise<{ one: LineClient; two: LineClient; three: LineClient }> {
  await servers.register();
  const [one, two, three] = [
    await servers.login(0, "user1"),
    await servers.login(1, "user2"),
    await servers.login(2, "user3"),
  ];
  publish(two, "user2", { before: true });
  for (const client of [one, two, three]) await client.untilActivities(1);
  return { one, two, three };
}

Deno.test("user1's server is killed; what user2 publishes then user3 gets at once, and user1 at the fourth server", async () => {
  await using servers = await Servers.start(4);
  const { one, two, three } = await threeUsers(servers);
  await using _clients = disposing(one, two, three);
  await servers.kill(0);
  publish(two, "user2", { a: 1 });
  await three.untilActivities(2);
  assertEquals(three.activities.at(-1), { a: 1 });
  await using again = await servers.login(3, "user1");
  await again.until(() => again.activities.some(({ a }) => a === 1), '{"a":1}');
  assertEquals(again.activities.filter(({ a }) => a !== undefined), [{ a: 1 }]);
});

Deno.test("the same after a second server was killed and the fourth one started anew; and not once more", async () => {
  await using servers = await Servers.start(4);
  const { one, two, three } = await threeUsers(servers);
  await using _clients = disposing(one, two, three);
  await servers.kill(0);
  publish(two, "user2", { a: 1 });
  await three.untilActivities(2);
  await servers.kill(2);
  await servers.kill(3);
  await servers.begin(3);
  {
    await using again = await servers.login(3, "user1");
    await again.until(() => again.activities.some(({ a }) => a === 1), '{"a":1}');
    again.send({ command: "LOGOUT" });
    await again.closed();
  }
  // The one that it was at first comes back, and knows that it went on elsewhere.
  await servers.begin(0);
  await using there = await servers.login(0, "user1");
  publish(two, "user2", { a: 2 });
  await there.until(() => there.activities.some(({ a }) => a === 2), '{"a":2}');
  assertEquals(there.activities, [{ a: 2 }]);
});

Deno.test("nothing waits for user1 who has logged out before its server is killed", async () => {
  await using servers = await Servers.start(4);
  const { one, two, three } = await threeUsers(servers);
  await using _clients = disposing(one, two, three);
  one.send({ command: "LOGOUT" });
  await one.closed();
  await servers.kill(0);
  publish(two, "user2", { a: 1 });
  await three.untilActivities(2);
  await using again = await servers.login(3, "user1");
  publish(two, "user2", { a: 2 });
  await again.until(() => again.activities.some(({ a }) => a === 2), '{"a":2}');
  assertEquals(again.activities, [{ a: 2 }]);
});

function disposing(...clients: LineClient[]): AsyncDisposableStack {
  const stack = new AsyncDisposableStack();
  for (const client of clients) stack.use(client);
  return stack;
}
