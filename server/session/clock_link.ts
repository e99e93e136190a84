/**
 * The link to a client that keeps a trace: whatever is written begins with the server's Lamport time. Lines of the log carry the times of their entries, which are
 * the same for everybody; when this server sent them is said here, and only to those who want to know.
 */

import type { Link, LinkHandler } from "../../platform/transport.ts";
import { joinBytes } from "../../protocol/join_bytes.ts";
import { lineBytes } from "../../protocol/server_codec.ts";

/** `link`, with the time before all that is written to it. */
export class TimedLink implements Link {
  readonly #link: Link;
  readonly #time: () => number;

  constructor(link: Link, time: () => number) {
    this.#link = link;
    this.#time = time;
  }

  get remoteHost(): string {
    return this.#link.remoteHost;
  }

  get remotePort(): number {
    return this.#link.remotePort;
  }

  get pendingBytes(): number {
    return this.#link.pendingBytes;
  }

  attach(handler: LinkHandler): void {
    this.#link.attach(handler);
  }

  write(bytes: Uint8Array): boolean {
    const clock = lineBytes({ command: "CLOCK", lamport: this.#time() });
    return this.#link.write(joinBytes([clock, bytes]));
  }

  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  keepAlive(idleMs: number): void {
    this.#link.keepAlive(idleMs);
  }

  end(lingerMs: number): void {
    this.#link.end(lingerMs);
  }

  destroy(): void {
    this.#link.destroy();
  }
}
