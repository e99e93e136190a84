/** Verifiers of earlier versions go, wherever they are in a folder, and their users log in as before. */

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { linesOf, type Segment, SERVERS } from "../../../../log/segment.ts";
import { nodeCrypto } from "../../../../platform/crypto.ts";
import { formerDigestOf } from "../../../../protocol/former_digest.ts";
import { encodeAccount } from "../../../../protocol/entry_codec.ts";
import { makeVerifier, matchesVerifier } from "../../../../server/accounts/verifier.ts";
import { verifierChange } from "../../../../server/accounts/verifier_change.ts";
import { openSqliteStore } from "../../../../server/store/sqlite/sqlite_store.ts";
import type { Store } from "../../../../server/store/store.ts";
import { rowChecksum } from "../../../../server/store/sqlite/checksum.ts";
import { batchOf } from "../../../support/log_writer.ts";
import { DatabaseSync } from "node:sqlite";

const FOLDER = new URL("folder_of_0_1_0/", import.meta.url);
const verifiers = verifierChange(nodeCrypto);

function open(folder: string, more: object = {}): Store {
  return openSqliteStore({ folder, makeServerId: () => "s-2", synchronous: "normal", ...more });
}

function withFolder(use: (folder: string) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const folder = Deno.makeTempDirSync({ prefix: "thrum-verifiers-" });
    try {
      await use(folder);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  };
}

/** A segment with the registration of anna alone. */
function registration(verifier: string): Segment {
  const at = { origin: "s-2", sequence: 1, lamport: 1, sentAt: 1 };
  const bytes = new TextEncoder().encode(encodeAccount({ username: "anna", verifier, claim: 1, ...at }));
  return { position: 1, origin: "s-2", first: 1, last: 1, audience: SERVERS, takenAt: 1, bytes };
}

/** All bytes of all files whose name begins so, as text. */
function contentOf(folder: string, prefix = ""): string {
  const decoder = new TextDecoder("latin1");
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.startsWith(prefix));
  return names.map((name) => decoder.decode(Deno.readFileSync(`${folder}/${name}`))).join();
}

/** Log files have a turn until they go. Nobody reads it there any more. */
const DATABASE = "thrum.sqlite";

/** The lines of the log, each with its id. */
function logOf(store: Store): Map<string, string> {
  const lines = store.segmentsAfter(0, Infinity).flatMap((segment) =>
    linesOf(segment.bytes).map((line, index) => [`${segment.origin}:${segment.first + index}`, line] as const)
  );
  return new Map(lines);
}

Deno.test(
  "a folder of 0.1.0 has no verifier left that is as good as its secret, in no file",
  withFolder((folder) => {
    for (const name of ["thrum.sqlite", "log-00000001.bytes"]) {
      Deno.writeFileSync(`${folder}/${name}`, gunzipSync(Deno.readFileSync(new URL(`${name}.gz`, FOLDER))));
    }
    const before = open(folder);
    const accounts = before.usernames().map((username) => before.account(username)!);
    const log = logOf(before);
    before.close();
    const keys = accounts.map(({ verifier }) => verifier.split("$")[3]!);
    assert(keys.length > 0);
    for (const key of keys) assert(contentOf(folder).includes(key));

    const after = open(folder, { verifiers });
    // Also while it is in use: the write-ahead log is cut.
    for (const key of keys) assert(!contentOf(folder).includes(key));
    for (const { verifier, ...account } of accounts) {
      const { verifier: now, ...rest } = after.account(account.username)!;
      assertEquals<unknown>(rest, account);
      assertMatch(now, /^scram\$16384\$[0-9a-f]{32}\$[0-9a-f]{64}\$[0-9a-f]{64}$/);
      assertEquals(now.split("$")[2], verifier.split("$")[2]);
    }
    const changed = logOf(after);
    assertEquals([...changed.keys()], [...log.keys()]);
    let count = 0;
    for (const [id, line] of changed) {
      if (line === log.get(id)) continue;
      count++;
      // Servers that have the line as it was see that it is the same entry.
      assertEquals(formerDigestOf(line), nodeCrypto.digest(log.get(id)!).slice(0, 32));
      const { verifier, was: _, ...fields } = JSON.parse(line);
      const { verifier: __, ...former } = JSON.parse(log.get(id)!);
      assertEquals(fields, former);
      assertEquals(verifier, after.account(fields.username)?.verifier);
    }
    assertEquals(count, keys.length);
    after.close();
    const again = open(folder, { verifiers });
    assertEquals(logOf(again), changed);
    again.close();
  }),
);

Deno.test(
  "users log in with their secrets after the change, and a server that was only killed in between goes on with it",
  withFolder(async (folder) => {
    const earlier = await makeVerifier("open sesame", nodeCrypto, "earlier");
    assertMatch(earlier, /^scrypt\$16384\$[0-9a-f]{32}\$[0-9a-f]{64}$/);
    const store = open(folder);
    const accounts = [{ username: "anna", verifier: earlier, lamport: 1, origin: "s-2" }];
    store.commit(batchOf({ segments: [registration(earlier)], accounts }));
    store.close();
    open(folder, { verifiers }).close();
    // As it is when it was killed with the rows changed, and what they were not erased.
    const note = (value?: string) => {
      const database = new DatabaseSync(`${folder}/thrum.sqlite`);
      if (value !== undefined) {
        database.prepare("UPDATE notes SET value = ?, checksum = ? WHERE key = 'verifiers'")
          .run(value, rowChecksum("notes", "verifiers", value));
      }
      const found = database.prepare("SELECT value FROM notes WHERE key = 'verifiers'").get();
      database.close();
      return found?.value;
    };
    assertEquals(note("changing"), "changing");
    const after = open(folder, { verifiers });
    const { verifier } = after.account("anna")!;
    assertNotEquals(verifier, earlier);
    assertEquals(await matchesVerifier("open sesame", verifier, nodeCrypto), true);
    assertEquals(await matchesVerifier("open sesam", verifier, nodeCrypto), false);
    assertEquals(await matchesVerifier("open sesame", earlier, nodeCrypto), true);
    after.close();
    assertEquals(note(), "changed");
    assert(!contentOf(folder, DATABASE).includes(earlier.split("$")[3]!));
  }),
);

Deno.test(
  "verifiers stay as they are while servers of earlier versions have to read them, and change later",
  withFolder(async (folder) => {
    open(folder, { verifiers }).close();
    // In between the operator lets older servers in again.
    const store = open(folder);
    const verifier = await makeVerifier("open sesame", nodeCrypto, "earlier");
    // Another account may have the name by now: only the log has this one.
    store.commit(batchOf({ segments: [registration(verifier)] }));
    store.close();
    assert(contentOf(folder, DATABASE).includes(verifier));
    open(folder, { verifiers }).close();
    assert(!contentOf(folder, DATABASE).includes(verifier.split("$")[3]!));
  }),
);
