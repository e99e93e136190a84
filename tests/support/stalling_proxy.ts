/** A way over TCP that can stop to carry anything without closing: what a network does that forgets a connection. */

/** Forwards connections to one port of this machine. `await using` ends it. */
export class StallingProxy implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<{ isStalled: boolean; readonly ends: readonly Deno.Conn[] }>();
  readonly #accepting: Promise<void>;
  readonly #pumps = new Set<Promise<void>>();

  /** `heard` is told all that passes, either way. */
  constructor(port: number, readonly heard: (bytes: Uint8Array) => void = () => {}) {
    this.#accepting = this.#accept(port);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** From now on nothing passes on the connections that there are. New ones work. */
  stall(): void {
    for (const way of this.#open) way.isStalled = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const { ends } of this.#open) ends.forEach(close);
    await this.#accepting;
    await Promise.all(this.#pumps);
  }

  async #accept(port: number): Promise<void> {
    for await (const near of this.#listener) {
      const far = await Deno.connect({ hostname: "127.0.0.1", port });
      const way = { isStalled: false, ends: [near, far] };
      this.#open.add(way);
      for (const [from, to] of [[near, far], [far, near]] as const) {
        const pump = this.#pump(way, from, to).finally(() => this.#pumps.delete(pump));
        this.#pumps.add(pump);
      }
    }
  }

  async #pump(way: { isStalled: boolean }, from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        this.heard(buffer.slice(0, count));
        for (let sent = 0; sent < count && !way.isStalled;) sent += await to.write(buffer.subarray(sent, count));
      }
    } catch {
      // One of its ends was closed.
    }
    close(from);
    close(to);
  }
}

function close(end: Deno.Conn): void {
  try {
    end.close();
  } catch {
    // It was closed already.
  }
}
