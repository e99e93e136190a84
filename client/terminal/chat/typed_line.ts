/** What a line that was typed means: a text for everyone, a message for one user, an activity, or a word of the client. Pure. */

/** The words of the client, each also with a slash before it. */
export const WORDS = ["online", "all", "help", "disconnect"] as const;
/** One of `WORDS`. */
export type Word = typeof WORDS[number];

/** What is to be done about a line. */
export type TypedLine =
  /** Say it to everyone. */
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "direct"; readonly to: string; readonly text: string }
  /** Publish it as it is. */
  | { readonly kind: "activity"; readonly json: string }
  | { readonly kind: "word"; readonly word: Word }
  /** Nothing: it was meant otherwise. For people: what is wrong. */
  | { readonly kind: "mistake"; readonly info: string };

/** What stands before a text for everyone that would mean something else. A second slash before one that begins with a slash does, too. */
export const SAY = "/say";

const SLASHED = WORDS.map((word) => `/${word}`).join(", ");

/** What `help` shows: what can be typed, and what it does. */
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
 * Reads a line without the space around it. `NAME:` needs a space behind it, so that an address of the web or a time of day is a text, unless
 * `isUser` knows the name: then it must not be told to everyone. Names have no colon and words have one thing only, so a user called `help` can be
 * written to. What begins with a slash is never said by mistake.
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
