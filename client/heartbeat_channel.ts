/**
 * The client's end of the out-of-band heartbeat channel. It listens, accepts only the client's own server, and answers
 * heartbeats. So a main connection full of activities cannot hide that this client lives.
 */

import type { Endpoint } from "../platform/address.ts";
import type { Link, Listener, Transport } from "../platform/transport.ts";
import { LineFramer } from "../protocol/line_framer.ts";
import type { HeartbeatMessage } from "../protocol/message.ts";
import { lineBytes, parseServerLine } from "../protocol/server_codec.ts";

/** The calls from the channel to its client. */
export interface HeartbeatChannelOwner {
  /** The address of the server, while there is a connection to it. */
  serverHost(): string | undefined;
  /** A heartbeat came. Returns the further fields of the answer; `undefined` for no answer. */
  onHeartbeat(heartbeat: HeartbeatMessage): object | undefined;
}

/** A heartbeat takes some 70 bytes. */
const MAX_LINE_BYTES = 1024;

/** A listening channel. */
export class HeartbeatChannel implements AsyncDisposable {
  readonly #listener: Listener;
  readonly #links: Set<Link>;

  private constructor(listener: Listener, links: Set<Link>) {
    this.#listener = listener;
    this.#links = links;
  }

  /** @throws {Error} with a `code` such as `EADDRINUSE` if it cannot listen at `endpoint`. */
  static async open(transport: Transport, endpoint: Endpoint, owner: HeartbeatChannelOwner): Promise<HeartbeatChannel> {
    const links = new Set<Link>();
    const listener = await transport.listen(endpoint, (link) => {
      // A server needs one; it may dial a new one before it has noticed that the old one is gone.
      if (link.remoteHost === owner.serverHost()) {
        for (const old of links) old.destroy();
        links.add(link);
        answer(link, owner, () => links.delete(link));
      } else {
        link.attach(IGNORING);
        link.destroy();
      }
    });
    return new HeartbeatChannel(listener, links);
  }

  /** The port that it listens on. */
  get port(): number {
    return this.#listener.port;
  }

  /** Accepts nothing more, and cuts the open connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of this.#links) link.destroy();
    await this.#listener.close();
  }
}

const IGNORING = { onData: ignore, onDrain: ignore, onFinish: ignore, onEnd: ignore };

function answer(link: Link, owner: HeartbeatChannelOwner, onEnd: () => void): void {
  const framer = new LineFramer(MAX_LINE_BYTES);
  link.attach({
    onData(bytes) {
      const { lines, problem } = framer.push(bytes);
      for (const line of lines) {
        const message = parseServerLine(line);
        if (message?.command !== "HEARTBEAT") continue;
        const { sequence } = message;
        const time = owner.onHeartbeat(message);
        if (time === undefined) continue;
        link.write(lineBytes({ command: "HEARTBEAT_ACK", sequence, ...time } as const));
      }
      if (problem !== undefined) link.destroy();
    },
    onDrain: ignore,
    onFinish: () => link.destroy(),
    onEnd,
  });
}

function ignore(): void {
  // Nothing here concerns the channel.
}
