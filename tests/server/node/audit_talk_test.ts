import { assert, assertEquals } from "@std/assert";
import type { AuditMessage } from "../../../protocol/peer/audit_message.ts";
import type { AuditEvent } from "../../../server/audit/audit_event.ts";
import { AuditTalk } from "../../../server/node/audit_talk.ts";
import { hashOfLine, MemoryAuditFiles } from "../../support/audit_files.ts";
import { loggedLines } from "../../support/captured_log.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const HASH = "a".repeat(64);
const OTHER_HASH = "b".repeat(64);

class World {
  readonly clock = new FakeClock();
  readonly files = new MemoryAuditFiles();
  readonly said: [AuditMessage, string | undefined][] = [];
  readonly audited: AuditEvent[] = [];
  readonly saved: [string, string | null][] = [];
  readonly talk: AuditTalk;

  constructor(lines: string[], notes: Record<string, string> = {}) {
    this.files.lines.push(...lines);
    const { files } = this;
    this.talk = new AuditTalk({
      log: {
        get end() {
          return { number: files.lines.length, hash: hashOfLine(files.lines.at(-1) ?? "") };
        },
        hashOf: (number) => files.hashOf(number),
      },
      auditor: { audit: (event) => void this.audited.push(event) },
      clock: this.clock,
      backplane: { say: (message, to) => void this.said.push([message as AuditMessage, to]) },
      notes,
      save: (key, value) => void this.saved.push([key, value]),
    });
  }

  /** What another server says of itself, or of this one. */
  async hears(command: AuditMessage["command"], number: number, hash: string): Promise<void> {
    this.talk.heard("s-b", { command, number, hash });
    await this.clock.run(0);
  }
}

Deno.test("a server that is met is told first what is known of its audit log, and then the end of this one", () => {
  const world = new World(["one", "two"], { "audit s-b": `7 ${HASH}`, other: "1 2" });
  world.talk.met("s-b");
  world.talk.met("s-c");
  const own: AuditMessage = { command: "AUDIT_END", number: 2, hash: hashOfLine("two") };
  assertEquals(world.said, [[{ command: "AUDIT_KEPT", number: 7, hash: HASH }, "s-b"], [own, "s-b"], [own, "s-c"]]);
});

Deno.test("new lines are told to all, once a second at most", async () => {
  const world = new World(["one"]);
  for (let count = 0; count < 9; count++) world.talk.written();
  await world.clock.run(1_000);
  assertEquals(world.said, [[{ command: "AUDIT_END", number: 1, hash: hashOfLine("one") }, undefined]]);
  world.talk.written();
  world.talk.stop();
  world.talk.written();
  await world.clock.run(10_000);
  assertEquals(world.said.length, 1);
});

Deno.test("the newest end of another server's log is kept over a restart", async () => {
  const world = new World([]);
  await world.hears("AUDIT_END", 7, HASH);
  await world.hears("AUDIT_END", 7, HASH);
  await world.hears("AUDIT_END", 8, OTHER_HASH);
  assertEquals(world.saved, [["audit s-b", `7 ${HASH}`], ["audit s-b", `8 ${OTHER_HASH}`]]);
  assertEquals([world.talk.disagreements, world.audited.length], [0, 0]);
});

Deno.test("another server's log that is shorter than it was, or another one, is told", () =>
  loggedLines(async (lines) => {
    const world = new World([], { "audit s-b": `7 ${HASH}` });
    await world.hears("AUDIT_END", 5, OTHER_HASH);
    assertEquals(world.audited, [
      { what: "peerDisagrees", from: "s-b", of: "s-b", more: { number: 7, hash: HASH, lines: 5 } },
    ]);
    assert(lines.at(-1)!.includes("the audit log of s-b was cut or changed"));
    // It is told once, and what is there now is kept from here on.
    await world.hears("AUDIT_END", 6, HASH);
    assertEquals(world.talk.disagreements, 1);
    await world.hears("AUDIT_END", 6, OTHER_HASH);
    assertEquals(world.talk.disagreements, 2);
  }));

Deno.test("a server finds that its own log was cut or changed, by what another one knows of it", () =>
  loggedLines(async (lines) => {
    const world = new World(["one", "two"]);
    await world.hears("AUDIT_KEPT", 2, hashOfLine("two"));
    await world.hears("AUDIT_KEPT", 1, hashOfLine("one"));
    assertEquals(world.talk.disagreements, 0);
    await world.hears("AUDIT_KEPT", 3, HASH);
    assert(lines.at(-1)!.includes("the audit log of this server was cut or changed: s-b knows its line 3"));
    // Written anew after the cut: there is such a line, and it is another one.
    await world.hears("AUDIT_KEPT", 2, HASH);
    assertEquals(world.talk.disagreements, 2);
    assertEquals(world.audited[0], { what: "peerDisagrees", from: "s-b", more: { number: 3, hash: HASH, lines: 2 } });
  }));

Deno.test("a line that went with a file that was full is no sign of a cut", async () => {
  const world = new World(["one"]);
  world.files.hashOf = () => Promise.resolve(undefined);
  await world.hears("AUDIT_KEPT", 1, HASH);
  assertEquals(world.talk.disagreements, 0);
});

Deno.test("ends of 256 servers are kept, those heard of last", async () => {
  const world = new World([]);
  for (let at = 0; at <= 256; at++) world.talk.heard(`s-${at}`, { command: "AUDIT_END", number: 1, hash: HASH });
  await world.clock.run(0);
  assertEquals(world.saved.at(-1), ["audit s-0", null]);
});
