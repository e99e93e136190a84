/**
 * The out-of-band channel of one connection: a second connection, to the client's address, for heartbeats and their
 * answers alone. So a full main connection cannot hide a live process. Without the channel, heartbeats go over the main
 * connection.
 */

import { getLogger } from "@logtape/logtape";
import type { Endpoint } from "../../../platform/address.ts";
import { type FaultGuard, guarded, UNGUARDED } from "../../../platform/faults.ts";
import type { Link, LinkHandler, Transport } from "../../../platform/transport.ts";
import { parseClientLine } from "../../../protocol/client_codec.ts";
import { LineFramer } from "../../../protocol/line_framer.ts";

/** The supervision of the client. */
export interface HeartbeatChannelOwner {
  /** For the log. */
  readonly name: string;
  heard(): void;
  /** `lamport` is the time of a client that keeps a trace. */
  answered(sequence: number, lamport: number | undefined): void;
}

const DIAL_TIMEOUT_MS = 5_000;
/** No line here is longer than an answer. */
const MAX_LINE_BYTES = 1_024;
const logger = getLogger(["thrum", "heartbeat"]);

/** Dials at once, and gives up if that fails. */
export class HeartbeatChannel implements LinkHandler {
  readonly #owner: HeartbeatChannelOwner;
  readonly #framer = new LineFramer(MAX_LINE_BYTES);
  readonly #giveUp = new AbortController();
  #link: Link | undefined;

  constructor(
    transport: Transport,
    endpoint: Endpoint,
    owner: HeartbeatChannelOwner,
    faults: FaultGuard = UNGUARDED,
  ) {
    this.#owner = owner;
    const address = `${endpoint.host}:${endpoint.port}`;
    transport.dial({
      ...endpoint,
      timeoutMs: DIAL_TIMEOUT_MS,
      signal: this.#giveUp.signal,
      isOptional: true,
      isPlain: true,
    }).then(
      (link) => {
        if (this.#giveUp.signal.aborted) return link.destroy();
        logger.info("heartbeats for {name} go to {address}", { name: owner.name, address });
        this.#link = link;
        guarded(faults, "heartbeat", () => link.attach(this), () => this.close());
      },
      (error) => {
        if (this.#giveUp.signal.aborted) return;
        logger.warning("cannot reach {address} for the heartbeats of {name}; they go over the connection: {error}", {
          address,
          name: owner.name,
          error: error instanceof Error ? error.message : String(error),
        });
      },
    );
  }

  /** Whether the line went this way. */
  send(line: Uint8Array): boolean {
    this.#link?.write(line);
    return this.#link !== undefined;
  }

  close(): void {
    this.#giveUp.abort();
    this.#link?.destroy();
    this.#link = undefined;
  }

  onData(bytes: Uint8Array): void {
    const { lines, problem } = this.#framer.push(bytes);
    for (const line of lines) {
      const message = parseClientLine(line);
      if (message.command !== "HEARTBEAT_ACK") return this.close();
      this.#owner.heard();
      this.#owner.answered(message.sequence, message.lamport);
    }
    if (problem !== undefined) this.close();
  }

  onFinish(): void {
    this.close();
  }

  onDrain(): void {
    // With a few short lines a minute, nothing ever waits.
  }

  onEnd(): void {
    this.#link = undefined;
  }
}
