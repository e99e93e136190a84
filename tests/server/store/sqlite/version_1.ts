/**
 * Makes a database as version 1 of it was written, when all bytes were in rows. Its statements are those of that
 * time and do not change.
 */

import { DatabaseSync } from "node:sqlite";
import type { Segment } from "../../../../log/segment.ts";
import { MIGRATIONS } from "../../../../server/store/sqlite/migrations/migrations.ts";

/** Writes a database of version 1 to `path`, with `segments` of one origin in it, none of them for a single user. */
export function makeVersion1(path: string, serverId: string, segments: readonly Segment[]): void {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA page_size = 8192");
  database.exec("PRAGMA journal_mode = WAL");
  for (const statement of MIGRATIONS[0]!.statements) database.exec(statement);
  database.exec("PRAGMA user_version = 1");
  database.prepare("INSERT INTO state VALUES (1, ?, 0)").run(serverId);
  database.prepare("INSERT INTO origins (name) VALUES (?)").run(segments[0]!.origin);
  const insert = database.prepare("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  let activities = 0;
  let activityBytes = 0;
  for (const { position, first, last, audience, takenAt, bytes } of segments) {
    const isForEveryone = audience.kind === "everyone";
    if (isForEveryone) {
      activities += last - first + 1;
      activityBytes += bytes.length;
    }
    const lamport = position;
    insert.run(
      position,
      1,
      first,
      last,
      isForEveryone ? 0 : 2,
      null,
      takenAt,
      lamport,
      activities,
      activityBytes,
      bytes,
    );
  }
  database.close();
}
