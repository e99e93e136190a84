/**
 * The outlet to a client that keeps a trace: all that is written begins with the server's Lamport time. Lines of the
 * log carry the times of their entries, which are the same for everybody. This outlet says when this server sent them,
 * and only to clients that want to know.
 */

import type { Outlet } from "../../platform/transport.ts";
import { joinBytes } from "../../protocol/join_bytes.ts";
import { lineBytes } from "../../protocol/server_codec.ts";

/** Puts the time before all that is written to `outlet`. */
export class ClockOutlet implements Outlet {
  readonly #outlet: Outlet;
  readonly #time: () => number;

  constructor(outlet: Outlet, time: () => number) {
    this.#outlet = outlet;
    this.#time = time;
  }

  get pendingBytes(): number {
    return this.#outlet.pendingBytes;
  }

  write(bytes: Uint8Array): boolean {
    const clock = lineBytes({ command: "CLOCK", lamport: this.#time() });
    return this.#outlet.write(joinBytes([clock, bytes]));
  }
}
