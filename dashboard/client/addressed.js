// @ts-check
/**
 * Whom a text is for that somebody has typed: `NAME: text` goes to NAME alone, as in the terminal client, whose rule
 * this is (client/terminal/chat/typed_line.ts; a test holds one against the other). Pure.
 */

/**
 * What is to be done about a text. `direct`: the text may be empty still. `unknown`: it names somebody of whom the page
 * has not heard, so neither everyone nor anyone is to get it. `mistake`: it was meant otherwise; for people.
 * @typedef {{ kind: "say", text: string } | { kind: "direct", to: string, text: string }
 *   | { kind: "unknown", to: string } | { kind: "mistake", info: string }} Addressed
 */

/** What stands before a text for everyone that would mean something else. */
const SAY = "/say";

/**
 * Reads a text without the space around it. `NAME:` needs a space behind it, so that an address of the web or a time of
 * day is a text, unless `isUser` knows the name: then it must not be told to everyone. A name is in one line.
 * @param {string} typed
 * @param {(name: string) => boolean} isUser
 * @returns {Addressed}
 */
export function readAddressed(typed, isUser) {
  const line = typed.trim();
  if (line.startsWith("/")) return readSlashed(line);
  const colon = line.indexOf(":");
  const to = line.slice(0, Math.max(0, colon)).trim();
  if (to === "" || /[\r\n]/.test(to)) return { kind: "say", text: typed };
  const text = line.slice(colon + 1);
  const isKnown = isUser(to);
  if (!isKnown && (!/^(?:\s|$)/.test(text) || /[\\/"]/.test(to))) return { kind: "say", text: typed };
  return isKnown ? { kind: "direct", to, text: text.trim() } : { kind: "unknown", to };
}

/** What begins with a slash is never said by mistake. @param {string} line @returns {Addressed} */
function readSlashed(line) {
  if (line.startsWith("//")) return { kind: "say", text: line.slice(1) };
  const [word = ""] = line.split(/\s/, 1);
  const text = line.slice(SAY.length).trim();
  if (word !== SAY) return { kind: "mistake", info: `To say it to everyone, type ${SAY} before it` };
  return text === "" ? { kind: "mistake", info: "There is no text to say" } : { kind: "say", text };
}
