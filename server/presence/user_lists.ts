/**
 * The answers to LIST_USERS. The server reads the names of accounts once, and keeps them in order. It makes an answer
 * at the first question after a change. All clients that ask before the next change get the same bytes. So a question
 * costs one write, however often it comes.
 */

import type { UserScope } from "../../protocol/presence/presence_message.ts";
import { lineBytes } from "../../protocol/server_codec.ts";

/** The sources of the names. */
export interface UserListsParts {
  /** Every registered name, in the order of `Array.sort`. */
  readUsernames(): readonly string[];
  /** The users who are listed as online, in the same order. */
  readonly online: readonly string[];
  /** A number that changes whenever `online` changes. */
  readonly onlineChanges: number;
}

/** The answers of one server. */
export class UserLists {
  readonly #parts: UserListsParts;
  /** Absent until the first question. */
  #names: string[] | undefined;
  #all: Uint8Array | undefined;
  #online: { readonly line: Uint8Array; readonly changes: number } | undefined;

  constructor(parts: UserListsParts) {
    this.#parts = parts;
  }

  /** Every registered name, in order. */
  get usernames(): readonly string[] {
    return this.#names ??= [...this.#parts.readUsernames()];
  }

  /** Whether this name has an account. */
  has(username: string): boolean {
    const names = this.usernames;
    return names[indexOf(names, username)] === username;
  }

  /** These names have accounts. Some may have had one before. */
  registered(usernames: readonly string[]): void {
    // The first question reads them from the store.
    const names = this.#names;
    if (names === undefined) return;
    let isNew = false;
    for (const username of usernames) {
      const index = indexOf(names, username);
      if (names[index] === username) continue;
      names.splice(index, 0, username);
      isNew = true;
    }
    if (isNew) this.#all = undefined;
  }

  /** This name has no account any more. */
  removed(username: string): void {
    const names = this.#names;
    this.#all = undefined;
    if (names === undefined) return;
    const index = indexOf(names, username);
    if (names[index] === username) names.splice(index, 1);
  }

  /** The line that answers. */
  line(scope: UserScope): Uint8Array {
    if (scope === "all") return this.#all ??= lineOf(scope, this.usernames);
    const { onlineChanges: changes } = this.#parts;
    if (this.#online?.changes !== changes) this.#online = { line: lineOf(scope, this.#parts.online), changes };
    return this.#online.line;
  }
}

function lineOf(scope: UserScope, users: readonly string[]): Uint8Array {
  return lineBytes({ command: "USER_LIST", scope, users });
}

/** The index of `name`, or where it would be. The order is that of `Array.sort`: by UTF-16 units, as in `<`. */
function indexOf(names: readonly string[], name: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (names[middle]! < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
