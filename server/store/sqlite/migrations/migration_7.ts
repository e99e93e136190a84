/**
 * From version 6 of `thrum.sqlite` to version 7: an index of the rows whose segments have channels, and what is
 * forgotten of which channel.
 */

/** The statements of the migration. */
export const TO_7: readonly string[] = [
  // All of a row but bytes. A reader passes over such segments without reading the rows, which have the bytes of small
  // segments. Rows without channels are not in it, and cost nothing more.
  `CREATE INDEX segments_with_channels ON segments (
    position, origin, first, last, audience, username, taken_at, lamport, activities, activity_bytes, form, size, file,
    start, length, bare_checksum, channels, checksum
  ) WHERE channels IS NOT NULL`,
  // `channels` is a text: in each line a channel, and behind a tab the newest forgotten sequence of it. An origin
  // without a row: what is forgotten of it may have been of any channel.
  `CREATE TABLE lost_channels (
    origin INTEGER PRIMARY KEY,
    channels TEXT NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT`,
];
