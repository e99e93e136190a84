/** Texts as words of a shell's command line. Pure. */

/** `text` in quotes that leave it as it is, in every usual shell. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** `text` as one word, in quotes only if it needs them. */
export function shellWord(text: string): string {
  return /^[\w./:@+-]+$/.test(text) ? text : shellQuoted(text);
}
