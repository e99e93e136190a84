/** The network in five numbers, and its beat. */

import { byId, drawn, element, setAttribute, setText } from "../dom.js";
import { number, plural } from "../format.js";
import { lagOf } from "../lag.js";
import { PULSE_SECONDS, pulsePath, seconds } from "../pulse.js";
import { certificateNote } from "../look/certificate_words.js";
import { isGone } from "../rows.js";

const PULSE_HEIGHT = 28;
/** Activities a second are those of this many. */
const RATE_SECONDS = 5;

export class Summary {
  #servers = figure("Servers");
  #online = figure("Online");
  #connections = figure("Connections");
  #behind = figure("Entries behind");
  #rate = figure("Activities per second");
  #pulse = drawn("path");

  constructor() {
    const size = {
      viewBox: `0 0 ${PULSE_SECONDS} ${PULSE_HEIGHT}`,
      preserveAspectRatio: "none",
      class: "pulse",
      "aria-hidden": "true",
    };
    this.#rate.box.classList.add("with-pulse");
    this.#rate.box.append(drawn("svg", size, this.#pulse));
    byId("summary").append(
      ...[this.#servers, this.#online, this.#connections, this.#behind, this.#rate].map(({ box }) => box),
    );
  }

  /** @param {import("./main.js").Frame} frame */
  show({ view, connectionList, userList, heads, pulse, now }) {
    const servers = Object.values(view.servers);
    const alive = servers.filter((server) => !isGone(server));
    const dead = servers.filter(({ state }) => state === "dead").length;
    const doubtful = servers.filter(({ state }) => state === "suspect").length;
    const ends = alive.flatMap(({ certificateEndsAt }) => certificateEndsAt ?? []);
    const certificate = certificateNote(ends.length === 0 ? null : Math.min(...ends), now);
    write(
      this.#servers,
      number(alive.length),
      dead > 0 ? `${dead} dead` : doubtful > 0 ? `${doubtful} suspect` : certificate?.text ?? "all well",
      dead > 0 ? "bad" : doubtful > 0 ? "warn" : certificate?.state,
    );

    const online = userList.filter(({ at }) => at.length > 0).length;
    write(this.#online, number(online), `of ${plural(userList.length, "user")}`);

    const lost = servers.reduce((sum, { lostClients }) => sum + (lostClients ?? 0), 0);
    const probing = connectionList.filter(({ data }) => data.state === "probing").length;
    write(
      this.#connections,
      number(connectionList.filter(({ isGone }) => !isGone).length),
      lost > 0
        ? `${number(lost)} lost with ${dead === 1 ? "a server" : "servers"}`
        : probing > 0
        ? `${number(probing)} probing`
        : connectionList.length === 0
        ? "none yet"
        : "all answer",
      lost > 0 ? "bad" : probing > 0 ? "warn" : undefined,
    );

    const behind = alive.map((server) => lagOf(heads, server).reduce((sum, { entries }) => sum + entries, 0));
    const most = Math.max(0, ...behind);
    write(
      this.#behind,
      number(most),
      most === 0 ? "all have everything" : `${plural(behind.filter((entries) => entries > 0).length, "server")} behind`,
      most === 0 ? undefined : "warn",
    );

    const counts = seconds(pulse, now);
    const rate = counts.slice(-RATE_SECONDS).reduce((sum, count) => sum + count, 0) / RATE_SECONDS;
    const inMinute = counts.reduce((sum, count) => sum + count, 0);
    write(this.#rate, rate > 0 && rate < 10 ? rate.toFixed(1) : number(rate), `${number(inMinute)} in a minute`);
    setAttribute(this.#pulse, "d", pulsePath(counts, PULSE_HEIGHT));
  }
}

function figure(title) {
  const value = element("span", { class: "figure" });
  const note = element("span", { class: "note" });
  const box = element("div", { class: "stat" }, element("dt", { text: title }), element("dd", {}, value, " ", note));
  return { box, value, note };
}

function write({ box, value, note }, text, noteText, state) {
  setText(value, text);
  setText(note, noteText);
  setAttribute(box, "data-state", state);
}
