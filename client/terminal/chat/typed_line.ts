/**
 * The meaning of a typed line: a text for everyone or for a channel, a message for one user, an activity, or a word of
 * the client. Pure.
 */

import {
  channelProblem,
  MAX_CHANNEL_CHARACTERS,
  NO_CHANNEL,
  normalName,
  patternProblem,
} from "../../../protocol/channels/channel_name.ts";

/** The words of the client, each also with a slash before it. */
export const WORDS = ["online", "all", "help", "disconnect"] as const;
/** One of `WORDS`. */
export type Word = typeof WORDS[number];

/** The action for a line. */
export type TypedLine =
  /** Say it in this channel; without one, where the person talks. */
  | { readonly kind: "say"; readonly text: string; readonly channel?: string }
  | { readonly kind: "direct"; readonly to: string; readonly text: string }
  /** There is nobody of that name, but somebody whose name differs in case alone: ask. */
  | { readonly kind: "unsure"; readonly to: string; readonly meant: string; readonly text: string }
  /** Publish it as it is, likewise. */
  | { readonly kind: "activity"; readonly json: string; readonly channel?: string }
  /** Read this channel or pattern, and talk there; without one, talk to everyone. */
  | { readonly kind: "join"; readonly channel?: string }
  /** Read it no more; without one, the channel in which the person talks. */
  | { readonly kind: "leave"; readonly channel?: string }
  | { readonly kind: "word"; readonly word: Word }
  /** Do nothing: the person meant something else. `info` says what is wrong. */
  | { readonly kind: "mistake"; readonly info: string };

/**
 * The word before a text for everyone that would otherwise mean something else. A second slash before a text with a
 * slash does the same.
 */
export const SAY = "/say";
/** The words before a channel. */
export const JOIN = "/join";
export const LEAVE = "/leave";
/** Stands before the name of a channel, wherever one is shown or typed. */
export const CHANNEL_MARK = "#";

const SLASHED = [...WORDS.map((word) => `/${word}`), JOIN, LEAVE].join(", ");
/** A character is at most two units. */
const MAX_NAME_UNITS = 2 * MAX_CHANNEL_CHARACTERS;
/** What people try first, as other programs have it, and the word that it means. */
const OTHER_WORDS: ReadonlyMap<string, Word> = new Map([["quit", "disconnect"], ["exit", "disconnect"], ["?", "help"]]);

/** The rows of `help`: the form to type, and its effect. */
export const HELP: readonly (readonly [typed: string, does: string])[] = [
  ["NAME: text", "says it only to NAME, now or later"],
  ["text", "says it to everyone, or in the channel before the >"],
  [`${JOIN} NAME`, "joins a channel: reads it, and says there what you type"],
  [`${JOIN} NAME/**`, "reads the channel and all below it"],
  [JOIN, "says to everyone again what you type"],
  [`${LEAVE} NAME`, `leaves a channel; ${LEAVE} alone, the one where you are`],
  [`${CHANNEL_MARK}NAME text`, "says it in the channel NAME"],
  [`${SAY} text`, "says any text, even one that looks like a word"],
  ["//text", "says /text"],
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
 * mistake. `alike` gives the user whose name is the same but for its case. Of a channel that `isChannel` does not know,
 * the name has no spaces.
 */
export function readTypedLine(
  line: string,
  isUser: (name: string) => boolean,
  alike: (name: string) => string | undefined = () => undefined,
  isChannel: (name: string) => boolean = () => false,
): TypedLine {
  if (line.startsWith("{")) return { kind: "activity", json: line };
  const typed = line.replace(/^\//, "");
  const word = OTHER_WORDS.get(typed) ?? typed;
  if (isWord(word)) return { kind: "word", word };
  if (line.startsWith("/")) return readSlashed(line);
  const colon = line.indexOf(":");
  // The name of a user may begin as a channel is marked.
  const marked = colon > 0 && isUser(line.slice(0, colon).trim()) ? undefined : readMarked(line, isChannel);
  if (marked !== undefined) return marked;
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
  const rest = line.slice(word.length).trim();
  switch (word) {
    case SAY:
      return rest === "" ? { kind: "mistake", info: "There is no text to say" } : { kind: "say", text: rest };
    case JOIN:
      return readPattern("join", rest);
    case LEAVE:
      return readPattern("leave", rest);
  }
  return { kind: "mistake", info: `Words: ${SLASHED}; to say it: ${SAY} …` };
}

/** What stands behind the word for it, perhaps with its mark. */
function readPattern(kind: "join" | "leave", rest: string): TypedLine {
  if (rest === "") return { kind };
  const channel = normalName(rest.startsWith(CHANNEL_MARK) ? rest.slice(CHANNEL_MARK.length) : rest);
  const problem = channel === NO_CHANNEL ? channelProblem(channel) : patternProblem(channel);
  return problem === undefined ? { kind, channel } : { kind: "mistake", info: sentence(problem) };
}

/** `#NAME text`; `undefined` for what begins like that by chance, as a heading does. */
function readMarked(line: string, isChannel: (name: string) => boolean): TypedLine | undefined {
  const [, first] = /^#([^\s#]\S*)/.exec(line) ?? [];
  if (first === undefined) return undefined;
  const name = knownName(line, isChannel) ?? first;
  const text = line.slice(CHANNEL_MARK.length + name.length).trim();
  // As before a message to a user.
  const channel = normalName(isChannel(normalName(name)) ? name : name.replace(/(?<=.):$/, ""));
  const problem = channelProblem(channel);
  if (problem !== undefined) return { kind: "mistake", info: sentence(problem) };
  if (text === "") {
    return { kind: "mistake", info: `There is no text for #${channel}; to be there, type ${JOIN} ${channel}` };
  }
  return text.startsWith("{") ? { kind: "activity", json: text, channel } : { kind: "say", text, channel };
}

/** The longest known name that `line` begins with: it may have spaces. */
function knownName(line: string, isChannel: (name: string) => boolean): string | undefined {
  const near = line.slice(CHANNEL_MARK.length, CHANNEL_MARK.length + MAX_NAME_UNITS + 1);
  const starts = [...near.matchAll(/\s|$/g)].map(({ index }) => near.slice(0, index));
  return starts.findLast((start) => isChannel(normalName(start)));
}

function sentence(problem: string): string {
  return problem[0]!.toUpperCase() + problem.slice(1);
}

function isWord(word: string): word is Word {
  return (WORDS as readonly string[]).includes(word);
}

/** What is known of users, and of channels. */
export interface KnownNames {
  isUser(name: string): boolean;
  alike(name: string): string | undefined;
  isChannel(name: string): boolean;
}

/**
 * Reads lines that were pasted behind `typed`. They are text: no word is obeyed, and a broken object is no mistake.
 * Without a receiver of its own a line goes where the line before it went, as a private text must not go to everyone.
 */
export function readPastedLines(
  lines: readonly string[],
  typed: string,
  { isUser, alike, isChannel }: KnownNames,
): TypedLine[] {
  const begun = readTypedLine(`${typed.trimStart()}x`, isUser, alike, isChannel);
  let to = begun.kind === "direct" ? begun.to : undefined;
  // Behind the name of a channel all of it goes there.
  const channel = begun.kind === "say" ? begun.channel : undefined;
  const inChannel = channel === undefined ? {} : { channel };
  return lines.map((line, index) => {
    const read = readTypedLine(line, isUser, alike, isChannel);
    if (index === 0 && channel !== undefined && "channel" in read && read.channel === channel) {
      return read.kind !== "activity" || isObjectText(read.json) ? read : { kind: "say", text: read.json, channel };
    }
    if (read.kind === "unsure") {
      return { kind: "mistake", info: `There is no user ${read.to}; did you mean ${read.meant}?` };
    }
    if (read.kind === "direct" && (isUser(read.to) || index === 0 && read.to === to)) {
      to = read.to;
      return read;
    }
    if (read.kind === "activity" && isObjectText(line)) return { ...read, ...inChannel };
    return to === undefined ? { kind: "say", text: line, ...inChannel } : { kind: "direct", to, text: line };
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
