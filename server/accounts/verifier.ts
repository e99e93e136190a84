/**
 * Verifiers, which are stored instead of secrets: `scram$<N>$<salt>$<stored key>$<server key>`, in hexadecimal digits.
 * The keys are those of `protocol/login/scram.ts`. So a login is checked without the secret, and who reads a verifier
 * cannot log in with it. Verifiers of earlier versions, `scrypt$<N>$<salt>$<key>`, have what the keys are made from:
 * they are as good as the secret, and `server/accounts/verifier_change.ts` says when they go. C. Percival, "Stronger
 * Key Derivation via Sequential Memory-Hard Functions", 2009; RFC 7914; RFC 5802.
 */

import { fromHex, toHex } from "../../platform/hex.ts";
import { NEW_SECRET_COST, type NewKeys } from "../../protocol/login/account_change.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import { keysOf, type ScramDerivation, type ScramHash, type ScramKeys } from "../../protocol/login/scram.ts";

/** Which verifiers are made: `"earlier"` while servers of earlier versions have to read them. */
export type VerifierForm = "scram" | "earlier";

/** A verifier, read. */
export type ReadVerifier = ScramDerivation & ScramKeys;

const COST = NEW_SECRET_COST;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
/** Refused above this, as a verifier from elsewhere must not be able to take all memory. */
const MAX_COST = 1 << 20;
/** How verifiers begin that are as good as the secret. */
export const EARLIER_FORM = "scrypt$";

/** Makes a verifier for `secret`. */
export async function makeVerifier(
  secret: string,
  crypto: SecretCrypto,
  form: VerifierForm = "scram",
): Promise<string> {
  const salt = crypto.randomBytes(SALT_BYTES);
  const key = await crypto.scrypt(secret, salt, COST, KEY_BYTES);
  const earlier = `${EARLIER_FORM}${COST}$${toHex(salt)}$${toHex(key)}`;
  return form === "earlier" ? earlier : scramVerifier(earlier, crypto);
}

/** The verifier of a secret whose keys a client has made, as servers ask it to. */
export function verifierOf({ salt, storedKey, serverKey }: NewKeys): string {
  return `scram$${COST}$${toHex(salt)}$${toHex(storedKey)}$${toHex(serverKey)}`;
}

/** Whether `verifier` was made from `secret`. An unreadable verifier matches nothing. */
export async function matchesVerifier(secret: string, verifier: string, crypto: SecretCrypto): Promise<boolean> {
  const read = readVerifier(verifier, crypto);
  if (read === undefined) return false;
  const derived = await crypto.scrypt(secret, read.salt, read.cost, KEY_BYTES);
  return crypto.isEqual(keysOf(derived, crypto).storedKey, read.storedKey);
}

/** What `verifier` says; `undefined` if it is unreadable, or would cost too much. */
export function readVerifier(verifier: string, hash: ScramHash): ReadVerifier | undefined {
  const [scheme, costText, saltText, ...keys] = verifier.split("$");
  const cost = Number(costText);
  const isPowerOfTwo = Number.isInteger(cost) && cost > 1 && cost <= MAX_COST && (cost & (cost - 1)) === 0;
  if (!isPowerOfTwo || ![saltText, ...keys].every((part) => part && /^(?:[0-9a-f]{2})+$/.test(part))) return undefined;
  const salt = fromHex(saltText!);
  const [first, second] = keys.map(fromHex);
  if (scheme === "scram" && keys.length === 2) return { salt, cost, storedKey: first!, serverKey: second! };
  if (`${scheme}$` === EARLIER_FORM && keys.length === 1) return { salt, cost, ...keysOf(first!, hash) };
  return undefined;
}

/** `verifier` in the present form, from which nobody finds what an earlier one had. One that is unreadable stays. */
export function scramVerifier(verifier: string, hash: ScramHash): string {
  if (!verifier.startsWith(EARLIER_FORM)) return verifier;
  const read = readVerifier(verifier, hash);
  if (read === undefined) return verifier;
  const { salt, cost, storedKey, serverKey } = read;
  return `scram$${cost}$${toHex(salt)}$${toHex(storedKey)}$${toHex(serverKey)}`;
}
