/**
 * A network in memory on a clock that a test winds: links with latency that can be cut, stalled without being closed,
 * and healed. Behaves as TCP does towards `Link`: bytes in order, FIN after them, backpressure when nobody reads, and
 * calls to handlers never from inside a call on the link.
 */

import type { Endpoint } from "../../platform/address.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { SecureChannel } from "../../platform/tls/secure_channel.ts";
import type { Link, LinkEnd, LinkHandler, Listener, Transport } from "../../platform/transport.ts";

/** How the network is. */
export interface FakeNetworkParts {
  /** How long bytes travel. */
  readonly latencyMs?: number;
  /** Bytes that may wait on a link before `write` says `false`. */
  readonly highWaterBytes?: number;
}

type Condition = "up" | "cut" | "stalled";

/** Machines, each with an address and a `Transport` of its own. */
export class FakeNetwork {
  /** How long bytes travel from now on. */
  latencyMs: number;
  readonly clock: Clock;
  readonly highWaterBytes: number;
  /** How the connections that are made from now on are protected, as each end sees it; not at all where empty. */
  channels: { readonly caller?: SecureChannel; readonly called?: SecureChannel } = {};
  readonly #listeners = new Map<string, (link: Link) => void>();
  readonly #links = new Set<FakeLink>();
  #condition: Condition = "up";
  #waiting: (() => void)[] = [];
  #lastPort = 40_000;

  constructor(clock: Clock, { latencyMs = 1, highWaterBytes = 262_144 }: FakeNetworkParts = {}) {
    this.clock = clock;
    this.latencyMs = latencyMs;
    this.highWaterBytes = highWaterBytes;
  }

  /** The ends of links that exist: two for each connection. */
  get openEnds(): number {
    return this.#links.size;
  }

  /** The transport of the machine with this address. */
  machine(address: string): Transport {
    return {
      listen: ({ host, port }, onLink) => Promise.resolve(this.#listen(host, port, onLink)),
      dial: (options) => this.#dial(address, options),
    };
  }

  /** Every connection breaks, on both sides, and no new one can be made until `heal`. */
  cut(): void {
    this.#condition = "cut";
    for (const link of [...this.#links]) link.break();
    this.#goOn();
  }

  /** Nothing arrives any more, in either direction, and nothing is closed, until `heal`. */
  stall(): void {
    this.#condition = "stalled";
  }

  /** All is well again; what was under way when it stalled arrives. */
  heal(): void {
    this.#condition = "up";
    this.#goOn();
  }

  /** Calls `run` once bytes get through. For links. */
  whenUp(run: () => void): void {
    if (this.#condition === "stalled") this.#waiting.push(run);
    else run();
  }

  /** For links: this end is gone. */
  forget(link: FakeLink): void {
    this.#links.delete(link);
  }

  #goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const run of waiting) run();
  }

  #listen(host: string, port: number, onLink: (link: Link) => void): Listener {
    const key = `${host}:${port === 0 ? ++this.#lastPort : port}`;
    if (this.#listeners.has(key)) throw failure("EADDRINUSE", `${key} is in use`);
    this.#listeners.set(key, onLink);
    const close = () => {
      this.#listeners.delete(key);
      return Promise.resolve();
    };
    return { host, port: Number(key.split(":").at(-1)), close, [Symbol.asyncDispose]: close };
  }

  #dial(
    from: string,
    { host, port, timeoutMs, signal }: Endpoint & { timeoutMs: number; signal?: AbortSignal },
  ): Promise<Link> {
    return new Promise((resolve, reject) => {
      const timers: Timer[] = [
        this.clock.after(
          timeoutMs,
          () => settle(() => reject(failure("ETIMEDOUT", `no answer within ${timeoutMs} ms`))),
        ),
        this.clock.after(this.latencyMs, () => this.whenUp(connect)),
      ];
      let isSettled = false;
      const settle = (how: () => void) => {
        if (isSettled) return;
        isSettled = true;
        for (const timer of timers) timer.cancel();
        how();
      };
      const connect = () => {
        const onLink = this.#listeners.get(`${host}:${port}`);
        if (this.#condition === "cut" || onLink === undefined) {
          settle(() => reject(failure("ECONNREFUSED", `connection refused by ${host}:${port}`)));
        } else if (!isSettled) {
          const [near, far] = this.#pair(from, host, port);
          settle(() => resolve(near));
          onLink(far);
        }
      };
      signal?.addEventListener("abort", () => settle(() => reject(failure("ABORT_ERR", "it was given up"))));
    });
  }

  #pair(from: string, host: string, port: number): [FakeLink, FakeLink] {
    const near = new FakeLink(this, host, port);
    const far = new FakeLink(this, from, ++this.#lastPort);
    near.channel = this.channels.caller;
    far.channel = this.channels.called;
    near.peer = far;
    far.peer = near;
    this.#links.add(near).add(far);
    return [near, far];
  }
}

/** One end of a connection. What it sends waits in `#sending` until it has arrived at the peer and the peer reads. */
export class FakeLink implements Link {
  readonly remoteHost: string;
  readonly remotePort: number;
  channel: SecureChannel | undefined;
  peer!: FakeLink;
  readonly #network: FakeNetwork;
  #handler: LinkHandler | undefined;
  /** Chunks under way to the other side, and FIN. */
  readonly #sending: (Uint8Array | "FIN")[] = [];
  #pending = 0;
  #arrived = 0;
  #isPaused = false;
  #mustDrain = false;
  #sentFin = false;
  /** It has sent FIN, and reads on. */
  #isHalfClosed = false;
  #gotFin = false;
  #isGone = false;
  #end: LinkEnd | undefined;
  #linger: Timer | undefined;

  constructor(network: FakeNetwork, remoteHost: string, remotePort: number) {
    this.#network = network;
    this.remoteHost = remoteHost;
    this.remotePort = remotePort;
  }

  get pendingBytes(): number {
    return this.#pending;
  }

  /** Whether this end does not read just now. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  attach(handler: LinkHandler): void {
    const isTakenOver = this.#handler !== undefined;
    this.#handler = handler;
    if (isTakenOver) return;
    if (this.#end !== undefined) this.#network.clock.after(0, () => this.#tellEnd());
    this.peer.#deliverSoon();
  }

  write(bytes: Uint8Array): boolean {
    this.#pending += bytes.length;
    if (this.#isGone || this.#sentFin) return true;
    // A copy: the real one may send the bytes at any time, and so must not see a change; tests would not notice one.
    this.#send(bytes.slice());
    this.#mustDrain ||= this.#pending > this.#network.highWaterBytes;
    return this.#pending <= this.#network.highWaterBytes;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.peer.#deliverSoon();
  }

  keepAlive(): void {}

  end(lingerMs: number): void {
    if (this.#isGone || this.#sentFin) return;
    this.#sentFin = true;
    this.#isPaused = false;
    this.peer.#deliverSoon();
    this.#send("FIN");
    this.#linger = this.#network.clock.after(lingerMs, () => this.destroy());
  }

  /** Sends FIN, and reads what still comes. */
  finish(): void {
    if (this.#isGone || this.#sentFin) return;
    this.#sentFin = true;
    this.#isHalfClosed = true;
    this.#send("FIN");
  }

  destroy(): void {
    if (this.#isGone) return;
    this.#leave("local");
    const { peer } = this;
    this.#network.clock.after(this.#network.latencyMs, () => this.#network.whenUp(() => peer.#leave("reset")));
  }

  /** The network broke the connection. */
  break(): void {
    this.#leave("reset");
  }

  #send(item: Uint8Array | "FIN"): void {
    this.#sending.push(item);
    this.#network.clock.after(this.#network.latencyMs, () =>
      this.#network.whenUp(() => {
        this.#arrived++;
        this.#deliver();
      }));
  }

  #deliverSoon(): void {
    this.#network.clock.after(0, () => this.#network.whenUp(() => this.#deliver()));
  }

  /** Hands over what has arrived, as far as the other side reads. */
  #deliver(): void {
    const { peer } = this;
    while (this.#arrived > 0 && !peer.#isGone && peer.#handler !== undefined && !peer.#isPaused) {
      this.#arrived--;
      const item = this.#sending.shift()!;
      if (item === "FIN") {
        peer.#gotFin = true;
        if (!peer.#sentFin || peer.#isHalfClosed) peer.#handler.onFinish();
        this.#closeIfDone();
        continue;
      }
      this.#pending -= item.length;
      if (!peer.#sentFin || peer.#isHalfClosed) peer.#handler.onData(item);
      // As with a socket's buffer, the bytes are not the reader's afterwards.
      item.fill(0);
      if (this.#pending === 0 && this.#mustDrain && !this.#isGone) {
        this.#mustDrain = false;
        this.#handler?.onDrain();
      }
    }
  }

  #closeIfDone(): void {
    for (const link of [this, this.peer]) {
      if (link.#sentFin && link.#gotFin) link.#leave("local");
    }
  }

  /** This end is gone; its owner learns of it in a moment. */
  #leave(end: LinkEnd): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#linger?.cancel();
    this.#network.forget(this);
    this.#end = this.#sentFin ? "local" : end;
    this.#network.clock.after(0, () => this.#tellEnd());
  }

  #tellEnd(): void {
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.onEnd(this.#end!);
  }
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
