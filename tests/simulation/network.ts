/**
 * The network of the simulator: machines with names, links between their processes, and all that can go wrong with
 * them. Within a link bytes keep their order and none is lost in the middle, as with TCP: what a black hole holds up
 * arrives when it is gone, if both machines still know of the link. Between links nothing has an order.
 */

import type { Clock } from "../../platform/clock.ts";
import type { Link, Listener, Transport } from "../../platform/transport.ts";
import type { Chance } from "./chance.ts";
import type { Process } from "./process.ts";
import { SimLink } from "./sim_link.ts";

/** What happens to links, for the history. */
export interface NetworkWitness {
  linkUp(process: Process, peer: string, link: number): void;
  linkDown(process: Process, peer: string, link: number): void;
}

interface Listening {
  readonly process: Process;
  readonly highWaterBytes: number;
  readonly onLink: (link: Link) => void;
}

interface DialOptions {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Bytes travel so long, in milliseconds, each a little different. Whole numbers, so that much happens in one turn. */
const LATENCY_MS = { least: 1, most: 4 };

/** All machines. */
export class SimNetwork {
  readonly clock: Clock;
  readonly #chance: Chance;
  readonly #witness: NetworkWitness;
  readonly #listening = new Map<string, Listening>();
  readonly #links = new Set<SimLink>();
  /** As `from>to`. */
  readonly #blocked = new Set<string>();
  /** Of which something is held up in a black hole. */
  #heldUp = new Set<SimLink>();
  readonly #slowMs = new Map<string, number>();
  readonly #off = new Set<string>();
  readonly #asleep = new Set<string>();
  /** Calls that were made into a black hole: made again when something heals. */
  #lostCalls: (() => void)[] = [];
  #lastLink = 0;

  constructor(clock: Clock, chance: Chance, witness: NetworkWitness) {
    this.clock = clock;
    this.#chance = chance;
    this.#witness = witness;
  }

  /** The transport of `process`. */
  transport(process: Process, highWaterBytes: number): Transport {
    return {
      listen: ({ host, port }, onLink) => {
        const key = `${process.machine}:${port}`;
        if (this.#listening.has(key)) {
          return Promise.reject(failure("EADDRINUSE", `${host}:${port} is in use`));
        }
        const listening = { process, highWaterBytes, onLink };
        this.#listening.set(key, listening);
        const close = () => {
          if (this.#listening.get(key) === listening) this.#listening.delete(key);
          return Promise.resolve();
        };
        return Promise.resolve<Listener>({ host, port, close, [Symbol.asyncDispose]: close });
      },
      dial: (options) => this.#dial(process, highWaterBytes, options),
    };
  }

  /** Whether `machine` has a connection of which the other side knows too. */
  hasConnection(machine: string): boolean {
    for (const link of this.#links) if (link.process.machine === machine && this.#links.has(link.peer)) return true;
    return false;
  }

  // ---- what goes wrong -------------------------------------------------------------------------------------------

  /** Nothing gets from one machine to the other any more, and nobody is told. */
  block(from: string, to: string): void {
    this.#blocked.add(`${from}>${to}`);
  }

  /** Bytes between the two take so much longer. */
  slow(a: string, b: string, ms: number): void {
    this.#slowMs.set(`${a}>${b}`, ms);
    this.#slowMs.set(`${b}>${a}`, ms);
  }

  /** Every connection between the two is reset. */
  cut(a: string, b: string): void {
    for (const link of [...this.#links]) {
      const ends = [link.process.machine, link.peer.process.machine];
      if (ends.includes(a) && ends.includes(b)) link.break();
    }
  }

  /** All is well again between all machines. */
  heal(): void {
    this.#blocked.clear();
    this.#slowMs.clear();
    this.#goOn();
  }

  /** A machine sleeps: nothing gets out, and what others send waits with them. */
  fallAsleep(machine: string): void {
    this.#asleep.add(machine);
  }

  /** It can be reached again. */
  wakeUp(machine: string): void {
    this.#asleep.delete(machine);
    this.#goOn();
  }

  /** The operating system closes what a process leaves behind when it dies. */
  died(process: Process): void {
    this.#stopListening(process);
    for (const link of [...this.#links]) if (link.process === process) link.crash();
  }

  /** A machine is off from one moment to the next: nobody is told anything. */
  powerOff(process: Process): void {
    this.#off.add(process.machine);
    this.#stopListening(process);
    for (const link of [...this.#links]) if (link.process === process) link.vanish();
  }

  /** It is on again, and knows none of its former links. */
  powerOn(machine: string): void {
    this.#off.delete(machine);
    for (const link of [...this.#links]) if (link.peer.process.machine === machine) link.sendAgain();
    this.#goOn();
  }

  // ---- for links -------------------------------------------------------------------------------------------------

  isBlocked(from: string, to: string): boolean {
    return this.#blocked.has(`${from}>${to}`) || this.#asleep.has(from) || this.#asleep.has(to);
  }

  isOff(machine: string): boolean {
    return this.#off.has(machine);
  }

  delayMs(from: string, to: string): number {
    return this.#chance.whole(LATENCY_MS.least, LATENCY_MS.most) + (this.#slowMs.get(`${from}>${to}`) ?? 0);
  }

  /** Until it heals. */
  holdUp(link: SimLink): void {
    this.#heldUp.add(link);
  }

  forget(link: SimLink): void {
    this.#links.delete(link);
  }

  /** `link` is not used by its process any more. */
  down(link: SimLink): void {
    this.#witness.linkDown(link.process, link.peer.process.machine, link.number);
  }

  // ----------------------------------------------------------------------------------------------------------------

  #stopListening(process: Process): void {
    for (const [key, listening] of this.#listening) if (listening.process === process) this.#listening.delete(key);
  }

  #goOn(): void {
    const heldUp = this.#heldUp;
    this.#heldUp = new Set();
    for (const link of heldUp) link.flush();
    const calls = this.#lostCalls;
    this.#lostCalls = [];
    for (const call of calls) call();
  }

  #dial(process: Process, highWaterBytes: number, { host, port, timeoutMs, signal }: DialOptions): Promise<Link> {
    const { promise, resolve, reject } = Promise.withResolvers<Link>();
    const { machine } = process;
    let isSettled = false;
    const settle = (how: () => void) => {
      if (isSettled) return;
      isSettled = true;
      timer.cancel();
      how();
    };
    const timer = process.after(timeoutMs, () => {
      settle(() => reject(failure("ETIMEDOUT", `no answer within ${timeoutMs} ms`)));
    });
    signal?.addEventListener("abort", () => settle(() => reject(failure("ABORT_ERR", "it was given up"))));
    const call = () => {
      if (isSettled || process.isDead) return;
      if (this.isOff(host) || this.isBlocked(machine, host) || this.isBlocked(host, machine)) {
        this.#lostCalls.push(call);
        return;
      }
      const listening = this.#listening.get(`${host}:${port}`);
      const answer = listening && this.#pair(process, highWaterBytes, listening, port);
      this.clock.after(this.delayMs(host, machine), () => {
        if (process.isDead) return answer?.crash();
        process.hand(() => {
          if (answer === undefined) {
            settle(() => reject(failure("ECONNREFUSED", `connection refused by ${host}:${port}`)));
          } else if (isSettled) answer.destroy();
          else settle(() => resolve(answer));
        });
      });
    };
    this.clock.after(this.delayMs(machine, host), call);
    return promise;
  }

  /** Gives the caller's end. */
  #pair(process: Process, highWaterBytes: number, listening: Listening, port: number): SimLink {
    const number = ++this.#lastLink;
    const near = new SimLink(this, process, highWaterBytes, number);
    const far = new SimLink(this, listening.process, listening.highWaterBytes, number);
    near.join(far, port, 40_000 + number);
    this.#links.add(near).add(far);
    this.#witness.linkUp(process, listening.process.machine, number);
    this.#witness.linkUp(listening.process, process.machine, number);
    listening.process.hand(() => listening.onLink(far));
    return near;
  }
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
