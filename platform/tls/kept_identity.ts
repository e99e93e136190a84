/**
 * The identity of a program, as it is now. It may be replaced while the program runs: connections that exist stay, and
 * those that come later are made with the new one. Whoever has made something of it is told.
 */

import { type CheckedIdentity, checkIdentity, type TlsIdentity } from "./tls_identity.ts";

/** One program's, or one door's. */
export class KeptIdentity {
  #current: CheckedIdentity;
  readonly #told = new Set<(identity: CheckedIdentity) => void>();

  /** @throws {TlsIdentityError} when it cannot be used. */
  constructor(identity: TlsIdentity) {
    this.#current = checkIdentity(identity);
  }

  /** For connections that are made now. */
  get current(): CheckedIdentity {
    return this.#current;
  }

  /**
   * From now on connections are made with `identity`.
   * @throws {TlsIdentityError} when it cannot be used. Then nothing has changed.
   */
  replace(identity: TlsIdentity): void {
    this.#current = checkIdentity(identity);
    for (const tell of this.#told) tell(this.#current);
  }

  /** Calls `tell` after each `replace`, until the returned function is called. */
  whenReplaced(tell: (identity: CheckedIdentity) => void): () => void {
    this.#told.add(tell);
    return () => void this.#told.delete(tell);
  }
}
