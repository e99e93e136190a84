/**
 * The times in which a server had no link to another, in a space-time diagram: beside its line, on the side of the
 * missing server. Pure.
 */

import type { Box } from "./diagram_labels.ts";
import type { History, Parting } from "./history.ts";

/** Where one is shown. */
export interface PlacedParting extends Box, Parting {}

/** Where things are. */
interface Places {
  /** Each node's line. */
  readonly x: ReadonlyMap<string, number>;
  /** By rising times. */
  readonly rows: readonly { readonly lamport: number; readonly y: number }[];
  readonly top: number;
  readonly bottom: number;
}

const WIDTH = 6;
/** Between a line and the mark beside it. */
const DISTANCE = 4;

/** The partings within the rows. A parting that began before them, or ends after them, goes to the edge. */
export function partingsOf({ partings }: History, { x, rows, top, bottom }: Places): PlacedParting[] {
  const [first, last] = [rows[0]?.lamport ?? 0, rows.at(-1)?.lamport ?? 0];
  return partings.filter(({ fromLamport, toLamport = Infinity }) => fromLamport <= last && toLamport > first).map(
    (parting) => {
      const { node, peer, fromLamport, toLamport = Infinity } = parting;
      const y = fromLamport < first ? top : yOf(fromLamport);
      const end = toLamport > last ? bottom : yOf(toLamport);
      const isRight = (x.get(peer) ?? Infinity) > x.get(node)!;
      const left = x.get(node)! + (isRight ? DISTANCE : -DISTANCE - WIDTH);
      return { ...parting, x: left, y, width: WIDTH, height: end - y };
    },
  );

  /** The first row from `lamport` on: its own row may be out of sight. */
  function yOf(lamport: number): number {
    return rows.find((row) => row.lamport >= lamport)!.y;
  }
}
