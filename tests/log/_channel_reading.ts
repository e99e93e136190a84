/** The simplest reader of a turn with channels: it looks at every line. */

import type { Filter } from "../../log/channel_lines.ts";

/** A line that is published in a turn. */
export interface Line {
  /** Empty for none. */
  readonly channel: string;
  readonly origin: string;
  readonly text: string;
}

/** The lines of a turn that `filter` wants, as they are written, without their ends. */
export function buffersByNaiveReading(turn: readonly Line[], filter: Filter): string[] {
  return turn.filter(({ channel }) => filter.wants(channel)).map(({ channel, text }) =>
    JSON.stringify({ channel, text })
  );
}
