// @ts-check
/** What an operator can want of users and addresses, as `orders.js` has it for connections and servers. Pure. */

import { isolated, nameInText, plural, visibleName } from "../format.js";
import { serversTold, spanField, untilOf, whyField, whyOf } from "./order.js";

/** @typedef {import("./order.js").Order} Order */
/** @typedef {import("../rows.js").UserRow} UserRow */

/** What can be done with a user. */
export const USER_ACTS = /** @type {const} */ (["disable", "ban", "close", "reset", "roles", "delete"]);

/** @typedef {typeof USER_ACTS[number]} UserAct */

/**
 * What stands on the button of each act; empty where there is nothing to do.
 *
 * @param {UserRow} row
 * @returns {Record<UserAct, string>}
 */
export function userActs({ at, ban, disabled }) {
  return {
    disable: disabled === undefined ? "Disable" : "Enable",
    ban: ban === undefined ? "Ban" : "Unban",
    close: at.length > 0 ? "Disconnect" : "",
    reset: "New secret",
    roles: "Roles",
    delete: "Delete",
  };
}

/**
 * The order that an act is.
 *
 * @param {UserAct} act
 * @param {UserRow} row
 * @returns {Order}
 */
export function userOrder(act, row) {
  switch (act) {
    case "disable":
      return row.disabled === undefined ? disableOrder(row.name) : enableOrder(row.name);
    case "ban":
      return row.ban === undefined ? banUserOrder(row.name) : liftOrder("ban", row.name);
    case "close":
      return closeOrder(row.name);
    case "reset":
      return resetOrder(row.name);
    case "roles":
      return rolesOrder(row);
    case "delete":
      return deleteOrder(row);
  }
}

/**
 * To keep a user out of the whole network.
 *
 * @param {string} name
 * @param {boolean} [isGuest]
 * @returns {Order}
 */
export function banUserOrder(name, isGuest = false) {
  const who = nameInText(name);
  const more = isGuest ? "A guest may come back under another name." : "What waits for the user stays.";
  return {
    title: `Ban ${who}?`,
    text: `${who} is shown out everywhere, and let in nowhere. ${more}`,
    button: "Ban",
    path: "/api/rule",
    fields: [spanField("until an operator lifts it"), whyField()],
    body: (values, now) => ({ kind: "ban", about: name, ...untilOf(values, now), ...whyOf(values) }),
  };
}

/**
 * To keep out whoever comes from an address: from `host`, or from what is filled in.
 *
 * @param {string} [host]
 * @returns {Order}
 */
export function banAddressOrder(host) {
  const known = host !== undefined;
  return {
    title: known ? `Ban ${isolated(host)}?` : "Ban addresses",
    text:
      `Nobody comes in from ${known ? isolated(host) : "there"} any more, at whichever server, and who is connected ` +
      "from there is shown out.",
    button: "Ban",
    path: "/api/rule",
    fields: [
      ...known ? [] : [{
        name: "about",
        label: "Address or range",
        hint: "192.0.2.7, 10.0.0.0/8 or 2001:db8::/32",
        attributes: { required: true, maxlength: 64 },
      }],
      spanField("until an operator lifts it"),
      whyField(),
    ],
    body: (values, now) => ({
      kind: "bannedAddress",
      about: host ?? values.about?.trim(),
      ...untilOf(values, now),
      ...whyOf(values),
    }),
  };
}

/**
 * To let in again who was banned.
 *
 * @param {string} kind
 * @param {string} about
 * @returns {Order}
 */
export function liftOrder(kind, about) {
  const who = nameInText(about);
  return {
    title: `Unban ${who}?`,
    text: kind === "ban" ? `${who} is let in again.` : `Whoever comes from ${who} is let in again.`,
    button: "Unban",
    isCalm: true,
    path: "/api/rule",
    body: { kind, about, lifts: true },
  };
}

/**
 * @param {string} name
 * @returns {Order}
 */
function disableOrder(name) {
  const who = nameInText(name);
  return {
    title: `Disable ${who}?`,
    text: `${who} is logged out everywhere, and cannot log in until an operator enables the account. ` +
      "What waits for the user stays.",
    button: "Disable",
    path: "/api/rule",
    fields: [whyField()],
    body: (values) => ({ kind: "disabled", about: name, ...whyOf(values) }),
  };
}

/**
 * @param {string} name
 * @returns {Order}
 */
function enableOrder(name) {
  const who = nameInText(name);
  return {
    title: `Enable ${who}?`,
    text: `${who} can log in again, with the same secret.`,
    button: "Enable",
    isCalm: true,
    path: "/api/rule",
    body: { kind: "disabled", about: name, lifts: true },
  };
}

/**
 * @param {string} name
 * @returns {Order}
 */
function closeOrder(name) {
  const who = nameInText(name);
  return {
    title: `Disconnect ${who} everywhere?`,
    text:
      `All connections of ${who} end. Programs of thrum are told that an operator did it, and do not come back by ` +
      "themselves. Others see the connection close. Nothing that waits for the user is lost.",
    button: "Disconnect",
    path: "/api/close",
    body: { user: name },
    told: (answer) =>
      serversTold(answer, ({ count = 0 }) => count === 0 ? "none" : `${plural(count, "connection")} closed`),
  };
}

/**
 * @param {string} name
 * @returns {Order}
 */
function resetOrder(name) {
  const who = nameInText(name);
  return {
    title: `Give ${who} a new secret?`,
    text:
      `The secret of now is worth nothing from then on, and ${who} is logged out everywhere. The server makes a new ` +
      "one, and shows it once, here.",
    button: "Make a new secret",
    path: "/api/reset",
    body: { user: name },
    told: ({ secret }) => ({
      title: `The new secret of ${who}`,
      text: "It is shown this once. Hand it over on a way that nobody else reads.",
      secret,
    }),
  };
}

/**
 * @param {UserRow} row
 * @returns {Order}
 */
function rolesOrder({ name, given }) {
  const who = nameInText(name);
  return {
    title: `Roles of ${who}`,
    text:
      `What a role may do stands in the config of the servers. ${who} has to log in anew when this changes a right.`,
    button: "Set",
    isCalm: true,
    path: "/api/role",
    fields: [{
      name: "roles",
      label: "Roles",
      value: given.join(" "),
      hint: "Words with spaces between them. Roles that the config gives count beside these.",
      attributes: { maxlength: 600 },
    }],
    body: ({ roles = "" }) => ({ user: name, roles: roles.split(/[\s,]+/u).filter((word) => word !== "") }),
  };
}

/**
 * @param {UserRow} row
 * @returns {Order}
 */
function deleteOrder({ name, waiting }) {
  const who = nameInText(name);
  const messages = `${plural(waiting, "message")} that ${waiting === 1 ? "waits" : "wait"}`;
  const lost = waiting === 0 ? "The account and its secret" : `The account, its secret and ${messages}`;
  return {
    title: `Delete ${who}?`,
    text: `${lost} are gone for good. Nobody else can take the name. What ${who} has published ` +
      "stays.",
    button: "Delete for good",
    path: "/api/rule",
    typed: visibleName(name),
    body: { kind: "deleted", about: name },
  };
}
