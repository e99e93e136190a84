/** The protocol by hand: all lines of the connection as they were sent and received, and a line to send. */

import { byId, element, setText } from "../dom.js";
import { ARROWS, LogModel, MAX_LINES } from "./log_model.js";

/** @typedef {import("./line_session.js").LineSession} LineSession */
/** @typedef {import("./log_model.js").LogLine} LogLine */

/** Lines that somebody sent, for the arrow keys. In memory only, as there may be a secret in them. */
const MAX_HISTORY = 50;
const AT_END_PX = 40;
/** How long a button says that it did something. */
const SAID_MS = 1_500;
/** What ends a connection is to be seen at once. */
const BAD = [
  "INVALID_MESSAGE",
  "LOGIN_FAILED",
  "REGISTER_FAILED",
  "AUTHENTICATION_FAIL",
  "END_CONNECTION",
  "ACTIVITY_FAILED",
  "DIRECT_MESSAGE_FAILED",
  "USER_LIST_FAILED",
  "HISTORY_FAILED",
];

/**
 * What can be tried. `name` stands for the user's own name.
 * @type {readonly (readonly [string, (name: string) => object])[]}
 */
const EXAMPLES = Object.freeze([
  ["REGISTER", () => ({ command: "REGISTER", username: "ada", secret: "open sesame" })],
  [
    "LOGIN",
    () => ({
      command: "LOGIN",
      username: "ada",
      secret: "open sesame",
      features: ["heartbeat", "ack", "resume", "presence", "chat", "history"],
    }),
  ],
  ["LOGIN, plain", () => ({ command: "LOGIN", username: "anonymous" })],
  [
    "ACTIVITY_MESSAGE",
    () => ({ command: "ACTIVITY_MESSAGE", username: "anonymous", activity: { text: "Hello, there", n: 1 } }),
  ],
  [
    "ACTIVITY_MESSAGE with an id",
    () => ({ command: "ACTIVITY_MESSAGE", messageId: "m-1", activity: { text: "Once only" } }),
  ],
  ["DIRECT_MESSAGE", () => ({ command: "DIRECT_MESSAGE", to: "bob", text: "at five?", messageId: "d-1" })],
  ["LIST_USERS", () => ({ command: "LIST_USERS", scope: "all" })],
  ["HISTORY", () => ({ command: "HISTORY", limit: 5 })],
  ["HEARTBEAT", () => ({ command: "HEARTBEAT", sequence: 1 })],
  ["not a command", () => ({ command: "LIST_ROOMS", scope: "all" })],
  ["LOGOUT", () => ({ command: "LOGOUT" })],
]);

/** The console of the page. */
export class ConsoleView {
  #model = new LogModel();
  #panel = byId("console");
  #toggle = byId("console-toggle");
  #frame = byId("log-frame");
  #list = byId("log");
  #empty = byId("log-empty");
  #count = byId("log-count");
  #filterText = byId("log-filter");
  #direction = byId("log-direction");
  #heartbeats = byId("log-heartbeats");
  #pause = byId("log-pause");
  #raw = byId("raw-line");
  #send = byId("raw-send");
  #examples = byId("examples");
  #answering = byId("answering");
  #onDraw;
  /** @type {string[]} */
  #history = [];
  #historyAt = 0;
  #isAtEnd = true;
  /** What was drawn last: nothing is drawn twice. */
  #drawn = "";
  /** @type {Map<number, HTMLElement>} */
  #byKey = new Map();

  /**
   * @param {(line: string) => void} onRaw
   * @param {(isOn: boolean) => void} onAnswering
   * @param {() => void} onDraw Something has to be drawn.
   */
  constructor(onRaw, onAnswering, onDraw) {
    this.#onDraw = onDraw;
    this.#toggle.addEventListener("click", () => this.open(!this.#panel.classList.contains("open")));
    this.#frame.addEventListener("scroll", () => {
      const { scrollTop, scrollHeight, clientHeight } = this.#frame;
      this.#isAtEnd = scrollHeight - scrollTop - clientHeight < AT_END_PX;
    }, { passive: true });
    for (const control of [this.#filterText, this.#direction, this.#heartbeats]) {
      control.addEventListener("input", onDraw);
    }
    this.#pause.addEventListener("click", () => {
      this.#model.pause(!this.#model.isPaused);
      onDraw();
    });
    byId("log-clear").addEventListener("click", () => {
      this.#model.clear();
      this.#drawn = "";
      onDraw();
    });
    byId("log-copy").addEventListener("click", (/** @type {Event} */ event) => this.#copy(event.currentTarget));
    this.#answering.addEventListener("change", () => onAnswering(this.#answering.checked));
    byId("raw").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#submit(onRaw);
    });
    this.#raw.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#onKey(event, onRaw));
    this.#examples.append(
      element("option", { value: "", text: "Examples" }),
      ...EXAMPLES.map(([name], index) => element("option", { value: index, text: name })),
    );
    this.#examples.addEventListener("change", () => {
      const example = EXAMPLES[Number(this.#examples.value)];
      if (this.#examples.value !== "" && example !== undefined) {
        this.#raw.value = JSON.stringify(example[1]("anonymous"));
      }
      this.#examples.value = "";
      this.#raw.focus();
    });
    // There it is a part of the page of its own.
    const narrow = matchMedia("(max-width: 860px)");
    narrow.addEventListener("change", () => narrow.matches && this.open(true));
    if (narrow.matches) this.open(true);
  }

  /** A line went over the connection. @param {"in" | "out" | "note"} direction @param {string} line */
  add(direction, line) {
    this.#model.add(direction, line, Date.now());
  }

  /** @param {boolean} isOpen */
  open(isOpen) {
    this.#panel.classList.toggle("open", isOpen);
    this.#toggle.setAttribute("aria-expanded", `${isOpen}`);
    this.#drawn = "";
    if (isOpen) this.#scrollToEnd();
    this.#onDraw();
  }

  focus() {
    this.#raw.focus();
  }

  /** @param {LineSession} session */
  draw({ status, answersHeartbeats }) {
    const canSend = status.kind === "live" || status.kind === "byHand" || status.kind === "greeting";
    this.#raw.disabled = this.#send.disabled = !canSend;
    this.#answering.checked = answersHeartbeats;
    this.#pause.setAttribute("aria-pressed", `${this.#model.isPaused}`);
    setText(this.#pause, this.#model.isPaused ? "Go on" : "Pause");
    const filter = this.#filter();
    const drawn = `${this.#model.version} ${this.#model.isPaused} ${this.#model.missed} ${JSON.stringify(filter)}`;
    const { missed } = this.#model;
    if (this.#drawn === drawn) return;
    const lines = this.#model.shown(filter);
    // Nobody sees them while it is closed.
    if (this.#panel.classList.contains("open")) this.#drawLines(lines);
    const shown = lines.length;
    setText(
      this.#count,
      missed > 0
        ? `${missed} more since the pause`
        : shown === MAX_LINES
        ? `the newest ${MAX_LINES} lines`
        : `${shown} ${shown === 1 ? "line" : "lines"}`,
    );
    this.#drawn = drawn;
  }

  /** @param {readonly LogLine[]} lines */
  #drawLines(lines) {
    const kept = new Set(lines.map(({ key }) => key));
    for (const [key, node] of this.#byKey) {
      if (kept.has(key)) continue;
      node.remove();
      this.#byKey.delete(key);
    }
    /** @type {Element | null} */
    let next = this.#list.firstElementChild;
    for (const line of lines) {
      let node = this.#byKey.get(line.key);
      if (node === undefined) this.#byKey.set(line.key, node = lineElement(line));
      if (node === next) next = next.nextElementSibling;
      else this.#list.insertBefore(node, next);
    }
    this.#empty.hidden = lines.length > 0;
    setText(
      this.#empty,
      this.#model.shown({ text: "", direction: "", hidesHeartbeats: false }).length > 0
        ? "No line is like that."
        : "No line yet.",
    );
    if (this.#isAtEnd && !this.#model.isPaused) this.#scrollToEnd();
  }

  #scrollToEnd() {
    this.#frame.scrollTop = this.#frame.scrollHeight;
    this.#isAtEnd = true;
  }

  #filter() {
    return {
      text: this.#filterText.value,
      direction: this.#direction.value,
      hidesHeartbeats: !this.#heartbeats.checked,
    };
  }

  /** @param {(line: string) => void} onRaw */
  #submit(onRaw) {
    // One line a frame, however many were pasted. An empty one may be sent too: it is wrong, which is what
    // somebody may want to see.
    const typed = this.#raw.value;
    if (this.#raw.disabled) return;
    for (const line of typed.split(/\r?\n/)) onRaw(line);
    this.#history = [...this.#history.filter((one) => one !== typed), typed].slice(-MAX_HISTORY);
    this.#historyAt = this.#history.length;
    this.#raw.value = "";
    this.#scrollToEnd();
  }

  /** @param {KeyboardEvent} event @param {(line: string) => void} onRaw */
  #onKey(event, onRaw) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      return this.#submit(onRaw);
    }
    const step = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
    if (step === 0 || this.#raw.value.includes("\n") || this.#history.length === 0) return;
    event.preventDefault();
    this.#historyAt = Math.min(this.#history.length, Math.max(0, this.#historyAt + step));
    this.#raw.value = this.#history[this.#historyAt] ?? "";
  }

  /** @param {any} button */
  async #copy(button) {
    const text = this.#model.copyText(this.#filter());
    let said = "Copied";
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Browsers keep the clipboard from pages that came neither from this machine nor over TLS;
      // the older way may work.
      said = copyBySelection(text) ? said : "Not allowed";
    }
    button.textContent = said;
    setTimeout(() => button.textContent = "Copy", SAID_MS);
  }
}

/** @param {string} text */
function copyBySelection(text) {
  const area = /** @type {HTMLTextAreaElement} */ (element("textarea", { class: "visually-hidden" }));
  area.value = text;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  return isCopied;
}

/** @param {LogLine} line */
function lineElement({ at, direction, text, name, length }) {
  const time = new Date(at);
  const shown = element("span", { class: "log-text stranger" });
  // The command stands out, wherever it is in the line.
  const nameAt = name === "" ? -1 : text.search(/"command"\s*:\s*"/);
  const start = nameAt < 0 ? -1 : text.indexOf(name, nameAt + '"command"'.length);
  if (start < 0) shown.textContent = text;
  else shown.append(text.slice(0, start), element("b", { text: name }), text.slice(start + name.length));
  if (length > text.length) shown.append(` … and ${(length - text.length).toLocaleString("en")} more characters`);
  if (text === "") shown.append(element("span", { class: "faint", text: "(an empty line)" }));
  return element(
    "li",
    { "data-direction": direction, class: BAD.includes(name) ? "bad" : undefined },
    element("time", { class: "log-time", text: timeText(time), datetime: time.toISOString() }),
    element("span", {
      class: "log-sign",
      text: ARROWS[direction],
      "aria-label": direction === "out" ? "sent" : direction === "in" ? "received" : "note",
    }),
    shown,
  );
}

/** @param {Date} time */
function timeText(time) {
  const two = (/** @type {number} */ value) => `${value}`.padStart(2, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${
    `${time.getMilliseconds()}`.padStart(3, "0")
  }`;
}
