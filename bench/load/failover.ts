/**
 * Load: clients of the library, spread over all servers of a network, while somebody publishes; then the first server
 * is killed. Each client that it had is watched until it is logged in elsewhere and has all that it missed.
 */

import { delay } from "@std/async/delay";
import type { Endpoint } from "../../platform/address.ts";
import { type Client, type ClientEvent, connect } from "../../mod.ts";
import { percentile } from "../figures/statistics.ts";
import type { FailoverJob, FailoverResult } from "./job.ts";

/** Clients that log in at the same time. */
const AT_ONCE = 25;
/** Servers tell each other how many clients they have, and clients where to go, well within this. */
const SETTLE_MS = 2_000;
const WINDOW_MS = 100;
const POLL_MS = 5;

/** Runs the load. It ends when all clients are back; the generator's deadline bounds it. */
export async function runFailover(job: FailoverJob): Promise<FailoverResult> {
  const host = "127.0.0.1";
  const servers = [job.port, ...(job.others ?? []).map(({ port }) => port)].map((port) => ({ host, port }));
  const clients: Watched[] = [];
  while (clients.length < job.clients) {
    const count = Math.min(AT_ONCE, job.clients - clients.length);
    const opening = Array.from({ length: count }, (_, index) => Watched.open(rotated(servers, clients.length + index)));
    clients.push(...await Promise.all(opening));
  }
  await delay(SETTLE_MS);

  // Whoever shares its server with the client that publishes is not affected, that client least of all.
  const victim = clients[0]!.serverId;
  const publisher = clients.find(({ serverId }) => serverId !== victim)!;
  const publishing = setInterval(() => void publisher.publish(), 1000 / job.ratePerS);
  await delay(SETTLE_MS);
  const affected = clients.filter(({ serverId }) => serverId === victim);
  const killedAt = performance.now();
  Deno.kill(job.serverPid, "SIGKILL");
  let stalledMs = 0;
  while (affected.some(({ isBackAt }) => isBackAt === undefined)) {
    const from = performance.now();
    await delay(POLL_MS);
    stalledMs = Math.max(stalledMs, performance.now() - from - POLL_MS);
  }
  clearInterval(publishing);

  const withoutMs = affected.map(({ isBackAt }) => isBackAt! - killedAt).sort((a, b) => a - b);
  const loginsAt = affected.map(({ loggedInAt }) => loggedInAt!).sort((a, b) => a - b);
  const spanMs = Math.max(WINDOW_MS, loginsAt.at(-1)! - loginsAt[0]!);
  return {
    kind: "failover",
    affected: affected.length,
    p50Ms: percentile(withoutMs, 50),
    p99Ms: percentile(withoutMs, 99),
    maxMs: percentile(withoutMs, 100),
    mostPerWindow: Math.max(
      ...loginsAt.map((from) => loginsAt.filter((at) => at >= from && at < from + WINDOW_MS).length),
    ),
    meanPerWindow: affected.length * WINDOW_MS / spanMs,
    stalledMs,
  };
}

/** A client, and when it came back. Times are of `performance.now()`. */
class Watched {
  #client: Client | undefined;
  loggedInAt: number | undefined;
  /** When it had all that it missed as well. */
  isBackAt: number | undefined;

  static async open(servers: readonly Endpoint[]): Promise<Watched> {
    const watched = new Watched();
    const onEvent = (event: ClientEvent) => watched.#onEvent(event);
    watched.#client = await connect({ ...servers[0]!, servers, onEvent });
    return watched;
  }

  get serverId(): string | undefined {
    return this.#client?.serverId;
  }

  async publish(): Promise<void> {
    await this.#client!.publish({ text: "while a server is killed" });
  }

  #onEvent(event: ClientEvent): void {
    if (event.kind === "lost") {
      this.loggedInAt = undefined;
      this.isBackAt = undefined;
    } else if (event.kind === "connected" && event.returned) this.loggedInAt = performance.now();
    else if (event.kind === "caughtUp" && this.loggedInAt !== undefined) this.isBackAt = performance.now();
  }
}

/** `servers`, beginning with the one whose turn it is. */
function rotated<T>(servers: readonly T[], turn: number): T[] {
  const first = turn % servers.length;
  return [...servers.slice(first), ...servers.slice(0, first)];
}
