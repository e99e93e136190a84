/**
 * Carries a schedule out: real servers and real clients on one fake clock and one network, and a
 * history of what they told.
 */

import { FakeClock } from "../support/fake_clock.ts";
import { Chance } from "./chance.ts";
import { type Event, History } from "./history.ts";
import { joinClone } from "./cloned_folder.ts";
import { claim } from "./claim.ts";
import { lie } from "./liar.ts";
import { ChannelClient } from "./channel_client.ts";
import { JudgedUser, tryName } from "./judged_user.ts";
import { LibraryClient } from "./library_client.ts";
import { SimNetwork } from "./network.ts";
import { PlainClient } from "./plain_client.ts";
import type { Process } from "./process.ts";
import type { ClientPlan, Schedule, Step } from "./schedule.ts";
import { askWhoIsOnline } from "./online_question.ts";
import { isJudged } from "./rulings.ts";
import { SimServer } from "./sim_server.ts";
import type { SimClient, Surroundings } from "./surroundings.ts";

/**
 * How long things may take to settle once all is mended: the longest pause between two calls of a lost
 * server, and what follows.
 */
const SETTLING_MS = 90_000;
/** It is looked so often whether they have. */
const LOOK_MS = 1_000;
/** And so often must it look settled. */
const QUIET_LOOKS = 4;
/** A client that is dead and knows no heartbeats may be taken for online for so long. */
const LISTS_SETTLE_MS = 30_000;
/** How long a client takes to go. */
const LEAVING_MS = 10_000;
/** How long one that is barred nowhere may take to come in, with each of its secrets at each server. */
const LETTING_IN_MS = 20_000;
/** After a machine slept: TCP sends again what it did not take. */
const RESENT_WITHIN_MS = 250;
/** Rounds of promises that are let go on in a turn: far more than any chain of them in the code is long. */
const ROUNDS = 48;

/** Carries `schedule` out and gives what happened. */
export async function play(schedule: Schedule): Promise<Event[]> {
  const world = new World(schedule);
  return await world.play();
}

class World {
  readonly #schedule: Schedule;
  readonly #around: Surroundings;
  readonly #servers = new Map<string, SimServer>();
  readonly #clients = new Map<string, SimClient>();
  readonly #judged = new Map<string, JudgedUser>();
  readonly #stalled = new Set<{ goOn(): void }>();
  /** Machines that sleep. */
  readonly #asleep = new Set<string>();
  readonly #chance: Chance;
  #isMended = false;

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
    const { seed, servers, clients, settings } = schedule;
    this.#chance = new Chance(seed, "world");
    const clock = new FakeClock({ settled });
    const history = new History(() => clock.nowMs());
    const network = new SimNetwork(clock, new Chance(seed, "network"), {
      linkUp: (process, peer, link) => this.#link("link up", process, peer, link),
      linkDown: (process, peer, link) => this.#link("link down", process, peer, link),
    });
    this.#around = { seed, clock, network, history, servers, asksPast: settings.asksPast ?? false };
    for (const name of servers) this.#servers.set(name, new SimServer(name, servers, settings, this.#around));
    for (const plan of clients) {
      this.#clients.set(plan.name, clientOf(plan, this.#around));
    }
    for (const username of schedule.judged ?? []) this.#judged.set(username, new JudgedUser(username, this.#around));
  }

  async play(): Promise<Event[]> {
    const { history } = this.#around;
    const onUnhandled = (event: PromiseRejectionEvent) => {
      event.preventDefault();
      history.add("?", { what: "threw", info: `nobody waited for it: ${stackOf(event.reason)}` });
    };
    globalThis.addEventListener("unhandledrejection", onUnhandled);
    try {
      await this.#playAll();
    } catch (error) {
      history.add("?", { what: "threw", info: stackOf(error) });
    } finally {
      // Rejections that nobody waits for are told after the promises have run.
      await new Promise((resolve) => setTimeout(resolve, 0));
      globalThis.removeEventListener("unhandledrejection", onUnhandled);
    }
    return history.events;
  }

  async #playAll(): Promise<void> {
    const { clock, network, history } = this.#around;
    for (const user of this.#judged.values()) user.begin();
    for (const step of this.#schedule.steps) {
      await clock.run(Math.max(0, step.at - clock.nowMs()));
      history.add("", { what: "step", step });
      this.#carryOut(step);
    }
    await clock.run(500);
    history.add("", { what: "mended" });
    this.#isMended = true;
    for (const machine of [...this.#servers.keys(), ...this.#clients.keys()]) network.wakeUp(machine);
    network.heal();
    for (const one of [...this.#stalled, ...this.#clients.values()]) one.goOn();
    this.#stalled.clear();
    for (const server of this.#servers.values()) {
      server.calendar.aheadMs = 0;
      server.mendDisk();
      server.start();
    }
    await this.#settle(QUIET_LOOKS);
    for (const client of this.#clients.values()) client.tellEnd();
    await this.#judge();
    await this.#askWhoIsOnline();
    await this.#comeOnceMore();
    await joinClone(
      [...this.#servers.values()].filter(({ isRunning }) => isRunning),
      this.#schedule.settings,
      this.#around,
    );
    for (const server of this.#servers.values()) if (!server.isDestroyed) server.tellEnd();
  }

  async #settle(looks: number): Promise<void> {
    for (let quiet = 0, waitedMs = 0; quiet < looks && waitedMs < SETTLING_MS; waitedMs += LOOK_MS) {
      await this.#around.clock.run(LOOK_MS);
      // One that was stopping when all was mended.
      for (const server of this.#servers.values()) server.start();
      quiet = this.#isQuiet() ? quiet + 1 : 0;
    }
  }

  /** Until all servers say what is so, or it has taken too long; then that is written down. */
  async #askWhoIsOnline(): Promise<void> {
    const { clock, history, servers } = this.#around;
    const connected = [...this.#clients.values()].filter(({ isConnected }) => isConnected);
    const online = JSON.stringify([...new Set(connected.flatMap(({ username }) => username ?? []))].toSorted());
    const lists = new Map<string, readonly string[]>();
    const asked = servers.filter((server) => !this.#servers.get(server)!.isDestroyed);
    for (let waitedMs = 0; waitedMs < LISTS_SETTLE_MS; waitedMs += LOOK_MS) {
      lists.clear();
      for (const server of asked) {
        askWhoIsOnline(server, this.#around, (users) => {
          lists.set(server, users.filter((username) => !isJudged(username)));
        });
      }
      await clock.run(LOOK_MS);
      if (asked.every((server) => JSON.stringify(lists.get(server)) === online)) break;
    }
    for (const [server, users] of lists) history.add(server, { what: "lists", users });
  }

  /** How all servers judge, and whether a name is to be had of those who are. */
  async #judge(): Promise<void> {
    const servers = [...this.#servers.values()].filter(({ isRunning }) => isRunning);
    for (const { username } of this.#judged.values()) {
      for (const { name } of servers) tryName(username, name, this.#around);
      await this.#around.clock.run(LOOK_MS);
    }
    const users = [...this.#judged.values()];
    if (users.length === 0) return;
    for (let waitedMs = 0; users.some(({ isIn }) => !isIn) && waitedMs < LETTING_IN_MS; waitedMs += LOOK_MS) {
      await this.#around.clock.run(LOOK_MS);
    }
    for (const user of users) user.tellEnd();
    for (const server of servers) server.tellJudgement();
  }

  /** Who can be told apart by what it is shown at a login goes, and then everybody comes: what waits is for them. */
  async #comeOnceMore(): Promise<void> {
    const { clock, history, servers } = this.#around;
    history.add("", { what: "once more" });
    // Some were to crash, and had nothing to commit.
    for (const server of this.#servers.values()) server.spare();
    const named = [...this.#clients.values()].filter(({ username }) => username !== undefined);
    const leaving = named.filter((client) => client instanceof LibraryClient);
    for (const client of leaving) client.leave();
    for (let waitedMs = 0; leaving.some(({ isIn }) => isIn) && waitedMs < LEAVING_MS; waitedMs += LOOK_MS) {
      await clock.run(LOOK_MS);
    }
    for (const client of named) client.enter(this.#chance.pick(servers), false);
    await this.#settle(QUIET_LOOKS - 1);
  }

  #isQuiet(): boolean {
    const vectors = new Set<string>();
    const left = [...this.#servers.values()].filter((server) => !server.isDestroyed);
    for (const { vector } of left) {
      if (vector === undefined) return false;
      // Every server forgets by itself.
      const kept = Object.entries(vector).filter(([origin]) => !left.some((one) => one.hasForgotten(origin)));
      vectors.add(JSON.stringify(kept.toSorted()));
    }
    if (vectors.size > 1) return false;
    const { durability } = this.#schedule.settings;
    const isAlone = [...this.#servers.values()].filter((server) => !server.isDestroyed).length === 1;
    const isNobodyTold = durability === "replicated" && isAlone;
    return [...this.#clients.values()].every((client) =>
      !client.isIn ||
      (client.isConnected && (client.unacknowledged === 0 || isNobodyTold) &&
        this.#around.network.hasConnection(client.name))
    );
  }

  #carryOut(step: Step): void {
    const { network, history } = this.#around;
    const server = "server" in step ? this.#servers.get(step.server) : undefined;
    const client = "client" in step ? this.#clients.get(step.client) : undefined;
    switch (step.kind) {
      case "start":
        return server?.start();
      case "stop":
        return server?.stop();
      case "destroy":
        // One at most, and not the last.
        if (this.#servers.size > 1 && ![...this.#servers.values()].some((one) => one.isDestroyed)) server?.destroy();
        return;
      case "crash":
        return server?.crash(step.when);
      case "power cut":
        return server?.powerCut(step.chance);
      case "put back":
        return server?.putBack(step.chance);
      case "stall":
        this.#stall(step.machine, step.ms);
        return;
      case "doze":
        return this.#doze(step.machine, step.ms, step.awakeMs, step.times);
      case "partition":
        for (const a of step.sides[0]) for (const b of step.sides[1]) this.#isolate(a, b);
        return;
      case "black hole":
        history.add("", { what: "cut off", from: step.from, to: step.to });
        return network.block(step.from, step.to);
      case "slow":
        return network.slow(step.a, step.b, step.ms);
      case "reset":
        return network.cut(step.a, step.b);
      case "heal":
        return network.heal();
      case "enter":
        return client?.enter(step.server, step.resume);
      case "leave":
        return client?.leave();
      case "kill":
        return client?.kill(step.how);
      case "publish":
        return client?.publish(step.count, step.channels);
      case "subscribe":
        return client?.subscribe(step.channels, step.history);
      case "unsubscribe":
        return client?.unsubscribe(step.channels);
      case "send":
        return client?.send(step.to, step.count);
      case "crash host":
        return this.#servers.get(client?.server ?? "")?.crash(step.when);
      case "isolate host":
        for (const other of this.#servers.keys()) {
          if (client?.server === undefined || other === client.server) continue;
          this.#isolate(client.server, other);
        }
        return;
      case "claim":
        return claim(step, this.#around);
      case "rule":
        return server?.rule(step, (secret) => this.#judged.get(step.username)?.takeSecret(secret));
      case "reads fail":
        return server?.failReads(step.after);
      case "bit flips":
        return server?.flip(step.chance);
      case "set calendar":
        return this.#setCalendar(step);
      case "read slowly":
        return client?.readSlowly(step.ms);
      case "lie":
        return lie(step, this.#around);
      case "busy host":
        return client?.server === undefined ? undefined : this.#keepBusy(client.server, step);
      case "busy loop":
        return this.#keepBusy(step.server, step);
    }
  }

  #setCalendar({ server, aheadMs, forMs }: Extract<Step, { kind: "set calendar" }>): void {
    const { calendar } = this.#servers.get(server)!;
    calendar.aheadMs = aheadMs;
    this.#around.clock.after(forMs, () => calendar.aheadMs = 0);
  }

  #isolate(a: string, b: string): void {
    const { network, history } = this.#around;
    for (const [from, to] of [[a, b], [b, a]] as const) {
      history.add("", { what: "cut off", from, to });
      network.block(from, to);
    }
  }

  /** Gives who stands still; `undefined` if nobody does because of this. */
  #stall(machine: string, ms: number): { goOn(): void } | undefined {
    const { clock, history } = this.#around;
    const one = this.#servers.get(machine)?.process ?? this.#clients.get(machine);
    if (one === undefined || this.#stalled.has(one)) return undefined;
    history.add(machine, { what: "stalled" });
    one.stall();
    this.#stalled.add(one);
    clock.after(ms, () => {
      if (!this.#stalled.delete(one)) return;
      history.add(machine, { what: "went on" });
      one.goOn();
    });
    return one;
  }

  #keepBusy(
    machine: string,
    { ms, freeMs, times }: Pick<Extract<Step, { kind: "busy loop" }>, "ms" | "freeMs" | "times">,
  ): void {
    const { clock, history } = this.#around;
    const process = this.#servers.get(machine)?.process;
    if (process === undefined || this.#stalled.has(process)) return;
    history.add(machine, { what: "busy", ms });
    process.stall();
    this.#stalled.add(process);
    clock.after(ms, () => {
      if (!this.#stalled.delete(process)) return;
      process.wasBusy(ms);
      process.goOn();
      if (times === 1) return;
      clock.after(freeMs, () => {
        const isStillIt = !this.#isMended && this.#servers.get(machine)?.process === process;
        if (isStillIt) this.#keepBusy(machine, { ms, freeMs, times: times - 1 });
      });
    });
  }

  #doze(machine: string, ms: number, awakeMs: number, times: number): void {
    const { clock, network } = this.#around;
    const one = this.#stall(machine, ms);
    if (one === undefined) return;
    network.fallAsleep(machine);
    this.#asleep.add(machine);
    clock.after(ms, () => {
      this.#asleep.delete(machine);
      // Those who had something to send try again when it is their time. That its process may stand still again by then
      // is not the network's concern.
      clock.after(this.#chance.whole(1, RESENT_WITHIN_MS), () => {
        if (!this.#asleep.has(machine)) network.wakeUp(machine);
      });
      if (times > 1) clock.after(awakeMs, () => this.#isMended || this.#doze(machine, ms, awakeMs, times - 1));
    });
  }

  /** Which servers were linked when is evidence; so are links to clients. */
  #link(what: "link up" | "link down", process: Process, peer: string, link: number): void {
    if (process.machine.startsWith("s")) this.#around.history.add(process.machine, { what, peer, link });
  }
}

function clientOf(plan: ClientPlan, around: Surroundings): SimClient {
  if (plan.kind === "plain") return new PlainClient(plan, around);
  return plan.kind === "channels" ? new ChannelClient(plan, around) : new LibraryClient(plan, around);
}

/** Promises have done all that they can. */
async function settled(): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) await null;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
