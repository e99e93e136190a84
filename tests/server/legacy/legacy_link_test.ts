/** A server of the older dialect as a reader of the log. */

import { assertEquals } from "@std/assert";
import { EVERYONE, type Segment, SERVERS } from "../../../log/segment.ts";
import { UNGUARDED } from "../../../platform/faults.ts";
import type { Link } from "../../../platform/transport.ts";
import { LineFramer } from "../../../protocol/line_framer.ts";
import type { LegacyDialect } from "../../../server/legacy/legacy_dialect.ts";
import { LegacyLink, type LegacyLinkOwner } from "../../../server/legacy/legacy_link.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const NOBODY_REFUSED = { isQuiet: () => false, refused: () => true };

Deno.test("a server of the older dialect is sent what comes after it, for everyone, and waits while its link is full", () => {
  const log: Segment[] = [];
  const got: string[] = [];
  let room = 2;
  const link = {
    remoteHost: "127.0.0.1",
    remotePort: 1,
    write: (bytes: Uint8Array) => got.push(new TextDecoder().decode(bytes)) < room,
  };
  const add = (text: string, audience = EVERYONE) => {
    const position = log.length + 1;
    const bytes = new TextEncoder().encode(`${text}\n`);
    log.push({ position, origin: "s", first: position, last: position, audience, takenAt: 0, bytes });
  };
  add("before it came");
  const journal = {
    get head() {
      return log.length;
    },
    segmentsAfter: (position: number) => log.slice(position, position + 1),
  };
  const older = new LegacyLink(
    link as unknown as Link,
    new LineFramer(1_000),
    { family: "S", pass: (line: string) => line === "not said" ? undefined : `${line};` } as unknown as LegacyDialect,
    undefined,
    {} as unknown as LegacyLinkOwner,
    { journal, clock: new FakeClock(), faults: UNGUARDED, refusals: NOBODY_REFUSED },
    () => {},
  );
  add("one");
  add("for servers", SERVERS);
  add("not said");
  older.reader.committed();
  assertEquals(got, ["one;"]);
  for (const text of ["two", "three", "four"]) add(text);
  older.reader.committed();
  assertEquals([got, older.isFull], [["one;", "two;"], true]);
  add("five");
  older.reader.committed();
  assertEquals(got.length, 2);
  room = Infinity;
  older.onDrain();
  assertEquals(got, ["one;", "two;", "three;", "four;", "five;"]);
});

Deno.test("a history is a line that may be longer than a client's", () => {
  const history = `{"command":"ACTIVITY_SYNC","activity_entity":[${'{"owner":"anna"},'.repeat(20_000)}{}]}`;
  const received: string[] = [];
  const link = { remoteHost: "127.0.0.1", remotePort: 1 } as unknown as Link;
  const dialect = { receive: (line: string) => [received.push(line)].slice(1) } as unknown as LegacyDialect;
  const owner = { facts: () => undefined } as unknown as LegacyLinkOwner;
  const journal = { head: 0, segmentsAfter: () => [] };
  const parts = { journal, clock: new FakeClock(), faults: UNGUARDED, refusals: NOBODY_REFUSED };
  const older = new LegacyLink(link, new LineFramer(1_000), dialect, "a", owner, parts, () => {});
  older.onData(new TextEncoder().encode(`${history}\n`));
  assertEquals(received.map(({ length }) => length), [history.length]);
});
