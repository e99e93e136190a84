/**
 * A client of the simulator that sends and reads lines, and says itself which channels it reads and what it has: so
 * what it is told by SUBSCRIBED, UNSUBSCRIBED and POSITION is in the history as it came.
 */

import { Progress } from "../../client/progress.ts";
import { SeenMessages } from "../../client/seen_messages.ts";
import type { Vector } from "../../log/vector.ts";
import type { Link, LinkHandler } from "../../platform/transport.ts";
import { Chance } from "./chance.ts";
import { NONE } from "./channels.ts";
import type { Numbered } from "./numbered.ts";
import { Process } from "./process.ts";
import type { ClientPlan } from "./schedule.ts";
import { SERVER_PORT } from "./sim_server.ts";
import type { SimClient, Surroundings } from "./surroundings.ts";

/** Between the end of a connection and the next call. */
const CALL_AGAIN_MS = 300;
/** It asks the operating system alone whether a server is there. */
const KEEP_ALIVE_MS = 2_000;
const FEATURES = ["ack", "heartbeat", "resume", "channels"];
/** What a server may say that is nothing to it. */
const PASSED_OVER = new Set(["CLOCK", "BACKUP_LIST", "ACTIVITY_PENDING"]);

/** A line of the wire. */
// deno-lint-ignore no-explicit-any
type Message = Record<string, any>;

/** SUBSCRIBE or UNSUBSCRIBE without an answer. */
interface Asked {
  readonly more: readonly string[];
  readonly less: readonly string[];
  readonly history: number;
  readonly number: number;
}

/** One life: from entering until it leaves or is killed. */
interface Life {
  readonly session: string;
  readonly chain: string;
  readonly process: Process;
  readonly progress: Progress;
  readonly seen: SeenMessages;
  /** What it wants to read: the next login names it. */
  wants: readonly string[];
  /** Of which its server knows. */
  reads: readonly string[];
  hasEntered: boolean;
  published: number;
  /** By message id, the oldest first. */
  readonly unacknowledged: Map<string, { readonly facts: Numbered; readonly line: string }>;
  /** The newest that was acknowledged. */
  last: string | undefined;
}

/** A client of lines with the feature `channels`. */
export class ChannelClient implements SimClient {
  readonly name: string;
  readonly username = undefined;
  readonly #plan: ClientPlan;
  readonly #around: Surroundings;
  readonly #chance: Chance;
  #lives = 0;
  #life: Life | undefined;
  #isOff = false;
  #link: Link | undefined;
  #isConnected = false;
  #redirects = 0;
  #questions = 0;
  #asked: readonly Asked[] = [];
  /** Of a page of the past that is coming. */
  #page: (Numbered & { readonly id: string })[] = [];
  #hasMorePast = false;
  #isCaughtUp = false;
  /** What a life that was killed had, and read. */
  #kept: { readonly vector: Vector; readonly chain: string; readonly wants: readonly string[] } | undefined;

  constructor(plan: ClientPlan, around: Surroundings) {
    this.name = plan.name;
    this.#plan = plan;
    this.#around = around;
    this.#chance = new Chance(around.seed, `client ${plan.name}`);
  }

  server: string | undefined;

  get isConnected(): boolean {
    return this.#isConnected;
  }

  get isIn(): boolean {
    return this.#life !== undefined;
  }

  get unacknowledged(): number {
    return this.#life?.unacknowledged.size ?? 0;
  }

  enter(server: string, resume: boolean): void {
    if (this.#life !== undefined) return;
    if (this.#isOff) this.#around.network.powerOn(this.name);
    this.#isOff = false;
    const kept = resume ? this.#kept : undefined;
    this.#kept = undefined;
    const session = `${this.name}.${++this.#lives}`;
    const wants = kept?.wants ?? this.#plan.channels ?? [NONE];
    this.#life = {
      ...{ session, chain: kept?.chain ?? session, wants, reads: wants },
      process: new Process(this.name, this.#around.clock),
      // What it brings from elsewhere, it brings once.
      progress: new Progress(kept?.vector ?? (this.#lives === 1 ? this.#plan.has : undefined)),
      seen: new SeenMessages(),
      ...{ hasEntered: false, published: 0, unacknowledged: new Map(), last: undefined },
    };
    void this.#call(this.#life, server);
  }

  leave(): void {
    const life = this.#life;
    if (life === undefined || life.process.isStalled) return;
    if (this.#isConnected) this.#send({ command: "LOGOUT" });
    this.#around.history.add(this.name, { what: "left", session: life.session, info: "logged out" });
    this.#end(life, "crash");
  }

  kill(how: "crash" | "power cut"): void {
    const life = this.#life;
    if (life === undefined) return;
    const { chain, progress, wants } = life;
    if (life.hasEntered) this.#kept = { vector: progress.received, chain, wants };
    this.#around.history.add(this.name, { what: "died", how });
    this.#end(life, how);
  }

  publish(count: number, channels: readonly string[] = [NONE]): void {
    const life = this.#life;
    if (life === undefined || !life.hasEntered || life.process.isStalled) return;
    for (let sent = 0; sent < count; sent++) {
      const facts = { sender: life.session, n: ++life.published };
      const name = channels[sent % channels.length]!;
      const to = name === NONE ? {} : { channel: name };
      this.#around.history.add(this.name, { what: "published", ...facts, ...to });
      const messageId = `${facts.sender}-${facts.n}`;
      const activity = { s: facts.sender, n: facts.n, pad: "x".repeat(this.#chance.whole(0, 200)) };
      const line = JSON.stringify({ command: "ACTIVITY_MESSAGE", messageId, ...to, activity });
      life.unacknowledged.set(messageId, { facts, line });
      if (this.#isConnected) this.#write(line);
    }
  }

  /** It does not know how. */
  send(): void {}

  subscribe(channels: readonly string[], history: number): void {
    const life = this.#life;
    if (life === undefined || life.process.isStalled) return;
    life.wants = [...new Set([...life.wants, ...channels])];
    if (this.#isConnected) this.#ask(life, { more: channels, less: [], history });
  }

  unsubscribe(channels: readonly string[]): void {
    const life = this.#life;
    if (life === undefined || life.process.isStalled) return;
    life.wants = life.wants.filter((pattern) => !channels.includes(pattern));
    if (this.#isConnected) this.#ask(life, { more: [], less: channels, history: 0 });
  }

  readSlowly(ms: number): void {
    const link = this.#link;
    if (link === undefined) return;
    link.pause();
    this.#life!.process.after(ms, () => link.resume());
  }

  stall(): void {
    this.#life?.process.stall();
  }

  goOn(): void {
    this.#life?.process.goOn();
    this.#link?.resume();
  }

  tellEnd(): void {
    if (this.#life === undefined) return;
    const { session, chain } = this.#life;
    const connected = this.#isConnected;
    const user = { username: "anonymous", secret: "" };
    this.#around.history.add(this.name, { what: "is", session, chain, ...user, connected });
  }

  #ask(life: Life, asked: Omit<Asked, "number">): void {
    const number = ++this.#questions;
    const { more, less, history } = asked;
    this.#asked = [...this.#asked, { ...asked, number }];
    if (more.length === 0) return this.#send({ command: "UNSUBSCRIBE", channels: less });
    if (history > 0) {
      const { session } = life;
      this.#around.history.add(this.name, { what: "asks for the past", session, number, server: this.server! });
    }
    this.#send({ command: "SUBSCRIBE", channels: more, ...(history === 0 ? {} : { history }) });
  }

  #end({ process }: Life, how: "crash" | "power cut"): void {
    this.#life = undefined;
    this.#link = undefined;
    this.#isConnected = false;
    process.die();
    if (how === "crash") this.#around.network.died(process);
    else {
      this.#isOff = true;
      this.#around.network.powerOff(process);
    }
  }

  async #call(life: Life, server: string): Promise<void> {
    const transport = this.#around.network.transport(life.process, 262_144);
    try {
      const link = await transport.dial({ host: server, port: SERVER_PORT, timeoutMs: 2_000 });
      if (this.#life !== life) return link.destroy();
      this.#link = link;
      link.attach(this.#handler(life, link, server));
      link.keepAlive(KEEP_ALIVE_MS);
      this.#logIn(life);
    } catch {
      // As when a connection ends: the next one, soon.
      this.#callAgain(life, server);
    }
  }

  #callAgain(life: Life, server: string): void {
    const { servers } = this.#around;
    const next = servers[(servers.indexOf(server) + 1) % servers.length]!;
    life.process.after(CALL_AGAIN_MS, () => void this.#call(life, next));
  }

  #logIn(life: Life): void {
    const { progress, wants, last } = life;
    life.reads = wants;
    this.#asked = [];
    this.#page = [];
    this.#isCaughtUp = false;
    this.#send({
      command: "LOGIN",
      username: "anonymous",
      features: FEATURES,
      channels: wants,
      redirects: this.#redirects,
      ...(progress.hasBegun ? { resume: { vector: progress.received } } : {}),
      ...(last === undefined ? {} : { last }),
    });
  }

  #handler(life: Life, link: Link, server: string): LinkHandler {
    const decoder = new TextDecoder();
    let text = "";
    let redirect: string | undefined;
    let ended: string | undefined;
    return {
      onData: (bytes) => {
        const lines = (text + decoder.decode(bytes, { stream: true })).split("\n");
        text = lines.pop()!;
        for (const line of lines) {
          // What comes after the end of its process is nobody's.
          if (this.#life !== life) return;
          const message = JSON.parse(line);
          if (message.command === "REDIRECT") redirect = message.hostname;
          else if (message.command === "END_CONNECTION") ended = message.reason;
          else this.#onMessage(life, message, server);
        }
      },
      onDrain: () => {},
      onFinish: () => link.end(500),
      onEnd: () => {
        if (this.#link !== link) return;
        this.#link = undefined;
        if (this.#isConnected) {
          const reason = redirect === undefined ? ended ?? "" : `redirected to ${redirect}`;
          const facts = { session: life.session, reason, byServer: redirect !== undefined || ended !== undefined };
          const vector = sorted(life.progress.received);
          this.#around.history.add(this.name, { what: "disconnected", ...facts, vector });
        }
        this.#isConnected = false;
        life.progress.cutOff();
        if (redirect === undefined) {
          this.#redirects = 0;
          return this.#callAgain(life, server);
        }
        this.#redirects++;
        void this.#call(life, redirect);
      },
    };
  }

  #onMessage(life: Life, message: Message, server: string): void {
    const { history } = this.#around;
    const { session, chain, progress } = life;
    switch (message.command) {
      case "LOGIN_SUCCESS":
        // One that sends it on at once says nothing of its log.
        return message.resume === undefined ? undefined : this.#onLogin(life, message, server);
      case "LOGIN_FAILED":
        return history.add(this.name, { what: "refused", info: String(message.info) });
      case "INVALID_MESSAGE":
        // What it sent was held up for too long.
        if (!String(message.info).startsWith("no LOGIN came")) break;
        return history.add(this.name, { what: "refused", info: String(message.info) });
      case "ACTIVITY_BROADCAST":
        return this.#onActivity(life, message);
      case "HISTORY_PAGE":
        this.#hasMorePast = message.more;
        return;
      case "SUBSCRIBED":
      case "UNSUBSCRIBED":
        return this.#onAnswer(life, message.vector);
      case "POSITION":
        return progress.stands(message.vector);
      case "CAUGHT_UP":
        if (!this.#isCaughtUp) progress.caughtUp(message.vector);
        this.#isCaughtUp = true;
        return;
      case "ACTIVITY_ACK":
      case "ACTIVITY_FAILED": {
        const { messageId, id, info } = message;
        const facts = life.unacknowledged.get(messageId)?.facts;
        if (facts === undefined) return;
        life.unacknowledged.delete(messageId);
        if (message.command === "ACTIVITY_FAILED") {
          return history.add(this.name, { what: "not acknowledged", ...facts, info: String(info) });
        }
        life.last = id;
        return history.add(this.name, { what: "acknowledged", ...facts, id });
      }
      case "HEARTBEAT":
        return this.#send({ command: "HEARTBEAT_ACK", sequence: message.sequence });
    }
    if (PASSED_OVER.has(message.command)) return;
    const info = `${session} (${chain}) got ${JSON.stringify(message)}`;
    history.add(this.name, { what: "threw", info });
  }

  #onLogin(life: Life, message: Message, server: string): void {
    const { history } = this.#around;
    const { session, chain, progress } = life;
    const { serverId, resume } = message;
    const isNew = !progress.hasBegun;
    this.#isConnected = true;
    this.#redirects = 0;
    this.server = server;
    history.add(this.name, { what: "connected", session, server });
    if (resume.gap !== undefined) history.add(this.name, { what: "gap", session, gaps: resume.gap });
    progress.begin({ serverId, ...resume, isTold: true });
    const vector = sorted(isNew ? resume.vector : progress.received);
    if (!life.hasEntered) history.add(this.name, { what: "entered", session, chain, username: "anonymous", vector });
    life.hasEntered = true;
    history.add(this.name, { what: "reads", session, chain, channels: life.reads, vector });
    for (const { line } of life.unacknowledged.values()) this.#write(line);
    // It may have changed its mind between the login and the answer.
    const more = life.wants.filter((pattern) => !life.reads.includes(pattern));
    const less = life.reads.filter((pattern) => !life.wants.includes(pattern));
    if (more.length > 0) this.#ask(life, { more, less: [], history: 0 });
    if (less.length > 0) this.#ask(life, { more: [], less, history: 0 });
  }

  #onActivity({ session, chain, progress, seen }: Life, message: Message): void {
    const { history } = this.#around;
    const { activity: { s, n, authenticated_user }, id, channel, messageId, past } = message;
    const facts = { sender: s, n, id };
    if (past === true) {
      this.#page.push(facts);
      return;
    }
    const arrival = progress.receive(id);
    if (arrival !== "new") {
      return arrival === "duplicate"
        ? history.add(this.name, { what: "came twice", session, id })
        : history.add(this.name, { what: "threw", info: `${session} got an activity without an identity` });
    }
    // Two servers had taken the same message.
    if (messageId !== undefined && !seen.isNew(authenticated_user, messageId)) return;
    const of = channel === undefined ? {} : { channel };
    history.add(this.name, { what: "received", session, chain, ...facts, ...of });
  }

  /** What it reads from here on; with what was said before. */
  #onAnswer(life: Life, vector: Vector): void {
    const { history } = this.#around;
    const { session, chain } = life;
    const [asked, ...others] = this.#asked;
    if (asked === undefined) return history.add(this.name, { what: "threw", info: `${session} had asked for nothing` });
    this.#asked = others;
    const before = life.reads;
    life.reads = [...new Set([...before, ...asked.more])].filter((pattern) => !asked.less.includes(pattern));
    if (asked.history > 0) {
      const page = { activities: this.#page, more: this.#hasMorePast, upTo: vector };
      const question = { number: asked.number, limit: asked.history, channels: life.reads, without: before };
      history.add(this.name, { what: "was told the past", session, ...question, ...page });
    }
    this.#page = [];
    history.add(this.name, { what: "reads", session, chain, channels: life.reads, vector: sorted(vector) });
    life.progress.stands(vector);
  }

  #send(message: unknown): void {
    this.#write(JSON.stringify(message));
  }

  #write(line: string): void {
    this.#link?.write(new TextEncoder().encode(`${line}\n`));
  }
}

function sorted(vector: Vector): Vector {
  return Object.fromEntries(Object.entries(vector).toSorted());
}
