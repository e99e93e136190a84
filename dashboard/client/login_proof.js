// @ts-check
/**
 * How the page proves that somebody knows a secret, and how the server proves that it knows the account: the texts of
 * the exchange in protocol/login/scram.ts (docs/protocol.md, section 2.14). `derivation.js` derives what is in them.
 * Pure.
 */

/**
 * What the proof is made from.
 * @typedef {object} Question
 * @property {string} bare The page's first message, without its header.
 * @property {string} challenge The server's message.
 * @property {string} nonce Of both.
 * @property {Uint8Array} salt
 * @property {number} cost N of scrypt.
 */

/** As in `protocol/login/scram.ts`, which says why. */
const LEAST_COST = 16_384;
const MOST_COST = 131_072;
const HEADER = "n,,";

/**
 * The page's first message.
 * @param {string} username
 * @param {string} nonce
 */
export function firstMessage(username, nonce) {
  return `${HEADER}n=${username.replaceAll("=", "=3D").replaceAll(",", "=2C")},r=${nonce}`;
}

/**
 * What the server asks, after the page has said `first`; `undefined` for what no server of ours would ask.
 * @param {string} first
 * @param {string} challenge
 * @returns {Question | undefined}
 */
export function questionIn(first, challenge) {
  const own = first.slice(first.lastIndexOf(",r=") + 3);
  const [, nonce = "", saltText = "", costText] =
    /^r=([^,]*),s=([A-Za-z0-9+/=]{12,88}),i=([1-9]\d{0,8})$/.exec(challenge) ?? [];
  const cost = Number(costText);
  const isPowerOfTwo = Number.isInteger(Math.log2(cost));
  const isOurs = nonce.startsWith(own) && nonce.length >= own.length + 16 && nonce.length <= 256;
  if (!isOurs || !isPowerOfTwo || cost < LEAST_COST || cost > MOST_COST) return undefined;
  try {
    const salt = Uint8Array.from(atob(saltText), (character) => character.charCodeAt(0));
    return { bare: first.slice(HEADER.length), challenge, nonce, salt, cost };
  } catch {
    // It is no base64.
    return undefined;
  }
}

/**
 * The page's last message, but for the proof.
 * @param {Question} question
 */
export function withoutProof({ nonce }) {
  return `c=${btoa(HEADER)},r=${nonce}`;
}

/**
 * What both proofs are over.
 * @param {Question} question
 */
export function spoken(question) {
  return `${question.bare},${question.challenge},${withoutProof(question)}`;
}
