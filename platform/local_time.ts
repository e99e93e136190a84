/** Times as people read them. */

/**
 * `"12:34:56"` in this machine's time zone; with milliseconds `"12:34:56.789"`. `wallMs` is milliseconds since 1970.
 */
export function timeOfDay(wallMs: number, withMilliseconds = false): string {
  const date = new Date(wallMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const seconds = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMilliseconds ? `${seconds}.${String(date.getMilliseconds()).padStart(3, "0")}` : seconds;
}

/**
 * `"12:34:56"` for a moment of today, else with its day: `"2026-11-20 12:34"`. Both are milliseconds since 1970; today
 * is the day of `nowMs`.
 */
export function timeAsOf(wallMs: number, nowMs: number): string {
  const day = dayOf(wallMs);
  return day === dayOf(nowMs) ? timeOfDay(wallMs) : `${day} ${timeOfDay(wallMs).slice(0, -3)}`;
}

/** `"2026-11-20"` in this machine's time zone. `wallMs` is milliseconds since 1970. */
export function dayOf(wallMs: number): string {
  const date = new Date(wallMs);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `"2026-11-20T12:34:56.789Z"`, the same on every machine. `wallMs` is milliseconds since 1970. */
export function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

/** `"2026-11-20 12:34 UTC"`: the same on every machine. `wallMs` is milliseconds since 1970. */
export function utcText(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

/** `"Friday, 2026-11-20"` in this machine's time zone. `wallMs` is milliseconds since 1970. */
export function dayText(wallMs: number): string {
  return `${WEEKDAYS[new Date(wallMs).getDay()]}, ${dayOf(wallMs)}`;
}
