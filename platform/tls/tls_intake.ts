/**
 * Takes sockets that were accepted elsewhere into TLS, and listens on a port of its own where Deno cannot do that
 * (`tls_support.ts`). It makes no links: `platform/tcp/` does.
 */

import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { SecureChannel } from "./secure_channel.ts";
import type { KeptIdentity } from "./kept_identity.ts";

/** What is asked of callers. */
export interface TlsIntakeParts {
  /** Whether a caller has to show a certificate that `ca` of the identity has signed. */
  readonly clientAuth: boolean;
  /** The oldest TLS that callers may speak; 1.3 if absent. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /** What is spoken inside, by its name in ALPN. Callers that ask for it, and for none of these, are refused. */
  readonly protocols?: readonly string[];
  /** For tests: how long a handshake may take. */
  readonly handshakeTimeoutMs?: number;
}

/** Whoever waits for the end of a handshake. */
export interface HandshakeOwner {
  /** What is read and written from now on is protected. */
  secured(socket: Socket, channel: SecureChannel): void;
  /** The socket under it is closed by TLS itself. `why` is for the log. */
  failed(why: string): void;
}

/** Whoever shakes hands for longer wants to keep a place, or is too far away. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Of one port. */
export class TlsIntake {
  /** How long a handshake may take. Whoever takes it in sees to that. */
  readonly handshakeTimeoutMs: number;
  readonly #kept: KeptIdentity;
  readonly #server: Server;
  readonly #owners = new WeakMap<Socket, { readonly owner: HandshakeOwner; readonly endPoint: Uint8Array }>();

  constructor(kept: KeptIdentity, parts: TlsIntakeParts) {
    const { clientAuth, minVersion = "TLSv1.3", protocols, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = parts;
    this.handshakeTimeoutMs = handshakeTimeoutMs;
    this.#kept = kept;
    const context = () => {
      const { cert, key, ca } = kept.current;
      // Deno would send all of `ca` to every caller, so it is given only where callers are checked.
      return { cert, key, minVersion, ...(clientAuth && ca !== undefined ? { ca } : {}) };
    };
    const server = this.#server = createServer({
      ...context(),
      requestCert: clientAuth,
      rejectUnauthorized: clientAuth,
      ...(protocols === undefined ? {} : { ALPNProtocols: [...protocols] }),
      // As of the listener of plain connections.
      ...{ allowHalfOpen: true },
    });
    kept.whenReplaced(() => server.setSecureContext(context()));
    server.on("secureConnection", (socket) => {
      const waiting = this.#owners.get(underOf(socket));
      // A session that is resumed was checked against the identity of that time, and nobody is checked now.
      if (waiting === undefined) return void socket.destroy();
      const { owner, endPoint } = waiting;
      owner.secured(socket, { serverEndPoint: endPoint, isResumed: socket.isSessionReused() });
    });
    server.on("tlsClientError", (error, socket) => {
      this.#owners.get(underOf(socket))?.owner.failed(error.message);
    });
  }

  /** Begins a handshake on `socket`, whose first bytes were put back. */
  take(socket: Socket, owner: HandshakeOwner): void {
    this.#owners.set(socket, { owner, endPoint: this.#kept.current.endPoint });
    this.#server.emit("connection", socket);
  }
}

/** The socket that was handed in. */
function underOf(socket: TLSSocket): Socket {
  return (socket as unknown as { readonly _parent: Socket })._parent;
}
