/**
 * Makes a data folder as version 4 of the database was written, as large as one likes. Its statements are those of that
 * time and do not change.
 */

import { DatabaseSync } from "node:sqlite";
import { MIGRATIONS } from "../../../../server/store/sqlite/migrations/migrations.ts";

/** How much is in it. */
export interface Version4 {
  /** Each for everyone; every tenth for a user. */
  readonly segments: number;
  readonly lines: number;
  readonly messageIds: number;
  /** Direct messages that wait: at most a tenth of `segments`. */
  readonly waiting: number;
}

/** Writes `thrum.sqlite` into `folder`. */
export function makeVersion4(folder: string, { segments, lines, messageIds, waiting }: Version4): void {
  const database = new DatabaseSync(`${folder}/thrum.sqlite`);
  database.exec("PRAGMA page_size = 8192");
  database.exec("PRAGMA journal_mode = WAL");
  for (const { statements } of MIGRATIONS.slice(0, 4)) statements.forEach((statement) => database.exec(statement));
  database.exec("PRAGMA user_version = 4");
  database.exec("BEGIN");
  database.exec("INSERT INTO state VALUES (1, 's-old', 7, 0)");
  database.exec("INSERT INTO origins (name) VALUES ('s-old')");
  const insert = database.prepare(`INSERT INTO segments VALUES (${Array(15).fill("?").join()})`);
  const insertMessage = database.prepare("INSERT INTO inbox VALUES (?, 's-old', ?, 1000, 'bob', ?)");
  const line = `${"x".repeat(170)}\n`;
  const bytes = new TextEncoder().encode(line.repeat(lines));
  let [activities, left] = [0, waiting];
  for (let position = 1; position <= segments; position++) {
    const first = (position - 1) * lines + 1;
    const isForBob = position % 10 === 0;
    if (!isForBob) activities += lines;
    const facts = [position, 1, first, first + lines - 1, isForBob ? 1 : 0, isForBob ? "bob" : null, 1_000, position];
    insert.run(...facts, activities, activities * line.length, bytes, null, null, null, null);
    if (isForBob && left-- > 0) insertMessage.run(position, first, line);
  }
  const insertId = database.prepare("INSERT INTO message_ids VALUES (?, ?, 's-old', ?, ?)");
  for (let id = 1; id <= messageIds; id++) {
    insertId.run(`user-${id % 100}`, `message-${id}-of-some-length`, id, 1_000 + id);
  }
  database.exec("COMMIT");
  database.close();
}
