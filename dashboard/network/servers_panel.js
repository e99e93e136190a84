/**
 * The servers: how each is, what it serves, what it has of the log, and its links. Each of them can be drained from
 * here, by way of the one that answers.
 */

import { badge, byId, element, keyed, setAttribute, setBadge, setText } from "../dom.js";
import { age, bytes, moment, number, plural, shortName, span } from "../format.js";
import { lagOf } from "../lag.js";
import { readOrder, writeAddress, writeOrder } from "../place/address.js";
import { originOf } from "../client/gateways.js";
import { isParted } from "./reach/partition.js";
import { STATE_WORDS } from "../look/state_words.js";
import { isGone, serverBadge, serverName } from "../rows.js";
import { filtered, sorted } from "../table_model.js";
import { SortHeads } from "./sort_heads.js";

/** More links than these are said in one sentence. */
const MOST_LINKS = 4;
const USUAL_ORDER = { key: "server", descending: false };

/** @typedef {import("../../view/network_view.ts").ServerView} ServerView */
/**
 * @typedef {{ readonly id: string, readonly server: ServerView,
 *   readonly lag?: { origin: string, entries: number }[] }} ServerRow
 */

export class ServersPanel {
  #count = byId("servers-count");
  #filter = byId("servers-filter");
  // The roles are written down, as a table that is drawn as cards is no table to some browsers any more.
  #head = element("thead", { role: "rowgroup" });
  #body = element("tbody", { role: "rowgroup" });
  #empty = element("p", { class: "empty", hidden: true });
  #heads;
  #order = USUAL_ORDER;
  #address;
  #onDrain;
  #frame;

  /**
   * @param {{ onDrain: (serverId: string) => void, address: import("../place/place.js").Place }} options `onDrain`:
   *   somebody wants this server drained
   */
  constructor({ onDrain, address }) {
    this.#onDrain = onDrain;
    this.#address = address;
    const row = element("tr", { role: "row" });
    this.#heads = new SortHeads(COLUMNS, {
      onSort: (order) => {
        this.#order = order;
        this.#showAgain();
        address.changed();
      },
      onDown: () => this.#body.querySelector("a")?.focus(),
    });
    for (const { key, isNumber } of COLUMNS) {
      const head = { scope: "col", role: "columnheader", class: `c-${key}${isNumber ? " number" : ""}` };
      row.append(element("th", head, this.#heads.buttonOf(key)));
    }
    row.append(
      element(
        "th",
        { scope: "col", class: "c-action" },
        element("span", { class: "visually-hidden", text: "Actions" }),
      ),
    );
    this.#head.append(row);
    const caption = element("caption", { class: "visually-hidden", text: "Servers of the network" });
    byId("servers").append(element("table", { role: "table" }, caption, this.#head, this.#body), this.#empty);
    address.holdsFilter("servers", this.#filter, () => this.#showAgain());
    address.holds("servers.sort", {
      get: () => writeOrder(this.#order, USUAL_ORDER),
      set: (text) => this.#order = readOrder(text, COLUMNS, USUAL_ORDER),
    });
  }

  /** @param {import("./main.js").Frame} frame */
  show(frame) {
    this.#frame = frame;
    const { view, heads } = frame;
    // Of what is gone, nobody says that it is behind.
    const all = Object.entries(view.servers)
      .map(([id, server]) => ({ id, server, lag: isGone(server) ? undefined : lagOf(heads, server) }));
    const rows = sorted(filtered(all, this.#filter.value, textOf), COLUMNS, this.#order);
    this.#heads.draw(this.#order);
    keyed(this.#body, rows, {
      keyOf: ({ id }) => id,
      make: () => this.#makeRow(),
      draw: (node, row) => this.#drawRow(node, row, frame),
    });
    const gone = ["dead", "left"].flatMap((state) => {
      const count = all.filter(({ server }) => server.state === state).length;
      return count > 0 ? [`, ${count} ${STATE_WORDS.server[state]}`] : [];
    });
    const shown = rows.length === all.length ? `${rows.length}` : `${rows.length} of ${all.length}`;
    setText(this.#count, `${shown}${gone.join("")}`);
    this.#empty.hidden = rows.length > 0;
    setText(this.#empty, all.length > 0 ? "No server has all of these words." : "No server is known.");
  }

  #showAgain() {
    if (this.#frame !== undefined) this.show(this.#frame);
  }

  #makeRow() {
    const row = element("tr", { class: "server", role: "row" });
    for (const { key, title, isNumber, make } of COLUMNS) {
      const cell = element(key === "server" ? "th" : "td", {
        ...(key === "server" ? { scope: "row", role: "rowheader" } : { role: "cell" }),
        class: `c-${key}${isNumber ? " number" : ""}`,
        "data-title": title,
      });
      make(cell);
      if (key === "server") {
        this.#address.leads(
          cell.firstChild.firstChild,
          () => byId("connections").scrollIntoView({ block: "nearest" }),
        );
      }
      row.append(cell);
    }
    const button = element("button", { type: "button", class: "small", text: "Drain" });
    button.addEventListener("click", () => this.#onDrain(row.thrumKey));
    const progress = element("progress", { max: 1, "aria-label": "Clients handed over" });
    const draining = element("div", { class: "draining" }, element("span", { class: "faint" }), progress);
    const link = element("a", { class: "elsewhere", rel: "noreferrer", text: "its page" });
    row.append(element("td", { class: "c-action", role: "cell" }, button, draining, link));
    return row;
  }

  #drawRow(node, row, frame) {
    const { server } = row;
    setAttribute(
      node,
      "data-state",
      isGone(server) ? (server.state === "dead" ? "bad" : "quiet") : server.state === "suspect" ? "warn" : undefined,
    );
    COLUMNS.forEach(({ draw }, index) => draw(node.cells[index], row, frame));
    const [button, draining, link] = node.cells[COLUMNS.length].children;
    const isSelf = server.state === "self";
    // A page that is elsewhere has no token there. Without a link nobody can be told.
    button.hidden = !frame.mayAct || !(isSelf || server.state === "linked" || server.state === "suspect") ||
      server.draining != null;
    button.setAttribute("aria-label", `Drain server ${server.name}`);
    draining.hidden = server.draining == null || isGone(server);
    if (!draining.hidden) {
      const { total, left } = server.draining;
      setText(draining.firstChild, left === 0 ? "stopping" : `${number(left)} of ${number(total)} left`);
      draining.lastChild.value = total === 0 ? 1 : (total - left) / total;
    }
    const isOwnPage = isSelf && frame.isHome;
    const address = isOwnPage || (isGone(server) && !isParted(frame.view, row.id, frame.answers))
      ? undefined
      : pageAddress(server.http);
    link.hidden = address === undefined;
    setAttribute(link, "href", address);
    link.setAttribute("aria-label", `${server.name}: its page`);
  }
}

/**
 * Where a server's own page is; `undefined` where that is not an address as a server would say it.
 *
 * @param {string | null | undefined} http
 */
export function pageAddress(http) {
  if (http == null || !/^(https:\/\/)?(\[[0-9a-f:.]+\]|[\w.-]+):\d{1,5}$/i.test(http)) return undefined;
  return `${originOf(http)}/`;
}

/** Two lines in a cell. */
function twoLines(cell) {
  cell.append(element("div", { class: "main" }), element("div", { class: "sub" }));
}

function drawLines(cell, main, sub, title) {
  setText(cell.firstChild, main);
  setText(cell.lastChild, sub);
  if (title !== undefined && cell.title !== title) cell.title = title;
}

const COLUMNS = [
  {
    key: "server",
    title: "Server",
    value: ({ server }) => server.name,
    make: (cell) =>
      cell.append(
        element("bdi", { class: "main clip" }, element("a", { class: "row-link" })),
        element("bdi", { class: "sub clip" }),
      ),
    draw: (cell, { id, server }) => {
      const [link] = cell.firstChild.children;
      setAttribute(link, "href", writeAddress([["connections", server.name]]));
      setText(link, server.name);
      drawLines(
        cell,
        server.name,
        [server.version, id].filter((part) => part).join(" · "),
        `${server.name} (${server.host}, port ${server.port})\n${id}`,
      );
    },
  },
  {
    key: "state",
    title: "State",
    value: ({ server }) => ["dead", "suspect", "left", "linked", "self"].indexOf(server.state),
    make: (cell) => cell.append(badge(), element("div", { class: "sub" })),
    draw: (cell, { id, server }, { now, view, answers }) => {
      setBadge(cell.firstChild, serverBadge(server, isParted(view, id, answers)));
      setText(
        cell.lastChild,
        server.stateSince > 0 && server.state !== "self"
          ? `for ${spell(now - server.stateSince)}`
          : server.takesClients
          ? ""
          : "takes no clients",
      );
      cell.title = server.stateSince > 0 ? `Since ${moment(server.stateSince)}` : "";
    },
  },
  {
    key: "load",
    title: "Clients",
    isNumber: true,
    value: ({ server }) => server.load,
    make: twoLines,
    draw: (cell, { server }) => {
      const weight = server.weight === 1 ? "" : ` · weight ${server.weight}`;
      drawLines(
        cell,
        isGone(server) ? "—" : number(server.load),
        isGone(server)
          ? server.lostClients > 0 ? `${number(server.lostClients)} lost` : ""
          : `${plural(server.connections, "connection")}${weight}`,
        isGone(server)
          ? "Connections that were lost with it"
          : `${plural(server.load, "logged-in client")}, ${
            plural(server.connections, "connection")
          }, weight ${server.weight}`,
      );
    },
  },
  {
    key: "lag",
    title: "Behind",
    isNumber: true,
    value: ({ lag }) => lag?.reduce((sum, { entries }) => sum + entries, 0),
    make: twoLines,
    draw: (cell, { lag }, { view }) => {
      if (lag === undefined) return drawLines(cell, "—", "", "");
      const total = lag.reduce((sum, { entries }) => sum + entries, 0);
      const [worst] = lag;
      const of = worst === undefined
        ? "has everything"
        : lag.length === 1
        ? `of ${serverName(view, worst.origin)}`
        : `of ${lag.length} origins`;
      drawLines(
        cell,
        number(total),
        of,
        worst === undefined
          ? "Has every entry that any server has had for five seconds"
          : lag.map(({ origin, entries }) => `${plural(entries, "entry", "entries")} of ${serverName(view, origin)}`)
            .join("\n"),
      );
      cell.classList.toggle("is-behind", total > 0);
    },
  },
  {
    key: "published",
    title: "Accepted",
    isNumber: true,
    value: ({ server }) => server.published,
    make: twoLines,
    draw: (cell, { server }) =>
      drawLines(
        cell,
        server.published == null ? "—" : number(server.published),
        `clock ${number(server.lamport)}`,
        "Entries accepted since the start, and the Lamport clock",
      ),
  },
  {
    key: "up",
    title: "Up for",
    isNumber: true,
    value: ({ server }) => server.startedAt == null ? undefined : -server.startedAt,
    make: twoLines,
    draw: (cell, { server }, { now }) =>
      drawLines(
        cell,
        server.startedAt == null || isGone(server) ? "—" : spell(now - server.startedAt),
        isGone(server) ? "" : bytes(server.memoryBytes),
        [
          ...server.startedAt == null ? [] : [`Started ${moment(server.startedAt)}`],
          ...server.certificateEndsAt == null ? [] : [`Its certificate ends on ${moment(server.certificateEndsAt)}`],
        ].join(". "),
      ),
  },
  {
    key: "announced",
    title: "Announced",
    isNumber: true,
    value: ({ server }) => server.announcedAt == null ? undefined : -server.announcedAt,
    make: twoLines,
    draw: (cell, { server }, { now }) => {
      const isKnown = server.announcedAt != null && server.announcedAt > 0;
      drawLines(
        cell,
        !isKnown ? "—" : age(now - server.announcedAt),
        isKnown && now - server.announcedAt >= 1_000 ? "ago" : "",
        "When it said last how it is",
      );
    },
  },
  {
    key: "links",
    title: "Links and round trips",
    value: ({ server }) => Object.keys(server.links).length,
    make: (cell) => cell.append(element("ul", { class: "chips" })),
    draw: (cell, { server }, { view, now }) => {
      // What was told of the links of a server that is gone now is not true any more.
      const told = isGone(server) ? {} : server.links;
      const links = Object.entries(told).map(([id, link]) => ({ id, link, name: serverName(view, id) }));
      const doubtful = links.filter(({ link }) => link.state === "probing");
      const shown = links.length <= MOST_LINKS ? links : doubtful.slice(0, MOST_LINKS);
      const rest = links.length - shown.length;
      const items = [...shown, ...(rest > 0 ? [{ id: "", rest: links.filter((link) => !shown.includes(link)) }] : [])];
      keyed(cell.firstChild, items, {
        keyOf: ({ id }) => id,
        make: () =>
          element("li", { class: "chip" }, element("bdi", { class: "clip" }), element("span", { class: "chip-value" })),
        draw: (chip, item) => drawChip(chip, item, now),
      });
      cell.classList.toggle("is-empty", items.length === 0);
    },
  },
];

function drawChip(chip, { name, link, rest }, now) {
  if (rest !== undefined) {
    const times = rest.map(({ link }) => link.roundTripMs).filter((time) => time != null);
    setText(chip.firstChild, plural(rest.length, "link"));
    setText(chip.lastChild, times.length > 0 ? `up to ${span(Math.max(...times))}` : "");
    return;
  }
  const isProbing = link.state === "probing";
  setAttribute(chip, "data-state", isProbing ? "warn" : undefined);
  setText(chip.firstChild, shortName(name));
  setText(chip.lastChild, isProbing ? `probing ${link.attempt} of ${link.of}` : span(link.roundTripMs));
  chip.title = `Link to ${name}: ${isProbing ? `probing ${link.attempt} of ${link.of}` : "watching"}, last heard ${
    age(now - link.silentSince)
  }`;
}

/** @param {ServerRow} row */
function textOf({ id, server }) {
  return `${server.name} ${id} ${server.version} ${serverBadge(server).text}`;
}

function spell(ms) {
  return ms < 1_000 ? "0 s" : age(ms);
}
