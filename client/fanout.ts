/**
 * Entries on their way from a connection to its iterators. One list serves all iterators. Each iterator has its own
 * place in it, and entries behind all of them are garbage. When the slowest is too far behind, the connection stops
 * reading. Then the server keeps the waiting data, not this process.
 */

import { onceAborted } from "../platform/abort.ts";

/**
 * How far behind an iterator may be, in characters of lines, before the connection stops reading. Data that was already
 * read adds to this.
 */
export const MAX_BEHIND = 1_048_576;
/** Reading resumes when no iterator is further behind than this. */
const ENOUGH_ROOM = MAX_BEHIND / 4;
/**
 * How far behind an iterator may be while the connection has to be read for answers. Beyond it, nothing more is kept.
 */
export const MAX_KEPT = 4 * MAX_BEHIND;

/** The end of the list has no item yet; it gets one, and a next one, when something comes. */
interface Node<T> {
  item: T | undefined;
  next: Node<T> | undefined;
  /** Characters of all lines up to and including this one. */
  total: number;
}

/** What a fan-out tells its owner. */
export interface FanoutOwner {
  /** Reading should stop, or may go on. */
  onPressure(isHigh: boolean): void;
  /** No iterator was asked for, and the entries for the first one were dropped. */
  onUnread(): void;
  /** An iterator gave something. */
  onTaken?(): void;
  /** The last iterator is left, with its remaining items. */
  onLeft?(): void;
}

/** How a fan-out treats items that nobody takes. */
export interface FanoutParts {
  /** Whether items are kept for the first iterator before it is asked for; by default they are. */
  readonly keepsForFirst?: boolean;
  /**
   * Left items are not lost, but come again later. So a new iterator goes on where the last one was left. At the end
   * all iterators end, with items left: nobody would learn that those were taken.
   */
  readonly comesAgain?: boolean;
}

const EVERYTHING = () => true;

/** A part of the items, for one iterator. */
export interface IteratedPart<T> {
  isFor(item: T): boolean;
  /** The iterator has begun. It is left, and throws, when `fail` is called. */
  begun(fail: (error: Error) => void): void;
  /** The iterator is left. Called once, and not at all where the client ends first. */
  over(): void;
}

/** Fans items out to iterators. */
export class Fanout<T extends object> {
  readonly #owner: FanoutOwner;
  readonly #comesAgain: boolean;
  readonly #isFor: (item: T) => boolean;
  readonly #iterators = new Set<FanoutIterator<T>>();
  /** The first iterator exists from the beginning, and waits until somebody asks for it. */
  #unclaimed: FanoutIterator<T> | undefined;
  #tail: Node<T> = { item: undefined, next: undefined, total: 0 };
  #total = 0;
  #isHigh = false;
  #end: { readonly error: Error | undefined } | undefined;

  /** `isFor` says which items an iterator gives that is for no part of them. */
  constructor(
    owner: FanoutOwner,
    { keepsForFirst = true, comesAgain = false }: FanoutParts = {},
    isFor: (item: T) => boolean = EVERYTHING,
  ) {
    this.#owner = owner;
    this.#isFor = isFor;
    this.#comesAgain = comesAgain;
    if (keepsForFirst) this.#unclaimed = this.#iterator(this.#tail, 0);
  }

  /** Whether too much waits to push more. */
  get isOverfull(): boolean {
    return this.#isHigh && this.#behind > MAX_KEPT;
  }

  /** Adds an item that came in a line of `length` characters. */
  push(item: T, length: number): void {
    if (this.#iterators.size === 0 || this.#end !== undefined) return;
    const filled = this.#tail;
    this.#total += length;
    filled.item = item;
    filled.total = this.#total;
    this.#tail = filled.next = { item: undefined, next: undefined, total: 0 };
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

  /**
   * Begins with the next item. The first iterator begins with all items, unless those were too many. When `signal` is
   * aborted, the iterator is left, and throws the reason once. An iterator of a `part` begins with the next item of it.
   */
  iterate(signal?: AbortSignal, part?: IteratedPart<T>): AsyncIterableIterator<T> {
    // Who does not want to begin takes nothing away from the first one that does.
    if (signal?.aborted) return this.#iterator(this.#tail, this.#total).until(signal);
    if (part !== undefined) {
      const iterator = this.#iterator(this.#tail, this.#total, part);
      part.begun((error) => iterator.fail(error));
      return signal === undefined ? iterator : iterator.until(signal);
    }
    const iterator = this.#unclaimed ?? this.#iterator(this.#tail, this.#total);
    this.#unclaimed = undefined;
    return signal === undefined ? iterator : iterator.until(signal);
  }

  /** Nothing more comes. Iterators give their remaining items, then end, or throw `error` if there is one. */
  end(error: Error | undefined): void {
    this.#end ??= { error };
    for (const iterator of this.#iterators) iterator.wake();
  }

  /** The remaining items of an iterator that has some. They are the same for all such iterators. */
  *waiting(): Generator<T, void, undefined> {
    for (const { node: first } of this.#iterators) {
      for (let node = first; node.item !== undefined; node = node.next!) yield node.item;
    }
  }

  #iterator(node: Node<T>, passed: number, part?: IteratedPart<T>): FanoutIterator<T> {
    const iterator: FanoutIterator<T> = new FanoutIterator(node, passed, {
      comesAgain: this.#comesAgain,
      isFor: part?.isFor ?? this.#isFor,
      end: () => this.#end,
      onTaken: () => {
        this.#owner.onTaken?.();
        if (this.#isHigh) this.#measure();
      },
      onReturned: () => {
        if (this.#iterators.size === 1) {
          this.#owner.onLeft?.();
          if (this.#comesAgain) this.#unclaimed = this.#iterator(iterator.node, iterator.passed);
        }
        this.#iterators.delete(iterator);
        part?.over();
        if (this.#isHigh) this.#measure();
      },
    });
    this.#iterators.add(iterator);
    return iterator;
  }

  /** How far the slowest is behind. */
  get #behind(): number {
    let behind = 0;
    for (const iterator of this.#iterators) {
      if (iterator !== this.#unclaimed) behind = Math.max(behind, this.#total - iterator.passed);
    }
    return behind;
  }

  #measure(): void {
    const isHigh = this.#behind > (this.#isHigh ? ENOUGH_ROOM : MAX_BEHIND);
    if (isHigh === this.#isHigh) return;
    this.#isHigh = isHigh;
    this.#owner.onPressure(isHigh);
  }
}

/** What an iterator needs of its fan-out. */
interface IteratorOwner<T> {
  readonly comesAgain: boolean;
  /** Whether the iterator gives this item. */
  isFor(item: T): boolean;
  end(): { readonly error: Error | undefined } | undefined;
  onTaken(): void;
  onReturned(): void;
}

class FanoutIterator<T extends object> implements AsyncIterableIterator<T> {
  /** The next one to give. */
  node: Node<T>;
  /** The characters of all passed items. */
  passed: number;
  readonly #owner: IteratorOwner<T>;
  #returned = false;
  /** Why it was left, until it was thrown. */
  #failure: { readonly reason: unknown } | undefined;
  #forgetSignal = () => {};
  /** Calls of `next` that have found nothing yet. */
  readonly #waiting: PromiseWithResolvers<IteratorResult<T>>[] = [];

  constructor(node: Node<T>, passed: number, owner: IteratorOwner<T>) {
    this.node = node;
    this.passed = passed;
    this.#owner = owner;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T>> {
    const waiting = Promise.withResolvers<IteratorResult<T>>();
    this.#waiting.push(waiting);
    this.wake();
    return waiting.promise;
  }

  return(): Promise<IteratorResult<T>> {
    this.#leave();
    this.#failure = undefined;
    this.wake();
    return Promise.resolve(DONE);
  }

  /** Is left when `signal` is aborted. */
  until(signal: AbortSignal): this {
    this.#forgetSignal = onceAborted(signal, () => this.fail(signal.reason));
    return this;
  }

  /** Is left, and throws `reason` once. */
  fail(reason: unknown): void {
    if (this.#returned) return;
    this.#leave();
    this.#failure = { reason };
    this.wake();
  }

  #leave(): void {
    if (!this.#returned) this.#owner.onReturned();
    this.#returned = true;
    this.#forgetSignal();
  }

  /** There may be something to give now. */
  wake(): void {
    if (this.#passOver()) this.#owner.onTaken();
    while (this.#waiting.length > 0) {
      const { item, next, total } = this.node;
      const end = this.#owner.end();
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure !== undefined) this.#waiting.shift()!.reject(failure.reason);
      else if (this.#returned) this.#waiting.shift()!.resolve(DONE);
      else if (item !== undefined && !(end !== undefined && this.#owner.comesAgain)) {
        this.node = next!;
        this.passed = total;
        this.#passOver();
        this.#waiting.shift()!.resolve({ done: false, value: item });
        this.#owner.onTaken();
      } else if (end === undefined) return;
      else if (end.error === undefined) {
        this.#forgetSignal();
        this.#waiting.shift()!.resolve(DONE);
      } else {
        this.#returned = true;
        this.#forgetSignal();
        this.#waiting.shift()!.reject(end.error);
      }
    }
  }

  /** Goes on to the next item that is for it: who is busy is not behind by what is for others. Whether it has moved. */
  #passOver(): boolean {
    const { node } = this;
    while (this.node.item !== undefined && !this.#owner.isFor(this.node.item)) {
      this.passed = this.node.total;
      this.node = this.node.next!;
    }
    return this.node !== node;
  }
}

const DONE: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });
