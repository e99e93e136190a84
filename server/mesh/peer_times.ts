/** Takes the Lamport times of other servers, as `link_clock.ts` decides. */

import { getLogger } from "@logtape/logtape";
import { LinkClock } from "./link_clock.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Journal } from "../journal/journal.ts";

/** A link to another server, for the log. */
interface NamedLink {
  readonly name: string;
}

const logger = getLogger(["thrum", "mesh"]);

/** The times of all links of one server. */
export class PeerTimes {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #clocks = new WeakMap<NamedLink, LinkClock>();

  constructor(journal: Journal, clock: Clock) {
    this.#journal = journal;
    this.#clock = clock;
  }

  /** A link is up, and its server has greeted at `lamport`. */
  greeted(link: NamedLink, lamport: number): void {
    const clock = new LinkClock(this.#clock.nowMs());
    this.#clocks.set(link, clock);
    this.#journal.tick(clock.greeted(lamport));
    if (clock.isAhead) this.#say(link, lamport);
  }

  /** A message came that was sent at `lamport`. Gives the time after it here. */
  heard(link: NamedLink, lamport: number | undefined): number {
    return this.#journal.tick(lamport === undefined ? undefined : this.counts(link, lamport));
  }

  /** The part of a time that counts here. It came over this link. */
  counts(link: NamedLink, lamport: number): number {
    const own = this.#journal.lamport;
    if (lamport <= own) return lamport;
    const clock = this.#clocks.get(link);
    if (clock === undefined) return own;
    const wasAhead = clock.isAhead;
    const counts = clock.heard(lamport, own, this.#clock.nowMs());
    if (clock.isAhead && !wasAhead) this.#say(link, lamport);
    return counts;
  }

  #say({ name }: NamedLink, lamport: number): void {
    logger.warning("the Lamport clock of {name} is far ahead ({lamport}); this server follows it slowly", {
      name,
      lamport,
    });
  }
}
