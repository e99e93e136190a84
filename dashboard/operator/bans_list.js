/** Who is kept out of the network, and until when: users, and ranges of addresses. */

import { element, setText } from "../dom.js";
import { briefAge, moment, visibleName } from "../format.js";
import { SetList } from "./set_list.js";

/** @typedef {import("./laid_down.js").BanRow} BanRow */

const KINDS = { ban: "user", bannedAddress: "addresses" };

/**
 * @param {{ onAdd: () => void, onLift: (ban: BanRow) => void, address: import("../place/place.js").Place }} options
 *   `onAdd`: addresses are to be banned; `onLift`: this ban is to be lifted
 */
export function bansList({ onAdd, onLift, address }) {
  return new SetList({
    ...{ name: "bans", label: "Bans", chosen: "ban", columns: COLUMNS, order: { key: "about", descending: false } },
    textOf: ({ about, kind, why = "", by }) => `${about} ${KINDS[kind]} ${why} ${by}`,
    rowsOf: ({ bans }) => bans,
    sayEmpty: "Nobody is banned.",
    ...{ act: "unban", actText: "Unban", nameOf: ({ about }) => about, onAdd, onAct: onLift, address },
  });
}

/** @type {import("../network/virtual_table.js").Column<BanRow>[]} */
const COLUMNS = [
  {
    key: "about",
    title: "Who",
    value: ({ about }) => about,
    make: (cell) => cell.append(element("bdi", { class: "clip" })),
    draw: (cell, { about, by }) => {
      setText(cell.firstChild, visibleName(about));
      cell.title = `${visibleName(about)}, banned by ${by}`;
    },
  },
  { key: "kind", title: "What", value: ({ kind }) => KINDS[kind] },
  {
    key: "until",
    title: "Ends in",
    isNumber: true,
    value: ({ until }) => until,
    draw: (cell, { until }, now) => {
      setText(cell, until === undefined ? "—" : briefAge(until - now));
      cell.title = until === undefined ? "Holds until an operator lifts it" : `Until ${moment(until)}`;
    },
  },
  {
    key: "why",
    title: "Why",
    value: ({ why }) => why,
    make: (cell) => cell.append(element("bdi", { class: "clip" })),
    draw: (cell, { why = "" }) => {
      setText(cell.firstChild, why);
      cell.title = why;
    },
  },
];
