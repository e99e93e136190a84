/**
 * The words beside the events of a diagram: their size, and a place where they cover nothing. Pure.
 */

/** A rectangle. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A line between two points. */
export interface Segment {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** A place with something round it in which a time stands. */
export interface PillPlace {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** Words beside an event. */
export interface Label {
  readonly text: string;
  readonly isBold: boolean;
}

export const PILL_HEIGHT = 18;
export const LABEL_HEIGHT = 14;
/** Each letter counts as wide as in the widest of the usual fonts, as the reader's font is unknown. */
const NARROW = /[ijlt.,:;|' ()]/;
const WIDE = /[mwMW]/;

/** Each label goes where it covers least: first no other event, then no other label, then no arrow. */
export function placeLabels(
  labels: readonly Label[],
  places: readonly PillPlace[],
  arrows: readonly Segment[],
  { left, right }: { readonly left: number; readonly right: number },
): { text: string; box: Box }[] {
  const taken = new Map<number, Box[]>();
  // Only near boxes can be in the way.
  const near = (box: Box) => [-1, 0, 1].flatMap((step) => taken.get(Math.floor(box.y / 64) + step) ?? []);
  const take = (box: Box) => {
    const key = Math.floor(box.y / 64);
    taken.set(key, [...taken.get(key) ?? [], box]);
  };
  for (const { x, y, width } of places) {
    take({ x: x - width / 2 - 2, y: y - PILL_HEIGHT / 2, width: width + 4, height: PILL_HEIGHT });
  }
  const sorted = arrows.toSorted((a, b) => a.y1 - b.y1);
  return labels.map((label, index) => {
    const { x, y, width: pill } = places[index]!;
    const wide = widthOf(label);
    const middle = y - LABEL_HEIGHT / 2;
    const crossing = sorted.filter(({ y1, y2 }) => y1 < y + 30 && y2 > y - 30);
    const at = (x: number, y: number): Box => ({ x, y, width: wide, height: LABEL_HEIGHT });
    const candidates = [
      at(x + pill / 2 + 4, middle),
      at(x - pill / 2 - 4 - wide, middle),
      at(x + 5, y - PILL_HEIGHT / 2 - LABEL_HEIGHT),
      at(x - 5 - wide, y - PILL_HEIGHT / 2 - LABEL_HEIGHT),
      at(x + 5, y + PILL_HEIGHT / 2),
      at(x - 5 - wide, y + PILL_HEIGHT / 2),
    ];
    let best = candidates[0]!;
    let least = Infinity;
    for (const [preference, box] of candidates.entries()) {
      const outside = box.x < left || box.x + box.width > right ? 1 : 0;
      const covered = near(box).filter((other) => overlaps(box, other)).length;
      const crossed = crossing.filter((arrow) => crosses(arrow, box)).length;
      const cost = outside * 1_000 + covered * 100 + crossed * 10 + preference;
      if (cost < least) [best, least] = [box, cost];
    }
    take(best);
    return { text: label.text, box: best };
  });
}

/** As wide as it may get, in pixels. */
export function widthOf({ text, isBold }: Label): number {
  let width = 6;
  for (const letter of text) {
    width += NARROW.test(letter) ? 4 : WIDE.test(letter) ? 10 : /[A-Z\d♥→…]/.test(letter) ? 7.8 : 6.7;
  }
  return isBold ? width * 1.12 : width;
}

/** `text` in at most `most` letters. */
export function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).trimEnd()}…`;
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** Whether the line passes through the box: over the box's width, a piece of the line lies within its height. */
function crosses({ x1, y1, x2, y2 }: Segment, { x, y, width, height }: Box): boolean {
  const [left, right] = [Math.max(x, Math.min(x1, x2)), Math.min(x + width, Math.max(x1, x2))];
  if (left > right) return false;
  const at = (place: number) => x1 === x2 ? y1 : y1 + (y2 - y1) * (place - x1) / (x2 - x1);
  const [top, bottom] = [at(left), at(right)].toSorted((a, b) => a - b);
  return top! < y + height && bottom! > y;
}
