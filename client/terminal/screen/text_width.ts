/**
 * How many columns a terminal gives to a text, near enough to keep a line in one row: rather too many than too few. `unicodeWidth` of the standard library would
 * be used here, but its npm package lacks a file that it needs (deno-std 1.4.0); and what people take for one character, such as a family, it counts several
 * times. Pure.
 */

/** Scripts, signs and emoji that take two columns: those that Unicode calls wide, and whole blocks where nearly all are. */
const WIDE = new RegExp(
  "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}\\p{Script=Yi}" +
    "\\p{Script=Tangut}\\p{Script=Nushu}\\p{Emoji_Presentation}\\u2ff0-\\u303e\\u3190-\\u33ff\\u4dc0-\\u4dff" +
    "\\ufe10-\\ufe19\\ufe30-\\ufe6f\\uff01-\\uff60\\uffe0-\\uffe6\\ufe0f\\u{1f200}-\\u{1f2ff}]",
  "u",
);
/** What is drawn over the character before it, or not at all. */
const WITHOUT_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/gu;

const ASCII = /^[\x20-\x7e]*$/;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The columns of a text without control characters. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** The first graphemes of `text` that fit into `columns`. */
export function textStart(text: string, columns: number): string {
  let width = 0;
  let start = "";
  for (const { segment } of graphemes.segment(text)) {
    width += graphemeWidth(segment);
    if (width > columns) break;
    start += segment;
  }
  return start;
}

/** The last graphemes of `text` that fit into `columns`. */
export function textEnd(text: string, columns: number): string {
  let width = 0;
  let end = "";
  for (const { segment } of [...graphemes.segment(text)].reverse()) {
    width += graphemeWidth(segment);
    if (width > columns) break;
    end = segment + end;
  }
  return end;
}

function graphemeWidth(grapheme: string): number {
  if (WIDE.test(grapheme)) return 2;
  // Letters of some scripts are one grapheme and still stand side by side, as क्ष.
  let width = 0;
  for (const _ of grapheme.replace(WITHOUT_WIDTH, "")) width++;
  return Math.max(1, width);
}
