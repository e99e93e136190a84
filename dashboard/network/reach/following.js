// @ts-check
/**
 * Which stream of the network the page reads. Its own server tells about once a second. When that falls silent, the
 * page opens a new stream, as the old one may be dead without a word. When that is silent too, the page goes on at
 * another server, and comes back as soon as its own answers. Pure: the time comes in.
 */

/** Where a stream is read: "" for the page's own server, else such as `http://HOST:PORT`. @typedef {string} Base */

/**
 * What happened. `opened`: headers came; `failed`: the stream is over; `isRefused`: somebody answered, and gave none.
 *
 * @typedef {{ readonly at: number } & (
 *   | { readonly kind: "tick" }
 *   | { readonly kind: "opened" | "view" | "heard" | "ended", readonly id: number }
 *   | { readonly kind: "failed", readonly id: number, readonly isRefused: boolean }
 * )} FollowingEvent
 */

/**
 * What is to be done.
 *
 * @typedef {{ readonly kind: "open", readonly id: number, readonly base: Base } |
 *   { readonly kind: "close", readonly id: number }} FollowingEffect
 */

/**
 * @typedef {{ readonly id: number, readonly base: Base, at: number, patienceMs: number, hasOpened: boolean }} Stream
 */

/** Twice what a server takes to tell. After that a new stream is opened beside the silent one. */
export const SILENT_MS = 2_000;
/** What is shown is said to be old after this, within three seconds of silence. */
export const STALE_MS = 2_600;
/** How long a server may take to answer at all, and from then on to send its view, which may be long. */
const ANSWER_MS = 2_000;
const VIEW_MS = 15_000;
/** The longest that a new stream may take to bring its view, when earlier ones were given up. */
const MOST_PATIENCE_MS = 30_000;
/** Between two attempts, once every server was tried. */
const PAUSE_MS = 1_000;
/** How often a page that is elsewhere looks whether its own server is there again. */
const HOME_MS = 3_000;
/** A server that gives no stream, such as for want of a token, is not asked again for so long. */
const REFUSED_MS = 30_000;
/** Who ticks later than this has stood still, and what the server said meanwhile is still to be read. */
const LATE_MS = 1_500;

/** The streams of one page. */
export class Following {
  /** @type {readonly Base[]} */
  #others = [];
  /** The stream that the view is from. @type {Stream | undefined} */
  #current;
  /** One that may take its place. @type {Stream | undefined} */
  #candidate;
  /** Where the view is from. @type {Base} */
  #base = "";
  #heardAt = -Infinity;
  #tickedAt = -Infinity;
  #ids = 0;
  /** Attempts since there was a stream, by which the next one is chosen. */
  #attempts = 0;
  #tryAt = -Infinity;
  #homeAt = Infinity;
  #hasFailed = false;
  /** @type {Map<Base, number>} */
  #refusedUntil = new Map();
  /** Whether the page stays with its own server, as that was told to stop. */
  isAtRest = false;

  /** Where the view that is shown is from. */
  get base() {
    return this.#base;
  }

  /** The stream that the view is from. */
  get currentId() {
    return this.#current?.id;
  }

  /** The other servers to go to, best first. @param {readonly Base[]} others */
  learn(others) {
    this.#others = others;
  }

  /**
   * Whether what is shown is true still.
   *
   * @param {number} at
   * @returns {"connecting" | "live" | "lost"}
   */
  state(at) {
    if (this.#heardAt === -Infinity) return "connecting";
    return !this.#hasFailed && at - this.#heardAt < STALE_MS ? "live" : "lost";
  }

  /**
   * @param {FollowingEvent} event
   * @returns {FollowingEffect[]}
   */
  take(event) {
    const { at } = event;
    if (event.kind === "tick") return this.#ticked(at);
    const isCandidate = this.#candidate?.id === event.id;
    const stream = isCandidate ? this.#candidate : this.#current?.id === event.id ? this.#current : undefined;
    if (stream === undefined) return [];
    switch (event.kind) {
      case "opened":
        stream.at = at;
        stream.hasOpened = true;
        return [];
      case "view":
        return isCandidate ? this.#took(stream, at) : this.#heard(at);
      case "heard":
        return isCandidate ? [] : this.#heard(at);
      case "ended":
        // Not a loss: a stream has an end, and the next one begins with the whole view.
        if (isCandidate) return this.#over(stream, at, false);
        this.#current = undefined;
        return [{ kind: "close", id: stream.id }, ...this.#open(stream.base, at)];
      case "failed":
        return this.#over(stream, at, event.isRefused);
    }
  }

  /** @param {number} at @returns {FollowingEffect[]} */
  #ticked(at) {
    const isLate = at - this.#tickedAt > LATE_MS && this.#tickedAt !== -Infinity;
    this.#tickedAt = at;
    if (isLate) this.#excuse(at);
    const current = this.#current;
    const candidate = this.#candidate;
    if (candidate !== undefined) {
      const patienceMs = candidate.hasOpened ? VIEW_MS : ANSWER_MS;
      if (at - candidate.at < Math.max(patienceMs, candidate.patienceMs)) return [];
      return this.#over(candidate, at, false);
    }
    if (current === undefined) return at >= this.#tryAt ? this.#open(this.#next(at), at) : [];
    if (at - this.#heardAt >= SILENT_MS) return at >= this.#tryAt ? this.#open(this.#next(at), at) : [];
    if (current.base !== "" && at >= this.#homeAt) {
      this.#homeAt = at + HOME_MS;
      return this.#open("", at);
    }
    return [];
  }

  /** The page stood still for a while. @param {number} at */
  #excuse(at) {
    if (this.#current !== undefined) this.#heardAt = Math.max(this.#heardAt, at - LATE_MS);
    if (this.#candidate !== undefined) this.#candidate.at = at;
  }

  /** @param {number} at @returns {FollowingEffect[]} */
  #heard(at) {
    this.#heardAt = at;
    this.#hasFailed = false;
    this.#attempts = 0;
    const candidate = this.#candidate;
    const isLookingHome = candidate?.base === "" && this.#base !== "";
    // It was only slow.
    if (candidate === undefined || isLookingHome) return [];
    this.#candidate = undefined;
    return [{ kind: "close", id: candidate.id }];
  }

  /** The candidate has brought a view. @param {Stream} stream @param {number} at @returns {FollowingEffect[]} */
  #took(stream, at) {
    const before = this.#current;
    this.#current = stream;
    this.#candidate = undefined;
    this.#base = stream.base;
    this.#heardAt = at;
    this.#hasFailed = false;
    this.#attempts = 0;
    this.#homeAt = at + HOME_MS;
    return before === undefined ? [] : [{ kind: "close", id: before.id }];
  }

  /**
   * @param {Stream} stream
   * @param {number} at
   * @param {boolean} isRefused
   * @returns {FollowingEffect[]}
   */
  #over(stream, at, isRefused) {
    // The own server may take this browser in at any moment.
    if (isRefused && stream.base !== "") this.#refusedUntil.set(stream.base, at + REFUSED_MS);
    if (stream === this.#candidate) {
      this.#candidate = undefined;
      const isRoundOver = this.#attempts % (1 + this.#others.length) === 0;
      // Whether the own server is back is looked at regularly, and hurries nobody.
      this.#tryAt = isRoundOver ? at + PAUSE_MS : at;
      // Nothing is left to hope for when the stream that it was to replace is gone.
      if (this.#current === undefined) this.#hasFailed = true;
    } else {
      this.#current = undefined;
      this.#hasFailed = true;
      this.#attempts = stream.base === "" ? 1 : 0;
      this.#tryAt = this.isAtRest || this.#others.length === 0 ? at + PAUSE_MS : at;
    }
    return [{ kind: "close", id: stream.id }];
  }

  /** Own, others in turn, own … @param {number} at @returns {Base} */
  #next(at) {
    const bases = this.isAtRest ? [""] : ["", ...this.#others];
    for (let tries = 0; tries < bases.length; tries++) {
      const base = bases[this.#attempts % bases.length] ?? "";
      if ((this.#refusedUntil.get(base) ?? 0) <= at) return base;
      this.#attempts++;
    }
    return "";
  }

  /** @param {Base} base @param {number} at @returns {FollowingEffect[]} */
  #open(base, at) {
    const id = ++this.#ids;
    const patienceMs = Math.min(MOST_PATIENCE_MS, ANSWER_MS * (1 + Math.floor(this.#attempts / 4)));
    this.#candidate = { id, base, at, patienceMs, hasOpened: false };
    this.#attempts++;
    return [{ kind: "open", id, base }];
  }
}
