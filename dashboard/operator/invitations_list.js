/** The invitations to register: how often each was used, and when it ends. Their codes are kept nowhere. */

import { badge, element, setBadge, setText } from "../dom.js";
import { briefAge, moment, number } from "../format.js";
import { STATE_WORDS } from "../look/state_words.js";
import { shortId } from "../orders/network_orders.js";
import { SetList } from "./set_list.js";

/** @typedef {import("./laid_down.js").InvitationRow} InvitationRow */

const { invitation: WORDS } = STATE_WORDS;
/** The order of the column "state": what can be used comes first. */
const RANK = { open: 0, usedUp: 1, ended: 2 };

/**
 * @param {{ onAdd: () => void, onWithdraw: (invitation: InvitationRow) => void,
 *   address: import("../place/place.js").Place }} options `onAdd`: somebody is to be invited; `onWithdraw`: this
 *   invitation is to be taken back
 */
export function invitationsList({ onAdd, onWithdraw, address }) {
  return new SetList({
    ...{ name: "invitations", label: "Invitations", chosen: "invitation", columns: COLUMNS },
    order: { key: "state", descending: false },
    textOf: ({ id, note = "", state }) => `${id} ${note} ${WORDS[state] ?? state}`,
    rowsOf: ({ invitations }) => invitations,
    sayEmpty: "There are no invitations.",
    ...{ act: "withdraw", actText: "Withdraw", nameOf: ({ id }) => shortId(id) },
    ...{ onAdd, onAct: onWithdraw, address },
  });
}

/** @type {import("../network/virtual_table.js").Column<InvitationRow>[]} */
const COLUMNS = [
  {
    key: "id",
    title: "Invitation",
    value: ({ id }) => id,
    draw: (cell, { id, by }) => {
      setText(cell, shortId(id));
      cell.title = by === undefined ? id : `${id}, made by ${by}`;
    },
  },
  {
    key: "note",
    title: "For",
    value: ({ note }) => note,
    make: (cell) => cell.append(element("bdi", { class: "clip" })),
    draw: (cell, { note = "" }) => {
      setText(cell.firstChild, note);
      cell.title = note;
    },
  },
  {
    key: "state",
    title: "State",
    value: ({ state }) => RANK[state] ?? 3,
    make: (cell) => cell.append(badge()),
    draw: (cell, { state }) =>
      setBadge(cell.firstChild, { state: state === "open" ? "good" : "quiet", text: WORDS[state] ?? state }),
  },
  {
    key: "used",
    title: "Used",
    isNumber: true,
    value: ({ used }) => used,
    draw: (cell, { used, uses }) => setText(cell, `${number(used)} of ${number(uses)}`),
  },
  {
    key: "until",
    title: "Ends in",
    isNumber: true,
    value: ({ until }) => until,
    draw: (cell, { until }, now) => {
      setText(cell, until === null ? "—" : until <= now ? "" : briefAge(until - now));
      cell.title = until === null ? "Open until it is withdrawn" : `Ends at ${moment(until)}`;
    },
  },
];
