/** The servers and the links between them, drawn. The table of the servers says the same in words. */

import { byId, drawn, keyed, setAttribute, setText } from "../dom.js";
import { number, plural, shortName, span } from "../format.js";
import { layOut } from "../network_graph.js";
import { isParted } from "./reach/partition.js";
import { isGone, serverBadge } from "../rows.js";

/** In the units of the drawing. */
const FLAT = { width: 310, height: 110, radius: 22 };
const SMALL = { width: 310, height: 250, radius: 22 };
const LARGE = { width: 310, height: 400, radius: 16 };
/** As many are in a row. */
const MOST_FLAT = 2;
/** Networks of more servers get the large drawing, in which only links in doubt are labelled. */
const MOST_SMALL = 5;
const MOST_NAME_LENGTH = 18;
const MOST_SHORT_NAME_LENGTH = 11;

export class NeighboursPanel {
  #count = byId("neighbours-count");
  #edges = drawn("g");
  #nodes = drawn("g");
  #svg = drawn("svg", { role: "img" }, this.#edges, this.#nodes);
  #drawnOf;
  #answers;

  constructor() {
    byId("neighbours").append(this.#svg);
  }

  /** @param {import("./main.js").Frame} frame */
  show({ view, answers }) {
    // Time alone changes nothing here.
    if (this.#drawnOf === view.servers && this.#answers === answers) return;
    this.#drawnOf = view.servers;
    this.#answers = answers;
    const isLarge = Object.keys(view.servers).length > MOST_SMALL;
    // Those that have left are not drawn.
    const count = Object.values(view.servers).filter(({ state }) => state !== "left").length;
    const size = isLarge ? LARGE : count <= MOST_FLAT ? FLAT : SMALL;
    const { places, edges } = layOut(view, size, answers);
    setAttribute(this.#svg, "viewBox", `0 0 ${size.width} ${size.height}`);
    keyed(this.#edges, edges, {
      keyOf: ({ from, to }) => `${from.id} ${to.id}`,
      make: () =>
        drawn("g", {}, drawn("path", { class: "edge" }), drawn("text", { class: "edge-label" }), drawn("title")),
      draw: (node, edge) => drawEdge(node, edge, view, !isLarge),
    });
    keyed(this.#nodes, places, {
      keyOf: ({ id }) => id,
      make: () =>
        drawn(
          "g",
          { class: "node" },
          drawn("circle"),
          drawn("path", { class: "cross" }),
          drawn("text", { class: "node-load" }),
          drawn("text", { class: "node-name" }),
          drawn("title"),
        ),
      draw: (node, place) => drawNode(node, place, view, size, isLarge, isParted(view, place.id, answers)),
    });
    const links = edges.filter(({ state }) => state === "good").length;
    const doubtful = edges.filter(({ state }) => state === "warn").length;
    const sentence = `${plural(links, "link")}${doubtful > 0 ? `, ${doubtful} suspect` : ""}`;
    setText(this.#count, sentence);
    setAttribute(this.#svg, "aria-label", `${plural(places.length, "server")}, ${sentence}`);
  }
}

function drawEdge(node, { from, to, state, roundTripMs, text }, view, isLabelled) {
  const [line, label, title] = node.children;
  setAttribute(line, "d", `M${from.x} ${from.y}L${to.x} ${to.y}`);
  setAttribute(line, "data-state", state);
  // Not in the middle, where the diagonals of four servers cross.
  setAttribute(label, "x", `${from.x + 0.42 * (to.x - from.x)}`);
  setAttribute(label, "y", `${from.y + 0.42 * (to.y - from.y) + 4}`);
  const names = `${view.servers[from.id]?.name} and ${view.servers[to.id]?.name}`;
  setText(label, state === "good" ? (isLabelled ? span(roundTripMs) : "") : state === "warn" ? text : "");
  setText(title, `${names}: ${text}${roundTripMs == null ? "" : `, ${span(roundTripMs)}`}`);
}

function drawNode(node, { id, x, y }, view, { radius, height }, isShort, isParted) {
  const server = view.servers[id];
  const [circle, cross, load, name, title] = node.children;
  const { text } = serverBadge(server, isParted);
  const state = isParted
    ? "warn"
    : isGone(server)
    ? "bad"
    : server.state === "suspect" || server.draining != null
    ? "warn"
    : "good";
  setAttribute(node, "transform", `translate(${x} ${y})`);
  setAttribute(node, "data-state", state);
  node.classList.toggle("is-self", server.state === "self");
  setAttribute(circle, "r", `${radius}`);
  setAttribute(cross, "d", isGone(server) && !isParted ? "M-7 -7L7 7M7 -7L-7 7" : "");
  setText(load, isGone(server) ? "" : number(server.load));
  setAttribute(load, "y", "5");
  setText(
    name,
    isShort ? clipped(shortName(server.name), MOST_SHORT_NAME_LENGTH) : clipped(server.name, MOST_NAME_LENGTH),
  );
  // On the outer side, where no lines are.
  setAttribute(name, "y", `${y < height / 2 - 1 ? -radius - 9 : radius + 18}`);
  setText(title, `${server.name}: ${text}, ${plural(server.load, "client")}`);
}

/**
 * Both ends of a long name, as servers often differ in the last characters only. By characters, so
 * that none is cut in two.
 */
function clipped(name, most) {
  const characters = [...name];
  if (characters.length <= most) return name;
  return `${characters.slice(0, Math.floor(most / 2) - 1).join("")}…${characters.slice(-Math.ceil(most / 2)).join("")}`;
}
