/**
 * The live space-time diagram, drawn by the server. It is asked for again every two seconds while it can be seen. It is
 * put into a shadow tree, as the rules of its own style would hold for the whole page otherwise.
 */

import { byId, setText } from "../dom.js";

const INTERVAL_MS = 2_000;
/** Who is nearer than this to the end sees what is new. */
const NEAR_END = 40;

/** Round the names above the columns, where these stay in sight. */
const HEADS_MARGIN = 4;

/** The drawing on the ground of this page, in the middle; the names above its columns stay where it begins. */
const STYLE = new CSSStyleSheet();
STYLE.replaceSync(`
  svg { display: block; margin: 0 auto }
  .st-ground, .st-back { fill: var(--panel) !important }
  .heads { position: sticky; inset-block-start: 0; block-size: 0 }
  .heads[hidden] { display: none }
`);

export class DiagramPanel {
  #place = byId("diagram");
  #root = this.#place.attachShadow({ mode: "open" });
  #state = byId("diagram-state");
  #pause = byId("diagram-pause");
  #seconds = byId("diagram-seconds");
  #isSeen = false;
  #isStopped = true;
  #isAsking = false;
  #base = "";
  #askOther;
  #last = "";
  /** A copy of the names above the columns, and how far down the drawing these are, in its own measure. */
  #heads = document.createElement("div");
  #headsTop = 0;

  /**
   * @param {{ askOther: (address: string) => Promise<{ status?: number, text?: string }>,
   *   address: import("../place/place.js").Place }} parts `address`: it holds how far back is looked
   */
  constructor({ askOther, address }) {
    this.#askOther = askOther;
    this.#root.adoptedStyleSheets = [STYLE];
    byId("diagram-save").href = this.#address;
    this.#heads.className = "heads";
    // They are there already.
    this.#heads.setAttribute("aria-hidden", "true");
    this.#place.addEventListener("scroll", () => this.#showHeads(), { passive: true });
    new IntersectionObserver((entries) => {
      this.#isSeen = entries.at(-1)?.isIntersecting ?? false;
      this.#ask();
    }).observe(this.#place);
    document.addEventListener("visibilitychange", () => this.#ask());
    addEventListener("themechange", () => this.#useTheme());
    this.#pause.addEventListener("click", () => {
      const isPaused = !this.#isPaused;
      this.#pause.setAttribute("aria-pressed", `${isPaused}`);
      setText(this.#pause, isPaused ? "Go on" : "Pause");
      setText(this.#state, isPaused ? "stands still" : "");
      this.#ask();
    });
    const look = () => {
      byId("diagram-save").href = this.#address;
      this.#ask();
    };
    const [usual] = [...this.#seconds.options].filter(({ defaultSelected }) => defaultSelected);
    this.#seconds.addEventListener("change", () => {
      look();
      address.changed();
    });
    address.holds("seconds", {
      get: () => this.#seconds.value === usual.value ? "" : this.#seconds.value,
      set: (value) => {
        const before = this.#seconds.value;
        this.#seconds.value = value;
        if (this.#seconds.selectedIndex === -1) this.#seconds.value = usual.value;
        if (this.#seconds.value !== before) look();
      },
    });
    setInterval(() => this.#ask(), INTERVAL_MS);
  }

  /** Where the diagram is asked for: "" for the page's own server. */
  set base(base) {
    if (this.#base === base) return;
    this.#base = base;
    byId("diagram-save").href = this.#address;
  }

  /** Whether there is a server to be asked. */
  set isLive(isLive) {
    if (this.#isStopped === !isLive) return;
    this.#isStopped = !isLive;
    this.#ask();
  }

  get #isPaused() {
    return this.#pause.getAttribute("aria-pressed") === "true";
  }

  get #address() {
    // Times as on the rest of the page.
    const offset = -new Date().getTimezoneOffset();
    return `${this.#base}/api/diagram.svg?seconds=${encodeURIComponent(this.#seconds.value)}&offset=${offset}`;
  }

  async #ask() {
    if (!this.#isSeen || this.#isStopped || this.#isPaused || this.#isAsking || document.hidden) return;
    this.#isAsking = true;
    try {
      const { status, text } = await this.#look();
      if (status !== 200) throw new Error(`the server answered ${status}`);
      this.#show(text);
      setText(this.#state, "");
    } catch (error) {
      setText(this.#state, `not to be had: ${error instanceof Error ? error.message : error}`);
    } finally {
      this.#isAsking = false;
    }
  }

  async #look() {
    if (this.#base !== "") return await this.#askOther(this.#address);
    const answer = await fetch(this.#address);
    return { status: answer.status, text: await answer.text() };
  }

  #show(text) {
    if (text === this.#last || this.#isPaused) return;
    const drawing = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    if (drawing.localName !== "svg") throw new Error("it is no drawing");
    this.#last = text;
    const { scrollTop, scrollHeight, clientHeight } = this.#place;
    const isAtEnd = this.#root.childElementCount === 0 || scrollTop + clientHeight > scrollHeight - NEAR_END;
    const svg = document.importNode(drawing, true);
    this.#copyHeads(svg);
    this.#root.replaceChildren(this.#heads, svg);
    this.#useTheme();
    if (isAtEnd) this.#place.scrollTop = this.#place.scrollHeight;
    this.#showHeads();
  }

  #copyHeads(svg) {
    const heads = svg.querySelector(".st-heads");
    const bar = heads?.querySelector("rect");
    const copy = svg.cloneNode(false);
    this.#heads.replaceChildren(copy);
    this.#headsTop = Infinity;
    if (!bar) return;
    this.#headsTop = Number(bar.getAttribute("y")) - HEADS_MARGIN;
    const [width, height] = [svg.viewBox.baseVal.width, Number(bar.getAttribute("height")) + 2 * HEADS_MARGIN];
    copy.setAttribute("viewBox", `0 ${this.#headsTop} ${width} ${height}`);
    const group = svg.querySelector(".st-diagram").cloneNode(false);
    const ground = svg.querySelector(".st-ground").cloneNode(false);
    ground.setAttribute("y", `${this.#headsTop}`);
    ground.setAttribute("height", `${height}`);
    group.append(ground, heads.cloneNode(true));
    copy.append(group);
  }

  /** As soon as the names themselves are out of sight. */
  #showHeads() {
    const svg = this.#root.lastElementChild;
    if (svg === null) return;
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    this.#heads.hidden = this.#place.scrollTop < this.#headsTop * scale;
  }

  /**
   * The drawing follows the system's colours by itself; where the visitor chose others, its rules for
   * the dark are switched.
   */
  #useTheme() {
    const isDark = (document.documentElement.dataset.theme ??
      (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    for (const sheet of this.#root.styleSheets) {
      for (const rule of sheet.cssRules) {
        if (rule instanceof CSSMediaRule && /prefers-color-scheme|^all$|^not all$/.test(rule.media.mediaText)) {
          rule.media.mediaText = isDark ? "all" : "not all";
        }
      }
    }
  }
}
