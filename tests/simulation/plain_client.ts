/**
 * A client of the simulator that knows no features: it sends and reads lines, and calls again when
 * its connection is gone.
 */

import type { Link, LinkHandler } from "../../platform/transport.ts";
import { Chance } from "./chance.ts";
import { ofMessageText } from "./numbered.ts";
import { Process } from "./process.ts";
import type { ClientPlan } from "./schedule.ts";
import { SERVER_PORT } from "./sim_server.ts";
import type { SimClient, Surroundings } from "./surroundings.ts";

/** Between the end of a connection and the next call. */
const CALL_AGAIN_MS = 300;

/** It has nothing else to notice with that a server is gone without a word. */
const KEEP_ALIVE_MS = 2_000;

/** A client of lines. */
export class PlainClient implements SimClient {
  readonly name: string;
  readonly unacknowledged = 0;
  readonly #plan: ClientPlan;
  readonly #around: Surroundings;
  readonly #chance: Chance;
  #username: string;
  #isRegistered = false;
  #process: Process | undefined;
  #isOff = false;
  #sessions = 0;
  #lives = 0;
  #session = "";
  #published = 0;
  #link: Link | undefined;
  #isConnected = false;

  constructor(plan: ClientPlan, around: Surroundings) {
    this.name = plan.name;
    this.#plan = plan;
    this.#around = around;
    this.#chance = new Chance(around.seed, `client ${plan.name}`);
    this.#username = plan.username;
  }

  get username(): string {
    return this.#username;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  get isIn(): boolean {
    return this.#process !== undefined;
  }

  server: string | undefined;

  enter(server: string): void {
    if (this.#process !== undefined) return;
    if (this.#isOff) this.#around.network.powerOn(this.name);
    this.#isOff = false;
    this.#process = new Process(this.name, this.#around.clock);
    this.#lives++;
    void this.#call(this.#process, server);
  }

  leave(): void {
    const process = this.#process;
    if (process === undefined || process.isStalled) return;
    if (this.#isConnected) this.#send({ command: "LOGOUT" });
    this.#end("crash");
  }

  kill(how: "crash" | "power cut"): void {
    if (this.#process === undefined) return;
    this.#around.history.add(this.name, { what: "died", how });
    this.#end(how);
  }

  publish(count: number): void {
    if (!this.#isConnected || this.#process!.isStalled) return;
    for (let left = count; left > 0; left--) {
      const activity = { s: this.#session, n: ++this.#published, pad: "x".repeat(this.#chance.whole(0, 200)) };
      this.#around.history.add(this.name, { what: "published", sender: activity.s, n: activity.n });
      this.#send({ command: "ACTIVITY_MESSAGE", username: this.#username, secret: this.#plan.secret, activity });
    }
  }

  /** It does not know how. */
  send(): void {}

  /** It does not know that either. */
  subscribe(): void {}

  unsubscribe(): void {}

  readSlowly(ms: number): void {
    const link = this.#link;
    if (link === undefined) return;
    link.pause();
    this.#process!.after(ms, () => link.resume());
  }

  stall(): void {
    this.#process?.stall();
  }

  goOn(): void {
    this.#process?.goOn();
    this.#link?.resume();
  }

  tellEnd(): void {
    if (this.#process === undefined) return;
    const session = this.#session;
    const connected = this.#isConnected;
    const { secret } = this.#plan;
    this.#around.history.add(this.name, {
      what: "is",
      session,
      chain: session,
      username: this.#username,
      secret,
      connected,
    });
  }

  #end(how: "crash" | "power cut"): void {
    const process = this.#process!;
    if (this.#isConnected) {
      this.#around.history.add(this.name, { what: "left", session: this.#session, info: how });
    }
    this.#process = undefined;
    this.#link = undefined;
    this.#isConnected = false;
    process.die();
    if (how === "crash") this.#around.network.died(process);
    else {
      this.#isOff = true;
      this.#around.network.powerOff(process);
    }
  }

  async #call(process: Process, server: string): Promise<void> {
    const transport = this.#around.network.transport(process, 262_144);
    try {
      const link = await transport.dial({ host: server, port: SERVER_PORT, timeoutMs: 2_000 });
      this.#link = link;
      link.attach(this.#handler(process, link, server));
      link.keepAlive(KEEP_ALIVE_MS);
      this.#begin();
    } catch {
      // As when a connection ends: the next one, soon.
      this.#callAgain(process, server);
    }
  }

  #callAgain(process: Process, server: string): void {
    const { servers } = this.#around;
    const next = servers[(servers.indexOf(server) + 1) % servers.length]!;
    process.after(CALL_AGAIN_MS, () => void this.#call(process, next));
  }

  #begin(): void {
    const pair = { username: this.#username, secret: this.#plan.secret };
    this.#send({ command: this.#isRegistered ? "LOGIN" : "REGISTER", ...pair });
  }

  #handler(process: Process, link: Link, server: string): LinkHandler {
    const decoder = new TextDecoder();
    let text = "";
    let redirect: string | undefined;
    return {
      onData: (bytes) => {
        const lines = (text + decoder.decode(bytes, { stream: true })).split("\n");
        text = lines.pop()!;
        for (const line of lines) {
          const message = JSON.parse(line);
          if (message.command === "REDIRECT") redirect = message.hostname;
          else this.#onMessage(message, server);
        }
      },
      onDrain: () => {},
      onFinish: () => link.end(500),
      onEnd: () => {
        if (this.#link !== link) return;
        this.#link = undefined;
        if (this.#isConnected) {
          const facts = { session: this.#session, reason: redirect ?? "", byServer: false };
          this.#around.history.add(this.name, { what: "disconnected", ...facts });
        }
        this.#isConnected = false;
        if (redirect === undefined) this.#callAgain(process, server);
        else void this.#call(process, redirect);
      },
    };
  }

  // deno-lint-ignore no-explicit-any
  #onMessage(message: Record<string, any>, server: string): void {
    const { history } = this.#around;
    switch (message.command) {
      case "REGISTER_SUCCESS": {
        const { secret } = this.#plan;
        history.add(this.name, { what: "registered", username: this.#username, secret, server });
        this.#isRegistered = true;
        this.#begin();
        return;
      }
      case "REGISTER_FAILED":
        // By this client itself, when the answer did not come; logging in tells.
        this.#isRegistered = true;
        return;
      case "INVALID_MESSAGE":
        if (!String(message.info).startsWith("no LOGIN came")) break;
        // What it sent was held up for too long.
        history.add(this.name, { what: "refused", info: String(message.info) });
        return;
      case "AUTHENTICATION_FAIL":
        // The name belongs to somebody else since a partition healed.
        history.add(this.name, { what: "refused", info: String(message.info) });
        return;
      case "LOGIN_FAILED":
        history.add(this.name, { what: "refused", info: String(message.info) });
        this.#isRegistered = false;
        if (message.reason === "WRONG_SECRET") this.#username = `${this.#plan.username}-${this.name}`;
        return;
      case "LOGIN_SUCCESS": {
        this.#session = `${this.name}.${++this.#sessions}`;
        this.#published = 0;
        this.#isConnected = true;
        this.server = server;
        const session = this.#session;
        const life = `${this.name}/${this.#lives}`;
        const facts = { session, chain: session, username: this.#username, vector: {}, life };
        history.add(this.name, { what: "entered", ...facts });
        history.add(this.name, { what: "connected", session, server });
        return;
      }
      case "ACTIVITY_BROADCAST": {
        const { activity: { s, n, direct_message }, id, channel } = message;
        const session = this.#session;
        if (direct_message !== undefined) {
          const facts = { session, chain: session, username: this.#username, id, offline: false };
          history.add(this.name, { what: "got", ...facts, ...ofMessageText(direct_message)! });
          return;
        }
        history.add(this.name, { what: "received", session, chain: session, sender: s, n, id, channel });
        return;
      }
    }
    history.add(this.name, { what: "threw", info: `a plain client got ${JSON.stringify(message)}` });
  }

  #send(message: unknown): void {
    this.#link?.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
  }
}
