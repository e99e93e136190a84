import { assertEquals, assertRejects } from "@std/assert";
import { FileError, readTextFile, writeTextFile } from "../../platform/text_file.ts";

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
