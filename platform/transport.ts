/**
 * Connections as the rest of the house sees them: bytes in, bytes out, how much waits to go out, and how it ended.
 * `platform/tcp/tcp_transport.ts` is the real one, over `node:net`; tests and the simulator bring their own.
 */

import type { Endpoint } from "./address.ts";
import type { SecureChannel } from "./tls/secure_channel.ts";

/**
 * Why a link ended: `"closed"` by the other side (FIN), `"reset"` (RST or another socket error),
 * `"local"` by this side.
 */
export type LinkEnd = "closed" | "reset" | "local";

/**
 * What a link tells its owner: whoever was attached last. Each is called on the event loop, never from inside a call
 * that the owner makes on the link.
 */
export interface LinkHandler {
  /** Bytes arrived. They belong to the transport again when the call returns: keep a copy of what you keep. */
  onData(bytes: Uint8Array): void;
  /** All that was written has left this process. Follows every `write` that said `false`, and perhaps others. */
  onDrain(): void;
  /** The other side sends no more (FIN). It can still be written to; its owner ends it. */
  onFinish(): void;
  /** The link is gone. Called exactly once; nothing is called after it. */
  onEnd(end: LinkEnd): void;
}

/** Where bytes go: all of a link that somebody needs who only writes. */
export interface Outlet {
  /** Bytes that were written but have not left this process. After the end these never leave. */
  readonly pendingBytes: number;
  /**
   * Sends `bytes`. The outlet keeps them until they are sent, so the caller may not change them; one buffer may be
   * given to many outlets. Returns `false` when more waits than should: whoever reads the outlet's link tells when to
   * go on. After the end it sends nothing, and the bytes are pending.
   */
  write(bytes: Uint8Array): boolean;
}

/** One TCP connection. A `write` that gives `false` is followed by `onDrain`. */
export interface Link extends Outlet {
  /** The other side's address, e.g. `"127.0.0.1"`. */
  readonly remoteHost: string;
  /** The other side's port. */
  readonly remotePort: number;
  /** How it is protected. `undefined`, or not there: all that crosses it can be read. Known once bytes have come. */
  readonly channel?: SecureChannel | undefined;
  /**
   * Starts delivery to `handler`; called again, by whoever takes the link over, `handler` is told all that comes next
   * in place of the one before, and that one nothing more. Whether the link is read stays as it was. What the one
   * before was told, FIN too, is not told again.
   */
  attach(handler: LinkHandler): void;
  /** Stops reading, so that the other side feels backpressure. */
  pause(): void;
  /** Reads again. */
  resume(): void;
  /** Asks the operating system to probe the other side after `idleMs` of silence. */
  keepAlive(idleMs: number): void;
  /** Sends what waits, then FIN; cuts after `lingerMs` if the other side does not take it. `onEnd("local")` follows. */
  end(lingerMs: number): void;
  /** Cuts at once. `onEnd("local")` follows. */
  destroy(): void;
}

/** A listening socket. */
export interface Listener extends AsyncDisposable {
  readonly host: string;
  /** The port that it has, also when 0 was asked for. */
  readonly port: number;
  /** Accepts nothing more. Links that exist stay. */
  close(): Promise<void>;
}

/** Where connections come from. */
export interface Transport {
  /**
   * With `isTls`, for callers by TLS above all: where the machine cannot take TLS beside other connections, for them
   * alone.
   * @throws {Error} with a `code` such as `EADDRINUSE` when the address cannot be had.
   */
  listen(options: Endpoint & { isTls?: boolean }, onLink: (link: Link) => void): Promise<Listener>;
  /** @throws {Error} with a `code` such as `ECONNREFUSED`, or `ETIMEDOUT` after `timeoutMs`. */
  dial(
    options: Endpoint & {
      timeoutMs: number;
      signal?: AbortSignal;
      /** It is given up when there are as many sockets as there should be. */
      isOptional?: boolean;
      /** Without TLS, also where this transport has it. */
      isPlain?: boolean;
      /** The process may end while this is under way. A link that comes of it keeps the process alive as any other. */
      isBackground?: boolean;
    },
  ): Promise<Link>;
}
