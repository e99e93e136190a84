import { assertEquals, assertRejects } from "@std/assert";
import { FileError, readTextFile, replacePrivateFile, writeTextFile } from "../../../platform/files/text_file.ts";

Deno.test("readTextFile() gives the text, nothing for a file that is not there, and a reason for anything else", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await writeTextFile(`${folder}/a`, "é\n");
    assertEquals(await readTextFile(`${folder}/a`), "é\n");
    assertEquals(await readTextFile(`${folder}/b`), undefined);
    assertEquals((await assertRejects(() => readTextFile(folder))).message, "it is a folder");
    assertEquals(
      (await assertRejects(() => readTextFile(`${folder}/a/b`))).message,
      "a part of its path is not a folder",
    );
    await Deno.writeFile(`${folder}/c`, new Uint8Array([0xff]));
    assertEquals((await assertRejects(() => readTextFile(`${folder}/c`))).message, "it is not UTF-8 text");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("writeTextFile() names the file that it cannot write", async () => {
  const error = await assertRejects(() => writeTextFile("/gone/a", ""), FileError);
  assertEquals(error.message, 'Cannot write "/gone/a": there is no such file or folder');
});

Deno.test("replacePrivateFile() makes folders and a file that its owner alone can read, whoever could read the one before", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/a/b/c.json`;
    for (const text of ["one", "two"]) {
      await replacePrivateFile(path, text);
      assertEquals(await readTextFile(path), text);
      assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
      await Deno.chmod(path, 0o644);
    }
    assertEquals([...Deno.readDirSync(`${folder}/a/b`)].map(({ name }) => name), ["c.json"]);
    const error = await assertRejects(() => replacePrivateFile(`${path}/d`, ""), FileError);
    assertEquals(error.message, `Cannot write "${path}/d": there is something else of that name`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
