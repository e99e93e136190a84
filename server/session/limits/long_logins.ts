/**
 * Lines that may be longer than others. In its LOGIN a client says what it has of each origin, and so does a server in
 * its greeting. There may be thousands of origins. Strangers say these lines, so only a few may be on their way at a
 * time, of one address and of all.
 */

import { networkOf } from "../../../platform/address.ts";
import type { LongLines } from "../../../protocol/line_framer.ts";

/** Longest LOGIN or greeting: some 20,000 origins with names as they are made. */
export const MAX_LOGIN_BYTES = 1_048_576;
/** So many may be on their way at a time, each of up to a mebibyte. */
const MAX_AT_ONCE = 64;
const MAX_OF_ONE_ADDRESS = 16;
/** The beginning of such a line. */
const LOGIN = /"command"\s*:\s*"(?:LOGIN|AUTHENTICATE)"/;

/** The long lines of one server. */
export class LongLogins {
  readonly #from = new Map<string, number>();
  #count = 0;

  /** For the connection from `remoteHost`, while it `isStranger`. */
  of(remoteHost: string, isStranger: () => boolean): LongLines {
    let letGo: (() => void) | undefined;
    return {
      maxBytes: MAX_LOGIN_BYTES,
      begin: (head) => {
        if (!isStranger() || !LOGIN.test(head)) return false;
        letGo = this.hold(remoteHost);
        return letGo !== undefined;
      },
      end: () => letGo?.(),
    };
  }

  /** Counts one more of this address, until what this returns is called; `undefined` if there are too many. */
  hold(remoteHost: string): (() => void) | undefined {
    const network = networkOf(remoteHost);
    const ofIt = this.#from.get(network) ?? 0;
    if (this.#count >= MAX_AT_ONCE || ofIt >= MAX_OF_ONE_ADDRESS) return undefined;
    this.#count++;
    this.#from.set(network, ofIt + 1);
    return () => {
      this.#count--;
      const left = this.#from.get(network)! - 1;
      if (left === 0) this.#from.delete(network);
      else this.#from.set(network, left);
    };
  }
}
