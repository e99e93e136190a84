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
  /** There is nobody of that name, but somebody whose name differs in case alone: ask. */
  | { readonly kind: "unsure"; readonly to: string; readonly meant: string; readonly text: string }
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
/** What people try first, as other programs have it, and the word that it means. */
const OTHER_WORDS: ReadonlyMap<string, Word> = new Map([["quit", "disconnect"], ["exit", "disconnect"], ["?", "help"]]);

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
  ["quit, exit", "the same as disconnect; ? is help"],
  ["/online …", "the words, also with a slash"],
  ["Tab, arrows", "complete, edit, recall"],
  ["Ctrl-R", "looks for an earlier line"],
  ["PageUp", "shows earlier rows"],
];

/**
 * Reads a line without surrounding space. `NAME:` needs a space behind it, so that a web address or a time of day is a
 * text. If `isUser` knows the name, the space is not needed, as the text must not go to everyone. Names have no colon,
 * and words stand alone, so a user called `help` can get messages. A line that begins with a slash is never said by
 * mistake. `alike` gives the user whose name is the same but for its case.
 */
export function readTypedLine(
  line: string,
  isUser: (name: string) => boolean,
  alike: (name: string) => string | undefined = () => undefined,
): TypedLine {
  if (line.startsWith("{")) return { kind: "activity", json: line };
  const typed = line.replace(/^\//, "");
  const word = OTHER_WORDS.get(typed) ?? typed;
  if (isWord(word)) return { kind: "word", word };
  if (line.startsWith("/")) return readSlashed(line);
  const colon = line.indexOf(":");
  if (colon > 0) {
    const to = line.slice(0, colon).trim();
    const text = line.slice(colon + 1);
    const meant = isUser(to) ? undefined : alike(to);
    if (/^(?:\s|$)/.test(text) && !/[\\/"]/.test(to) || isUser(to) || meant !== undefined) {
      if (text.trim() === "") return { kind: "mistake", info: `There is no text for ${to}` };
      if (meant !== undefined) return { kind: "unsure", to, meant, text: text.trim() };
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

/** What is known of users. */
export interface KnownUsers {
  isUser(name: string): boolean;
  alike(name: string): string | undefined;
}

/**
 * Reads lines that were pasted behind `typed`. They are text: no word is obeyed, and a broken object is no mistake.
 * Without a receiver of its own a line goes where the line before it went, as a private text must not go to everyone.
 */
export function readPastedLines(lines: readonly string[], typed: string, { isUser, alike }: KnownUsers): TypedLine[] {
  const begun = readTypedLine(`${typed.trimStart()}x`, isUser, alike);
  let to = begun.kind === "direct" ? begun.to : undefined;
  return lines.map((line, index) => {
    const read = readTypedLine(line, isUser, alike);
    if (read.kind === "unsure") {
      return { kind: "mistake", info: `There is no user ${read.to}; did you mean ${read.meant}?` };
    }
    if (read.kind === "direct" && (isUser(read.to) || index === 0 && read.to === to)) {
      to = read.to;
      return read;
    }
    if (read.kind === "activity" && isObjectText(line)) return read;
    return to === undefined ? { kind: "say", text: line } : { kind: "direct", to, text: line };
  });
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    // Then it is no object.
    return false;
  }
}
