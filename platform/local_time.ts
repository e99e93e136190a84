/** The time of day as people read it. */

/** `"12:34:56"` in this machine's time zone; with milliseconds `"12:34:56.789"`. `wallMs` is milliseconds since 1970. */
export function timeOfDay(wallMs: number, withMilliseconds = false): string {
  const date = new Date(wallMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const seconds = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMilliseconds ? `${seconds}.${String(date.getMilliseconds()).padStart(3, "0")}` : seconds;
}
