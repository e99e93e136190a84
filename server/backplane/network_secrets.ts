/**
 * The secrets of a network, as one server has them. One is current: with it this server calls others. An operator may
 * set another one while the servers run; then the former ones count for a while, so that nobody is cut off who does not
 * know of it yet. Decides what follows from a change, and in which order two changes count. The caller hands in
 * the time.
 */

/** Another secret for the network. */
export interface SecretChange {
  /** Which change it is: the higher number counts. */
  readonly number: number;
  readonly secret: string;
  /** Until when former ones count, in milliseconds since 1970. */
  readonly until: number;
}

/** A secret that the network had before. */
export interface FormerSecret {
  readonly secret: string;
  /** In milliseconds since 1970. */
  readonly until: number;
}

/** What is kept of changes, for later starts. */
export interface KeptSecrets extends SecretChange {
  /** The newest first. Those that count no more are there, so that nobody takes them for new. */
  readonly former: readonly FormerSecret[];
}

/** What the configuration says. */
export interface ConfiguredSecrets {
  /** Empty for none. */
  readonly secret: string;
  readonly otherSecrets: readonly string[];
}

/** More changes than anybody makes before the first of them is over. */
const MAX_FORMER = 8;

/** Of one server. */
export class NetworkSecrets {
  readonly #nowMs: () => number;
  #others: readonly string[];
  #current: string;
  /** Of changes while servers ran; absent where there was none. */
  #kept: KeptSecrets | undefined;

  /**
   * `kept` is what an earlier start has left. It counts as long as the configuration has the secret of then, an earlier
   * one or none: a secret that it does not know was set since, by whoever wrote the configuration. `nowMs` gives the
   * milliseconds since 1970.
   */
  constructor({ secret, otherSecrets }: ConfiguredSecrets, nowMs: () => number, kept?: KeptSecrets) {
    this.#nowMs = nowMs;
    this.#others = otherSecrets;
    this.#kept = kept !== undefined && isOf(kept, secret) ? kept : undefined;
    this.#current = this.#kept?.secret ?? secret;
  }

  /** With which others are called; empty where there is none. */
  get current(): string {
    return this.#current;
  }

  /** Whether this server takes others at all. */
  get isSet(): boolean {
    return this.#current !== "";
  }

  /** With which others may come in, the current one first. */
  get accepted(): readonly string[] {
    return [this.#current, ...this.former, ...this.#others];
  }

  /** Those that still count for a while, the newest first. */
  get former(): readonly string[] {
    const now = this.#nowMs();
    return (this.#kept?.former ?? []).filter(({ until }) => now < until).map(({ secret }) => secret);
  }

  /** What others have to know while former secrets count; `undefined` where there is nothing. */
  get change(): SecretChange | undefined {
    const kept = this.#kept;
    if (kept === undefined || this.former.length === 0) return undefined;
    const { number, secret, until } = kept;
    return { number, secret, until };
  }

  /** The number of the next change. */
  get nextNumber(): number {
    return (this.#kept?.number ?? 0) + 1;
  }

  /** What there would be to keep after `change`; `undefined` where it says nothing new. */
  after(change: SecretChange): KeptSecrets | undefined {
    const known = this.#kept;
    const { number, secret, until } = change;
    if (known !== undefined && number < known.number) return undefined;
    // Two operators, at two servers, at once: any order will do that is the same everywhere.
    if (known !== undefined && number === known.number && secret <= known.secret) return undefined;
    const before = [{ secret: this.#current, until }, ...known?.former ?? []].filter((one) => one.secret !== secret);
    return { number, secret, until, former: before.slice(0, MAX_FORMER) };
  }

  /** Takes what `after` gave. */
  take(kept: KeptSecrets): void {
    this.#kept = kept;
    this.#current = kept.secret;
  }

  /** The configuration has others now with which servers may come in. */
  configure(otherSecrets: readonly string[]): void {
    this.#others = otherSecrets;
  }
}

/** Whether the secret of a configuration is one of these, or none. */
function isOf({ secret, former }: KeptSecrets, configured: string): boolean {
  return configured === "" || configured === secret || former.some((one) => one.secret === configured);
}
