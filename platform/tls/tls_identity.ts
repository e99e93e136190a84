/**
 * Who a program is to the others of a TLS connection: a certificate with its key, and whom the program believes. Checks
 * it before anything is opened. Where the text comes from is the business of others.
 */

import { Buffer } from "node:buffer";
import { createHash, createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { serverEndPoint } from "./end_point.ts";
import { inPairs } from "./fingerprint.ts";

/** Texts in PEM, as they stand in files. */
export interface TlsIdentity {
  /** The certificate, and after it those that lead to its CA. */
  readonly cert: string;
  /** The key of the certificate. */
  readonly key: string;
  /** The certificates of the CAs that are believed; absent for those that Deno believes. */
  readonly ca?: string;
}

/** An identity that can be used, and what others want to know of it. */
export interface CheckedIdentity extends TlsIdentity {
  /** The channel binding of connections in which the certificate is shown (`end_point.ts`). */
  readonly endPoint: Uint8Array;
  /** SHA-256 of the certificate: 64 hexadecimal digits, in pairs between colons. */
  readonly fingerprint: string;
  /** Until when the certificate is good, in milliseconds since 1970. */
  readonly notAfterMs: number;
}

/** Which text cannot be used, and why. The message repeats nothing of a key. */
export class TlsIdentityError extends Error {
  /** Its class, by name. */
  override name = "TlsIdentityError";
  /** The text. */
  readonly part: keyof TlsIdentity;

  /** `message` is one sentence without the name of the text: `"it has no certificate"`. */
  constructor(part: keyof TlsIdentity, message: string, options?: ErrorOptions) {
    super(message, options);
    this.part = part;
  }
}

const CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Checks that there is a certificate, that the key is its key, and that `ca` has certificates.
 * @throws {TlsIdentityError} when it cannot be used.
 */
export function checkIdentity(identity: TlsIdentity): CheckedIdentity {
  const { cert, key, ca } = identity;
  const certificate = certificatesOf(cert, "cert")[0]!;
  if (ca !== undefined) checkCa(ca);
  const publicKey = publicKeyOf(key);
  const known = knownKey(certificate.parsed);
  if (known !== undefined && !known.equals(publicKey)) {
    throw new TlsIdentityError("key", "it is the key of another certificate");
  }
  return {
    ...identity,
    endPoint: serverEndPoint(certificate.der),
    fingerprint: fingerprintOf(certificate.der),
    notAfterMs: Date.parse(certificate.parsed.validTo),
  };
}

/** @throws {TlsIdentityError} when there is no certificate in it, or one that cannot be read. */
export function checkCa(ca: string): void {
  certificatesOf(ca, "ca");
}

/** SHA-256 of a certificate in DER, as `openssl x509 -fingerprint -sha256` writes it. */
export function fingerprintOf(certificate: Uint8Array): string {
  return inPairs(createHash("sha256").update(certificate).digest("hex"));
}

function certificatesOf(
  text: string,
  part: "cert" | "ca",
): { readonly der: Uint8Array; readonly parsed: X509Certificate }[] {
  const blocks = text.match(CERTIFICATES) ?? [];
  if (blocks.length === 0) throw new TlsIdentityError(part, "it has no certificate (PEM)");
  return blocks.map((block) => {
    try {
      const der = new Uint8Array(Buffer.from(block.replace(/-----[^-]+-----/g, ""), "base64"));
      return { der, parsed: new X509Certificate(block) };
    } catch (error) {
      throw new TlsIdentityError(part, "it has a certificate that cannot be read", { cause: error });
    }
  });
}

/** The public half of a private key, in DER. */
function publicKeyOf(key: string): Buffer {
  if (/ENCRYPTED/.test(key)) {
    throw new TlsIdentityError("key", "it is protected with a password, which nobody can give");
  }
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key)) throw new TlsIdentityError("key", "it has no private key (PEM)");
  try {
    return derOf(createPublicKey(createPrivateKey(key) as never));
  } catch {
    // What the error says may have a part of the key in it.
    throw new TlsIdentityError("key", "it has a private key that cannot be read");
  }
}

/** `undefined` where Deno cannot read it: before 2.8 those of Ed25519. */
function knownKey(certificate: X509Certificate): Buffer | undefined {
  try {
    return derOf(certificate.publicKey);
  } catch {
    return undefined;
  }
}

function derOf(key: KeyObject): Buffer {
  return Buffer.from(key.export({ type: "spki", format: "der" }));
}
