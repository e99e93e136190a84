/**
 * Accounts whose origins are forgotten. Their entries are in no log any more, so servers hand on the accounts
 * themselves. A greeting says in short which accounts a server has. A server with other accounts asks for all of them.
 * An account that comes counts as if its entry had come: the older claim wins.
 */

import type { WireAccountsSummary } from "../../../protocol/message.ts";
import { type AccountsMessage, MAX_WIRE_ACCOUNTS } from "../../../protocol/peer/origin_message.ts";
import { encodeLine } from "../../../protocol/server_codec.ts";
import type { Account } from "../../store/store.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { Journal } from "../../journal/journal.ts";
import type { PeerLink } from "../peer_link.ts";

/** What they are found with. */
export interface OrphanAccountsParts {
  readonly journal: Journal;
  readonly clock: Clock;
  /** SHA-256, in hexadecimal digits. */
  digest(text: string): string;
}

/** There where a server has, or had, such accounts: else nobody looks for them. */
const NOTE = "orphans";
/** Accounts that are read at once. */
const READ_ACCOUNTS = 1_000;
/** Digits of a digest that count, as two numbers. */
const DIGEST_DIGITS = 12;

/** One server's. */
export class OrphanAccounts {
  readonly #parts: OrphanAccountsParts;
  #summary: WireAccountsSummary | undefined;
  #mayHave: boolean;

  /** `notes` are those of the store when it was opened. */
  constructor(parts: OrphanAccountsParts, notes: Readonly<Record<string, string>>) {
    this.#parts = parts;
    this.#mayHave = notes[NOTE] !== undefined;
  }

  /** Which there are, in short. */
  get summary(): WireAccountsSummary {
    return this.#summary ??= this.#summarize();
  }

  /** Origins were forgotten, or go on. */
  changed(): void {
    this.#summary = undefined;
    if (this.#mayHave) return;
    this.#mayHave = true;
    this.#parts.journal.saveNote(NOTE, "1");
  }

  /** Sends all of them, in portions that the link takes. */
  sendTo(link: PeerLink): void {
    const { clock } = this.#parts;
    let after = "";
    const go = () => {
      if (link.isOver) return;
      // Looked at again soon: a link that is full is watched, and ends when it takes nothing.
      if (link.isFull) return void clock.after(20, go);
      const { accounts, last } = this.#read(after);
      const more = last !== undefined;
      after = last ?? after;
      const message: AccountsMessage = {
        command: "ACCOUNTS",
        accounts: accounts.map(({ lamport: claim, ...account }) => ({ ...account, claim })),
        more,
      };
      link.writeSealed(encodeLine(message));
      if (more) clock.after(0, go);
    };
    go();
  }

  /** Another server has these. */
  took({ accounts }: AccountsMessage): void {
    if (accounts.length === 0) return;
    this.#parts.journal.takeAccounts(accounts.map(({ claim: lamport, ...account }) => ({ ...account, lamport })));
    this.changed();
  }

  /** Some that come after this name; `last` where there may be more, after that. */
  #read(after: string): { readonly accounts: Account[]; readonly last: string | undefined } {
    const { journal } = this.#parts;
    if (!this.#mayHave) return { accounts: [], last: undefined };
    const limit = Math.min(READ_ACCOUNTS, MAX_WIRE_ACCOUNTS);
    const read = journal.accountsAfter(after, limit);
    const accounts = read.filter(({ origin }) => !Object.hasOwn(journal.vector, origin));
    return { accounts, last: read.length < limit ? undefined : read.at(-1)!.username };
  }

  #summarize(): WireAccountsSummary {
    const { digest } = this.#parts;
    let count = 0;
    // Of any order: names come in that of their bytes here, and may come otherwise elsewhere.
    let [high, low] = [0, 0];
    for (let after: string | undefined = ""; after !== undefined;) {
      const read: { accounts: Account[]; last: string | undefined } = this.#read(after);
      for (const { username, verifier, lamport, origin } of read.accounts) {
        const text = digest([username, verifier, lamport, origin].join("\0"));
        high ^= Number.parseInt(text.slice(0, DIGEST_DIGITS / 2), 16);
        low ^= Number.parseInt(text.slice(DIGEST_DIGITS / 2, DIGEST_DIGITS), 16);
        count++;
      }
      after = read.last;
    }
    const hex = [high, low].map((part) => part.toString(16).padStart(DIGEST_DIGITS / 2, "0")).join("");
    return { count, digest: hex };
  }
}
