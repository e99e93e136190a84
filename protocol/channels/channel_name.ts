/**
 * Names of channels, and patterns of names. A name has levels: `lab/door/1`. A pattern is a name, `lab/*` (the names
 * one level below `lab`), `lab/**` (`lab` and all below it), `*` and `**` (the same below nothing), or `""`: what has
 * no channel. `**` is everything, what has no channel included. Pure.
 */

/** Stands for what has no channel. */
export const NO_CHANNEL = "";
/** Longest name and longest pattern, in characters (code points), after NFC. */
export const MAX_CHANNEL_CHARACTERS = 128;

const ANY_LEVEL = "*";
const THE_REST = "**";
const SEPARATOR = "/";
/** Control characters move cursors. Separators of lines break lines. UTF-8 cannot encode half of a pair. */
const FORBIDDEN = /[\p{Cc}\u2028\u2029]|\p{Cs}/u;

/** What a pattern stands for. */
export interface Pattern {
  /** `name`: this name alone. `level`: the names one level below it. `rest`: it, and all below it. */
  readonly kind: "name" | "level" | "rest";
  /** A name; empty for what has no channel, or for the top of all names. */
  readonly base: string;
}

/** Two names are the same when this gives the same text for both. Call it once, where a name comes in. */
export function normalName(text: string): string {
  return text.normalize("NFC");
}

/** Why `name`, which is normal, is no name of a channel, in words. */
export function channelProblem(name: string): string | undefined {
  if (name === "") return "the name of a channel is empty";
  // A character is at most two units.
  if (name.length > MAX_CHANNEL_CHARACTERS && [...name].length > MAX_CHANNEL_CHARACTERS) {
    return `the name of a channel is longer than ${MAX_CHANNEL_CHARACTERS} characters`;
  }
  if (name.includes(ANY_LEVEL)) return "the name of a channel has a *";
  if (FORBIDDEN.test(name)) return "the name of a channel has a control character";
  if (name.startsWith(SEPARATOR) || name.endsWith(SEPARATOR) || name.includes("//")) {
    return "the name of a channel has an empty level";
  }
  return undefined;
}

/** Why `pattern`, which is normal, is no pattern, in words. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern.length > MAX_CHANNEL_CHARACTERS && [...pattern].length > MAX_CHANNEL_CHARACTERS) {
    return `a pattern of channels is longer than ${MAX_CHANNEL_CHARACTERS} characters`;
  }
  if (pattern === NO_CHANNEL || pattern === ANY_LEVEL || pattern === THE_REST) return undefined;
  const { base } = readPattern(pattern);
  if (base.includes(ANY_LEVEL)) return "a pattern of channels may end in /* or /**, and has no other *";
  return channelProblem(base);
}

/** What `pattern` stands for. */
export function readPattern(pattern: string): Pattern {
  if (!pattern.endsWith(ANY_LEVEL)) return { kind: "name", base: pattern };
  if (pattern === ANY_LEVEL) return { kind: "level", base: "" };
  if (pattern === THE_REST) return { kind: "rest", base: "" };
  if (pattern.endsWith(SEPARATOR + THE_REST)) return { kind: "rest", base: pattern.slice(0, -3) };
  if (pattern.endsWith(SEPARATOR + ANY_LEVEL)) return { kind: "level", base: pattern.slice(0, -2) };
  return { kind: "name", base: pattern };
}

/** The name one level above `name`; `undefined` for what has no channel, as nothing is above that. */
export function parentOf(name: string): string | undefined {
  return name === NO_CHANNEL ? undefined : name.slice(0, Math.max(0, name.lastIndexOf(SEPARATOR)));
}

/** Whether `pattern` stands for `name`, which may be `NO_CHANNEL`. */
export function matches(pattern: string, name: string): boolean {
  const { kind, base } = readPattern(pattern);
  if (kind === "name") return name === base;
  if (kind === "level") return parentOf(name) === base;
  return isWithin(name, base);
}

/** Whether `wider` stands for every name that `narrower` stands for. */
export function covers(wider: string, narrower: string): boolean {
  return isPartOf(readPattern(narrower), readPattern(wider));
}

/**
 * What both stand for: again a pattern, as what two patterns have in common always is one. `undefined` for nothing.
 */
export function common(a: Pattern, b: Pattern): Pattern | undefined {
  if (isPartOf(a, b)) return a;
  if (isPartOf(b, a)) return b;
  // Of the level below a base, and all of one of its names, there is that name alone.
  if (a.kind === "level" && b.kind === "rest" && parentOf(b.base) === a.base) return { kind: "name", base: b.base };
  if (a.kind === "rest" && b.kind === "level" && parentOf(a.base) === b.base) return { kind: "name", base: a.base };
  return undefined;
}

/** Whether `wide` stands for all that `narrow` stands for. */
function isPartOf(narrow: Pattern, wide: Pattern): boolean {
  if (wide.kind === "rest") return isWithin(narrow.base, wide.base);
  if (wide.kind === narrow.kind) return wide.base === narrow.base;
  return wide.kind === "level" && narrow.kind === "name" && parentOf(narrow.base) === wide.base;
}

/** Whether `name` is `base`, or anywhere below it. */
function isWithin(name: string, base: string): boolean {
  return base === "" || name === base || name.startsWith(base + SEPARATOR);
}
