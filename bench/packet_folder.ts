/**
 * A data folder with much in it: accounts, entries of many origins, and messages that wait for one user. Made
 * with the journal itself.
 */

import { makeVerifier } from "../server/accounts/verifier.ts";
import { EVERYONE } from "../log/segment.ts";
import { Journal } from "../server/journal/journal.ts";
import { nodeCrypto } from "../platform/crypto.ts";
import { realClock } from "../platform/real_clock.ts";
import { parseEntry } from "../protocol/entry_codec.ts";
import { encodeBroadcast } from "../protocol/server_codec.ts";
import { openSqliteStore } from "../server/store/sqlite/sqlite_store.ts";

/** How much of each. */
export interface FolderSizes {
  readonly accounts: number;
  readonly entries: number;
  readonly origins: number;
  readonly waiting: number;
}

/** The secret of every account. */
export const SECRET = "open sesame";
/** For whom messages wait. */
export const RECEIVER = "user-1";
const PER_TURN = 1_000;

/** The name of an account. */
export function userName(number: number): string {
  return `user-${number}`;
}

/** The name of another origin. */
export function originName(number: number): string {
  return `s-${number.toString(16).padStart(12, "0")}`;
}

/** Fills `folder`. */
export async function fillFolder(folder: string, sizes: FolderSizes): Promise<void> {
  const store = openSqliteStore({ folder, makeServerId: () => "s-ffffffffffff", synchronous: "normal" });
  const clock = { ...realClock, endOfTurn: () => {} };
  const kept = { tailBytes: 1_048_576, messagesWaitMs: 86_400_000 };
  const journal = new Journal(store, clock, kept, {
    committed: () => {},
    failed: (error) => {
      throw error;
    },
  });
  const verifier = await makeVerifier(SECRET, nodeCrypto);
  for (let number = 1; number <= sizes.accounts; number++) {
    journal.register({ username: userName(number), verifier, claim: number }, () => {});
    if (number % PER_TURN === 0) journal.flush();
  }
  journal.flush();
  for (let number = 1; number <= sizes.waiting; number++) {
    const message = { from: userName(2), to: RECEIVER, text: `message ${number}`, messageId: `m-${number}` };
    journal.directMessages.send({ ...message, lamport: undefined, after: undefined });
    if (number % PER_TURN === 0) journal.flush();
  }
  journal.flush();
  const sequences = new Map<string, number>();
  const text = "x".repeat(100);
  for (let number = 1; number <= sizes.entries; number++) {
    const activity = `{"n":${number},"text":"${text}"}`;
    if (number % 4 === 0) {
      journal.publish({
        activity,
        username: "anonymous",
        quotedUsername: '"anonymous"',
        messageId: undefined,
        lamport: 0,
      });
    } else {
      const origin = originName(number % sizes.origins);
      const sequence = (sequences.get(origin) ?? 0) + 1;
      sequences.set(origin, sequence);
      const facts = { origin, sequence, lamport: number, sentAt: realClock.wallMs(), messageId: undefined };
      const line = encodeBroadcast({ ...facts, activity, quotedUsername: '"anonymous"', after: undefined });
      journal.replicate({ origin, sequence, audience: EVERYONE, line, facts: parseEntry(line.trimEnd())! });
    }
    if (number % PER_TURN === 0) journal.flush();
  }
  journal.flush();
  store.close();
}
