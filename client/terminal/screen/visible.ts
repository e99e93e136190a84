/**
 * Makes text from others harmless for a terminal. Characters that would move the cursor, change colours or turn text
 * round are shown instead. Pure.
 */

/** Control characters, line and paragraph separators, marks of direction, and halves of surrogate pairs. */
// deno-lint-ignore no-control-regex -- these are what it is about
const HARMFUL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Cs}/gu;

const SHORT = new Map([["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"]]);

/** `text` in one line. Invisible characters become JSON escapes. */
export function visible(text: string): string {
  return text.replace(HARMFUL, (character) => {
    return SHORT.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** What nobody sees in a name: what has no shape, and white space at its ends. */
const UNSEEN = /\p{Default_Ignorable_Code_Point}|^\p{White_Space}+|\p{White_Space}+$/gu;

/**
 * A name in one line, with everything in it that cannot be seen as JSON escapes: two names that look the same in a
 * text are two here. As `visibleName` in `dashboard/format.js`.
 */
export function visibleName(name: string): string {
  return visible(name).replace(UNSEEN, (unseen) => {
    // In UTF-16 units, as JSON has it.
    return unseen.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
  });
}

/** A channel, or a pattern of channels, in words: `#lab`. */
export function channelName(channel: string): string {
  return channel === "" ? "what has no channel" : `#${visibleName(channel)}`;
}
