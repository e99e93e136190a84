/** Every connection of every server, and how it is watched. */

import { badge, byId, element, setAttribute, setBadge, setText } from "../dom.js";
import { briefAge, bytes, moment, number, span, visibleName } from "../format.js";
import { writeAddress } from "../place/address.js";
import { canDisconnect } from "../orders/orders.js";
import { heartbeatBadge } from "../rows.js";
import { commandOf } from "./command_line.js";
import { VirtualTable } from "./virtual_table.js";

/** What kinds of connections are called. */
const KINDS = { new: "not logged in", client: "client", plain: "plain client", server: "server", guest: "participant" };
const DOORS = { tcp: "TCP", websocket: "WebSocket", grpc: "gRPC" };
/** Where there is little room. */
const SHORT_DOORS = { ...DOORS, websocket: "WS" };
/** The order of the column "heartbeat": who is in trouble first. */
const URGENCY = { probing: 0, watching: 1, unwatched: 2 };

/** @typedef {import("../rows.js").ConnectionRow} ConnectionRow */

export class ConnectionsPanel {
  #count = byId("connections-count");
  #filter = byId("connections-filter");
  #end = byId("connections-end");
  #ban = byId("connections-ban");
  #address;
  #table;
  #frame;

  /**
   * @param {{ onDisconnect: (row: ConnectionRow) => void, onBan: (row: ConnectionRow) => void,
   *   address: import("../place/place.js").Place }} options `onDisconnect`: somebody wants this connection ended;
   *   `onBan`: its user kept out
   */
  constructor({ onDisconnect, onBan, address }) {
    this.#address = address;
    this.#end.addEventListener("click", () => this.#chosen !== undefined && onDisconnect(this.#chosen));
    this.#ban.addEventListener("click", () => this.#chosen !== undefined && onBan(this.#chosen));
    this.#table = new VirtualTable({
      place: byId("connections"),
      tools: byId("connections-tools"),
      label: "Connections",
      name: "connections",
      order: { key: "user", descending: false },
      columns: this.#columns(),
      textOf: textOf,
      address,
      chosen: "connection",
      onChoose: () => this.#drawEnd(),
      drawRow: (node, row) => {
        node.classList.toggle("is-moved", this.#frame.moves.moved.has(row.key));
        node.classList.toggle("is-gone", row.isGone);
        node.classList.toggle("is-probing", row.data.state === "probing");
      },
    });
    address.holdsFilter("connections", this.#filter, () => {
      this.#table.filter = this.#filter.value;
      // How many were found is read out; how many there are changes all the time.
      setAttribute(this.#count, "aria-live", this.#filter.value === "" ? undefined : "polite");
      if (this.#frame !== undefined) this.show(this.#frame);
    });
  }

  /** @param {import("./main.js").Frame} frame */
  show(frame) {
    this.#frame = frame;
    this.#table.show(frame.connectionList, frame.now, () => sayEmpty(frame.view));
    const [shown, all] = [this.#table.shownCount, frame.connectionList.length];
    const gone = this.#table.missing === undefined ? "" : ", the chosen one has ended";
    this.#drawEnd();
    setText(this.#count, `${shown === all ? number(all) : `${number(shown)} of ${number(all)}`}${gone}`);
  }

  /** The chosen row, if its connection can be ended from here. */
  get #chosen() {
    const row = this.#table.chosen;
    return this.#frame?.mayAct && canDisconnect(row) ? row : undefined;
  }

  #drawEnd() {
    const row = this.#chosen;
    this.#end.hidden = this.#ban.hidden = row === undefined;
    const who = row === undefined ? "" : row.data.user === "" ? row.data.address : row.data.user;
    setAttribute(this.#end, "aria-label", `Disconnect ${who}`);
    setAttribute(this.#ban, "aria-label", `Ban ${who}`);
  }

  /** @returns {import("./virtual_table.js").Column<ConnectionRow>[]} */
  #columns() {
    return [
      {
        key: "user",
        title: "User",
        value: ({ data }) => data.user,
        make: (cell) => {
          const link = element("a", { class: "row-link", tabindex: -1 }, element("bdi", { class: "clip" }));
          this.#address.leads(link);
          cell.append(link);
        },
        draw: (cell, { key, data }) => {
          setAttribute(cell.firstChild, "href", writeAddress([["connection", key]]));
          setText(
            cell.firstChild.firstChild,
            data.user === "" ? (data.kind === "server" ? "a server" : "—") : visibleName(data.user),
          );
          cell.classList.toggle("faint", data.user === "");
          cell.title = visibleName(data.user);
        },
      },
      {
        key: "server",
        title: "Server",
        value: ({ serverName }) => serverName,
        make: (cell) => cell.append(element("bdi", { class: "clip" }), element("span", { class: "from clip" })),
        draw: (cell, { key, serverName }) => {
          setText(cell.firstChild, serverName);
          const move = this.#frame.moves.moved.get(key);
          setText(cell.lastChild, move === undefined ? "" : `was at ${move.from}`);
          cell.title = move === undefined ? serverName : `${serverName}, was at ${move.from}`;
        },
      },
      {
        key: "heartbeat",
        title: "Heartbeat",
        value: ({ data }) => (URGENCY[data.state] ?? 3) * 1_000 - data.attempt,
        make: (cell) => cell.append(badge()),
        draw: (cell, row) => {
          setBadge(cell.firstChild, heartbeatBadge(row));
          cell.title = row.data.heartbeats > 0
            ? `${number(row.data.heartbeats)} heartbeats sent`
            : "No heartbeat was needed yet";
        },
      },
      {
        key: "idle",
        title: "Idle",
        isNumber: true,
        value: ({ data }) => data.heardAt > 0 ? -data.heardAt : undefined,
        draw: (cell, { data }, now) => {
          setText(cell, data.heardAt > 0 ? briefAge(now - data.heardAt) : "");
          cell.title = data.heardAt > 0 ? `Something came last at ${moment(data.heardAt)}` : "";
        },
      },
      {
        key: "rtt",
        title: "Round trip",
        isNumber: true,
        value: ({ data }) => data.roundTripMs,
        draw: (cell, { data }) => setText(cell, span(data.roundTripMs)),
      },
      {
        key: "since",
        title: "Open for",
        isNumber: true,
        value: ({ data }) => -data.since,
        draw: (cell, { data }, now) => {
          setText(cell, briefAge(now - data.since));
          cell.title = `Since ${moment(data.since)}`;
        },
      },
      {
        key: "waiting",
        title: "Waiting",
        isNumber: true,
        value: ({ data }) => data.waitingBytes + (data.behind ? 1 : 0),
        make: (cell) => cell.append(element("span"), badge()),
        draw: (cell, { data }) => {
          const [plain, behind] = cell.children;
          const waiting = data.waitingBytes > 0 ? bytes(data.waitingBytes) : "";
          behind.hidden = !data.behind;
          setText(plain, data.behind ? "" : waiting);
          setBadge(behind, { state: "warn", text: waiting === "" ? "behind" : waiting });
          cell.title = data.behind ? "Behind: it has not read all of the log yet" : "";
        },
      },
      {
        key: "kind",
        title: "Kind",
        value: ({ data }) => kindOf(data),
        draw: (cell, { data }) => {
          setText(cell, kindOf(data));
          cell.title = `${kindOf(data)} over ${DOORS[data.over] ?? data.over}`;
        },
      },
      {
        key: "over",
        title: "Over",
        value: ({ data }) => SHORT_DOORS[data.over] ?? data.over,
        draw: (cell, { data }) => {
          setText(cell, SHORT_DOORS[data.over] ?? data.over);
          cell.title = DOORS[data.over] ?? data.over;
        },
      },
      {
        key: "address",
        title: "Address",
        value: ({ data }) => data.address,
        make: (cell) => cell.append(element("bdi", { class: "clip" })),
        draw: (cell, { data }) => {
          setText(cell.firstChild, data.address);
          cell.title = data.address;
        },
      },
    ];
  }
}

function kindOf({ kind }) {
  return KINDS[kind] ?? kind;
}

/** @param {ConnectionRow} row */
function textOf(row) {
  const { data } = row;
  const more = `${kindOf(data)} ${DOORS[data.over] ?? data.over} ${data.behind ? "behind" : ""}`;
  return `${data.user} ${row.serverName} ${data.address} ${heartbeatBadge(row).text} ${more}`;
}

/** @param {import("../../view/network_view.ts").NetworkView} view */
function sayEmpty(view) {
  return [
    document.createTextNode("Nobody is connected yet. Connect somebody:"),
    element("br"),
    commandOf("-u ada", view),
  ];
}
