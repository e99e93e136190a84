import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileError } from "../../../platform/files/text_file.ts";
import { checkAuditFolder, openAuditFiles } from "../../../server/audit/audit_folder.ts";
import { auditLine, CHAIN_BEGINNING, type ChainEnd } from "../../../server/audit/audit_line.ts";
import type { AuditFiles } from "../../../server/audit/audit_log.ts";
import { hashOfLine } from "../../support/audit_files.ts";

const SMALL = { maxFileBytes: 1_000, maxFiles: 3 };

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const open = (folder: string, size = SMALL) => openAuditFiles(folder, size, hashOfLine);

/** Appends lines, one at a time. */
async function write(files: AuditFiles, count: number, before: ChainEnd = files.opened): Promise<ChainEnd> {
  for (let at = 0; at < count; at++) {
    const line = auditLine({ what: "banned", of: "somebody" }, "now", before);
    await files.append(`${line}\n`);
    before = { number: before.number + 1, hash: hashOfLine(line) };
  }
  return before;
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("an audit log goes on after a restart, and its chain across its files", () =>
  withFolder(async (folder) => {
    const first = await open(folder);
    assertEquals(first.opened, CHAIN_BEGINNING);
    const end = await write(first, 10);
    await first.close();
    const second = await open(folder);
    assertEquals(second.opened, end);
    const last = await write(second, 3);
    await second.close();
    assert(names(folder).length > 1, "it is in several files");
    const report = (await checkAuditFolder(folder, hashOfLine))!;
    assertEquals([report.lines, report.first, report.broken], [13, 1, 0]);
    assertEquals(report.end, last);
  }));

Deno.test("an audit log keeps as many files as it may, each of bounded length, for the owner alone", () =>
  withFolder(async (folder) => {
    const files = await open(folder);
    const end = await write(files, 100);
    assertEquals(names(folder).length, 3);
    for (const name of names(folder)) {
      const { size, mode } = await Deno.stat(`${folder}/${name}`);
      assert(size <= 1_000);
      if (Deno.build.os !== "windows") assertEquals(mode! & 0o777, 0o600);
    }
    const report = (await checkAuditFolder(folder, hashOfLine))!;
    assertEquals([report.broken, report.end], [0, end]);
    assert(report.first > 80);
    assertEquals(await files.hashOf(1), undefined, "its file is gone");
    assertEquals(await files.hashOf(100), end.hash);
    assertEquals(await files.hashOf(101), "");
    await files.close();
  }));

Deno.test("a line without an end, as of a power cut, is taken away at the start, and said", () =>
  withFolder(async (folder) => {
    const files = await open(folder);
    const end = await write(files, 2);
    await files.close();
    await Deno.writeTextFile(`${folder}/audit-00000001.jsonl`, '{"number":3,', { append: true });
    assertEquals((await checkAuditFolder(folder, hashOfLine))!.broken, 1);
    const again = await open(folder);
    assertEquals([again.repairedBytes, again.opened], [12, end]);
    await again.close();
    assertEquals((await checkAuditFolder(folder, hashOfLine))!.broken, 0);
  }));

Deno.test("a log with a changed line can be gone on with, and the change is found", () =>
  withFolder(async (folder) => {
    const files = await open(folder);
    await write(files, 3);
    await files.close();
    const path = `${folder}/audit-00000001.jsonl`;
    const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
    await Deno.writeTextFile(path, `${lines[0]}\n${lines[1]!.replace("somebody", "nobody")}\ngarbage\n`);
    const again = await open(folder);
    assertEquals(again.opened.number, 3);
    await write(again, 1);
    await again.close();
    const { broken, breaks } = (await checkAuditFolder(folder, hashOfLine))!;
    assertEquals([broken, breaks[0]!.line], [1, 3]);
  }));

Deno.test("a folder without an audit log has none, and one that is not there is named", () =>
  withFolder(async (folder) => {
    assertEquals(await checkAuditFolder(folder, hashOfLine), undefined);
    const error = await assertRejects(() => checkAuditFolder(`${folder}/none`, hashOfLine), FileError);
    assert(error.message.includes(`${folder}/none`));
  }));
