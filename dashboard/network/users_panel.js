/** Who is registered or online, and where; and what an operator can do with each. */

import { badge, byId, element, setAttribute, setBadge, setText } from "../dom.js";
import { age, briefAge, moment, number, plural, shortName, visibleName } from "../format.js";
import { ActsBar } from "../look/acts_bar.js";
import { USER_ACTS, userActs } from "../orders/user_orders.js";
import { writeAddress } from "../place/address.js";
import { userBadge } from "../rows.js";
import { commandOf } from "./command_line.js";
import { VirtualTable } from "./virtual_table.js";

/** @typedef {import("../rows.js").UserRow} UserRow */

/** Later than any moment. */
const MOST_MS = 8_640_000_000_000_000;

export class UsersPanel {
  #count = byId("users-count");
  #filter = byId("users-filter");
  #onlineOnly = byId("users-online");
  #table;
  #acts;
  #frame;
  /** The users who are online, as long as the list that they are of is the same. */
  #online = { of: undefined, list: [] };

  /**
   * @param {{ onAct: (act: import("../orders/user_orders.js").UserAct, row: UserRow) => void,
   *   address: import("../place/place.js").Place }} options `onAct`: somebody wants this done with this user
   */
  constructor({ onAct, address }) {
    this.#acts = new ActsBar({
      place: byId("users-acts"),
      acts: USER_ACTS,
      onAct: (act) => this.#table.chosen !== undefined && onAct(act, this.#table.chosen),
      onLost: () => this.#table.focus(),
    });
    this.#table = new VirtualTable({
      place: byId("users"),
      tools: byId("users-tools"),
      label: "Users",
      name: "users",
      order: { key: "user", descending: false },
      columns: columnsOf(address),
      textOf: (row) => `${row.name} ${userBadge(row).text} ${row.roles.join(" ")} ${row.names.join(" ")}`,
      address,
      chosen: "user",
      onChoose: () => this.#drawActs(),
      drawRow: (node, { at }) => node.classList.toggle("is-offline", at.length === 0),
    });
    address.holdsFilter("users", this.#filter, () => {
      this.#table.filter = this.#filter.value;
      // How many were found is read out; how many there are changes all the time.
      setAttribute(this.#count, "aria-live", this.#filter.value === "" ? undefined : "polite");
      this.#showAgain();
    });
    this.#onlineOnly.addEventListener("click", () => {
      this.#onlineOnly.setAttribute("aria-pressed", `${!this.#isOnlineOnly}`);
      this.#showAgain();
      address.changed();
    });
    address.holds("users.online", {
      get: () => this.#isOnlineOnly ? "only" : "",
      set: (value) => this.#onlineOnly.setAttribute("aria-pressed", `${value === "only"}`),
    });
  }

  /** @param {import("./main.js").Frame} frame */
  show(frame) {
    this.#frame = frame;
    if (this.#online.of !== frame.userList) {
      this.#online = { of: frame.userList, list: frame.userList.filter(({ at }) => at.length > 0) };
    }
    this.#table.show(this.#isOnlineOnly ? this.#online.list : frame.userList, frame.now, () => sayEmpty(frame.view));
    const shown = this.#filter.value === "" ? "" : `${number(this.#table.shownCount)} found, `;
    setText(this.#count, `${shown}${number(this.#online.list.length)} online of ${number(frame.userList.length)}`);
    this.#drawActs();
  }

  #drawActs() {
    const row = this.#frame?.mayAct ? this.#table.chosen : undefined;
    this.#acts.draw(row?.name, row === undefined ? {} : userActs(row));
  }

  get #isOnlineOnly() {
    return this.#onlineOnly.getAttribute("aria-pressed") === "true";
  }

  #showAgain() {
    if (this.#frame !== undefined) this.show(this.#frame);
  }
}

/**
 * @param {import("../place/place.js").Place} address
 * @returns {import("./virtual_table.js").Column<UserRow>[]}
 */
const columnsOf = (address) => [
  {
    key: "user",
    title: "User",
    value: ({ name }) => name,
    make: (cell) => {
      const link = element("a", { class: "row-link", tabindex: -1 }, element("bdi", { class: "clip" }));
      address.leads(link, () => byId("connections").scrollIntoView({ block: "nearest" }));
      cell.append(link);
    },
    draw: (cell, { name }) => {
      setText(cell.firstChild.firstChild, visibleName(name));
      // A user has as many connections as there are places where it is online.
      setAttribute(cell.firstChild, "href", writeAddress([["connections", name]]));
      cell.title = visibleName(name);
    },
  },
  {
    key: "online",
    title: "State",
    // Who is kept out, then who is online, then who was so last, then who was not seen.
    value: ({ at, seenAt, ban, disabled }) =>
      ban !== undefined || disabled !== undefined ? -Infinity : at.length > 0 ? -MOST_MS : -seenAt,
    make: (cell) => cell.append(badge()),
    draw: (cell, row) => {
      setBadge(cell.firstChild, userBadge(row));
      const { until, why } = row.ban ?? row.disabled ?? {};
      cell.title = [until === undefined ? "" : `until ${moment(until)}`, why ?? ""].filter((text) => text !== "").join(
        ": ",
      );
    },
  },
  {
    key: "roles",
    title: "Roles",
    value: ({ roles }) => roles.join(", "),
    make: (cell) => cell.append(element("bdi", { class: "clip" })),
    draw: (cell, { roles }) => {
      setText(cell.firstChild, roles.join(", "));
      cell.title = roles.join(", ");
    },
  },
  {
    key: "where",
    title: "Seen",
    value: ({ names }) => names.join(", "),
    make: (cell) => cell.append(element("bdi", { class: "clip" })),
    draw: (cell, { names, seenAt }, now) => {
      setText(cell.firstChild, seenAt > 0 ? seenText(now - seenAt) : names.map(shortName).join(", "));
      cell.classList.toggle("faint", seenAt > 0);
      cell.title = seenAt > 0
        ? `Online last at ${moment(seenAt)}, ${age(now - seenAt)} ago`
        : names.length > 0
        ? names.join(", ")
        : "Not seen since the server that answers was started";
    },
  },
  {
    key: "waiting",
    title: "Waiting",
    isNumber: true,
    value: ({ waiting }) => waiting,
    draw: (cell, { waiting }) => {
      setText(cell, waiting > 0 ? number(waiting) : "");
      cell.title = waiting > 0 ? `${plural(waiting, "direct message")} not yet delivered` : "";
    },
  },
];

/** When somebody was online last. @param {number} ms */
function seenText(ms) {
  return ms < 1_000 ? "just now" : `${briefAge(ms)} ago`;
}

/** @param {import("../../view/network_view.ts").NetworkView} view */
function sayEmpty(view) {
  return [
    document.createTextNode("Nobody is logged in yet. Be the first:"),
    element("br"),
    commandOf("-u ada", view),
  ];
}
