/**
 * People who write to each other while servers die and come back, networks part, and connections break: all arrives,
 * once, in its sender's order.
 */

import { assert, assertEquals } from "@std/assert";
import { Chance } from "../../simulation/chance.ts";
import type { Received } from "../../support/line_client.ts";
import { loginOf, MeshClient, MeshWorld } from "../../support/mesh_world.ts";

const SERVERS = ["a", "b", "c"];
const PEOPLE = ["anna", "bob", "carl", "dora"];
/** What is acknowledged is at two servers, so that no death of one is felt. */
const CONFIG = { cluster: { rebalance: false, durability: "replicated" } } as const;
const FEATURES = ["ack", "resume", "chat", "presence"];
const STEPS = 120;
/** A login that is not answered by then is tried elsewhere. */
const PATIENCE_MS = 4_000;

/** Somebody with a program that does what docs/protocol.md, sections 2.7 and 2.10, asks of clients. */
class Person {
  /** Texts that came, each once. */
  readonly messages: { readonly from: string; readonly text: string }[] = [];
  /** `messageId` of what it was told to be delivered. */
  readonly delivered: string[] = [];
  sent = 0;
  /** Not acknowledged yet, in order. */
  #unacknowledged: { to: string; text: string; messageId: string }[] = [];
  #client: MeshClient | undefined;
  #isIn = false;
  #vector: Record<string, number> | undefined;
  #taken: Record<string, number> = {};
  #last: string | undefined;
  readonly #seen = new Set<string>();
  /** When it logs in next. */
  #nextAt = 0;
  isAway = false;

  constructor(readonly name: string, readonly world: MeshWorld, readonly chance: Chance) {}

  get isSettled(): boolean {
    return this.#isIn && this.#unacknowledged.length === 0;
  }

  say(to: string): void {
    this.sent++;
    const message = { to, text: `${this.name} ${this.sent}`, messageId: `${this.name}-${this.sent}` };
    this.#unacknowledged.push(message);
    if (this.#isIn) this.#client!.tell(message.to, message.text, message.messageId);
  }

  /** Its connection breaks. */
  breakOff(): void {
    this.#client?.link.destroy();
    this.#gone();
  }

  /** It ends its program, and begins another one later that knows nothing. */
  leave(): void {
    this.#client?.send({ command: "LOGOUT" });
    this.#gone();
    this.isAway = true;
    this.#vector = undefined;
  }

  /** Goes on trying. */
  async look(): Promise<void> {
    const { clock } = this.world;
    if (
      this.#client !== undefined && (this.#client.end !== undefined || (!this.#isIn && clock.nowMs() > this.#nextAt))
    ) {
      this.#client.link.destroy();
      this.#gone();
    }
    if (this.isAway || this.#client !== undefined || clock.nowMs() < this.#nextAt) return;
    this.#nextAt = clock.nowMs() + PATIENCE_MS;
    const server = SERVERS[below(this.chance, SERVERS.length)]!;
    const link = await this.world.tryToDial(server);
    if (link === undefined) return void (this.#nextAt = clock.nowMs() + 200);
    const client = new TellingClient(link, (line) => this.#take(client, line));
    this.#client = client;
    client.send(loginOf(this.name, {
      features: FEATURES,
      redirects: 3,
      ...(this.#vector === undefined ? {} : { resume: { vector: this.#vector } }),
      ...(this.#last === undefined ? {} : { last: this.#last }),
    }));
  }

  #gone(): void {
    this.#client = undefined;
    this.#isIn = false;
    this.#nextAt = this.world.clock.nowMs() + below(this.chance, 1_500);
  }

  #take(client: MeshClient, line: Received): void {
    if (this.#client !== client) return;
    switch (line.command) {
      case "LOGIN_SUCCESS":
        this.#isIn = true;
        for (const { to, text, messageId } of this.#unacknowledged) client.tell(to, text, messageId);
        return;
      case "CAUGHT_UP": {
        this.#vector = merged(this.#vector ?? {}, line.vector);
        client.send({ command: "ACK", vector: this.#taken });
        return;
      }
      case "ACTIVITY_BROADCAST":
      case "DIRECT_MESSAGE":
      case "RECEIPT":
        break;
      case "END_CONNECTION":
        return assert(line.reason !== "INVALID_MESSAGE", JSON.stringify(line));
      default:
        return assert(!/FAIL|INVALID/.test(line.command), JSON.stringify(line));
    }
    if (line.command === "RECEIPT") this.#noteReceipt(line);
    if (line.id === undefined) return;
    const [origin, sequence] = [line.id.split(":")[0], Number(line.id.split(":")[1])];
    if (line.offline !== true && this.#vector !== undefined) {
      assert((this.#vector[origin] ?? 0) < sequence, `${this.name} got ${line.id} twice`);
      this.#vector[origin] = sequence;
    }
    if (line.command !== "DIRECT_MESSAGE") return;
    this.#taken = merged(this.#taken, { [origin]: sequence });
    client.send({ command: "ACK", vector: this.#taken });
    const key = `${line.from} ${line.messageId}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.messages.push({ from: line.from, text: line.text });
  }

  #noteReceipt({ messageId, state, of }: Received): void {
    if (state === "delivered") this.delivered.push(messageId);
    else {
      this.#last = of;
      this.#unacknowledged = this.#unacknowledged.filter((one) => one.messageId !== messageId);
    }
  }
}

/** Tells of each line as it comes. */
class TellingClient extends MeshClient {
  readonly #tell: (line: Received) => void;

  constructor(link: ConstructorParameters<typeof MeshClient>[0], tell: (line: Received) => void) {
    super(link);
    this.#tell = tell;
  }

  override onData(bytes: Uint8Array): void {
    const before = this.received.length;
    super.onData(bytes);
    for (const line of this.received.slice(before)) this.#tell(line);
  }
}

/**
 * One run of everything. Where networks part too, whoever goes over to the other side is not held back for ever by what
 * it sent on the first: all still arrives once, but not always in order.
 */
async function storm(seed: number, mayPart: boolean): Promise<void> {
  const world = await MeshWorld.of(SERVERS, CONFIG, seed);
  await world.users("a", ...PEOPLE);
  const chance = new Chance(seed, "storm");
  const people = PEOPLE.map((name) => new Person(name, world, chance));
  const expected = new Map(PEOPLE.map((name) => [name, [] as string[]]));
  let down: string | undefined;
  const restart = () => {
    if (down !== undefined) world.start(down, SERVERS, CONFIG);
    down = undefined;
  };
  for (let step = 0; step < STEPS; step++) {
    const roll = below(chance, 100);
    const person = people[below(chance, people.length)]!;
    if (roll < 60) {
      const to = PEOPLE[below(chance, PEOPLE.length)]!;
      person.say(to);
      expected.get(to)!.push(`${person.name} ${person.sent}`);
    } else if (roll < 72) person.breakOff();
    else if (roll < 78 && person !== people[0]) person.leave();
    else if (roll < 86) person.isAway = false;
    else if (roll < 90) {
      restart();
      down = SERVERS[below(chance, SERVERS.length)]!;
      world.server(down).kill();
    } else if (roll < 93) restart();
    else if (roll < 95 && mayPart) world.part(["a"], ["b", "c"]);
    else if (roll < 96 && mayPart) world.part(["a", "b"], ["c"]);
    else world.network.heal();
    for (let ms = below(chance, roll < 60 ? 60 : 1_500); ms > 0; ms -= 50) {
      for (const person of people) await person.look();
      await world.run(Math.min(50, ms));
    }
  }
  restart();
  world.network.heal();
  for (const person of people) person.isAway = false;
  await world.linked(...SERVERS);
  for (let ms = 0; ms < 60_000 && !people.every(({ isSettled }) => isSettled); ms += 50) {
    for (const person of people) await person.look();
    await world.run(50);
  }
  await world.run(35_000);
  await world.equal(...SERVERS);
  for (const { name, messages, delivered, sent } of people) {
    const texts = messages.map(({ text }) => text);
    assertEquals(texts.toSorted(), expected.get(name)!.toSorted(), `what ${name} got`);
    for (const from of mayPart ? [] : PEOPLE) {
      const of = (all: readonly string[]) => all.filter((text) => text.startsWith(`${from} `));
      assertEquals(of(texts), of(expected.get(name)!), `what ${name} got of ${from}`);
    }
    // Who begins anew is told of nothing that was delivered before.
    if (name === PEOPLE[0]) assertEquals(new Set(delivered).size, sent, `what was delivered for ${name}`);
    for (const server of SERVERS) assertEquals(world.server(server).inboxOf(name), [], `what waits for ${name}`);
  }
}

/** A whole number from 0 up to but not including `end`. */
function below(chance: Chance, end: number): number {
  return chance.whole(0, end - 1);
}

function merged(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const vector = { ...a };
  for (const [origin, sequence] of Object.entries(b)) vector[origin] = Math.max(vector[origin] ?? 0, sequence);
  return vector;
}

for (const seed of [1, 2, 3, 4, 5]) {
  Deno.test(`in storm ${seed}, in which servers die, every message arrives once and in order`, () =>
    storm(seed, false));
  Deno.test(`in storm ${seed}, in which networks part too, every message arrives once`, () => storm(seed, true));
}
