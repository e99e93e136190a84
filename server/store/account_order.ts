/** The order of accounts by name, as both stores give them: by code points, as SQLite has texts as UTF-8. Pure. */

import type { Account } from "./store.ts";

/** Of `accounts` at most `limit` with names after `username`. Of several accounts of one name the last one counts. */
export function accountsAfter(accounts: Iterable<Account>, username: string, limit: number): Account[] {
  const found = new Map<string, Account>();
  for (const account of accounts) {
    if (compareCodePoints(account.username, username) > 0) found.set(account.username, account);
  }
  return [...found.values()].sort((a, b) => compareCodePoints(a.username, b.username)).slice(0, limit);
}

function compareCodePoints(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  // Within a surrogate pair the first half is the same, so the second one decides. No other characters have values
  // between them.
  const [x, y] = [a.codePointAt(at) ?? -1, b.codePointAt(at) ?? -1];
  return x - y;
}
