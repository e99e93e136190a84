/**
 * Calls others by TLS 1.3, and believes them for a CA or for a fingerprint. It makes no links: `platform/tcp/` does.
 */

import type { Socket } from "node:net";
import * as tls from "node:tls";
import type { Endpoint } from "../address.ts";
import type { SecureChannel } from "./secure_channel.ts";
import { serverEndPoint } from "./end_point.ts";
import { fingerprintOf } from "./tls_identity.ts";

/** Whom a caller believes, and who it is itself. */
export interface TlsTrust {
  /** The certificates of CAs in PEM; absent for those that Deno believes. */
  readonly ca?: string | undefined;
  /**
   * SHA-256 of certificates that are believed, as `fingerprintOf` writes them. Without `ca` they are enough: nobody
   * asks who has signed, for which name and until when. With `ca` the server needs both.
   */
  readonly fingerprints?: readonly string[];
  /** What the caller shows where it is asked, in PEM. */
  readonly identity?: { readonly cert: string; readonly key: string } | undefined;
}

/** The `code` of errors that TLS is the reason of. Their messages are sentences for people. */
export const TLS_PROBLEM = "ETLS";

/** What is wrong, in words, by the codes of the machine. */
const PROBLEMS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is signed by nobody that is believed here",
  UNABLE_TO_GET_ISSUER_CERT: "its certificate is signed by nobody that is believed here",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is signed by nobody that is believed here",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is signed by nobody that is believed here",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by nobody that is believed here",
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS",
  // How Deno 2.5 says both.
  InvalidData: "it does not speak TLS, or shows a certificate that is not believed here",
};

/** The calls of one program. */
export class TlsCaller {
  readonly #trust: () => TlsTrust;

  /** `trust` gives what counts now. */
  constructor(trust: () => TlsTrust) {
    this.#trust = trust;
  }

  /** Begins a call. Its socket tells `secureConnect` when there is somebody who is believed, as far as TLS can say. */
  connect({ host, port }: Endpoint): Socket {
    const { ca, fingerprints = [], identity } = this.#trust();
    const isPinnedAlone = fingerprints.length > 0 && ca === undefined;
    return tls.connect({
      ...{ host, port, minVersion: "TLSv1.3" },
      // As for plain connections.
      ...{ allowHalfOpen: true },
      ...(ca === undefined ? {} : { ca }),
      rejectUnauthorized: !isPinnedAlone,
      ...identity,
    });
  }

  /** Why whoever answered is not to be spoken to, once `secureConnect` was told. */
  problemOf(socket: Socket): Error | undefined {
    const { fingerprints = [] } = this.#trust();
    const shown = certificateOf(socket);
    // Deno 2.5 tells `secureConnect` before it has looked.
    if (shown === undefined) return problem(PROBLEMS.InvalidData!);
    const fingerprint = fingerprintOf(shown);
    if (fingerprints.length === 0 || fingerprints.includes(fingerprint)) return undefined;
    return problem(`its certificate is another one: its fingerprint is ${fingerprint}`);
  }

  /** How a connection is protected that has no problem. */
  channelOf(socket: Socket): SecureChannel {
    const shown = certificateOf(socket);
    return { serverEndPoint: shown === undefined ? undefined : serverEndPoint(shown), isResumed: false };
  }

  /** `error` of a call, in words if it is one of TLS. */
  told(error: Error, { host }: Endpoint): Error {
    const { code = "", name } = error as { code?: string; name: string };
    if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
      return problem(`its certificate is not for ${host}`, error);
    }
    const words = PROBLEMS[code] ?? PROBLEMS[name];
    return words === undefined ? error : problem(words, error);
  }
}

/** What the server has shown, in DER. */
function certificateOf(socket: Socket): Uint8Array | undefined {
  const shown = (socket as tls.TLSSocket).getPeerCertificate() as { readonly raw?: Uint8Array } | undefined;
  return shown?.raw;
}

/** Of a call: the message says what is wrong with whoever answers. */
function problem(words: string, cause?: Error): Error {
  return Object.assign(new Error(words, { cause }), { code: TLS_PROBLEM });
}
