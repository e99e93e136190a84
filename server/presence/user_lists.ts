/**
 * The answers to LIST_USERS. Names of accounts are read once and kept in their order; an answer is made when it is
 * asked for after something has changed, and is the same bytes for all who ask until the next change: however often
 * somebody asks, it costs a write.
 */

import type { UserScope } from "../../protocol/message.ts";
import { lineBytes } from "../../protocol/server_codec.ts";

/** Where the names are. */
export interface UserListsParts {
  /** Every registered name, in the order of `Array.sort`. */
  readUsernames(): readonly string[];
  /** Who is listed as online, in the same order. */
  readonly online: readonly string[];
  /** Is another number whenever `online` has changed. */
  readonly onlineChanges: number;
}

/** One server's. */
export class UserLists {
  readonly #parts: UserListsParts;
  /** Absent until somebody asks. */
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

  /** These names have accounts. Some may have had one before. */
  registered(usernames: readonly string[]): void {
    // Whoever asks first reads them from the store.
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

/** Where `name` stands, or would. The order is that of `Array.sort`: by UTF-16 units, as `<` has it. */
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
