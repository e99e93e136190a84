/**
 * What a client does with heartbeats: it listens for those out of band, answers or withholds the answer, and notes and
 * tells both. `connection.ts` has those on the connection, `heartbeat_channel.ts` the others.
 */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../platform/clock.ts";
import type { Transport } from "../platform/transport.ts";
import type { HeartbeatMessage } from "../protocol/message.ts";
import type { ClientClock } from "./client_clock.ts";
import type { Connection } from "./connection.ts";
import { HeartbeatChannel } from "./heartbeat_channel.ts";
import type { ClientEvent, ConnectOptions } from "./options.ts";

/** What they are made with. */
export interface HeartbeatParts {
  readonly clock: Clock;
  readonly transport: Transport;
  /** The client's logical time. */
  readonly time: ClientClock;
  readonly options: Pick<ConnectOptions, "heartbeatChannel" | "blockHeartbeatMs">;
}

/** Whom they tell, and what they ask of their client. */
export interface HeartbeatOwner {
  tell(event: ClientEvent): void;
  connection(): Connection | undefined;
  /** The server, for the trace. */
  toServer(): { readonly peer?: string };
}

const logger = getLogger(["thrum", "client"]);

/** The heartbeats of one client, on all its connections and beside them. */
export class Heartbeats {
  readonly #parts: HeartbeatParts;
  readonly #owner: HeartbeatOwner;
  #channel: HeartbeatChannel | undefined;
  #firstLoginMs: number | undefined;

  constructor(parts: HeartbeatParts, owner: HeartbeatOwner) {
    this.#parts = parts;
    this.#owner = owner;
  }

  /** The port for heartbeats out of band, if there is one. */
  get port(): number | undefined {
    return this.#channel?.port;
  }

  /** Listens out of band, if that is wanted. A client that cannot have its channel goes on without it. */
  async open(): Promise<void> {
    const { transport, options: { heartbeatChannel } } = this.#parts;
    if (heartbeatChannel === undefined) return;
    try {
      this.#channel = await HeartbeatChannel.open(transport, heartbeatChannel, {
        serverHost: () => this.#owner.connection()?.remoteHost,
        onHeartbeat: (heartbeat) => {
          this.#owner.connection()?.heard();
          const answered = this.blockedForMs() === 0;
          const time = this.came(heartbeat, answered, true);
          return answered ? time : undefined;
        },
      });
    } catch (error) {
      const info = (error as Error).message;
      logger.warn("Cannot listen for heartbeats out of band: {info}", { info });
      this.#owner.tell({ kind: "noChannel", endpoint: heartbeatChannel, info });
    }
  }

  /** The client is logged in, at this moment of the clock. */
  opened(nowMs: number): void {
    this.#firstLoginMs ??= nowMs;
  }

  /** The remaining time in which heartbeats are neither answered nor sent, in milliseconds. */
  blockedForMs(): number {
    const { clock, options: { blockHeartbeatMs = 0 } } = this.#parts;
    const sinceMs = this.#firstLoginMs === undefined ? 0 : clock.nowMs() - this.#firstLoginMs;
    return Math.max(0, blockHeartbeatMs - sinceMs);
  }

  /** A heartbeat came. Gives what the answer has to say. */
  came({ sequence, of, lamport }: HeartbeatMessage, answered: boolean, outOfBand: boolean): object {
    const { time } = this.#parts;
    const about = { ...this.#owner.toServer(), id: `heartbeat:${sequence}` };
    let answer = {};
    if (time.isRecorded) {
      time.receive(lamport, { event: "receive", ...about, ...answered ? {} : { what: "answer withheld" } });
      if (answered) answer = { lamport: time.send({ event: "send", ...about }) };
    }
    this.#owner.tell({ kind: "heartbeat", sequence, of, answered, outOfBand });
    return answer;
  }

  /** Listens no more. */
  async close(): Promise<void> {
    await this.#channel?.[Symbol.asyncDispose]();
  }
}
