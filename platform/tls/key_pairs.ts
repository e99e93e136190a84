/** Pairs of keys that certificates are made with: ECDSA on P-256, which every program that speaks TLS can check. */

import "reflect-metadata";
import { PemConverter } from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const TITLE = "PRIVATE KEY";

/** Makes a pair by chance. */
export function makeKeyPair(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

/** The private key of a pair as text (PKCS #8 in PEM), as files keep it. */
export async function privateKeyPem({ privateKey }: CryptoKeyPair): Promise<string> {
  return `${PemConverter.encode(await crypto.subtle.exportKey("pkcs8", privateKey), TITLE)}\n`;
}

/** The private key in a text that `privateKeyPem` gave; `undefined` where it holds no such key. */
export async function readPrivateKey(pem: string): Promise<CryptoKey | undefined> {
  try {
    const block = PemConverter.decodeWithHeaders(pem).find(({ type }) => type === TITLE);
    return block && await crypto.subtle.importKey("pkcs8", block.rawData, ALGORITHM, true, ["sign"]);
  } catch {
    // It is a key of another kind, or was changed.
    return undefined;
  }
}
