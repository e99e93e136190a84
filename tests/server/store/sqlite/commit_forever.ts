/**
 * Commits to the data folder that it is given, without end, until it is killed: one activity, account, message id and
 * cursor in each batch, and a large segment now and then. The others have as many bytes more as the second argument
 * says. Prints each sequence as soon as it is committed. The machine calls its start `b-1`.
 */

import { openSqliteStore } from "../../../../server/store/sqlite/sqlite_store.ts";
import { batchOf, LogWriter } from "../../../support/log_writer.ts";

const store = openSqliteStore({
  folder: Deno.args[0]!,
  makeServerId: () => "s-1",
  synchronous: "normal",
  boot: () => "b-1",
});
const smallText = "x".repeat(Number(Deno.args[1] ?? 0));
const log = new LogWriter();
for (let sequence = 1;; sequence++) {
  const username = `user-${sequence}`;
  const text = sequence % 50 === 0 ? "x".repeat(200_000) : smallText;
  const segment = log.segment({ text, uses: [{ username, messageId: "m" }] });
  store.commit(batchOf({
    segments: [segment],
    accounts: [{ username, verifier: "v", lamport: sequence, origin: "a" }],
    messageIds: [{ username, messageId: "m", origin: "a", sequence, usedAt: sequence }],
    cursors: [{ id: 1, username, position: sequence, lost: false }],
    lamport: sequence,
  }));
  Deno.stdout.writeSync(new TextEncoder().encode(`${sequence}\n`));
}
