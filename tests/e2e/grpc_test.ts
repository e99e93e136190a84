/**
 * The Chitty-Chat door as clients find it that exist already: programs on Google's own gRPC, in Python, unmodified but
 * for how they are told what to do. With the participant of the house beside them, and servers that are real processes.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../mod.ts";
import { Program, startServer } from "../support/program.ts";
import { eventually } from "../support/until.ts";
import { LOCKED } from "../../tools/locked.ts";

const SECRET = "the-secret-of-this-network";
const python = findPython();
if (python === undefined) {
  console.log("SKIPPED: participants in Python, as no python3 has grpc and google.protobuf (Debian: python3-grpcio)");
}
const ignore = python === undefined;

/** What a Python participant tells. */
interface Told {
  readonly event: "listening" | "broadcast" | "Join" | "Publish" | "Leave";
  readonly id?: string;
  readonly reply?: string;
  readonly error?: string;
  readonly details?: string;
  readonly by?: string;
  readonly message?: string;
  readonly lamport?: number;
  readonly own?: number;
  readonly kind?: string;
}

Deno.test({
  name:
    "Participants on Google's gRPC: the protocol of the programs that exist, at two servers, with the line protocol",
  ignore,
  fn: async () => {
    await using one = await Door.start(["--secret", SECRET]);
    await using two = await Door.start(["--secret", SECRET, "--join", `127.0.0.1:${one.port}`]);
    // As programs name the server that connect to ":7080".
    await using here = await PythonParticipant.start(one.grpc, `:${one.grpc.split(":")[1]}`);
    await using there = await PythonParticipant.start(two.grpc);

    // The times of a server on which nothing has happened: those of the issue.
    assertEquals(await here.do({ do: "join" }), { event: "Join", reply: "You are now connected", lamport: 4, own: 5 });
    const joined = `Participant ${here.id} joined Chitty-Chat at Lamport time 5`;
    assertEquals(await here.do({ do: "publish", message: joined, isJoin: true }), {
      event: "Publish",
      reply: "Publish message reply",
      lamport: 15,
      own: 16,
    });
    assertEquals(here.broadcasts, [
      { event: "broadcast", by: here.id, message: joined, lamport: 10, own: 6, kind: "join" },
    ]);
    assertEquals((await here.do({ do: "join" })).reply, "You are already connected");
    assertEquals((await there.do({ do: "leave" })).reply, "Unknown user tried to leave the server");

    await using ada = await connect({
      host: "127.0.0.1",
      port: two.port,
      username: "ada",
      secret: "s",
      register: true,
    });
    const activities = ada.activities();
    await here.hears(/^Participant ada joined Chitty-Chat at Lamport time \d+$/);

    // This one says nothing when it comes and goes.
    assertEquals((await there.do({ do: "join" })).reply, "You are now connected");
    await here.hears(new RegExp(`^Participant ${there.id} joined Chitty-Chat at Lamport time \\d+$`));
    await there.hears(new RegExp(`^Participant ${there.id} joined Chitty-Chat at Lamport time \\d+$`));
    const times = here.heard.length;

    const long = "🌍".repeat(128);
    assertEquals((await there.do({ do: "publish", message: long, isPublish: true })).reply, "Publish message reply");
    await here.hears(long);
    const refused = await there.do({ do: "publish", message: `${long}!`, isPublish: true });
    assertEquals(refused.error, "INVALID_ARGUMENT");
    assertEquals(refused.details, "The message has 129 characters; 128 are allowed");
    await ada.publish({ text: "hello" });
    for (const participant of [here, there]) await participant.hears("hello", "ada");
    const said = (await activities.next()).value;
    assertEquals([said.user, said.activity], [there.id, { text: long }]);
    assertEquals(here.heard.length, times + 2);

    assertEquals((await there.do({ do: "leave" })).reply, "User left the server");
    await here.hears(new RegExp(`^Participant ${there.id} left Chitty-Chat at Lamport time \\d+$`));
    assertEquals((await there.do({ do: "publish", message: "?", isPublish: true })).error, "FAILED_PRECONDITION");
    for (const id of ["0", "65536", "ada", "01111", one.grpc.split(":")[1]!, `${one.port}`]) {
      assertEquals((await here.do({ do: "join", id })).error, "INVALID_ARGUMENT", id);
    }
  },
});

Deno.test({
  name:
    "One participant is killed and one is stopped while others publish: nobody waits for them, and all are told that they left",
  ignore,
  fn: async () => {
    await using door = await Door.start();
    const participants = await Promise.all([0, 1, 2, 3].map(() => PythonParticipant.start(door.grpc)));
    await using stack = new AsyncDisposableStack();
    for (const participant of participants) stack.use(participant);
    const [one, two, killed, stopped] = participants as [
      PythonParticipant,
      PythonParticipant,
      PythonParticipant,
      PythonParticipant,
    ];
    for (const participant of participants) {
      await participant.do({ do: "join" });
      await participant.do({ do: "publish", message: `${participant.id} is here`, isJoin: true });
    }
    killed.signal("SIGKILL");
    stopped.signal("SIGSTOP");
    const killedAt = performance.now();
    let slowestMs = 0;
    const said: string[] = [];
    const isLeft = (participant: PythonParticipant) =>
      two.heard.some((line) => line.startsWith(`Participant ${participant.id} left Chitty-Chat`));
    while (!isLeft(killed) || !isLeft(stopped)) {
      assert(performance.now() - killedAt < 12_000, "nobody was told");
      const begunAt = performance.now();
      for (const participant of [one, two]) {
        const message = `${said.length}`;
        said.push(message);
        const told = await participant.do({ do: "publish", message, isPublish: true });
        assertEquals(told.reply, "Publish message reply");
      }
      slowestMs = Math.max(slowestMs, performance.now() - begunAt);
    }
    // Three deadlines of two seconds, and what a busy machine adds.
    const tookMs = performance.now() - killedAt;
    assert(tookMs < 9_000, `${tookMs} ms`);
    assert(slowestMs < 1_900, `${slowestMs} ms`);
    await two.hears(said.at(-1)!);
    await one.hears(said.at(-1)!);
    assertEquals(one.published, said);
    assertEquals(two.published, said);
    stopped.signal("SIGCONT");
  },
});

Deno.test({
  name: "Two participants that publish at once: both, and a third, see it in one order",
  ignore,
  fn: async () => {
    await using door = await Door.start();
    const participants = await Promise.all([0, 1, 2].map(() => PythonParticipant.start(door.grpc)));
    await using stack = new AsyncDisposableStack();
    for (const participant of participants) stack.use(participant);
    for (const participant of participants) await participant.do({ do: "join" });
    await Promise.all(
      participants.slice(0, 2).map(async (participant) => {
        for (let count = 0; count < 25; count++) {
          await participant.do({ do: "publish", message: `${participant.id} ${count}`, isPublish: true });
        }
      }),
    );
    await eventually(() => participants.every(({ published }) => published.length === 50), "each hears 50");
    for (const { published } of participants) assertEquals(published, participants[0]!.published);
  },
});

Deno.test({
  name: "A participant that ends in good order, and says so with GOAWAY, does its server no harm",
  ignore,
  fn: async () => {
    await using door = await Door.start();
    await using one = await PythonParticipant.start(door.grpc);
    await one.do({ do: "join" });
    for (let round = 0; round < 5; round++) {
      await using other = await PythonParticipant.start(door.grpc);
      await other.do({ do: "join" });
      for (let count = 0; count < 10; count++) await one.do({ do: "publish", message: `${count}`, isPublish: true });
      await other.endInput();
    }
    assertEquals(
      (await one.do({ do: "publish", message: "still here", isPublish: true })).reply,
      "Publish message reply",
    );
  },
});

Deno.test("The participant of the house: what is typed is said, what others say is shown, /leave leaves", async () => {
  await using door = await Door.start();
  const [ada, bob] = [freePort(), freePort()];
  await using one = participant(ada, door.grpc);
  await one.sees(new RegExp(`^Participant ${ada} joined Chitty-Chat at Lamport time 5\n`));
  await using two = participant(bob, door.grpc);
  await one.sees(new RegExp(`Participant ${bob} joined Chitty-Chat at Lamport time \\d+\n`));
  await one.type("Hej\n");
  await two.sees(new RegExp(`^${ada} said: Hej, lamport time: \\d+$`, "m"));
  await two.type(`${"🌍".repeat(129)}\n\n\u{1b}[2Jno colours \n/leave\n`);
  await two.tells(/The message has 129 characters; 128 are allowed: it was not sent/);
  assertEquals(await two.ended(), 0);
  await one.sees(new RegExp(`^${bob} said: \\\\u001b\\[2Jno colours , lamport time: \\d+$`, "m"));
  await one.sees(new RegExp(`^Participant ${bob} left Chitty-Chat at Lamport time \\d+$`, "m"));
  assertEquals(one.output.split("\n").filter((line) => line.includes(`Participant ${bob}`)).length, 2);
  // The end of what is typed is leaving, too; and so is Ctrl-C.
  await using three = participant(bob, door.grpc);
  await three.sees(/joined/);
  await three.endInput();
  assertEquals(await three.ended(), 0);
  await using four = participant(bob, door.grpc);
  await four.sees(/joined/);
  four.signal("SIGINT");
  assertEquals(await four.ended(), 0);
  assertEquals(one.output.match(new RegExp(`^Participant ${bob} left`, "gm"))?.length, 3);

  door.server.signal("SIGTERM");
  assertEquals(await door.server.ended(), 0);
  await one.tells(/^The server at 127\.0\.0\.1:\d+ is gone; waiting until it is back\n$/);
  await using late = participant(bob, door.grpc);
  assertEquals(await late.ended(), 2);
  assertMatch(late.errors, /^error: No server can be reached at 127\.0\.0\.1:\d+\n$/);
  // Nobody has to be told.
  await one.type("/leave\n");
  assertEquals(await one.ended(), 0);
});

Deno.test("The participant of the house comes back when its server does, and says then what was typed meanwhile", async () => {
  await using door = await Door.start();
  const ada = freePort();
  await using one = participant(ada, door.grpc);
  await one.sees(/joined/);
  door.server.signal("SIGKILL");
  await door.server.ended();
  await one.tells(/is gone; waiting/);
  await one.type("meanwhile\n");
  await using _again = startServer(["--port", "0", "--ephemeral", "--no-prompt", "--grpc", door.grpc]);
  await one.tells(/ is back\n/);
  await one.sees(new RegExp(`^${ada} said: meanwhile, lamport time: \\d+$`, "m"));
  await one.type("and after\n");
  await one.sees(new RegExp(`^${ada} said: and after, `, "m"));
  assertEquals(one.output.match(new RegExp(`^Participant ${ada} joined`, "gm"))?.length, 2);
  one.signal("SIGINT");
  assertEquals(await one.ended(), 0);
});

Deno.test("A participant that is killed, and started again at its port within a second, hears and is heard; nobody has left", async () => {
  await using door = await Door.start();
  const [ada, bob] = [freePort(), freePort()];
  await using one = participant(ada, door.grpc);
  await one.sees(/joined/);
  await using killed = participant(bob, door.grpc);
  await killed.sees(/joined/);
  killed.signal("SIGKILL");
  await killed.ended();
  await one.type("meanwhile\n");
  await using two = participant(bob, door.grpc);
  await two.sees(new RegExp(`^${ada} said: meanwhile, `, "m"));
  await two.type("Hej\n");
  await one.sees(new RegExp(`^${bob} said: Hej, `, "m"));
  assertEquals(one.output.split("\n").filter((line) => line.startsWith(`Participant ${bob}`)).length, 1);
});

/** A server with its door. */
class Door implements AsyncDisposable {
  private constructor(readonly server: Program, readonly port: number, readonly grpc: string) {}

  static async start(args: readonly string[] = []): Promise<Door> {
    const server = startServer(["--port", "0", "--ephemeral", "--grpc", "0", ...args]);
    const [, port] = await server.sees(/listening on 127\.0\.0\.1:(\d+)/);
    const [, grpc] = await server.sees(/Chitty-Chat (127\.0\.0\.1:\d+)/);
    // The last of what it says: from then on it can be joined.
    await server.sees(/Ctrl-C/);
    return new Door(server, Number(port), grpc!);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.server[Symbol.asyncDispose]();
  }
}

/** A participant in Python. */
class PythonParticipant extends Program {
  #answers = 0;

  static async start(server: string, authority = ""): Promise<PythonParticipant> {
    const program = new URL("chitty_participant.py", import.meta.url).pathname;
    // Nothing is to be left beside the tests.
    const env = { PYTHONDONTWRITEBYTECODE: "1" };
    const participant = new PythonParticipant([python!], [program, server, authority], { env });
    await participant.sees(/"listening"/);
    return participant;
  }

  get id(): string {
    return this.told.find(({ event }) => event === "listening")!.id!;
  }

  get told(): Told[] {
    return this.output.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  }

  get broadcasts(): Told[] {
    return this.told.filter(({ event }) => event === "broadcast");
  }

  /** All texts that came. */
  get heard(): string[] {
    return this.broadcasts.map(({ message }) => message!);
  }

  /** Texts that were published. */
  get published(): string[] {
    return this.broadcasts.filter(({ kind }) => kind === "publish").map(({ message }) => message!);
  }

  /** Does it, and gives what came of it. */
  async do(command: Readonly<Record<string, unknown>>): Promise<Told> {
    const number = this.#answers++;
    await this.type(`${JSON.stringify(command)}\n`);
    const answers = () => this.told.filter(({ event }) => event !== "broadcast" && event !== "listening");
    await eventually(() => answers().length > number, () => `an answer to ${JSON.stringify(command)}: ${this.errors}`);
    return answers()[number]!;
  }

  async hears(text: string | RegExp, by?: string): Promise<void> {
    const is = ({ message, by: author }: Told) =>
      (typeof text === "string" ? message === text : text.test(message!)) && (by === undefined || by === author);
    await eventually(() => this.broadcasts.some(is), () => `${text}; it has heard ${this.heard}`);
  }
}

function participant(port: number, server: string): Program {
  const program = new URL("../../tools/participant.ts", import.meta.url).pathname;
  return new Program([Deno.execPath(), "run", LOCKED, "-A", "--quiet", program], [
    "--port",
    `${port}`,
    "--server",
    server,
  ], {});
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A Python that can be a participant: the system's, or the first one there is. */
function findPython(): string | undefined {
  return ["/usr/bin/python3", "python3"].find((command) => {
    try {
      return new Deno.Command(command, { args: ["-c", "import grpc, google.protobuf"], stderr: "null" }).outputSync()
        .success;
    } catch {
      return false;
    }
  });
}
