/**
 * What patterns of channels stand for, by the words of docs/protocol.md: what the simulator judges by has to be another
 * thing than what it judges. Pure.
 */

/** Stands for what has no channel. */
export const NONE = "";

/** Whether one of these patterns stands for `channel`; `undefined` and the empty text are what has none. */
export function isRead(patterns: readonly string[], channel: string = NONE): boolean {
  return patterns.some((pattern) => standsFor(pattern, channel));
}

function standsFor(pattern: string, channel: string): boolean {
  if (pattern === "**" || pattern === channel) return true;
  if (channel === NONE || pattern === NONE) return false;
  const levels = channel.split("/");
  const wanted = pattern.split("/");
  const end = wanted.pop();
  if (end === "**") return wanted.every((level, index) => levels[index] === level);
  return end === "*" && levels.length === wanted.length + 1 && wanted.every((level, index) => levels[index] === level);
}
