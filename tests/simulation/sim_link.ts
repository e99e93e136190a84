/** One end of a connection in the simulator, with the part of it that the operating system plays. */

import type { Timer } from "../../platform/clock.ts";
import type { Link, LinkEnd, LinkHandler } from "../../platform/transport.ts";
import type { SimNetwork } from "./network.ts";
import type { Process } from "./process.ts";

/** What travels: bytes, the end of the bytes, or the news that the other side is gone. */
type Item = Uint8Array | "FIN" | "RST";

/** Probes of an idle connection that may go unanswered. */
const PROBES = 3;

/** One end. What it sends waits in `#sent` until it has arrived at the peer and the peer reads. */
export class SimLink implements Link {
  readonly number: number;
  readonly process: Process;
  remotePort = 0;
  peer!: SimLink;
  readonly #network: SimNetwork;
  readonly #highWaterBytes: number;
  #handler: LinkHandler | undefined;
  /**
   * Under way to the peer, the oldest first: those that arrived, then those that a black hole holds up,
   * then those that travel.
   */
  readonly #sent: Item[] = [];
  #arrived = 0;
  #heldUp = 0;
  #lastArrivalAt = 0;
  #pending = 0;
  #isPaused = false;
  #mustDrain = false;
  #sentFin = false;
  #gotFin = false;
  #isGone = false;
  /** Its machine lost power: nobody says a word for it. */
  #hasVanished = false;
  /** The network broke it, which the other end may not know. */
  #isBroken = false;
  #end: LinkEnd | undefined;
  #linger: Timer | undefined;

  constructor(network: SimNetwork, process: Process, highWaterBytes: number, number: number) {
    this.#network = network;
    this.process = process;
    this.#highWaterBytes = highWaterBytes;
    this.number = number;
  }

  /** Makes a connection of the two: this one called `port` of the other, from `ownPort`. */
  join(far: SimLink, port: number, ownPort: number): void {
    this.peer = far;
    far.peer = this;
    this.remotePort = port;
    far.remotePort = ownPort;
  }

  get remoteHost(): string {
    return this.peer.process.machine;
  }

  get pendingBytes(): number {
    return this.#pending;
  }

  attach(handler: LinkHandler): void {
    const isTakenOver = this.#handler !== undefined;
    this.#handler = handler;
    if (isTakenOver) return;
    if (this.#end !== undefined) this.#network.clock.after(0, () => this.#tellEnd());
    this.#readSoon();
  }

  write(bytes: Uint8Array): boolean {
    this.#pending += bytes.length;
    if (this.#isGone || this.#sentFin) return true;
    this.#send(bytes.slice());
    this.#mustDrain ||= this.#pending > this.#highWaterBytes;
    return this.#pending <= this.#highWaterBytes;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#readSoon();
  }

  keepAlive(idleMs: number): void {
    let unanswered = 0;
    const probe = () => {
      if (this.#isGone) return;
      const { machine } = this.peer.process;
      const isReachable = !this.#isBlocked && !this.peer.#isBlocked && !this.#network.isOff(machine);
      unanswered = isReachable && !this.peer.#hasVanished && !this.peer.#isBroken ? 0 : unanswered + 1;
      if (unanswered > 0 && (isReachable || unanswered > PROBES)) this.break();
      else this.#network.clock.after(idleMs, probe);
    };
    this.#network.clock.after(idleMs, probe);
  }

  end(lingerMs: number): void {
    if (this.#isGone || this.#sentFin) return;
    this.#sentFin = true;
    this.#network.down(this);
    this.#isPaused = false;
    this.#readSoon();
    this.#send("FIN");
    this.#linger = this.process.after(lingerMs, () => this.destroy());
  }

  destroy(): void {
    if (this.#isGone) return;
    this.#send("RST");
    this.#leave("local");
  }

  /** The network broke the connection. */
  break(): void {
    this.#isBroken ||= !this.#isGone;
    this.#leave("reset");
  }

  /** Its process died: what it sent still arrives, then the news. */
  crash(): void {
    if (this.#isGone) return;
    this.#send("RST");
    this.#leave("local");
    this.#handler = undefined;
  }

  /** Its machine is off: what a black hole holds up is lost, and with it all that follows. */
  vanish(): void {
    if (this.#isGone) return;
    this.#hasVanished = true;
    this.#sent.length = this.#arrived;
    this.#heldUp = 0;
    this.#leave("local");
    this.#handler = undefined;
  }

  /** The peer's machine came back: what waits for it is sent again, and it does not know the link. */
  sendAgain(): void {
    if (this.peer.#hasVanished && this.#pending > 0) this.#send(new Uint8Array(0));
  }

  /** The black hole that held up what this end has sent may be gone. */
  flush(): void {
    if (this.#heldUp > 0 && this.#isBlocked) return this.#network.holdUp(this);
    for (; this.#heldUp > 0; this.#heldUp--) this.#arrive();
  }

  get #isBlocked(): boolean {
    return this.#network.isBlocked(this.process.machine, this.peer.process.machine);
  }

  #send(item: Item): void {
    const { clock } = this.#network;
    const now = clock.nowMs();
    const delayMs = this.#network.delayMs(this.process.machine, this.peer.process.machine);
    this.#lastArrivalAt = Math.max(this.#lastArrivalAt, now + delayMs);
    this.#sent.push(item);
    clock.after(this.#lastArrivalAt - now, () => {
      if (this.#hasVanished) return;
      if (this.#heldUp === 0 && !this.#isBlocked) return this.#arrive();
      this.#heldUp++;
      this.#network.holdUp(this);
    });
  }

  #arrive(): void {
    const { peer } = this;
    const { machine } = peer.process;
    if (peer.#hasVanished) {
      // Nobody answers while it is off; afterwards it says that it knows no such link.
      if (!this.#network.isOff(machine) && !this.#isGone) this.break();
      return;
    }
    this.#arrived++;
    if (this.#sent[this.#arrived - 1] === "RST") {
      this.#sent.length = 0;
      this.#arrived = 0;
      peer.#leave("reset");
    } else this.#deliver();
  }

  #readSoon(): void {
    this.#network.clock.after(0, () => this.process.hand(() => this.peer.#deliver()));
  }

  #deliver(): void {
    if (this.peer.process.isStalled) this.peer.process.hand(() => this.#deliverNow());
    else this.#deliverNow();
  }

  /** Hands over what has arrived, as far as the other side reads. */
  #deliverNow(): void {
    const { peer } = this;
    while (this.#arrived > 0 && !peer.#isGone && peer.#handler !== undefined && !peer.#isPaused) {
      this.#arrived--;
      const item = this.#sent.shift()!;
      if (item === "RST") continue;
      if (item === "FIN") {
        peer.#gotFin = true;
        if (!peer.#sentFin) peer.#handler.onFinish();
        for (const link of [this, peer]) if (link.#sentFin && link.#gotFin) link.#leave("local");
        continue;
      }
      this.#taken(item.length);
      if (!peer.#sentFin) peer.#handler.onData(item);
      // As with a socket's buffer, the bytes are not the reader's afterwards.
      item.fill(0);
    }
  }

  /** The peer has so many bytes more. */
  #taken(bytes: number): void {
    this.#pending -= bytes;
    if (this.#pending > 0 || !this.#mustDrain || this.#isGone) return;
    this.#mustDrain = false;
    this.process.hand(() => {
      if (!this.#isGone) this.#handler?.onDrain();
    });
  }

  /** This end is gone; its owner learns of it in a moment. */
  #leave(end: LinkEnd): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#linger?.cancel();
    if (!this.#sentFin) this.#network.down(this);
    this.#network.forget(this);
    this.#end = this.#sentFin ? "local" : end;
    this.#network.clock.after(0, () => this.process.hand(() => this.#tellEnd()));
  }

  #tellEnd(): void {
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.onEnd(this.#end!);
  }
}
