// @ts-check
/** What the page says about a change of the account, and what it asks before. Pure. */

import { newSecretProblem } from "../new_secret.js";
import { sentenceCase } from "../words.js";

/** @typedef {import("./account_change.js").Outcome} Outcome */

/** @type {Readonly<Record<string, string>>} */
const REFUSALS = Object.freeze({
  WRONG_SECRET: "This is not your current password.",
  UNKNOWN_USER: "There is no account of this name any more.",
  OLDER_VERSION: "A server of the network is of a version that cannot do this yet. Nothing was changed.",
  NO_ANSWER: "The server does not answer. Nothing was changed.",
});

/**
 * Why a form for another password cannot be sent; nothing when it can. `field` is where the fault is.
 * @param {{ secret: string, newSecret: string, again: string }} form
 * @returns {{ field: "secret" | "newSecret" | "again", problem: string } | undefined}
 */
export function passwordProblem({ secret, newSecret, again }) {
  if (secret === "") return { field: "secret", problem: "Give your current password." };
  const problem = newSecretProblem(newSecret);
  if (problem !== undefined) return { field: "newSecret", problem };
  if (newSecret === secret) return { field: "newSecret", problem: "This is your current password already." };
  return newSecret === again ? undefined : { field: "again", problem: "The new password is not the same both times." };
}

/**
 * Why an account cannot be deleted yet.
 * @param {{ secret: string, name: string }} form `name`: as it was typed to confirm.
 * @param {string} username
 * @returns {{ field: "secret" | "name", problem: string } | undefined}
 */
export function deletionProblem({ secret, name }, username) {
  if (secret === "") return { field: "secret", problem: "Give your password." };
  if (name !== username) return { field: "name", problem: "This is not the name. Nothing was deleted." };
  return undefined;
}

/**
 * What went wrong, for the person.
 * @param {Extract<Outcome, { isDone: false }>} outcome
 * @param {"secret" | "forget"} change
 */
export function outcomeSentence({ reason, info }, change) {
  if (reason === "UNKNOWN") {
    return change === "secret"
      ? "The server has given no answer. Perhaps the password was changed: if the new one does not let you in, the old one does."
      : "The server has given no answer. Perhaps the account was deleted: if so, it does not let you in any more.";
  }
  return (Object.hasOwn(REFUSALS, reason) ? REFUSALS[reason] : undefined) ?? `${sentenceCase(info)}.`;
}

/** What stands where somebody comes in, after an account was deleted. @param {string} name As it may be shown. */
export function deletedSentence(name) {
  return `The account of ${name} is deleted. Its name stays taken.`;
}
