/**
 * Seals what no listener may read in lines between servers: verifiers of accounts, the keys of tickets, and another
 * secret for the network. The rest of the line stays readable, and cannot be changed without being noticed. Which key
 * is used, and the cipher, are arguments.
 *
 * A sealed value has the form of any other: text of visible characters.
 */

/** A cipher that shows whether what was sealed, or what it is about, was changed. */
export interface Cipher {
  seal(key: string, text: string, about: string): string;
  /** `undefined` where it was not sealed with this key, about this. */
  open(key: string, sealed: string, about: string): string | undefined;
}

/** The lines that have something to seal. */
const LINES = /^\{"command":"(?:ACCOUNT|ACCOUNTS|RECORD|SERVER_ANNOUNCE|OPERATE)",/;
/** A value to seal. What users choose has its quotes escaped, and never reads like this. */
const VALUES = /"(verifier|ticketKey|networkSecret)":"([^"\\]+)"/g;
/** Lines that never go without a seal. (The others do where `cluster.clearSecret` says so.) */
const NEVER_IN_CLEAR = /^\{"command":"OPERATE",[^\n]*"networkSecret":"[^\n]*\n/gm;
const SEALED = "sealed:";

/** `lines`, each with its end, with all of it sealed. */
export function sealLines(lines: string, key: string, cipher: Cipher): string {
  return lines.replace(/[^\n]+/g, (line) => {
    if (!LINES.test(line)) return line;
    const about = aboutOf(line);
    return line.replace(VALUES, (_, name, value) => `"${name}":"${SEALED}${cipher.seal(key, value, about)}"`);
  });
}

/** `lines` for a link without keys: what may go there. */
export function clearLines(lines: string): string {
  return lines.replace(NEVER_IN_CLEAR, "");
}

/**
 * `line` (without its end) with all of it opened. `undefined` if something was not sealed, or was changed: then nothing
 * of the line can be believed.
 */
export function openLine(line: string, key: string, cipher: Cipher): string | undefined {
  if (!LINES.test(line)) return line;
  const about = aboutOf(line);
  let isWhole = true;
  const opened = line.replace(VALUES, (_, name: string, value: string) => {
    const text = value.startsWith(SEALED) ? cipher.open(key, value.slice(SEALED.length), about) : undefined;
    if (text === undefined) isWhole = false;
    return `"${name}":"${text}"`;
  });
  return isWhole ? opened : undefined;
}

/** The line without what is sealed in it. */
function aboutOf(line: string): string {
  return line.replace(VALUES, (_, name) => `"${name}":""`);
}
