// @ts-check
/** What an operator can want of the whole network: invitations, its secret, how it is configured and logs. Pure. */

import { plural } from "../format.js";
import { serversTold, spanField, untilOf } from "./order.js";

/** @typedef {import("./order.js").Order} Order */

const WEEK_MS = 7 * 24 * 3_600_000;
/** The most uses, and the longest note, as in `server/rights/invitations.ts`. */
const MAX_USES = 100_000;
const MAX_NOTE_LENGTH = 200;
/** As in `config/values.ts`. */
const LOG_LEVELS = ["trace", "debug", "info", "warning", "error", "fatal"];

/**
 * To invite somebody to register.
 *
 * @returns {Order}
 */
export function inviteOrder() {
  return {
    title: "Make an invitation",
    text: "Whoever has its code can register, also where not everybody may.",
    button: "Make it",
    isCalm: true,
    path: "/api/invite",
    fields: [
      {
        name: "uses",
        label: "How many may register",
        value: "1",
        attributes: { type: "number", min: 1, max: MAX_USES, step: 1, required: true },
      },
      spanField("until it is withdrawn", `${WEEK_MS}`),
      {
        name: "note",
        label: "For whom",
        hint: "For this list alone; may be left empty.",
        attributes: { maxlength: MAX_NOTE_LENGTH },
      },
    ],
    body: ({ uses, note = "", ...values }, now) => ({
      uses: Number(uses),
      ...untilOf(values, now),
      ...note.trim() === "" ? {} : { note: note.trim() },
    }),
    told: ({ code, uses }) => ({
      title: "The invitation",
      text:
        `${
          uses === 1 ? "One may register" : `${plural(uses, "name")} may be registered`
        } with this code. It is shown ` +
        "this once: the servers do not keep it.",
      secret: code,
    }),
  };
}

/**
 * To take an invitation back.
 *
 * @param {import("../operator/laid_down.js").Invitation} invitation
 * @returns {Order}
 */
export function withdrawOrder({ id, used }) {
  const had = used === 0 ? "Nobody has" : used === 1 ? "One has" : `${plural(used, "user")} have`;
  return {
    title: `Withdraw the invitation ${shortId(id)}?`,
    text: `Nobody can register with its code any more. ${had} registered with it${used === 0 ? "" : ", and may stay"}.`,
    button: "Withdraw",
    path: "/api/withdraw",
    body: { invitation: id },
  };
}

/**
 * To change how much the servers log.
 *
 * @returns {Order}
 */
export function logLevelOrder() {
  return {
    title: "How much the servers log",
    text: "It holds at every server, from now on, until the server starts again.",
    button: "Set",
    isCalm: true,
    path: "/api/log-level",
    fields: [{
      name: "level",
      label: "Level",
      value: "info",
      choices: LOG_LEVELS.map((level) => [level, level === "info" ? "info, as usual" : level]),
    }],
    body: ({ level }) => ({ level }),
    told: (answer) => serversTold(answer, () => "done"),
  };
}

/**
 * To have each server read its configuration file again.
 *
 * @returns {Order}
 */
export function reloadOrder() {
  return {
    title: "Read the configuration again?",
    text: "Each server reads its own file. A mistake in it is told, and changes nothing there.",
    button: "Reload",
    isCalm: true,
    path: "/api/reload",
    body: {},
    told: (answer) => serversTold(answer, reloaded),
  };
}

/** @param {{ changed?: readonly string[], kept?: readonly string[] }} server */
function reloaded({ changed = [], kept = [] }) {
  const now = changed.length === 0 ? "nothing changed" : `changed: ${changed.join(", ")}`;
  return kept.length === 0 ? now : `${now}; at the next start: ${kept.join(", ")}`;
}

/**
 * To give the network another secret.
 *
 * @returns {Order}
 */
export function networkSecretOrder() {
  const attributes = { type: "password", autocomplete: "new-password", required: true };
  return {
    title: "Change the network's secret?",
    text: "Every server proves the new one from now on. For a day the former one still lets a server in.",
    button: "Change it",
    path: "/api/network-secret",
    fields: [
      { name: "secret", label: "The new secret", attributes },
      { name: "again", label: "Once more", attributes },
    ],
    problem: ({ secret, again }) => secret === again ? "" : "These are two secrets. Nothing was done.",
    body: ({ secret }) => ({ secret }),
    told: (answer) => serversTold(answer, () => "done"),
  };
}

/**
 * What people call an invitation.
 *
 * @param {string} id
 */
export function shortId(id) {
  return id.slice(0, 8);
}
