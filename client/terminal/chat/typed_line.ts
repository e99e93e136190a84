/**
 * The meaning of a typed line: a text for everyone, a message for one user, an activity, or a word of the client. Pure.
 */

/** The words of the client, each also with a slash before it. */
export const WORDS = ["online", "all", "help", "disconnect"] as const;
/** One of `WORDS`. */
export type Word = typeof WORDS[number];

/** The action for a line. */
export type TypedLine =
  /** Say it to everyone. */
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "direct"; readonly to: string; readonly text: string }
  /** Publish it as it is. */
  | { readonly kind: "activity"; readonly json: string }
  | { readonly kind: "word"; readonly word: Word }
  /** Do nothing: the person meant something else. `info` says what is wrong. */
  | { readonly kind: "mistake"; readonly info: string };

/**
 * The word before a text for everyone that would otherwise mean something else. A second slash before a text with a
 * slash does the same.
 */
export const SAY = "/say";

const SLASHED = WORDS.map((word) => `/${word}`).join(", ");

/** The rows of `help`: the form to type, and its effect. */
export const HELP: readonly (readonly [typed: string, does: string])[] = [
  ["NAME: text", "says it only to NAME, now or later"],
  ["text", "says it to everyone"],
  [`${SAY} text`, "says any text, even one that looks like a word"],
  ["//text", "says /text to everyone"],
  ['{"a": 1}', "publishes a JSON object"],
  ["online", "who is online"],
  ["all", "every registered user"],
  ["help", "this"],
  ["disconnect", "leaves, as Ctrl-C and Ctrl-D do"],
  ["/online …", "the words, also with a slash"],
  ["Tab, arrows", "complete, edit, recall"],
];

/**
 * Reads a line without surrounding space. `NAME:` needs a space behind it, so that a web address or a time of day is a
 * text. If `isUser` knows the name, the space is not needed, as the text must not go to everyone. Names have no colon,
 * and words stand alone, so a user called `help` can get messages. A line that begins with a slash is never said by
 * mistake.
 */
export function readTypedLine(line: string, isUser: (name: string) => boolean): TypedLine {
  if (line.startsWith("{")) return { kind: "activity", json: line };
  const word = line.replace(/^\//, "");
  if (isWord(word)) return { kind: "word", word };
  if (line.startsWith("/")) return readSlashed(line);
  const colon = line.indexOf(":");
  if (colon > 0) {
    const to = line.slice(0, colon).trim();
    const text = line.slice(colon + 1);
    if (/^(?:\s|$)/.test(text) && !/[\\/"]/.test(to) || isUser(to)) {
      if (text.trim() === "") return { kind: "mistake", info: `There is no text for ${to}` };
      return { kind: "direct", to, text: text.trim() };
    }
  }
  return { kind: "say", text: line };
}

/** What begins with a slash and is no word. */
function readSlashed(line: string): TypedLine {
  if (line.startsWith("//")) return { kind: "say", text: line.slice(1) };
  const [word = ""] = line.split(/\s/, 1);
  if (word !== SAY) {
    return { kind: "mistake", info: `Words: ${SLASHED}; to say it, type ${SAY} before it` };
  }
  const text = line.slice(SAY.length).trim();
  return text === "" ? { kind: "mistake", info: "There is no text to say" } : { kind: "say", text };
}

function isWord(word: string): word is Word {
  return (WORDS as readonly string[]).includes(word);
}
