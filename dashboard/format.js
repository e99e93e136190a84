// @ts-check
/** How numbers, spans and moments are written. Pure; English, and the same in every browser but for the time zone. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * A span in whole units, the two largest: "now", "12 s", "3 min 5 s", "2 h 7 min", "4 d 1 h". Less than nothing, which
 * clocks of several machines can give, is nothing.
 *
 * @param {number} ms
 */
export function age(ms) {
  if (!(ms >= SECOND_MS)) return "now";
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return two(ms, MINUTE_MS, "min", SECOND_MS, "s");
  if (ms < DAY_MS) return two(ms, HOUR_MS, "h", MINUTE_MS, "min");
  return two(ms, DAY_MS, "d", HOUR_MS, "h");
}

/**
 * A span in its largest unit, where there is little room: "now", "12 s", "3 min", "2 h", "4 d".
 *
 * @param {number} ms
 */
export function briefAge(ms) {
  if (!(ms >= SECOND_MS)) return "now";
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  return ms < DAY_MS ? `${Math.floor(ms / HOUR_MS)} h` : `${Math.floor(ms / DAY_MS)} d`;
}

/**
 * A measured span, to the digits that mean something: "< 0.1 ms", "0.82 ms", "12 ms", "1.3 s".
 * Empty when there is none.
 *
 * @param {number | null | undefined} ms
 */
export function span(ms) {
  if (ms === null || ms === undefined || Number.isNaN(ms)) return "";
  // Less than the clocks of programs tell apart.
  if (ms < 0.05) return "< 0.1 ms";
  if (ms < 10) return `${ms.toFixed(ms < 1 ? 2 : 1)} ms`;
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  return `${(ms / SECOND_MS).toFixed(1)} s`;
}

/**
 * "5,000".
 *
 * @param {number} value
 */
export function number(value) {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * How many of what: "1 server", "2 servers".
 *
 * @param {number} value
 * @param {string} one
 * @param {string} [many]
 */
export function plural(value, one, many = `${one}s`) {
  return `${number(value)} ${value === 1 ? one : many}`;
}

/**
 * "512 B", "1.5 kB", "71 MB". Empty when it is not known.
 *
 * @param {number | null | undefined} value
 */
export function bytes(value) {
  if (value === null || value === undefined) return "";
  if (value < 1_000) return `${value} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let size = value / 1_000;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1_000;
    unit++;
  }
  return `${size < 9.95 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

/**
 * The time of day at a moment, here: "18:07:42".
 *
 * @param {number} at milliseconds since 1970
 */
export function timeOfDay(at) {
  const time = new Date(at);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => `${part}`.padStart(2, "0")).join(":");
}

/**
 * Date and time of a moment, here, to the millisecond: "2026-11-21 18:07:42.042".
 *
 * @param {number} at milliseconds since 1970
 */
export function moment(at) {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return "";
  const date = [time.getFullYear(), time.getMonth() + 1, time.getDate()].map((part) => `${part}`.padStart(2, "0"));
  return `${date.join("-")} ${timeOfDay(at)}.${`${time.getMilliseconds()}`.padStart(3, "0")}`;
}

/**
 * The part of a server's name that tells servers of one machine apart: ":8001" of "127.0.0.1:8001".
 * Other names stay whole.
 *
 * @param {string} name
 */
export function shortName(name) {
  return name.replace(/^(127\.0\.0\.1|localhost|\[::1\])(?=:)/, "");
}

/**
 * A name within a sentence of ours. Where it may be written from right to left, invisible signs keep that from
 * what stands around it.
 *
 * @param {string} name
 */
export function isolated(name) {
  return /^[\x20-\x7e]*$/.test(name) ? name : `\u2068${name}\u2069`;
}

/**
 * A name that a stranger has chosen, within a sentence of ours. What nobody can see in it is written out.
 *
 * @param {string} name
 */
export function nameInText(name) {
  return isolated(visibleName(name));
}

/**
 * The reason of an end in words: "HEARTBEAT_TIMEOUT" is "heartbeat timeout".
 *
 * @param {string} reason
 */
export function reasonInWords(reason) {
  return reason.toLowerCase().replaceAll("_", " ");
}

/**
 * @param {number} ms
 * @param {number} largeMs
 * @param {string} large
 * @param {number} smallMs
 * @param {string} small
 */
function two(ms, largeMs, large, smallMs, small) {
  const rest = Math.floor((ms % largeMs) / smallMs);
  return `${Math.floor(ms / largeMs)} ${large}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}

/** What nobody sees in a name: what has no shape or moves others, and white space at its ends. */
const UNSEEN =
  /[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Cc}\u2028\u2029]|^\p{White_Space}+|\p{White_Space}+$/gu;

/**
 * A name with everything in it that cannot be seen as JSON escapes: two names that look the same in a text are two
 * here. As `visibleName` of the terminal.
 *
 * @param {string} name
 */
export function visibleName(name) {
  return name.replace(
    UNSEEN,
    (unseen) => unseen.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join(""),
  );
}
