/**
 * How many columns a terminal gives to a text, near enough to keep a line in one row: rather too many than too few.
 * `unicodeWidth` of the standard library has two faults here. Its npm package lacks a file (deno-std 1.4.0), and it
 * counts one visible character, such as a family, several times. Pure.
 */

/**
 * Scripts, signs and emoji with two columns: the wide ones of Unicode, and whole blocks in which nearly all are wide.
 */
const WIDE = new RegExp(
  "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}\\p{Script=Yi}" +
    "\\p{Script=Tangut}\\p{Script=Nushu}\\p{Emoji_Presentation}\\u2ff0-\\u303e\\u3190-\\u33ff\\u4dc0-\\u4dff" +
    "\\ufe10-\\ufe19\\ufe30-\\ufe6f\\uff01-\\uff60\\uffe0-\\uffe6\\ufe0f\\u{1f200}-\\u{1f2ff}]",
  "u",
);
/** Characters that are drawn over the one before, or not at all. */
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
