/**
 * Who is next when many wait for something scarce. No address and no account can delay another one for more than a few
 * turns, however often it asks. Three kinds have a share each. Within a kind, addresses and accounts take turns
 * alternately. So a flood from one address, or for one account from many addresses, gets one turn of each round. Pure.
 */

/** The purpose of a wait: a login, a registration, or an account that another server brings. */
export type QueueKind = "login" | "registration" | "peer";

/** The properties that decide whose turn it is. */
export interface QueuePlace {
  readonly kind: QueueKind;
  /** Whom the address belongs to. */
  readonly network: string;
  readonly account: string;
}

/** One round of the kinds. If nobody of a kind waits, the next kind takes its turn. */
const KINDS: readonly QueueKind[] = ["login", "registration", "login", "peer"];

/** The waiting ones, each once. Every method takes the same time for any number of them. */
export class FairQueue<T> {
  readonly #places = new Map<T, QueuePlace>();
  readonly #kinds: Readonly<Record<QueueKind, KindQueue<T>>> = {
    login: new KindQueue(),
    registration: new KindQueue(),
    peer: new KindQueue(),
  };
  #turn = 0;

  /** How many wait. */
  get size(): number {
    return this.#places.size;
  }

  /** `waiting` is one more. Who waits already keeps the place. */
  add(waiting: T, place: QueuePlace): void {
    if (this.#places.has(waiting)) return;
    this.#places.set(waiting, place);
    this.#kinds[place.kind].add(waiting, place);
  }

  /** Takes out `waiting`, and gives its place; `undefined` if it was not there. */
  delete(waiting: T): QueuePlace | undefined {
    const place = this.#places.get(waiting);
    if (place === undefined) return undefined;
    this.#places.delete(waiting);
    this.#kinds[place.kind].delete(waiting, place);
    return place;
  }

  /** Takes out whose turn it is. */
  take(): readonly [waiting: T, place: QueuePlace] | undefined {
    for (let tries = 0; tries < KINDS.length; tries++) {
      const waiting = this.#kinds[KINDS[this.#turn++ % KINDS.length]!].next();
      if (waiting !== undefined) return [waiting, this.delete(waiting)!];
    }
    return undefined;
  }
}

/** The waiting ones of one kind. */
class KindQueue<T> {
  readonly #byNetwork = new Ring<T>();
  readonly #byAccount = new Ring<T>();
  size = 0;
  #isAccountsTurn = false;

  add(waiting: T, { network, account }: QueuePlace): void {
    this.size++;
    this.#byNetwork.add(network, account, waiting);
    this.#byAccount.add(account, network, waiting);
  }

  delete(waiting: T, { network, account }: QueuePlace): void {
    this.size--;
    this.#byNetwork.delete(network, account, waiting);
    this.#byAccount.delete(account, network, waiting);
  }

  /** The next one. The caller deletes it. */
  next(): T | undefined {
    if (this.size === 0) return undefined;
    this.#isAccountsTurn = !this.#isAccountsTurn;
    return (this.#isAccountsTurn ? this.#byAccount : this.#byNetwork).next();
  }
}

/** Keys in the order of their turns; behind each one, others in theirs; behind these, who came first is first. */
class Ring<T> {
  readonly #keys = new Map<string, Map<string, Set<T>>>();

  add(key: string, inner: string, waiting: T): void {
    let inners = this.#keys.get(key);
    if (inners === undefined) this.#keys.set(key, inners = new Map());
    const those = inners.get(inner);
    if (those === undefined) inners.set(inner, new Set([waiting]));
    else those.add(waiting);
  }

  delete(key: string, inner: string, waiting: T): void {
    const inners = this.#keys.get(key);
    const those = inners?.get(inner);
    those?.delete(waiting);
    if (those?.size === 0) inners!.delete(inner);
    if (inners?.size === 0) this.#keys.delete(key);
  }

  /** The first of the first; both keys go to the end. */
  next(): T | undefined {
    const [first] = this.#keys;
    if (first === undefined) return undefined;
    const [key, inners] = first;
    const [inner, those] = inners.entries().next().value!;
    toEnd(this.#keys, key, inners);
    toEnd(inners, inner, those);
    return those.values().next().value;
  }
}

function toEnd<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
}
