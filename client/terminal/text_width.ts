/**
 * How many columns a terminal gives to a text, near enough to keep a line in one row. `unicodeWidth` of the standard library would be used here, but its
 * npm package lacks a file that it needs (deno-std 1.4.0); and what people take for one character, such as a family, it counts several times. Pure.
 */

/** Scripts, signs and emoji that take two columns: those that Unicode calls wide, without the rarest. */
const WIDE = new RegExp(
  "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Bopomofo}\\p{Script=Yi}" +
    "\\p{Emoji_Presentation}\\u3000-\\u303e\\uff01-\\uff60\\uffe0-\\uffe6\\ufe0f]",
  "u",
);

const ASCII = /^[\x20-\x7e]*$/;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The columns of a text without control characters. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
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
  return WIDE.test(grapheme) ? 2 : 1;
}
