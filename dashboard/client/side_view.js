/** Draws what the session knows: where it is connected, what it has, where it would go, and who is online. */

import { visibleName } from "../format.js";
import { byId, element, keyed, setText } from "../dom.js";
import { colourOf } from "./stream_view.js";

/** @typedef {import("./line_session.js").LineSession} LineSession */

/** The panels beside the conversation. */
export class SideView {
  #facts = byId("facts");
  #backups = byId("backups");
  #vector = byId("vector");
  #online = byId("online");
  #onlineCount = byId("online-count");
  #onlineEmpty = byId("online-empty");
  #plain = byId("plain");
  #onAddress;
  /** Who stands in the page, as one text: it can be many, and they change seldom. */
  #drawnOnline = "";

  /**
   * @param {(username: string) => void} onAddress Somebody was chosen to write to.
   * @param {(isPlain: boolean) => void} onPlain
   */
  constructor(onAddress, onPlain) {
    this.#onAddress = onAddress;
    this.#plain.addEventListener("change", () => onPlain(this.#plain.checked));
  }

  /** @param {LineSession} session */
  draw(session) {
    const { status, isPlain, username } = session;
    this.#plain.checked = isPlain;
    this.#plain.disabled = username === undefined || status.kind === "leaving";
    keyed(
      this.#facts,
      factsOf(session).flatMap(([name, value, isMono, title = ""]) => [
        { key: `${name} name`, tag: "dt", text: name, isMono: false, title: "" },
        { key: `${name} value`, tag: "dd", text: value, isMono, title },
      ]),
      {
        keyOf: ({ key }) => key,
        make: ({ tag }) => element(tag),
        draw: (node, { text, isMono, title }) => {
          setText(node, text);
          node.title = title;
          node.classList.toggle("mono", isMono);
        },
      },
    );
    this.#drawBackups(session);
    const vector = Object.entries(session.talk.vector ?? {}).map(([origin, sequence]) => ({
      key: origin,
      left: session.surroundings.nameOf(origin),
      right: `${sequence}`,
    }));
    const nothing = { key: "", left: isPlain ? "A plain client does not say what it has." : "Nothing yet.", right: "" };
    pairs(this.#vector, vector.length > 0 ? vector : [nothing], vector.length > 0);
    this.#drawOnline(session);
  }

  /** @param {LineSession} session */
  #drawBackups({ surroundings, isPlain, isByHand, hasOthers }) {
    const rows = surroundings.backups.map(({ serverId, host, port, gateway }) => ({
      key: serverId,
      left: `${host}:${port}`,
      right: gateway === undefined ? "has no gateway for this page" : `gateway ${gateway}`,
    }));
    const none = isByHand
      ? "By hand, the page does not look for another one."
      : isPlain
      ? "A plain client is not told of other servers."
      : hasOthers
      ? "The network names no other server; the page knows of gateways that it would try."
      : "The network has no other server. The page would call this one again.";
    pairs(this.#backups, rows.length > 0 ? rows : [{ key: "", left: none, right: "" }], rows.length > 0);
  }

  /** @param {LineSession} session */
  #drawOnline({ status, surroundings, username, isPlain, isByHand }) {
    const others = [...surroundings.online].filter((name) => name !== username).sort();
    const isOver = status.kind === "ended";
    const isKnown = !isPlain && !isByHand && !isOver;
    const names = isKnown && username !== undefined && username !== "anonymous" ? [username, ...others] : others;
    setText(this.#onlineCount, isKnown ? `${names.length}` : "");
    this.#onlineEmpty.hidden = names.length > 0;
    setText(
      this.#onlineEmpty,
      isOver
        ? "Nobody tells while there is no connection."
        : isPlain
        ? "A plain client is not told who comes and goes."
        : isByHand
        ? "Ask with LIST_USERS, once you are logged in."
        : "Nobody with a name is logged in.",
    );
    const drawn = `${username}\n${names.join("\n")}`;
    if (drawn === this.#drawnOnline) return;
    this.#drawnOnline = drawn;
    keyed(this.#online, names, {
      keyOf: (name) => name,
      make: (name) => {
        const button = element(
          "button",
          { type: "button" },
          colourOf(element("span", { class: "online-sign", "aria-hidden": "true" }), name),
          element("span", { class: "stranger clip", text: visibleName(name), title: visibleName(name) }),
          element("span", { class: "faint" }),
        );
        button.addEventListener("click", () => this.#onAddress(name));
        return element("li", {}, button);
      },
      draw: (node, name) => {
        setText(node.querySelector(".faint"), name === username ? "you" : "");
        node.firstElementChild.disabled = name === username;
      },
    });
  }
}

/**
 * Names, values, whether a value is one for machines, and what else there is to say about it.
 *
 * @param {LineSession} session
 * @returns {[name: string, value: string, isMono: boolean, title?: string][]}
 */
function factsOf({ status, gateway, serverId, features, heartbeat, talk, surroundings, isPlain, isByHand, username }) {
  const isLive = status.kind === "live" || status.kind === "byHand";
  const untold = isPlain || isByHand ? "not told to plain clients" : "–";
  const waiting = talk.waiting;
  const server = serverId === undefined ? undefined : surroundings.nameOf(serverId);
  /** @type {[name: string, value: string, isMono: boolean, title?: string][]} */
  const facts = [
    ["You", visibleName(username ?? ""), false],
    ["Server", isLive ? server ?? untold : "–", serverId !== undefined, isLive ? serverId : ""],
    ["Gateway", gateway, true],
    ["Features", isLive ? features.join(", ") || "none" : "–", false],
    ["Heartbeat", heartbeat === undefined ? "–" : heartbeatText(heartbeat), false],
    ["Lamport time", isByHand ? "" : talk.lamport.toLocaleString("en"), false],
    ["On its way", waiting === 0 ? "" : `${waiting}`, false],
  ];
  return facts.filter(([, value]) => value !== "");
}

/** @param {import("./liveness.js").HeartbeatSettings} heartbeat */
function heartbeatText({ idleTimeoutMs, intervalMs, count }) {
  return `after ${idleTimeoutMs / 1000} s, ${count} times, ${intervalMs / 1000} s apart`;
}

/**
 * @param {Element} list
 * @param {readonly { key: string, left: string, right: string }[]} rows
 *   `key`: what it is about, by its id; its tooltip.
 * @param {boolean} isMono
 */
function pairs(list, rows, isMono) {
  keyed(list, rows, {
    keyOf: ({ key, left }) => `${isMono} ${key} ${left}`,
    make: ({ key, left }) =>
      element(
        "li",
        {},
        element("span", { class: isMono ? "mono stranger" : "faint", text: left, title: key === "" ? undefined : key }),
        element("span", { class: "faint" }),
      ),
    draw: (node, { right }) => setText(node.lastElementChild, right),
  });
}
