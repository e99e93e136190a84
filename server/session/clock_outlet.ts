/**
 * The outlet to a client that keeps a trace: whatever is written begins with the server's Lamport time. Lines of the
 * log carry the times of their entries, which are the same for everybody; when this server sent them is said here, and
 * only to those who want to know.
 */

import type { Outlet } from "../../platform/transport.ts";
import { joinBytes } from "../../protocol/join_bytes.ts";
import { lineBytes } from "../../protocol/server_codec.ts";

/** `outlet`, with the time before all that is written to it. */
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
