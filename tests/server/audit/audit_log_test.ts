import { assert, assertEquals } from "@std/assert";
import { AuditLog } from "../../../server/audit/audit_log.ts";
import { CHAIN_BEGINNING, type ChainEnd, placeOf } from "../../../server/audit/audit_line.ts";
import { ChainCheck } from "../../../server/audit/chain_check.ts";
import { hashOfLine, MemoryAuditFiles } from "../../support/audit_files.ts";
import { loggedLines } from "../../support/captured_log.ts";
import { FakeClock } from "../../support/fake_clock.ts";

class World {
  readonly clock = new FakeClock();
  readonly told: ChainEnd[] = [];
  readonly log: AuditLog;

  constructor(readonly files = new MemoryAuditFiles()) {
    this.log = new AuditLog({
      ...{ clock: this.clock, files, hash: hashOfLine },
      written: (end) => this.told.push(end),
    });
  }

  ban(count = 1): void {
    for (let at = 0; at < count; at++) this.log.audit({ what: "banned", by: "operator", of: `${at}` });
  }

  get broken(): number {
    const check = new ChainCheck(hashOfLine);
    this.files.lines.forEach((line, index) => check.take("", index, line));
    return check.report.broken;
  }
}

Deno.test("AuditLog gathers what comes, writes it as a chain in one append, and tells its end", async () => {
  const world = new World();
  world.ban(3);
  assertEquals(world.files.appends, 0);
  await world.clock.run(250);
  assertEquals(world.files.appends, 1);
  world.ban(2);
  await world.clock.run(250);
  assertEquals([world.files.lines.length, world.broken], [5, 0]);
  const end = { number: 5, hash: hashOfLine(world.files.lines[4]!) };
  assertEquals(world.told.at(-1), end);
  assertEquals(world.log.end, end);
  await world.log.close();
});

Deno.test("AuditLog goes on where the chain ended, and says what was taken away then", async () => {
  const opened = { number: 41, hash: "b".repeat(64) };
  const world = new World(new MemoryAuditFiles(opened, 17));
  world.ban();
  await world.clock.run(250);
  assertEquals(placeOf(world.files.lines[0]!), { number: 42, before: opened.hash });
  assertEquals(world.files.events[0], { what: "repaired", more: { bytes: 17 } });
  await world.log.close();
});

Deno.test("AuditLog tells once of a disk that fails, and writes everything when it takes lines again", () =>
  loggedLines(async (lines) => {
    const world = new World();
    world.ban();
    await world.clock.run(250);
    world.files.failure = new Error("the disk is full");
    world.ban(5);
    await world.clock.run(20_000);
    assertEquals(world.log.state, { lines: 1, missed: 0, isFailing: true });
    assertEquals(lines.filter((text) => text.includes("the disk is full")).length, 1);
    world.ban(2);
    world.files.failure = undefined;
    await world.clock.run(5_000);
    assertEquals([world.files.lines.length, world.broken, world.log.state.isFailing], [8, 0, false]);
    assert(lines.some((text) => text.includes("is written again")));
    await world.log.close();
  }));

Deno.test("AuditLog counts what it has no room for, and its log says so", () =>
  loggedLines(async () => {
    const world = new World();
    world.files.failure = new Error("no");
    world.ban(1);
    await world.clock.run(250);
    world.ban(10_500);
    assertEquals(world.log.state.missed, 500);
    world.files.failure = undefined;
    await world.clock.run(5_000);
    assertEquals(world.files.events.at(-1), { what: "missed", more: { events: 500 } });
    assertEquals([world.files.lines.length, world.broken], [10_002, 0]);
    await world.log.close();
  }));

Deno.test("AuditLog writes at its end what is left, counted strangers too, and nothing after it", async () => {
  const world = new World();
  for (let at = 0; at < 3; at++) world.log.audit({ what: "loginFailed", from: "10.0.0.1", of: "anna" });
  await world.log.close();
  assertEquals(world.files.events, [
    { what: "loginFailed", from: "10.0.0.1", of: "anna" },
    { what: "loginFailed", from: "10.0.0.1", of: "anna", more: { count: 2 } },
  ]);
  world.ban();
  await world.clock.run(60_000);
  assertEquals([world.files.lines.length, world.files.isClosed], [2, true]);
});

Deno.test("AuditLog does not wait for ever at its end for a disk that does not answer", () =>
  loggedLines(async (lines) => {
    const world = new World();
    world.files.append = () => new Promise<void>(() => {});
    world.ban();
    await world.clock.run(250);
    let isOver = false;
    const closed = world.log.close().then(() => isOver = true);
    await world.clock.run(1_999);
    assert(!isOver);
    await world.clock.run(1);
    await closed;
    assertEquals(world.log.end, CHAIN_BEGINNING);
    assert(lines.some((text) => text.includes("the audit log is not whole")));
  }));

Deno.test("AuditLog tells a minute's failures of one address in one line", async () => {
  const world = new World();
  for (let at = 0; at < 10_000; at++) world.log.audit({ what: "tokenRefused", from: "2001:db8::1" });
  await world.clock.run(60_250);
  assertEquals(world.files.events, [
    { what: "tokenRefused", from: "2001:db8::1" },
    { what: "tokenRefused", from: "2001:db8:0:0", more: { count: 9_999 } },
  ]);
  await world.log.close();
});
