/**
 * The migration from 0.1.0, with a folder that its server made: two servers in one network, accounts on both, small and
 * large turns, some of them forgotten, message ids with and without a name, and direct messages from both servers to
 * somebody who was away.
 */

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import type { Segment } from "../../../../log/segment.ts";
import { decodeFrame } from "../../../../server/store/sqlite/frame.ts";
import { openSqliteStore } from "../../../../server/store/sqlite/sqlite_store.ts";
import { type Account, DamagedError, type Store } from "../../../../server/store/store.ts";
import { makeVersion4 } from "./version_4.ts";
import { batchOf, LogWriter } from "../../../support/log_writer.ts";
import { change, withFolder } from "./_small_files.ts";

const FOLDER = new URL("folder_of_0_1_0/", import.meta.url);

/** What the program of 0.1.0 said of the folder. */
interface Expected {
  readonly opened: Record<string, unknown>;
  readonly segments: (Omit<Segment, "bytes"> & { readonly sha256: string })[];
  readonly accounts: Account[];
  readonly inboxes: Record<string, { origin: string; sequence: number; line: string }[]>;
  readonly missing: unknown;
  readonly messageIds: { username: string; message_id: string; origin: string; sequence: number }[];
}

const expected: Expected = JSON.parse(Deno.readTextFileSync(new URL("expected.json", FOLDER)));

/** The folder as the server left it. */
function restore(folder: string): void {
  for (const name of ["thrum.sqlite", "log-00000001.bytes"]) {
    Deno.writeFileSync(`${folder}/${name}`, gunzipSync(Deno.readFileSync(new URL(`${name}.gz`, FOLDER))));
  }
}

const open = (folder: string): Store => openSqliteStore({ folder, makeServerId: () => "s-2", synchronous: "normal" });

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice()));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Asks the store everything, and compares. */
async function assertIsWhole(store: Store): Promise<void> {
  assertEquals({ ...store.opened }, { ...expected.opened, places: [], notes: {}, tombstones: {} } as never);
  const segments = store.segmentsAfter(0, Infinity);
  const digests = await Promise.all(
    segments.map(async ({ bytes, ...rest }) => ({ ...rest, sha256: await sha256(bytes) })),
  );
  assertEquals(digests, expected.segments);
  assertEquals(store.usernames().map((username) => store.account(username)), expected.accounts);
  for (const [username, messages] of Object.entries(expected.inboxes)) {
    const found = store.inboxOf(username);
    const lines = await Promise.all(found.map(async ({ line, origin, sequence }) => (
      { origin, sequence, line: line.length > 300 ? await sha256(new TextEncoder().encode(line)) : line }
    )));
    assertEquals(lines, messages);
    assertEquals(store.inboxSizes.get(username) ?? 0, messages.length);
    for (const { origin, sequence } of messages) {
      const range = { origin, first: sequence, last: sequence };
      assertEquals(
        store.inboxRange(username, range, 0),
        found.filter((message) => message.origin === origin && message.sequence === sequence),
      );
    }
  }
  assertEquals(store.missing({}), expected.missing as never);
  for (const { username, message_id, origin, sequence } of expected.messageIds) {
    const used = store.usedMessageId(username, message_id);
    assertEquals([used?.origin, used?.sequence], [origin, sequence], message_id);
  }
  assertEquals(store.usedMessageId("anna", "never"), undefined);
}

Deno.test("openSqliteStore() takes a folder of 0.1.0 over, whole", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "thrum-store-" });
  try {
    restore(folder);
    assertGreater(expected.messageIds.length, 200);
    for (let time = 0; time < 3; time++) {
      using store = open(folder);
      await assertIsWhole(store);
    }
    // And goes on with it.
    const { head, vector, serverId } = expected.opened as {
      head: number;
      vector: Record<string, number>;
      serverId: string;
    };
    const next = { ...new LogWriter().segment({ text: "x".repeat(9_000) }), position: head + 1, origin: serverId };
    const sequence = vector[serverId]! + 1;
    {
      using store = open(folder);
      store.commit(batchOf({ segments: [{ ...next, first: sequence, last: sequence }] }));
      store.commit(batchOf({ delivered: expected.inboxes["zoë 😀"]!.slice(0, 3) }));
    }
    using store = open(folder);
    assertEquals(store.segmentsAfter(head, Infinity), [{ ...next, first: sequence, last: sequence }]);
    assertEquals(store.inboxOf("zoë 😀").length, expected.inboxes["zoë 😀"]!.length - 3);
    store.forget({ takenBefore: Infinity, maxBytes: 0, directMessagesBefore: Infinity, usedBefore: Infinity });
    assertEquals([store.inboxSize, store.usedMessageId("anna", "a-5")], [0, undefined]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("after the migration all segments in rows are frames, and none of the old tables is left", () => {
  withFolder((folder) => {
    restore(folder);
    open(folder).close();
    using database = Object.assign(new DatabaseSync(`${folder}/thrum.sqlite`), { [Symbol.dispose]() {} });
    const rows = database.prepare("SELECT form, file, bytes FROM segments ORDER BY position").all();
    for (const { form, file, bytes } of rows) {
      assertEquals(form, file === null ? 1 : 0);
      if (file === null) assert(decodeFrame(bytes as Uint8Array).ok);
      else assertEquals(bytes, null);
    }
    assertEquals(rows.filter(({ file }) => file !== null).length, 2);
    const old = database.prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'old_%'").all();
    assertEquals(old, []);
    database.close();
  });
});

Deno.test("a flipped bit in a file of 0.1.0 is found", () => {
  withFolder((folder) => {
    restore(folder);
    const path = `${folder}/log-00000001.bytes`;
    const end = Deno.statSync(path).size;
    using store = open(folder);
    const byte = Deno.readFileSync(path)[end - 100]!;
    change(path, end - 100, new Uint8Array([byte ^ 0x10]));
    let found: unknown;
    try {
      store.segmentsAfter(0, Infinity);
    } catch (error) {
      found = error;
    }
    assert(found instanceof DamagedError);
    const { position, origin, first, last } = found;
    assertEquals(
      { position, origin, first, last },
      { position: 16, origin: expected.opened["serverId"], first: 209, last: 248 } as never,
    );
  });
});

Deno.test("a message of 0.1.0 whose segment is gone keeps its line", () => {
  withFolder((folder) => {
    restore(folder);
    const database = new DatabaseSync(`${folder}/thrum.sqlite`);
    database.exec("DELETE FROM segments WHERE position = 21");
    const lines = database.prepare("SELECT line FROM inbox WHERE username LIKE 'zo%' ORDER BY place").all();
    database.close();
    using store = open(folder);
    assertEquals(store.inboxOf("zoë 😀").map(({ line }) => ({ line })), lines as never);
  });
});

Deno.test("a migration that fails leaves the folder as it was", () => {
  withFolder((folder) => {
    restore(folder);
    const damage = new DatabaseSync(`${folder}/thrum.sqlite`);
    // No audience has this number.
    damage.exec("UPDATE segments SET audience = 9 WHERE position = 17");
    damage.close();
    let message = "";
    try {
      open(folder).close();
    } catch (error) {
      message = String(error);
    }
    assert(message.includes('a row of its table "segments" has changed'), message);
    const database = new DatabaseSync(`${folder}/thrum.sqlite`);
    assertEquals(database.prepare("PRAGMA user_version").get()!["user_version"], 4);
    database.exec("UPDATE segments SET audience = 0 WHERE position = 17");
    database.close();
    using store = open(folder);
    assertEquals(store.opened.head, expected.opened["head"] as number);
  });
});

Deno.test("the migration of 300,000 entries takes seconds", () => {
  withFolder((folder) => {
    makeVersion4(folder, { segments: 100_000, lines: 3, messageIds: 100_000, waiting: 10_000 });
    const before = performance.now();
    using store = open(folder);
    const tookMs = performance.now() - before;
    assertEquals(store.opened.head, 100_000);
    assertEquals(store.inboxSize, 10_000);
    // Two seconds on a quiet machine; this is generous, so that it fails only for what grows faster than the folder.
    assertLess(tookMs, 60_000);
  });
});
