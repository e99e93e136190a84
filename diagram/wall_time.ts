/** Wall times for people. The caller knows the zone: nothing here asks the machine. Pure. */

/** How moments are written. */
export interface WallTime {
  /** The zone beside the times; empty if everything on the page is in the same zone. */
  readonly zone: string;
  /** A moment, in milliseconds since 1970, to the millisecond: `14:02:10.123`. */
  of(at: number): string;
}

/** The same everywhere. */
export const UTC: WallTime = { zone: "UTC", of: utcTime };

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** The time of clocks that are `minutes` ahead of UTC, like the times that a page shows itself. */
export function atOffset(minutes: number): WallTime {
  return { zone: "", of: (at) => utcTime(at + minutes * MINUTE_MS) };
}

function utcTime(at: number): string {
  const whole = Math.floor(at);
  const ofDay = ((whole % DAY_MS) + DAY_MS) % DAY_MS;
  const [hours, minutes, seconds] = [3_600_000, 60_000, 1_000].map((unit) => Math.floor(ofDay / unit));
  const two = (count: number, of: number) => String(count % of).padStart(2, "0");
  return `${two(hours!, 24)}:${two(minutes!, 60)}:${two(seconds!, 60)}.${String(ofDay % 1_000).padStart(3, "0")}`;
}
