// @ts-check
/**
 * A person changes the own account: another secret, or none any more (docs/protocol.md, section 2.17). On a connection
 * of its own the page proves the secret and seals what is to be changed, so that the new secret is told to nobody.
 * Waits for answers and acts on nothing else: the connection and the keys are handed in.
 */

import { firstMessage, questionIn } from "../login_proof.js";

/** @typedef {import("../session_types.js").Message} Message */
/** @typedef {import("../login_proof.js").Question} Question */
/** @typedef {import("./seal.js").Change} Change */
/** @typedef {import("./seal.js").NewKeys} NewKeys */

/**
 * What is to be changed. Without `newSecret` the account is to go.
 * @typedef {{ readonly username: string, readonly secret: string,
 *   readonly newSecret?: string | undefined }} AccountCall
 */

/**
 * A connection to a server. `next` gives its next line as a message; nothing when none comes any more, or not in time.
 * @typedef {{ write(line: string): void, next(): Promise<Message | undefined>, close(): void }} Wire
 */

/**
 * What the page can compute.
 * @typedef {object} Keys
 * @property {() => string} nonce
 * @property {(secret: string) => Promise<NewKeys>} keysOf Of a new secret.
 * @property {(question: Question, secret: string, change: Change, keys: NewKeys | undefined) =>
 *   Promise<{ response: string, serverFinal: string, sealed: string }>} answer
 */

/**
 * What came of it. `reason` is one of the server's, or one of `MISSING` here.
 * @typedef {{ readonly isDone: true }
 *   | { readonly isDone: false, readonly reason: string, readonly info: string }} Outcome
 */

/** No answer came: nothing was changed, or, when the proof was given already, nobody knows. */
const MISSING = Object.freeze({ before: "NO_ANSWER", after: "UNKNOWN" });

/**
 * Changes the account.
 * @param {AccountCall} call
 * @param {Wire} wire Is closed at the end.
 * @param {Keys} parts
 * @returns {Promise<Outcome>}
 */
export async function changeAccount({ username, secret, newSecret }, wire, { nonce, keysOf, answer }) {
  /** @type {Change} */
  const change = newSecret === undefined ? "forget" : "secret";
  try {
    // Derived first, as a server waits for an answer for a bounded time.
    const keys = newSecret === undefined ? undefined : await keysOf(newSecret);
    const first = firstMessage(username, nonce());
    wire.write(JSON.stringify({ command: "LOGIN", username, scram: first, change, features: ["scram"] }));
    const challenged = await nextOf(wire);
    if (challenged === undefined) return refused(MISSING.before, "the server does not answer");
    if (challenged.command !== "CHALLENGE") return refusalIn(challenged, false);
    const question = questionIn(first, String(challenged.scram));
    if (question === undefined) {
      return refused("INVALID_MESSAGE", "the server asks for a proof in a way that cannot be trusted");
    }
    const { response, serverFinal, sealed } = await answer(question, secret, change, keys);
    wire.write(JSON.stringify({ command: "RESPONSE", scram: response, sealed }));
    const changed = await nextOf(wire);
    if (changed === undefined) return refused(MISSING.after, "the server has given no answer");
    if (changed.command !== "ACCOUNT_CHANGED") return refusalIn(changed, true);
    // Whoever does not know the account may not have changed it.
    return changed.scram === serverFinal && changed.change === change
      ? { isDone: true }
      : refused("INVALID_MESSAGE", "the server has not proved that it knows this account");
  } finally {
    wire.close();
  }
}

/** The next message that this page knows: a newer server may say more. @param {Wire} wire */
async function nextOf(wire) {
  for (;;) {
    const message = await wire.next();
    if (message === undefined || KNOWN.has(message.command)) return message;
  }
}

const KNOWN = new Set([
  ...["CHALLENGE", "ACCOUNT_CHANGED", "LOGIN_SUCCESS", "LOGIN_FAILED", "AUTHENTICATION_FAIL"],
  ...["INVALID_MESSAGE", "END_CONNECTION"],
]);

/** @param {Message} message @param {boolean} isProved @returns {Outcome} */
function refusalIn({ command, reason, info }, isProved) {
  // A server of before passes over what it does not know: it lets the page in, or wants the secret in clear.
  if (command === "LOGIN_SUCCESS" || command === "LOGIN_FAILED" && reason === "WRONG_SECRET" && !isProved) {
    return refused("OLDER_VERSION", "this server is of a version that cannot do that");
  }
  return refused(String(reason ?? command), String(info ?? ""));
}

/** @param {string} reason @param {string} info @returns {Outcome} */
function refused(reason, info) {
  return { isDone: false, reason, info };
}
