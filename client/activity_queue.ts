/**
 * Activities on their way from a connection to those who iterate over them. One list serves all iterators: each has its own place in it, and
 * what all of them have passed is garbage. When the slowest is too far behind, the connection is asked to stop reading, so that
 * the server keeps what waits, not this process.
 */

import type { Vector } from "../log/vector.ts";
import { parseEntryId } from "../protocol/entry_id.ts";
import type { Activity } from "./options.ts";

/** How far behind an iterator may be, in characters of lines, before the connection is not read any more. What was read already is added to that. */
export const MAX_BEHIND = 1_048_576;
/** And it is read again when nobody is further behind than this. */
const ENOUGH_ROOM = MAX_BEHIND / 4;

/** The end of the list has no activity yet; it gets one, and a next one, when something comes. */
interface Node {
  activity: Activity | undefined;
  next: Node | undefined;
  /** Characters of all lines up to and including this one. */
  total: number;
}

/** What a queue tells its owner. */
export interface ActivityQueueOwner {
  /** Reading should stop, or may go on. */
  onPressure(isHigh: boolean): void;
  /** Nobody has asked for an iterator, and what was kept for the first one was dropped. */
  onUnread(): void;
  /** What the client has received. */
  received(): Vector;
}

/** Fans activities out to iterators. */
export class ActivityQueue {
  readonly #owner: ActivityQueueOwner;
  readonly #iterators = new Set<ActivityIterator>();
  /** The first iterator is there from the beginning, and waits to be asked for. */
  #unclaimed: ActivityIterator | undefined;
  #tail: Node = { activity: undefined, next: undefined, total: 0 };
  #total = 0;
  #isHigh = false;
  /** What had been taken when the last iterator was left. */
  #left: Vector | undefined;
  #end: { readonly error: Error | undefined } | undefined;

  constructor(owner: ActivityQueueOwner) {
    this.#owner = owner;
    this.#unclaimed = this.#iterator();
  }

  /** Adds what came in a line of `length` characters. */
  push(activity: Activity, length: number): void {
    if (this.#iterators.size === 0 || this.#end !== undefined) return;
    const filled = this.#tail;
    this.#total += length;
    filled.activity = activity;
    filled.total = this.#total;
    this.#tail = filled.next = { activity: undefined, next: undefined, total: 0 };
    for (const iterator of this.#iterators) iterator.wake();
    const unclaimed = this.#unclaimed;
    if (unclaimed !== undefined && this.#total - unclaimed.passed > MAX_BEHIND) {
      // Who only publishes never asks; holding up the connection for that would hold up the acknowledgements.
      this.#unclaimed = undefined;
      this.#iterators.delete(unclaimed);
      this.#owner.onUnread();
    }
    if (!this.#isHigh) this.#measure();
  }

  /** Begins with what comes from now on; the first one with everything, unless that was too much. */
  iterate(): AsyncIterableIterator<Activity> {
    const iterator = this.#unclaimed ?? this.#iterator();
    this.#unclaimed = undefined;
    this.#left = undefined;
    return iterator;
  }

  /** Nothing more comes. Iterators give what they still have, then end, or throw `error` if there is one. */
  end(error: Error | undefined): void {
    this.#end ??= { error };
    for (const iterator of this.#iterators) iterator.wake();
  }

  /** What was received, without what an iterator still has to give, or had when it was left and none came after it. */
  get taken(): Vector {
    if (this.#left !== undefined) return this.#left;
    const taken: Record<string, number> = { ...this.#owner.received() };
    for (const iterator of this.#iterators) {
      for (let node = iterator.node; node.activity !== undefined; node = node.next!) {
        const { origin, sequence } = parseEntryId(node.activity.id)!;
        taken[origin] = Math.min(taken[origin] ?? 0, sequence - 1);
      }
    }
    return taken;
  }

  #iterator(): ActivityIterator {
    const iterator: ActivityIterator = new ActivityIterator(this.#tail, this.#total, {
      end: () => this.#end,
      onMoved: () => {
        if (this.#isHigh) this.#measure();
      },
      onReturned: () => {
        if (this.#iterators.size === 1) this.#left = this.taken;
        this.#iterators.delete(iterator);
        if (this.#isHigh) this.#measure();
      },
    });
    this.#iterators.add(iterator);
    return iterator;
  }

  #measure(): void {
    let behind = 0;
    for (const iterator of this.#iterators) {
      if (iterator !== this.#unclaimed) behind = Math.max(behind, this.#total - iterator.passed);
    }
    const isHigh = behind > (this.#isHigh ? ENOUGH_ROOM : MAX_BEHIND);
    if (isHigh === this.#isHigh) return;
    this.#isHigh = isHigh;
    this.#owner.onPressure(isHigh);
  }
}

/** What an iterator needs of its queue. */
interface IteratorOwner {
  end(): { readonly error: Error | undefined } | undefined;
  onMoved(): void;
  onReturned(): void;
}

class ActivityIterator implements AsyncIterableIterator<Activity> {
  /** The next one to give. */
  node: Node;
  /** Characters of all that was passed. */
  passed: number;
  readonly #owner: IteratorOwner;
  #returned = false;
  /** Calls of `next` that have found nothing yet. */
  readonly #waiting: PromiseWithResolvers<IteratorResult<Activity>>[] = [];

  constructor(node: Node, passed: number, owner: IteratorOwner) {
    this.node = node;
    this.passed = passed;
    this.#owner = owner;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Activity>> {
    const waiting = Promise.withResolvers<IteratorResult<Activity>>();
    this.#waiting.push(waiting);
    this.wake();
    return waiting.promise;
  }

  return(): Promise<IteratorResult<Activity>> {
    if (!this.#returned) this.#owner.onReturned();
    this.#returned = true;
    this.wake();
    return Promise.resolve(DONE);
  }

  /** There may be something to give now. */
  wake(): void {
    while (this.#waiting.length > 0) {
      const { activity, next, total } = this.node;
      const end = this.#owner.end();
      if (this.#returned) this.#waiting.shift()!.resolve(DONE);
      else if (activity !== undefined) {
        this.node = next!;
        this.passed = total;
        this.#waiting.shift()!.resolve({ done: false, value: activity });
        this.#owner.onMoved();
      } else if (end === undefined) return;
      else if (end.error === undefined) this.#waiting.shift()!.resolve(DONE);
      else {
        this.#returned = true;
        this.#waiting.shift()!.reject(end.error);
      }
    }
  }
}

const DONE: IteratorResult<Activity> = Object.freeze({ done: true, value: undefined });
