/**
 * Takes sockets that were accepted elsewhere into TLS, and listens on a port of its own where Deno cannot do that
 * (`tls_support.ts`). It makes no links: `platform/tcp/` does.
 */

import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import type { SecureChannel } from "./secure_channel.ts";
import { type Endpoint, isUnspecified } from "../address.ts";
import type { Listener } from "../transport.ts";
import { DENO_VERSION } from "./own_version.ts";
import { tlsSupport } from "./tls_support.ts";
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

/** Of one server. */
export class TlsIntake {
  /** Whether it takes sockets that were accepted elsewhere; else it has to `listen` itself. */
  readonly takesAnyPort: boolean = tlsSupport(DENO_VERSION).hasOnePort;
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

  /**
   * Listens where callers come by TLS alone, for Deno before 2.8. Handshakes are made when something is read. The
   * certificate stays as it is.
   * @throws {Error} with a `code` when the address cannot be had.
   */
  async listen(
    { host, port }: Endpoint,
    onSocket: (socket: Socket, channel: SecureChannel) => void,
  ): Promise<Listener> {
    const { cert, key, endPoint } = this.#kept.current;
    const channel = { serverEndPoint: endPoint, isResumed: false };
    // The host is told here: that is how Deno 2.5 takes it.
    const server = createServer({ cert, key, ...{ host } });
    server.on("secureConnection", (socket) => onSocket(socket, channel));
    try {
      await new Promise<void>((resolve) => server.listen(port, resolve));
    } catch (error) {
      throw Object.assign(error as Error, { code: codeOf(error), syscall: "listen" });
    }
    const close = () => Promise.resolve(void server.close());
    const address = server.address() as { readonly address: string; readonly port: number };
    if (isUnspecified(address.address) && !isUnspecified(host)) {
      await close();
      throw new Error(`Deno ${DENO_VERSION} cannot listen for TLS on ${host} alone`);
    }
    return { host: address.address, port: address.port, close, [Symbol.asyncDispose]: close };
  }

  /** Begins a handshake on `socket`, whose first bytes were put back. */
  take(socket: Socket, owner: HandshakeOwner): void {
    this.#owners.set(socket, { owner, endPoint: this.#kept.current.endPoint });
    this.#server.emit("connection", socket);
  }
}

/** As `node:net` has it. */
function codeOf(error: unknown): string {
  const codes = { AddrInUse: "EADDRINUSE", PermissionDenied: "EACCES", AddrNotAvailable: "EADDRNOTAVAIL" };
  return (error as { code?: string }).code ?? codes[(error as Error).name as keyof typeof codes] ?? "EINVAL";
}

/** The socket that was handed in. */
function underOf(socket: TLSSocket): Socket {
  return (socket as unknown as { readonly _parent: Socket })._parent;
}
