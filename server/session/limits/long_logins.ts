/**
 * Lines that may be longer than others: a client says in its LOGIN, and a server in its greeting, what it has of
 * each origin, and there may be thousands. Strangers say them, so only a few may be on their way at a time, of
 * one address and of all.
 */

import { networkOf } from "../../../platform/address.ts";
import type { LongLines } from "../../../protocol/line_framer.ts";

/** Longest LOGIN or greeting: some 20,000 origins with names as they are made. */
export const MAX_LOGIN_BYTES = 1_048_576;
/** So many are on their way at a time: as many mebibytes as that. */
const MAX_AT_ONCE = 64;
const MAX_OF_ONE_ADDRESS = 16;
/** Where a line is one of these it says so at its beginning. */
const LOGIN = /"command"\s*:\s*"(?:LOGIN|AUTHENTICATE)"/;

/** Those of one server. */
export class LongLogins {
  readonly #from = new Map<string, number>();
  #count = 0;

  /** For the connection from `remoteHost`, as long as it `isStranger`. */
  of(remoteHost: string, isStranger: () => boolean): LongLines {
    const network = networkOf(remoteHost);
    return {
      maxBytes: MAX_LOGIN_BYTES,
      begin: (head) => {
        const ofIt = this.#from.get(network) ?? 0;
        if (!isStranger() || this.#count >= MAX_AT_ONCE || ofIt >= MAX_OF_ONE_ADDRESS || !LOGIN.test(head)) {
          return false;
        }
        this.#count++;
        this.#from.set(network, ofIt + 1);
        return true;
      },
      end: () => {
        this.#count--;
        const ofIt = this.#from.get(network)! - 1;
        if (ofIt === 0) this.#from.delete(network);
        else this.#from.set(network, ofIt);
      },
    };
  }
}
