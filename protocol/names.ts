/** Which usernames and secrets are allowed. Pure. Every function returns what is wrong, in words, or `undefined`. */

/** The user of a client that gives no name. No client can register this name. */
export const ANONYMOUS = "anonymous";
/** Longest username, in characters (code points). */
export const MAX_USERNAME_CHARACTERS = 64;
/** Longest secret, in characters (code points). */
export const MAX_SECRET_CHARACTERS = 256;

/** Why `username` cannot be registered. */
export function usernameProblem(username: string): string | undefined {
  if (username === ANONYMOUS) return `the username "${ANONYMOUS}" cannot be registered`;
  if (username === "") return "the username is empty";
  if (characters(username) > MAX_USERNAME_CHARACTERS) {
    return `the username is longer than ${MAX_USERNAME_CHARACTERS} characters`;
  }
  // Control characters move cursors. Line and paragraph separators break lines. UTF-8 cannot encode a lone half of a
  // pair.
  if (/[\p{Cc}\u2028\u2029]|\p{Cs}/u.test(username)) return "the username has a control character";
  if (/[:"\\/]/.test(username)) return 'the username has one of : " \\ /';
  return undefined;
}

/** Why `secret` cannot be used. Never repeats it. */
export function secretProblem(secret: string): string | undefined {
  if (secret === "") return "the secret is empty";
  if (characters(secret) > MAX_SECRET_CHARACTERS) {
    return `the secret is longer than ${MAX_SECRET_CHARACTERS} characters`;
  }
  return undefined;
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
