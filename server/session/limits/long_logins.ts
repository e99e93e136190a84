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

/** A connection: before it has logged in it is a stranger. */
export interface LongLineSpeaker {
  readonly isLoggedIn: boolean;
}

/** The long lines of one server. */
export class LongLogins {
  readonly #from = new Map<string, number>();
  #count = 0;

  /** For the connection `speaker` from `remoteHost`. */
  of(remoteHost: string, speaker: LongLineSpeaker): LongLines {
    return new LongLinesOfOne(this, remoteHost, speaker);
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

/** A class and no closures, as each connection has one for as long as it lasts. */
class LongLinesOfOne implements LongLines {
  readonly maxBytes: number = MAX_LOGIN_BYTES;
  readonly #all: LongLogins;
  readonly #remoteHost: string;
  readonly #speaker: LongLineSpeaker;
  #letGo: (() => void) | undefined;

  constructor(all: LongLogins, remoteHost: string, speaker: LongLineSpeaker) {
    this.#all = all;
    this.#remoteHost = remoteHost;
    this.#speaker = speaker;
  }

  begin(head: string): boolean {
    if (this.#speaker.isLoggedIn || !LOGIN.test(head)) return false;
    this.#letGo = this.#all.hold(this.#remoteHost);
    return this.#letGo !== undefined;
  }

  end(): void {
    this.#letGo?.();
  }
}
