/** The channels: who reads each at all servers, how much passes in it, and what is kept of it. */

import { byId, element, setAttribute, setText } from "../dom.js";
import { bytes, number, plural, visibleName } from "../format.js";
import { VirtualTable } from "./virtual_table.js";

/** @typedef {import("../rows.js").ChannelRow} ChannelRow */

export class ChannelsPanel {
  #panel = byId("channels-panel");
  #place = byId("channels");
  #count = byId("channels-count");
  #filter = byId("channels-filter");
  #table;
  #frame;

  /** @param {import("../place/place.js").Place} address */
  constructor(address) {
    this.#table = new VirtualTable({
      place: this.#place,
      tools: byId("channels-tools"),
      label: "Channels",
      name: "channels",
      order: { key: "channel", descending: false },
      columns: COLUMNS,
      textOf: ({ name }) => name === "" ? NO_CHANNEL : name,
      address,
      chosen: "channel",
    });
    address.holdsFilter("channels", this.#filter, () => {
      this.#table.filter = this.#filter.value;
      // How many were found is read out; how many there are changes all the time.
      setAttribute(this.#count, "aria-live", this.#filter.value === "" ? undefined : "polite");
      if (this.#frame !== undefined) this.show(this.#frame);
    });
  }

  /** @param {import("./main.js").Frame} frame */
  show(frame) {
    this.#frame = frame;
    const { channelList: list, view, now } = frame;
    const isTold = view.channels !== undefined;
    this.#panel.hidden = !isTold;
    document.body.classList.toggle("has-channels", isTold);
    if (!isTold) return;
    this.#place.classList.toggle("without-kept", list.every(({ data }) => data.bytes === undefined));
    this.#table.show(list, now, () => [document.createTextNode("No channel is known.")]);
    const shown = this.#table.shownCount;
    const leftOut = view.channelsLeftOut ?? 0;
    setText(
      this.#count,
      `${shown === list.length ? number(list.length) : `${number(shown)} of ${number(list.length)}`}${
        leftOut === 0 ? "" : `, ${number(leftOut)} more`
      }`,
    );
    this.#count.title = leftOut === 0
      ? ""
      : `${plural(leftOut, "more channel")} not shown: there are those in which most passes, and that most read`;
  }
}

/** What stands for what has no channel. */
const NO_CHANNEL = "no channel";

/** @type {import("./virtual_table.js").Column<ChannelRow>[]} */
const COLUMNS = [
  {
    key: "channel",
    title: "Channel",
    // Before all names.
    value: ({ name }) => name === "" ? " " : name,
    make: (cell) => cell.append(element("bdi", { class: "clip" })),
    draw: (cell, { name }) => {
      const shown = name === "" ? NO_CHANNEL : visibleName(name);
      setText(cell.firstChild, shown);
      cell.classList.toggle("faint", name === "");
      cell.title = name === "" ? "What is published without a channel" : shown;
    },
  },
  {
    key: "readers",
    title: "Readers",
    isNumber: true,
    value: ({ data }) => data.readers,
    draw: (cell, { data }) => {
      setText(cell, number(data.readers));
      cell.title = `${plural(data.readers, "connection")} at all servers of the network`;
    },
  },
  {
    key: "rate",
    title: "Per second",
    isNumber: true,
    value: ({ data }) => data.rate,
    draw: (cell, { data: { rate } }) => {
      setText(cell, rate === 0 ? "" : rate < 10 ? rate.toFixed(1) : number(rate));
      cell.title = "Activities a second, over the last five seconds";
    },
  },
  {
    key: "kept",
    title: "Kept",
    isNumber: true,
    value: ({ data }) => data.bytes,
    draw: (cell, { data }) => {
      setText(cell, data.bytes === 0 ? "" : bytes(data.bytes));
      cell.title = "Bytes of its activities that the server that answers keeps";
    },
  },
];
