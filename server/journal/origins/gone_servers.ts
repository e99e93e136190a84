/**
 * Forgets whole origins: servers that are gone for good, of which only registrations are left. Every server does so by
 * itself, and says so. The others follow at once where they may, so that vectors are soon equal again. It does not
 * matter who is first. The last number stays, so that no entry of the origin comes again, and a later entry goes on
 * from there.
 */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../../../config/config.ts";
import type { Position } from "../../../log/segment.ts";
import type { Vector } from "../../../log/vector.ts";
import type { Clock, Timer } from "../../../platform/clock.ts";
import { MAX_FORGOTTEN } from "../../../protocol/peer/origin_message.ts";
import type { Journal } from "../journal.ts";

/** What it works with. */
export interface GoneServersParts {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly limits: Pick<Config["store"], "activityRetentionMs" | "directMessageRetentionMs">;
  /** Between two looks. */
  readonly intervalMs: number;
  /** The time by which the log forgets. */
  now(): number;
  /** Whether the origin's server belongs to the network, as far as is known. */
  isMember(origin: string): boolean;
  /** Activities up to this position are gone. */
  forgot(upTo: Position): void;
  /** Origins were forgotten whole. */
  buried(vector: Vector): void;
}

/** Origins that are forgotten at once: a few milliseconds. */
const AT_ONCE = 10;
/** Until the next of them. */
const MORE_INTERVAL_MS = 50;
const logger = getLogger(["thrum", "store"]);

/** One server's. */
export class GoneServers {
  readonly #parts: GoneServersParts;
  #timer: Timer | undefined;

  constructor(parts: GoneServersParts) {
    this.#parts = parts;
  }

  begin(): void {
    this.#later(this.#parts.intervalMs);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Another server has forgotten these whole. Gives whether this one lacks something of them. */
  heard(vector: Vector): boolean {
    const { journal, isMember, limits, now } = this.#parts;
    const named = Object.keys(vector).filter((origin) => Object.hasOwn(journal.vector, origin));
    if (named.length === 0) return false;
    // However young: where it is kept for longer than there, it stays.
    const before = { takenBefore: Infinity, directMessagesBefore: now() - limits.directMessageRetentionMs };
    const mayGo = journal.origins.buriable(before, named.length, { among: named });
    const found: Record<string, number> = {};
    let lacks = false;
    for (const origin of named) {
      const last = journal.lastOf(origin);
      if (!Object.hasOwn(mayGo, origin) || last > vector[origin]! || isMember(origin)) continue;
      if (last < vector[origin]!) lacks = true;
      // Never further than what is known here: what somebody claims of an origin cannot hide what comes of it.
      found[origin] = last;
      if (Object.keys(found).length === MAX_FORGOTTEN) break;
    }
    if (Object.keys(found).length > 0) this.#bury(found);
    return lacks;
  }

  #later(delayMs: number): void {
    this.#timer = this.#parts.clock.after(delayMs, () => {
      const { limits, journal, isMember, now, intervalMs } = this.#parts;
      const before = {
        takenBefore: now() - limits.activityRetentionMs,
        directMessagesBefore: now() - limits.directMessageRetentionMs,
      };
      const choice = { mayGo: (origin: string) => !isMember(origin) };
      const gone = Object.entries(journal.origins.buriable(before, AT_ONCE + 1, choice));
      if (gone.length > 0) this.#bury(Object.fromEntries(gone.slice(0, AT_ONCE)));
      this.#later(gone.length > AT_ONCE ? MORE_INTERVAL_MS : intervalMs);
    });
  }

  #bury(vector: Vector): void {
    const { journal, forgot, buried } = this.#parts;
    // Before the origin goes: who joins later hears what was set there.
    journal.records.buried(Object.keys(vector));
    const upTo = journal.origins.bury(vector);
    logger.info("forgot servers that are gone, except their accounts: {count}", {
      count: Object.keys(vector).length,
    });
    if (upTo > 0) forgot(upTo);
    buried(vector);
  }
}
