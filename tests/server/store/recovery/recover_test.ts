/**
 * Damaged folders, and what is brought back of them: whatever is kept is as it was written, and
 * whatever is not is named.
 */

import { assert, assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import { type Audience, EVERYONE, type Segment, SERVERS } from "../../../../log/segment.ts";
import type { Vector } from "../../../../log/vector.ts";
import { recoverFolder, type Recovery } from "../../../../server/store/recovery/recover.ts";
import type { Store, StoredMessage } from "../../../../server/store/store.ts";
import { filesIn, open, withFolder } from "../sqlite/_small_files.ts";

const OWN = "s-1";
const OTHER = "s-2";
const NEW_NAME = "s-9";
const FOR_BOB: Audience = { kind: "user", username: "bob" };
const decoder = new TextDecoder();

/** What a folder had before it was damaged. */
interface Original {
  readonly lines: ReadonlyMap<string, string>;
  readonly accounts: readonly string[];
  readonly waiting: readonly string[];
}

/** A log of two origins, of every audience, in rows and in files. */
function fill(folder: string): Original {
  using store = open(folder, { serverId: OWN, fileSizes: { segment: 60, file: 400, sync: Infinity } });
  const accounts: string[] = [];
  const waiting: string[] = [];
  const next: Record<string, number> = {};
  let position = 0;
  for (let turn = 0; turn < 24; turn++) {
    const segments: Segment[] = [];
    const directMessages: StoredMessage[] = [];
    const add = (origin: string, audience: Audience, lines: readonly string[]) => {
      const first = (next[origin] ?? 0) + 1;
      next[origin] = first + lines.length - 1;
      const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
      segments.push({ position: ++position, origin, first, last: next[origin]!, audience, takenAt: turn, bytes });
    };
    const origin = turn % 3 === 2 ? OTHER : OWN;
    add(
      origin,
      EVERYONE,
      Array.from({ length: turn % 4 + 1 }, (_, n) => `{"lamport":${turn},"n":"${"x".repeat(turn)}${n}"}`),
    );
    if (turn % 5 === 0) {
      const line = JSON.stringify({
        command: "DIRECT_MESSAGE",
        from: "ann",
        to: "bob",
        text: `t${turn}`,
        sentAt: 1,
        lamport: turn,
      });
      add(origin, FOR_BOB, [line]);
      directMessages.push({ origin, sequence: next[origin]!, to: "bob", line: `${line}\n` });
      waiting.push(`${origin}:${next[origin]} ${line}`);
    }
    const newAccounts = turn % 6 === 1
      ? [{ username: `user${turn}`, verifier: `v${turn}`, lamport: turn, origin }]
      : [];
    for (const { username, verifier, lamport } of newAccounts) {
      add(origin, SERVERS, [JSON.stringify({ command: "ACCOUNT", username, verifier, claim: lamport, lamport })]);
      accounts.push(`${username} ${verifier}`);
    }
    const messageId = { username: "ann", messageId: `m${turn}`, origin, sequence: next[origin]!, usedAt: turn };
    store.commit({
      ...{ segments, directMessages, accounts: newAccounts, messageIds: [messageId], cursors: [], endedCursors: [] },
      lamport: turn,
      notes: { [`k${turn}`]: "v" },
    });
  }
  return { lines: linesOf(store), accounts, waiting };
}

function linesOf(store: Store): Map<string, string> {
  const found = new Map<string, string>();
  for (let position = 0;;) {
    const segments = store.segmentsAfter(position, 1_000_000);
    if (segments.length === 0) return found;
    for (const { origin, first, last, audience, bytes, ...segment } of segments) {
      const lines = decoder.decode(bytes).split("\n");
      for (let sequence = first; sequence <= last; sequence++) {
        found.set(`${origin}:${sequence}`, `${JSON.stringify(audience)} ${lines[sequence - first]}`);
      }
      position = segment.position;
    }
  }
}

function recover(folder: string, peers: Vector = {}): Recovery {
  return recoverFolder({ folder, makeServerId: () => NEW_NAME, peers });
}

/** Asserts that all that is kept is as it was, that all that is not is named, and that the folder can be used. */
function check(folder: string, recovery: Recovery, before: Original): void {
  using store = open(folder, { serverId: "unused" });
  const kept = linesOf(store);
  for (const [id, line] of kept) assertEquals(line, before.lines.get(id), id);
  const origins = new Map(recovery.origins.map((origin) => [origin.origin, origin]));
  for (const id of before.lines.keys()) {
    if (kept.has(id)) continue;
    const [origin, sequence] = [id.slice(0, id.lastIndexOf(":")), Number(id.slice(id.lastIndexOf(":") + 1))];
    const found = origins.get(origin);
    if (found === undefined) {
      assert(recovery.needsNewName, id);
      continue;
    }
    const isNamed = found.missing.some(({ first, last }) => first <= sequence && sequence <= last);
    const isEnd = sequence > found.last && !found.isEndKnown;
    const comesAgain = found.cutAfter !== undefined && sequence > found.cutAfter;
    // Behind what the database tells nothing can be known, so this server gives no number there again.
    const isBehind = sequence > found.last && (origin !== OWN || recovery.needsNewName);
    assert(isNamed || isEnd || comesAgain || isBehind, `${id} is lost and not named: ${JSON.stringify(recovery)}`);
  }
  assertEquals(store.opened.serverId, recovery.serverId);
  const own = store.opened.vector[recovery.serverId] ?? 0;
  if (recovery.serverId === OWN) {
    assertEquals(
      own,
      Math.max(...[...before.lines.keys()].filter((id) => id.startsWith(OWN)).map((id) => Number(id.slice(4)))),
    );
  }
  for (const { username, verifier } of store.accountsAfter("", 100)) {
    assert(before.accounts.includes(`${username} ${verifier}`));
  }
  for (const { origin, sequence, line } of store.inboxOf("bob")) {
    assert(before.waiting.includes(`${origin}:${sequence} ${line.trimEnd()}`));
  }
  const bytes = new TextEncoder().encode("{}\n");
  const next = { origin: recovery.serverId, first: own + 1, last: own + 1, audience: EVERYONE, takenAt: 99, bytes };
  store.commit({
    ...{ accounts: [], messageIds: [], cursors: [], endedCursors: [], lamport: 99 },
    segments: [{ ...next, position: store.opened.head + 1 }],
  });
}

function flip(path: string, bit: number): void {
  const bytes = Deno.readFileSync(path);
  bytes[(bit >>> 3) % bytes.length]! ^= 1 << (bit & 7);
  Deno.writeFileSync(path, bytes);
}

function copyOf(folder: string, run: (copy: string) => void): void {
  withFolder((parent) => {
    const copy = `${parent}/data`;
    Deno.mkdirSync(copy);
    for (const { name, isFile } of Deno.readDirSync(folder)) {
      if (isFile) Deno.copyFileSync(`${folder}/${name}`, `${copy}/${name}`);
    }
    run(copy);
  });
}

Deno.test("recoverFolder() keeps all of a folder that is whole, under its name", () => {
  withFolder((folder) => {
    const before = fill(folder);
    const recovery = recover(folder);
    assertEquals([recovery.serverId, recovery.needsNewName, recovery.entries], [OWN, false, before.lines.size]);
    assertEquals([recovery.accounts, recovery.messages], [{ kept: 4, lost: 0 }, { kept: 5, lost: 0 }]);
    assertEquals(recovery.others.lost, 0);
    check(folder, recovery, before);
    using store = open(folder, { serverId: "unused" });
    assertEquals(store.usedMessageId("ann", "m3")?.origin, OWN);
    assertEquals(store.opened.notes["k5"], "v");
  });
});

Deno.test("recoverFolder() names the entries of a frame that has changed, and keeps all others and the name", () => {
  withFolder((folder) => {
    const before = fill(folder);
    flip(`${folder}/${filesIn(folder)[1]}`, 8 * 150);
    const recovery = recover(folder);
    const missing = recovery.origins.flatMap(({ origin, missing }) =>
      missing.map(({ first, last }) => ({ origin, first, last }))
    );
    assertEquals(missing.length, 1);
    const { first, last } = missing[0]!;
    assertEquals(recovery.entries, before.lines.size - (last - first + 1));
    assertEquals(recovery.serverId, OWN);
    check(folder, recovery, before);
    // The damaged file is kept beside the old database.
    const saved = [...Deno.readDirSync(recovery.savedIn)].map(({ name }) => name);
    assert(saved.includes("thrum.sqlite") && saved.some((name) => name.endsWith(".bytes")), saved.join());
    using store = open(folder, { serverId: "unused" });
    const { origin } = missing[0]!;
    const used = Array.from({ length: 99 }, (_, turn) => store.usedMessageId("ann", `m${turn}`) ?? []).flat();
    assertGreater(used.length, 5);
    const isLost = (one: { origin: string; sequence: number }) =>
      one.origin === origin && one.sequence >= first && one.sequence <= last;
    assertEquals(used.filter(isLost), []);
  });
});

Deno.test("recoverFolder() ends an origin before the first missing entry where other servers have the rest", () => {
  withFolder((folder) => {
    const before = fill(folder);
    flip(`${folder}/${filesIn(folder)[1]}`, 8 * 150);
    let damaged: Recovery | undefined;
    copyOf(folder, (copy) => damaged = recover(copy));
    const { origin, missing: [hole] } = damaged!.origins.find(({ missing }) => missing.length > 0)!;
    const recovery = recover(folder, { [OWN]: 1_000, [OTHER]: 1_000 });
    assertEquals(recovery.origins.find((one) => one.origin === origin)?.cutAfter, hole!.first - 1);
    assertEquals(recovery.needsNewName, origin === OWN);
    check(folder, recovery, before);
    using store = open(folder, { serverId: "unused" });
    assertEquals(store.opened.vector[origin], hole!.first - 1);
  });
});

Deno.test("recoverFolder() takes a new name where it cannot know which numbers were given out", () => {
  withFolder((folder) => {
    const before = fill(folder);
    // As after `kill -9`: what the write-ahead log had may be gone unseen.
    Deno.writeFileSync(`${folder}/thrum.sqlite-wal`, new Uint8Array(100));
    const recovery = recover(folder);
    assertEquals([recovery.serverId, recovery.formerServerId], [NEW_NAME, OWN]);
    check(folder, recovery, before);
  });
});

Deno.test("recoverFolder() makes an index from frames alone where the database is gone", () => {
  withFolder((folder) => {
    const before = fill(folder);
    Deno.removeSync(`${folder}/thrum.sqlite`);
    const recovery = recover(folder);
    assert(recovery.entries > 20, `${recovery.entries}`);
    assertEquals([recovery.serverId, recovery.formerServerId], [NEW_NAME, undefined]);
    check(folder, recovery, before);
  });
});

Deno.test("recoverFolder() leaves a folder alone that a server uses", () => {
  withFolder((folder) => {
    fill(folder);
    using _store = open(folder, { serverId: "unused" });
    let message = "";
    try {
      recover(folder);
    } catch (error) {
      message = (error as Error).message;
    }
    assert(message.includes("in use by another server"), message);
    assertEquals([...Deno.readDirSync(folder)].filter(({ name }) => name.includes("recovering")), []);
  });
});

Deno.test("recoverFolder() recovers where a bit of the schema has flipped, so that a column has another name", () => {
  withFolder((folder) => {
    const before = fill(folder);
    const text = new TextDecoder("latin1").decode(Deno.readFileSync(`${folder}/thrum.sqlite`));
    const places = [...text.matchAll(/checksum/g)].map(({ index }) => index);
    assert(places.length > 3, `${places.length}`);
    for (const place of places) {
      copyOf(folder, (copy) => {
        flip(`${copy}/thrum.sqlite`, 8 * place);
        check(copy, recover(copy), before);
      });
    }
  });
});

Deno.test("recoverFolder() gives back nothing that has changed, and names what is lost, whichever bit flips and wherever a file is cut", () => {
  withFolder((folder) => {
    const before = fill(folder);
    const files = [...Deno.readDirSync(folder)].map(({ name }) => name);
    const damage = fc.record({ file: fc.nat(), at: fc.nat(), isCut: fc.boolean(), hasPeers: fc.boolean() });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (faults) => {
        copyOf(folder, (copy) => {
          for (const { file, at, isCut } of faults) {
            // SQLite's file is the larger part by far.
            const path = `${copy}/${file % 2 === 0 ? "thrum.sqlite" : files[(file >>> 1) % files.length]}`;
            const { size } = Deno.statSync(path);
            if (size === 0) continue;
            if (isCut && file % 8 === 1) Deno.truncateSync(path, at % size);
            else flip(path, at * 7 + file);
          }
          check(copy, recover(copy, faults[0]!.hasPeers ? { [OWN]: 1_000, [OTHER]: 1_000 } : {}), before);
        });
      }),
      { numRuns: 60 },
    );
  });
});
