/** Pairs of keys that certificates are made with: ECDSA on P-256, which every program that speaks TLS can check. */

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const LINE_LENGTH = 64;
const BEGIN = "-----BEGIN PRIVATE KEY-----";
const END = "-----END PRIVATE KEY-----";

/** Makes a pair by chance. */
export function makeKeyPair(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

/** The private key of a pair as text (PKCS #8 in PEM), as files keep it. */
export async function privateKeyPem({ privateKey }: CryptoKeyPair): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  const text = btoa(String.fromCharCode(...bytes));
  const lines = text.match(new RegExp(`.{1,${LINE_LENGTH}}`, "g"))!;
  return `${[BEGIN, ...lines, END].join("\n")}\n`;
}

/** The private key in a text that `privateKeyPem` gave; `undefined` where it holds no such key. */
export async function readPrivateKey(pem: string): Promise<CryptoKey | undefined> {
  const begin = pem.indexOf(BEGIN);
  const end = pem.indexOf(END);
  if (begin < 0 || end < begin) return undefined;
  try {
    const bytes = Uint8Array.from(atob(pem.slice(begin + BEGIN.length, end)), (letter) => letter.charCodeAt(0));
    return await crypto.subtle.importKey("pkcs8", bytes, ALGORITHM, true, ["sign"]);
  } catch {
    // It is a key of another kind, or was changed.
    return undefined;
  }
}
