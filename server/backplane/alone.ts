/** The smallest backplane: a network of one server. There is nobody to wait for, nobody to ask and nobody to tell. */

import type { Segment } from "../../log/segment.ts";
import type { Vector } from "../../log/vector.ts";
import type { Endpoint } from "../../platform/address.ts";
import { type FaultGuard, guarded } from "../../platform/faults.ts";
import type { EntryId } from "../../protocol/entry_id.ts";
import { areAlike } from "../rights/names/skeleton.ts";
import type { KnownServer } from "../store/store.ts";
import type { Backplane, BackplaneOwner, NameClaim, Route, Talk } from "./backplane.ts";
import type { Member } from "./member.ts";

/** What it is made with. */
export interface AloneParts {
  /** This server, which can get another name. */
  readonly named: { readonly serverId: string };
  readonly faults: FaultGuard;
  readonly owner: Pick<BackplaneOwner, "joined">;
  /** What the tickets of this server's clients are made with. */
  readonly ticketKey: string;
  /** The server's Lamport time after something happened. */
  tick(): number;
}

/** A server without others. */
export class Alone implements Backplane {
  readonly isAlone = true;
  readonly joinState = "alone";
  readonly members: readonly Member[] = [];
  readonly routes: readonly Route[] = [];
  readonly pending = 0;
  readonly #parts: AloneParts;
  /** Who waits for the start. Each is a connection, and connections have a limit. */
  #waiting: (() => void)[] = [];
  /** The Lamport time of the claim, by name. Each is a registration that is under way. */
  readonly #claims = new Map<string, number>();
  #listening: Endpoint = { host: "", port: 0 };
  #isJoined = false;

  constructor(parts: AloneParts) {
    this.#parts = parts;
  }

  start(listening: Endpoint): void {
    this.#listening = listening;
    this.#isJoined = true;
    // Nobody has to hear what became of those who were here before.
    this.#parts.owner.joined(() => {});
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const run of waiting) guarded(this.#parts.faults, "session", run, () => {});
  }

  retire(): void {}

  finish(): Promise<void> {
    return Promise.resolve();
  }

  silence(): void {}

  stop(): Promise<void> {
    this.#waiting = [];
    return Promise.resolve();
  }

  committed(_segments: readonly Segment[]): void {}

  delivered(): void {}

  /** The commit of this server is all there can be. */
  whenSafe(_entry: EntryId, run: () => void): void {
    run();
  }

  get isJoined(): boolean {
    return this.#isJoined;
  }

  whenJoined(run: () => void): void {
    if (this.#isJoined) run();
    else this.#waiting.push(run);
  }

  /** Nobody brings what is not here. */
  whenHere(_id: string | undefined, run: () => void): void {
    run();
  }

  reserveIsBack(): void {}

  forgot(_vector: Vector): void {}

  claim(username: string, settled: (claim: NameClaim | undefined) => void): void {
    if ([...this.#claims.keys()].some((name) => areAlike(name, username))) return settled(undefined);
    const lamport = this.#parts.tick();
    this.#claims.set(username, lamport);
    const release = () => {
      // The name may be claimed anew by then.
      if (this.#claims.get(username) === lamport) this.#claims.delete(username);
    };
    let isOver = false;
    settled({
      lamport,
      release: () => {
        isOver = true;
        release();
      },
      registered: (_entry, done) => {
        if (isOver) return;
        isOver = true;
        release();
        done();
      },
    });
  }

  get self(): KnownServer {
    return { serverId: this.#parts.named.serverId, ...this.#listening };
  }

  isMember(serverId: string): boolean {
    return serverId === this.#parts.named.serverId;
  }

  ticketKeyOf(serverId: string): string | undefined {
    return this.isMember(serverId) ? this.#parts.ticketKey : undefined;
  }

  say(_message: Talk, _to?: string): void {}

  announceSoon(): void {}
}
