/**
 * One channel about which clients of this server ask: who reads it in the network, and whom that is told. Who comes and
 * goes is decided as for users who are online (`presence.ts`), so somebody who is lost has a moment to come back.
 */

import { type FaultGuard, guarded } from "../../platform/faults.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { ClientSession } from "../hub/sessions.ts";
import { lineBytes } from "../../protocol/server_codec.ts";
import { Presence, type PresenceEvent } from "./presence.ts";

/** Who asks: a client of this server. */
export type Asker = Pick<ClientSession, "username" | "tellPresence">;

/** Takes the line of a USER_LIST. */
export type TakeList = (line: Uint8Array) => void;

/** A question that waits until all servers have answered. */
interface Waiting {
  readonly asker: Asker;
  readonly presence: boolean | undefined;
  readonly answer: TakeList;
}

/** What it is made with. */
export interface WatchedChannelParts {
  readonly clock: Pick<Clock, "nowMs" | "after">;
  readonly faults: FaultGuard;
  /** The server's Lamport time of something that happens now. */
  tick(): number;
}

/** How long a question waits for other servers. */
const PATIENCE_MS = 2_000;
/** A user who loses a connection or a server has this long to come back before anybody is told. */
const GRACE_MS = 1_500;
/** How long it is watched for who has asked once: such a question comes again. */
export const LINGER_MS = 10_000;

/** One channel. */
export class WatchedChannel {
  readonly #name: string;
  readonly #parts: WatchedChannelParts;
  readonly #presence = new Presence(GRACE_MS);
  /** Those for whom it is watched, and until when, in milliseconds of a monotonic clock. */
  readonly #askers = new Map<Asker, number>();
  /** Those who have the list, and are told what changes. */
  readonly #told = new Set<Asker>();
  /** Servers that have not said yet who reads it there. */
  readonly #unanswered: Set<string>;
  /** Whether those have had their time. */
  #isLate = false;
  /** The newest answer. */
  #made: { readonly line: Uint8Array; readonly changes: number; readonly isPartial: boolean } | undefined;
  #waiting: Waiting[] = [];
  #patience: Timer | undefined;
  #due: Timer | undefined;

  /** `users` read it at this server, `self`; `others` were asked. */
  constructor(
    name: string,
    parts: WatchedChannelParts,
    { self, users, others }: {
      readonly self: string;
      readonly users: readonly string[];
      readonly others: Iterable<string>;
    },
  ) {
    this.#name = name;
    this.#parts = parts;
    this.#unanswered = new Set(others);
    this.#presence.settle(self, new Set(users), parts.clock.nowMs());
  }

  /** Answers as soon as all have said who reads it, or have had their time. `presence`: see `ListUsersMessage`. */
  ask(asker: Asker, presence: boolean | undefined, answer: TakeList): void {
    const question = { asker, presence, answer };
    this.#holdFor(asker, presence);
    if (this.#unanswered.size === 0 || this.#isLate) return this.#answer(question);
    this.#waiting.push(question);
    this.#patience ??= this.#parts.clock.after(PATIENCE_MS, () => {
      this.#isLate = true;
      this.#answerAll();
    });
  }

  /** How many questions of `asker` wait. */
  waitingOf(asker: Asker): number {
    return this.#waiting.filter((each) => each.asker === asker).length;
  }

  /** Whether it is watched for `asker`. */
  has(asker: Asker): boolean {
    return this.#askers.has(asker);
  }

  /** A client is gone. */
  leave(asker: Asker): void {
    this.#askers.delete(asker);
    this.#told.delete(asker);
    this.#waiting = this.#waiting.filter((each) => each.asker !== asker);
  }

  /** Lets those go that have asked once, some time ago. Gives whether it is watched for anybody. */
  isWatchedAt(nowMs: number): boolean {
    for (const [asker, until] of this.#askers) if (until <= nowMs) this.#askers.delete(asker);
    return this.#askers.size > 0;
  }

  /** These users read it at `server`, and no others. */
  settle(server: string, users: readonly string[]): void {
    this.#tell(this.#presence.settle(server, new Set(users), this.#parts.clock.nowMs()));
    this.#answered(server);
  }

  /** A user begins to read it at `server`, or ends. */
  changed(server: string, username: string, event: "joined" | "left" | "lost"): void {
    // What it has not listed yet is still to come, with this.
    if (this.#unanswered.has(server)) return;
    const { clock } = this.#parts;
    this.#tell(
      event === "joined"
        ? this.#presence.came(server, username)
        : this.#presence.went(server, username, event, clock.nowMs()),
    );
  }

  /** `server` is asked. */
  asked(server: string): void {
    this.#unanswered.add(server);
    this.#isLate = false;
  }

  /** `server` cannot be reached any more. */
  serverGone(server: string): void {
    this.#tell(this.#presence.serverGone(server, this.#parts.clock.nowMs()));
    this.#answered(server);
  }

  /** Nobody asks any more. */
  stop(): void {
    this.#patience?.cancel();
    this.#due?.cancel();
  }

  #holdFor(asker: Asker, presence: boolean | undefined): void {
    if (presence === false) {
      this.#askers.delete(asker);
      this.#told.delete(asker);
    }
    const until = presence ? Infinity : this.#parts.clock.nowMs() + LINGER_MS;
    this.#askers.set(asker, Math.max(until, this.#askers.get(asker) ?? 0));
  }

  #answered(server: string): void {
    if (this.#unanswered.delete(server) && this.#unanswered.size === 0) this.#answerAll();
  }

  #answerAll(): void {
    this.#patience?.cancel();
    this.#patience = undefined;
    for (const question of this.#waiting.splice(0)) this.#answer(question);
  }

  #answer({ asker, presence, answer }: Waiting): void {
    if (presence === true) this.#told.add(asker);
    if (presence === false) this.#told.delete(asker);
    const line = this.#line;
    guarded(this.#parts.faults, "session", () => answer(line), () => {});
  }

  /** The answer to everybody who asks before the next change: it may be long. */
  get #line(): Uint8Array {
    const { changes } = this.#presence;
    const isPartial = this.#unanswered.size > 0;
    if (this.#made?.changes !== changes || this.#made.isPartial !== isPartial) {
      const partial = isPartial ? { partial: true } as const : {};
      const list = { command: "USER_LIST", scope: "online", channel: this.#name, ...partial } as const;
      this.#made = { line: lineBytes({ ...list, users: this.#presence.listed }), changes, isPartial };
    }
    return this.#made.line;
  }

  #tell(events: readonly PresenceEvent[]): void {
    for (const { event, username } of this.#told.size === 0 ? [] : events) {
      const lamport = this.#parts.tick();
      const line = lineBytes({ command: "PRESENCE", event, username, lamport, channel: this.#name });
      for (const asker of this.#told) {
        guarded(this.#parts.faults, "session", () => asker.tellPresence(username, line), () => {});
      }
    }
    this.#tellLater();
  }

  #tellLater(): void {
    this.#due?.cancel();
    const { clock } = this.#parts;
    const { dueAt } = this.#presence;
    this.#due = dueAt === undefined
      ? undefined
      : clock.after(Math.max(0, dueAt - clock.nowMs()), () => this.#tell(this.#presence.due(clock.nowMs())));
  }
}
