/**
 * The channel binding `tls-server-end-point` of RFC 5929: a hash of the certificate that a server has shown. Both ends
 * of a TLS connection know it. Somebody in the middle who shows another certificate makes two ends that differ.
 */

import { createHash } from "node:crypto";
import { toHex } from "../hex.ts";

/** Signature algorithms with a longer hash, by the hexadecimal digits of their identifiers: RSA, ECDSA. */
const LONGER: Readonly<Record<string, "sha384" | "sha512">> = {
  "2a864886f70d01010c": "sha384",
  "2a8648ce3d040303": "sha384",
  "2a864886f70d01010d": "sha512",
  "2a8648ce3d040304": "sha512",
};

/**
 * The binding for a certificate in DER: its hash with the algorithm of its signature. SHA-256 stands for all that are
 * weaker, and for those that have none of these.
 */
export function serverEndPoint(certificate: Uint8Array): Uint8Array {
  const algorithm = LONGER[signatureAlgorithm(certificate)] ?? "sha256";
  return new Uint8Array(createHash(algorithm).update(certificate).digest());
}

/**
 * The identifier of the signature's algorithm, as hexadecimal digits; empty where there is none. It stands in the first
 * value after the signed one.
 */
function signatureAlgorithm(certificate: Uint8Array): string {
  const signed = certificate.subarray(valueAt(certificate, 0).from);
  const after = signed.subarray(valueAt(signed, 0).to);
  const algorithm = after.subarray(valueAt(after, 0).from);
  const { from, to } = valueAt(algorithm, 0);
  return toHex(algorithm.subarray(from, to));
}

/** Where the value of the DER at `at` begins and ends. */
function valueAt(bytes: Uint8Array, at: number): { readonly from: number; readonly to: number } {
  const short = bytes[at + 1] ?? 0;
  if (short < 0x80) return { from: at + 2, to: at + 2 + short };
  const from = at + 2 + (short & 0x7f);
  const length = bytes.subarray(at + 2, from).reduce((sum, byte) => sum * 256 + byte, 0);
  return { from, to: from + length };
}
