/** The Tab key: completes the name or word before the cursor, or shows the possible ones. Pure. */

import type { Editor } from "./line_editor.ts";
import { channelProblem } from "../../../protocol/channels/channel_name.ts";
import { CHANNEL_MARK, JOIN, LEAVE, SAY, WORDS } from "../chat/typed_line.ts";

/** The new line, and the possible ways if there are several. */
export interface Completion {
  readonly editor: Editor;
  /** Empty if there was one way, or none. */
  readonly choices: readonly string[];
}

/** More than a person wants to read through. */
const MAX_CHOICES = 50;
/** Words that need their slash. */
const SLASHED = [JOIN, LEAVE, SAY].map((word) => word.slice(1));
/** Behind these a channel stands, perhaps with its mark. */
const BEFORE_CHANNEL = new RegExp(`^(?:${JOIN}|${LEAVE})\\s+${CHANNEL_MARK}?`);

/**
 * Completes with `names`, and with `channels`, which may be patterns. At the beginning of a line, a name becomes the
 * beginning of a message, `NAME: `. Case makes no difference.
 */
export function complete(editor: Editor, names: readonly string[], channels: readonly string[] = []): Completion {
  const { text, cursor } = editor;
  const typed = text.slice(0, cursor);
  const behind = text.slice(cursor);
  const [before] = BEFORE_CHANNEL.exec(typed) ?? [];
  if (before !== undefined) {
    const found = matching(channels, typed.slice(before.length)).map((channel) => before + channel);
    return chosen(editor, typed, found, behind, before.length);
  }
  // Nothing can be said in a pattern.
  const marked = channels.filter((channel) => channelProblem(channel) === undefined).map((name) => CHANNEL_MARK + name);
  const found = typed.startsWith(CHANNEL_MARK) ? matching(marked, typed) : [];
  if (found.length > 0) return chosen(editor, typed, found, behind);
  const slash = typed.startsWith("/") ? "/" : "";
  // Names may have spaces, so the whole typed text is tried first.
  const whole = typed.slice(slash.length);
  const atBeginning = [
    ...(slash === "" ? matching(names, whole).map((name) => `${name}:`) : []),
    ...matching(slash === "" ? WORDS : [...WORDS, ...SLASHED], whole),
  ];
  if (whole === "" && slash === "") return chosen(editor, typed, atBeginning.slice(0, 0), behind);
  if (atBeginning.length > 0) return chosen(editor, typed, atBeginning.map((choice) => slash + choice), behind);
  const word = /\S*$/.exec(typed)![0];
  const start = typed.slice(0, typed.length - word.length);
  if (word === "" || start === "") return { editor, choices: [] };
  return chosen(editor, typed, matching(names, word).map((name) => start + name), behind, start.length);
}

/** The line with the common beginning of all `lines`, if that is longer than the typed text. */
function chosen(
  editor: Editor,
  typed: string,
  lines: readonly string[],
  behind: string,
  shownFrom = 0,
): Completion {
  const [first, ...others] = lines;
  if (first === undefined) return { editor, choices: [] };
  if (others.length === 0) {
    const done = behind.startsWith(" ") ? first : `${first} `;
    return { editor: { ...editor, text: done + behind, cursor: done.length }, choices: [] };
  }
  const common = commonStart(lines);
  const choices = lines.slice(0, MAX_CHOICES).map((line) => line.slice(shownFrom));
  if (common.length <= typed.length) return { editor, choices };
  return { editor: { ...editor, text: common + behind, cursor: common.length }, choices: [] };
}

function matching(candidates: readonly string[], start: string): string[] {
  const wanted = start.toLowerCase();
  return candidates.filter((candidate) => candidate.toLowerCase().startsWith(wanted)).sort();
}

/** The common beginning of all `lines`, in whole letters. */
function commonStart(lines: readonly string[]): string {
  const letters = lines.map((line) => [...line]);
  const [first = [], ...others] = letters;
  const differs = first.findIndex((letter, index) => others.some((other) => other[index] !== letter));
  return first.slice(0, differs === -1 ? first.length : differs).join("");
}
