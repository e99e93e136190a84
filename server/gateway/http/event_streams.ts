/**
 * The streams of changes to browsers. A slow browser gets nothing until it has taken the waiting data, and then the
 * whole view. So it costs one view, however slow it is. If the runtime does not tell how much waits (Deno 2.5), a
 * stream ends early, which keeps the amount within bounds.
 */

import type { Clock, Timer } from "../../../platform/clock.ts";
import { type FaultGuard, guarded, UNGUARDED } from "../../../platform/faults.ts";
import type { HttpStream, HttpStreamHandler } from "../../../platform/http/http_server.ts";
import type { NetworkChange, NetworkView } from "../../../view/network_view.ts";
import type { GatewayNode } from "./gateway_node.ts";
import { WrittenOnce } from "./written_once.ts";

/** Streams at once. A browser has one for each page that is open. */
export const MAX_STREAMS = 64;
/** A stream ends after this many bytes, and the browser opens a new one. */
export const MAX_STREAM_BYTES = 8_388_608;
/** The time for waiting data to leave after the end. */
const LINGER_MS = 10_000;
/** The longest time without a message, so that no proxy takes a quiet stream for a dead one. */
const QUIET_MS = 15_000;
const encoder = new TextEncoder();
const ALIVE = encoder.encode(":\n\n");
/** Milliseconds that a browser waits before it comes again. */
const RETRY = encoder.encode("retry: 1000\n\n");
const END = encoder.encode(eventText("end", {}));

/** All streams of one gateway. */
export class EventStreams {
  readonly #node: Pick<GatewayNode, "observe">;
  readonly #clock: Clock;
  readonly #streams = new Set<EventStream>();
  readonly #views = new WrittenOnce<NetworkView>((view) => eventText("view", view));
  readonly #changes = new WrittenOnce<NetworkChange>((change) => eventText("change", change));
  readonly #faults: FaultGuard;

  constructor(node: Pick<GatewayNode, "observe">, clock: Clock, faults: FaultGuard = UNGUARDED) {
    this.#node = node;
    this.#clock = clock;
    this.#faults = faults;
  }

  get isFull(): boolean {
    return this.#streams.size >= MAX_STREAMS;
  }

  /** Begins a stream: `open` gets the handler of its events. */
  begin(open: (handler: HttpStreamHandler) => HttpStream): void {
    const stream = new EventStream(this.#node, this.#clock, {
      viewOf: (view) => this.#views.bytesOf(view),
      changeOf: (change) => this.#changes.bytesOf(change),
      gone: () => this.#streams.delete(stream),
      guarded: (act, contain) => guarded(this.#faults, "events", act, contain),
    });
    this.#streams.add(stream);
    stream.start(open(stream));
  }

  /** Ends all of them. */
  close(): void {
    for (const stream of this.#streams) stream.end();
  }
}

/** The streams' owner, as a stream needs it. */
interface StreamOwner {
  viewOf(view: NetworkView): Uint8Array;
  changeOf(change: NetworkChange): Uint8Array;
  gone(): void;
  /** Runs `act`; when it throws, `contain`. */
  guarded(act: () => void, contain: () => void): void;
}

class EventStream implements HttpStreamHandler {
  readonly #node: Pick<GatewayNode, "observe">;
  readonly #clock: Clock;
  readonly #owner: StreamOwner;
  #stream: HttpStream | undefined;
  /** Whether more waits for it than should. */
  #isFull = false;
  /** Ends the looking; absent when the browser has missed something, and is owed a view. */
  #endLooking: (() => void) | undefined;
  #quiet: Timer | undefined;
  #bytes = 0;

  constructor(node: Pick<GatewayNode, "observe">, clock: Clock, owner: StreamOwner) {
    this.#node = node;
    this.#clock = clock;
    this.#owner = owner;
  }

  start(stream: HttpStream): void {
    this.#stream = stream;
    this.#write(RETRY);
    this.#look();
  }

  drained(): void {
    this.#isFull = false;
    if (this.#endLooking === undefined) this.#look();
  }

  closed(): void {
    this.#stop();
    this.#owner.gone();
  }

  /** Says that it ends, and ends it. */
  end(): void {
    const stream = this.#stream;
    this.#stop();
    stream?.write(END);
    stream?.end(LINGER_MS);
  }

  #look(): void {
    if (this.#stream === undefined) return;
    // A stream that fails must not keep the others from their changes.
    const observation = this.#node.observe({
      changed: (change) => this.#owner.guarded(() => this.#changed(change), () => this.#cut()),
    });
    this.#endLooking = () => observation.end();
    this.#write(this.#owner.viewOf(observation.view));
  }

  #changed(change: NetworkChange): void {
    if (this.#isFull) this.#lookAway();
    else this.#write(this.#owner.changeOf(change));
  }

  #write(bytes: Uint8Array): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#bytes += bytes.length;
    this.#isFull = !stream.write(bytes);
    if (this.#bytes > MAX_STREAM_BYTES) return this.end();
    this.#quiet?.cancel();
    this.#quiet = this.#clock.after(QUIET_MS, () => {
      this.#owner.guarded(() => {
        if (!this.#isFull) this.#write(ALIVE);
      }, () => this.#cut());
    });
  }

  /** It has a fault. The browser comes again. */
  #cut(): void {
    const stream = this.#stream;
    this.#stop();
    stream?.cut();
  }

  #lookAway(): void {
    this.#endLooking?.();
    this.#endLooking = undefined;
  }

  #stop(): void {
    this.#stream = undefined;
    this.#lookAway();
    this.#quiet?.cancel();
  }
}

/** A server-sent event. */
function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
