/**
 * The order of activities from servers of the older dialect. These have no sequence, so they are sorted by the times at
 * which they were sent, within one window. Each is taken once, however often such a server sends its history. Pure:
 * time comes in.
 */

import { RecentMap } from "../../log/recent.ts";

/** An activity as such a server passed it on. */
export interface LegacyActivity {
  /** The activity's own JSON text, without `authenticated_user`. */
  readonly text: string;
  /** Who published it, by what that server says. */
  readonly username: string;
  /** Milliseconds since 1970. */
  readonly sendTime: number;
  /** Whether that is what its server says, and not made up here. */
  readonly isTimed: boolean;
  /**
   * What it is recognised by when it comes again; `undefined` where its server does not give both parts, its
   * `id` and its send time.
   */
  readonly identity: string | undefined;
}

/** One that waits, and from whom it came. */
interface HeldActivity<From> {
  readonly activity: LegacyActivity;
  readonly from: From;
  readonly dueAt: number;
}

/** Identities that are remembered. */
const MAX_REMEMBERED = 50_000;
/** What may wait, in characters; beyond that the window is not kept. */
const MAX_WAITING_CHARACTERS = 8_388_608;
/** What an activity takes besides its text. */
const EXTRA_CHARACTERS = 200;

/** The activities that wait at one server. `From` tells its caller which peer they came from. */
export class ActivityOrder<From> {
  readonly #windowMs: number;
  #waiting: HeldActivity<From>[] = [];
  #characters = 0;
  #dueAt = Infinity;
  /** Identities and their send times, in the order in which they came. */
  readonly #seen: RecentMap<string, number>;
  /** The newest send time of an identity that was forgotten. */
  #forgottenUpTo = -Infinity;

  constructor(windowMs: number, maxRemembered = MAX_REMEMBERED) {
    this.#windowMs = windowMs;
    this.#seen = new RecentMap(maxRemembered);
  }

  /** When `due` has something next, in milliseconds of a monotonic clock. */
  get dueAt(): number | undefined {
    return this.#waiting.length === 0 ? undefined : this.#dueAt;
  }

  /**
   * Takes one in; `false` when it was taken before. `isHistory`: it is part of what such a server sends
   * again and again. Of that nothing is taken that is older than what was forgotten: it would come anew
   * every 5 seconds, for ever.
   */
  add(activity: LegacyActivity, from: From, isHistory: boolean, nowMs: number): boolean {
    const { identity, sendTime } = activity;
    if (identity !== undefined) {
      if (this.#seen.has(identity) || (isHistory && sendTime <= this.#forgottenUpTo)) return false;
      this.#remember(identity, sendTime);
    }
    this.#characters += sizeOf(activity);
    const dueAt = this.#characters > MAX_WAITING_CHARACTERS ? nowMs : nowMs + this.#windowMs;
    this.#dueAt = Math.min(this.#dueAt, dueAt);
    this.#waiting.push({ activity, from, dueAt });
    return true;
  }

  /** Those whose window is over, and all that were sent before one of them, by send time. They are the caller's now. */
  due(nowMs: number): { readonly activity: LegacyActivity; readonly from: From }[] {
    const upTo = this.#waiting.reduce(
      (latest, { activity, dueAt }) => dueAt <= nowMs ? Math.max(latest, activity.sendTime) : latest,
      -Infinity,
    );
    const due = this.#waiting.filter(({ activity }) => activity.sendTime <= upTo);
    if (due.length === 0) return [];
    this.#waiting = this.#waiting.filter(({ activity }) => activity.sendTime > upTo);
    this.#characters = this.#waiting.reduce((sum, { activity }) => sum + sizeOf(activity), 0);
    this.#dueAt = this.#waiting.reduce((least, { dueAt }) => Math.min(least, dueAt), Infinity);
    // Of one time: in the order in which they came, as the sort is stable.
    return due.toSorted((a, b) => a.activity.sendTime - b.activity.sendTime);
  }

  #remember(identity: string, sendTime: number): void {
    const forgotten = this.#seen.set(identity, sendTime);
    if (forgotten !== undefined) this.#forgottenUpTo = Math.max(this.#forgottenUpTo, forgotten);
  }
}

function sizeOf({ text }: LegacyActivity): number {
  return text.length + EXTRA_CHARACTERS;
}
