/**
 * A client of the simulator that uses the client library, named or anonymous: it enters, publishes, takes what comes,
 * is killed and comes back.
 */

import { openClient } from "../../client/client.ts";
import type { Client, ClientEvent } from "../../client/options.ts";
import type { Vector } from "../../log/vector.ts";
import { nodeCrypto } from "../../platform/crypto.ts";
import { Chance } from "./chance.ts";
import { ChannelIterators } from "./channel_iterators.ts";
import { NONE } from "./channels.ts";
import { factsOf, messageText, type Numbered, ofMessageText } from "./numbered.ts";
import { Process } from "./process.ts";
import type { ClientPlan } from "./schedule.ts";
import { SERVER_PORT } from "./sim_server.ts";
import type { SimClient, Surroundings } from "./surroundings.ts";

/** Waits at most so long between two attempts, so that all are back soon after everything is mended. */
const RECONNECT = { minDelayMs: 50, maxDelayMs: 2_000, stableAfterMs: 3_000 };
/** After so many of 100 activities it asks what was said before. */
const ASKS_PERCENT = 15;
/** Then perhaps of these channels, if it reads any. */
const ASKED_CHANNELS = ["a", "a/*", "a/**", "e", "**"];
/** After the library has given up. */
const ENTER_AGAIN_MS = 250;

/** One life: from entering until it leaves or is killed. */
interface Life {
  readonly session: string;
  readonly chain: string;
  readonly process: Process;
  readonly since: Vector | undefined;
  client: Client | undefined;
  isConnected: boolean;
  isLeaving: boolean;
}

/** A client with the library. */
export class LibraryClient implements SimClient {
  readonly name: string;
  readonly #plan: ClientPlan;
  readonly #around: Surroundings;
  readonly #chance: Chance;
  /** Of a stream of its own, as what is asked changes nothing else. */
  readonly #curiosity: Chance;
  /** Of a stream of its own, for the same reason. */
  readonly #nonces: Chance;
  readonly #iterators: ChannelIterators;
  #questions = 0;
  #username: string;
  #lives = 0;
  #life: Life | undefined;
  #published = 0;
  #unacknowledged = 0;
  #isOff = false;
  /** What a life that was killed had taken. */
  #kept: { readonly vector: Vector; readonly chain: string } | undefined;

  constructor(plan: ClientPlan, around: Surroundings) {
    this.name = plan.name;
    this.#plan = plan;
    this.#around = around;
    this.#chance = new Chance(around.seed, `client ${plan.name}`);
    this.#nonces = new Chance(around.seed, `nonces ${plan.name}`);
    this.#curiosity = new Chance(around.seed, `curiosity ${plan.name}`);
    this.#iterators = new ChannelIterators(plan.name, around.history);
    this.#username = plan.kind === "anonymous" ? "anonymous" : plan.username;
  }

  get username(): string | undefined {
    return this.#plan.kind === "anonymous" ? undefined : this.#username;
  }

  get isConnected(): boolean {
    return this.#life?.isConnected ?? false;
  }

  get isIn(): boolean {
    return this.#life !== undefined;
  }

  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  server: string | undefined;

  enter(server: string, resume: boolean): void {
    if (this.#life !== undefined) return;
    if (this.#isOff) this.#around.network.powerOn(this.name);
    this.#isOff = false;
    const session = `${this.name}.${++this.#lives}`;
    const kept = resume ? this.#kept : undefined;
    this.#kept = undefined;
    this.#published = this.#unacknowledged = 0;
    this.#life = {
      session,
      chain: kept?.chain ?? session,
      process: new Process(this.name, this.#around.clock),
      // What it brings from elsewhere, it brings once.
      since: kept?.vector ?? (this.#lives === 1 ? this.#plan.has : undefined),
      client: undefined,
      isConnected: false,
      isLeaving: false,
    };
    void this.#live(this.#life, server);
  }

  leave(): void {
    const life = this.#life;
    if (life === undefined || life.isLeaving || life.process.isStalled) return;
    life.isLeaving = true;
    if (life.client !== undefined) void life.client.close();
    else this.kill("crash");
  }

  kill(how: "crash" | "power cut"): void {
    const life = this.#life;
    if (life === undefined) return;
    const { network, history } = this.#around;
    if (life.client !== undefined) this.#kept = { vector: life.client.vector, chain: life.chain };
    this.#life = undefined;
    history.add(this.name, { what: "died", how });
    life.process.die();
    if (how === "crash") network.died(life.process);
    else {
      this.#isOff = true;
      network.powerOff(life.process);
    }
  }

  publish(count: number, channels: readonly string[] = [NONE]): void {
    let sent = 0;
    this.#sendEach(count, (client, facts, pad) => {
      const name = channels[sent++ % channels.length]!;
      const to = name === NONE ? {} : { channel: name };
      this.#around.history.add(this.name, { what: "published", ...facts, ...to });
      return client.publish({ s: facts.sender, n: facts.n, pad }, to);
    });
  }

  subscribe(channels: readonly string[]): void {
    const life = this.#life;
    if (life?.client === undefined || life.isLeaving || life.process.isStalled) return;
    this.#iterators.begin(life, life.client, channels);
  }

  unsubscribe(): void {
    const life = this.#life;
    if (life?.client !== undefined && !life.process.isStalled) this.#iterators.end(life);
  }

  send(to: string, count: number): void {
    // Its own name may be another one than was planned.
    if (to === this.#username) return;
    this.#sendEach(count, (client, facts, pad) => {
      this.#around.history.add(this.name, { what: "sent", ...facts, to });
      return client.send(to, messageText(facts, pad));
    });
  }

  #sendEach(
    count: number,
    sendOne: (client: Client, facts: Numbered, pad: string) => Promise<{ readonly id: string | undefined }>,
  ): void {
    const life = this.#life;
    if (life?.client === undefined || life.isLeaving || life.process.isStalled) return;
    const { history } = this.#around;
    for (let left = count; left > 0; left--) {
      const facts = { sender: life.session, n: ++this.#published };
      this.#unacknowledged++;
      sendOne(life.client, facts, "x".repeat(this.#chance.whole(0, 200))).then(
        ({ id }) => {
          this.#settled(life);
          history.add(this.name, { what: "acknowledged", ...facts, id: id ?? "" });
        },
        (error) => {
          this.#settled(life);
          history.add(this.name, { what: "not acknowledged", ...facts, info: (error as Error).name });
        },
      );
    }
  }

  readSlowly(): void {}

  stall(): void {
    this.#life?.process.stall();
  }

  goOn(): void {
    this.#life?.process.goOn();
  }

  tellEnd(): void {
    const life = this.#life;
    if (life === undefined) return;
    const { session, chain, isConnected } = life;
    const { secret } = this.#plan;
    const username = this.#username;
    this.#around.history.add(this.name, { what: "is", session, chain, username, secret, connected: isConnected });
  }

  #settled(life: Life): void {
    if (this.#life === life) this.#unacknowledged--;
  }

  /** Until the library has let it in; then until the end. */
  async #live(life: Life, server: string): Promise<void> {
    const { history, servers } = this.#around;
    for (let at = servers.indexOf(server);; at = (at + 1) % servers.length) {
      try {
        life.client = await this.#open(life, servers[at]!);
        break;
      } catch (error) {
        history.add(this.name, { what: "refused", info: (error as Error).message });
        if ((error as { reason?: string }).reason === "WRONG_SECRET") this.#takeOtherName();
        await new Promise<void>((resolve) => void life.process.after(ENTER_AGAIN_MS, resolve));
      }
    }
    const { client } = life;
    const { session, chain } = life;
    history.add(this.name, {
      what: "entered",
      session,
      chain,
      username: this.#username,
      vector: sorted(client.vector),
    });
    void this.#takeMessages(life, client);
    void this.#takePresences(life, client);
    if (life.isConnected) void this.#askWhoIsOnline(life, client);
    try {
      /** Some of those that came. */
      const ids: string[] = [];
      if (this.#around.asksPast) void this.#askPast(life, client, {});
      for await (const received of client.activities()) {
        if (life.process.isDead) return;
        const { id } = received;
        history.add(this.name, { what: "received", session, chain, ...factsOf(received) });
        if (!this.#around.asksPast || !this.#curiosity.percent(ASKS_PERCENT)) continue;
        ids.push(id);
        const [before, since] = [this.#curiosity.pick(ids), this.#curiosity.pick(ids)];
        const question = {
          ...this.#curiosity.percent(60) ? { before } : {},
          ...this.#curiosity.percent(30) ? { since } : {},
          ...this.#plan.channels !== undefined && this.#curiosity.percent(50)
            ? { channel: this.#curiosity.pick(ASKED_CHANNELS) }
            : {},
        };
        void this.#askPast(life, client, question);
      }
    } catch {
      // `closed` says why.
    }
    const { info, error } = await client.closed;
    if (life.process.isDead) return;
    history.add(this.name, { what: "left", session, info });
    life.process.die();
    this.#around.network.died(life.process);
    this.#life = undefined;
    if (life.isLeaving) return;
    if ((error as { reason?: string } | undefined)?.reason === "WRONG_SECRET") this.#takeOtherName();
    this.enter(server, false);
  }

  async #takeMessages(life: Life, client: Client): Promise<void> {
    const { session, chain, process } = life;
    try {
      for await (const { text, to, id, offline } of client.messages()) {
        if (process.isDead) return;
        const facts = { session, chain, username: to, id, offline };
        this.#around.history.add(this.name, { what: "got", ...facts, ...ofMessageText(text)! });
      }
    } catch {
      // `closed` says why.
    }
  }

  async #askPast(
    { session, process }: Life,
    client: Client,
    { channel, ...question }: { readonly before?: string; readonly since?: string; readonly channel?: string },
  ): Promise<void> {
    const { history } = this.#around;
    const number = ++this.#questions;
    const limit = this.#curiosity.pick([1, 3, 20, 1_000]);
    history.add(this.name, { what: "asks for the past", session, number, server: this.server ?? "" });
    try {
      const past = await client.history({ limit, ...question, ...channel === undefined ? {} : { channel } });
      if (process.isDead) return;
      const activities = past.activities.map(factsOf);
      const asked = { session, number, limit, ...question, ...channel === undefined ? {} : { channels: [channel] } };
      history.add(this.name, { what: "was told the past", ...asked, activities, more: past.before !== undefined });
    } catch {
      // The client has closed, or the server does not know the entry.
    }
  }

  /** All that it is told of others; together with a list it knows who is there. */
  async #takePresences({ session, process }: Life, client: Client): Promise<void> {
    try {
      for await (const { event, username } of client.presence()) {
        if (process.isDead) return;
        this.#around.history.add(this.name, { what: "was told of", session, event, username });
      }
    } catch {
      // `closed` says why.
    }
  }

  /** After each login: what happened before it was not told. */
  async #askWhoIsOnline({ session, process }: Life, client: Client): Promise<void> {
    try {
      const users = await client.users("online");
      if (!process.isDead) this.#around.history.add(this.name, { what: "was told who is online", session, users });
    } catch {
      // `closed` says why.
    }
  }

  #takeOtherName(): void {
    this.#username = `${this.#plan.username}-${this.name}`;
  }

  #open(life: Life, server: string): Promise<Client> {
    const { network } = this.#around;
    const isNamed = this.#plan.kind === "library";
    return openClient({
      host: server,
      port: SERVER_PORT,
      servers: this.#around.servers.map((host) => ({ host, port: SERVER_PORT })),
      ...(isNamed ? { username: this.#username, secret: this.#plan.secret, register: "ifNew" } : {}),
      ...(life.since === undefined ? {} : { since: life.since }),
      ...(this.#plan.channels === undefined ? {} : { channels: this.#plan.channels }),
      reconnect: RECONNECT,
      onEvent: (event) => this.#onEvent(life, server, event),
    }, {
      clock: life.process,
      transport: network.transport(life.process, 262_144),
      random: () => this.#chance.next(),
      crypto: {
        ...nodeCrypto,
        // As the servers' scrypt, which is there that the checker can tell whose a verifier is.
        scrypt: (secret) =>
          new Promise((resolve) => life.process.after(20, () => resolve(new TextEncoder().encode(secret)))),
        randomBytes: (length) => this.#nonces.bytes(length),
      },
    });
  }

  #onEvent(life: Life, calledFirst: string, event: ClientEvent): void {
    if (life.process.isDead) return;
    const { history } = this.#around;
    const { session } = life;
    const vector = () => sorted(life.client?.vector ?? life.since ?? {});
    switch (event.kind) {
      case "connecting":
        this.#calling = event.server.host;
        return;
      case "registered": {
        const server = this.#calling ?? calledFirst;
        history.add(this.name, { what: "registered", username: event.username, secret: this.#plan.secret, server });
        return;
      }
      case "connected":
        life.isConnected = true;
        this.server = event.server.host;
        history.add(this.name, { what: "connected", session, server: event.server.host });
        if (life.client !== undefined) void this.#askWhoIsOnline(life, life.client);
        return;
      case "lost":
        life.isConnected = false;
        history.add(this.name, {
          what: "disconnected",
          session,
          reason: event.reason,
          byServer: event.byServer,
          vector: vector(),
        });
        return;
      case "redirected":
        life.isConnected = false;
        history.add(this.name, {
          what: "disconnected",
          session,
          reason: `redirected to ${event.server.host}`,
          byServer: true,
          vector: vector(),
        });
        return;
      case "closed":
        life.isConnected = false;
        return;
      case "delivered":
        history.add(this.name, {
          what: "told delivered",
          session,
          chain: life.chain,
          of: event.of,
          messageId: event.messageId,
        });
        return;
      case "gap":
        history.add(this.name, { what: "gap", session, gaps: event.gaps });
        return;
      case "duplicate":
        history.add(this.name, { what: "came twice", session, id: event.id });
        return;
    }
  }
  #calling: string | undefined;
}

function sorted(vector: Vector): Vector {
  return Object.fromEntries(Object.entries(vector).toSorted());
}
