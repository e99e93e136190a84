import { assert, assertEquals, assertMatch, assertNotMatch, assertRejects } from "@std/assert";
import { type ConfigLayer, DEFAULT_CONFIG } from "../../../config/config.ts";
import { layered } from "../../../config/load.ts";
import { findNetworkSecret, keepNetworkSecret } from "../../../server/gateway/network_secret.ts";
import { makeNetworkSecret } from "../../../platform/crypto.ts";
import { FileError } from "../../../platform/files/text_file.ts";

/** A test that has a data folder. */
function inFolder(name: string, run: (folder: string) => Promise<void>): void {
  Deno.test(name, async () => {
    const folder = await Deno.makeTempDir({ prefix: "thrum-secret-" });
    try {
      await run(folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const configOf = (layer: ConfigLayer) => layered(DEFAULT_CONFIG, layer);

inFolder("findNetworkSecret() makes one, and finds it again once it is kept", async (folder) => {
  const config = configOf({ store: { data: folder } });
  const made = await findNetworkSecret(config);
  assertEquals([made.from, made.file], ["made", `${folder}/secret`]);
  assertEquals([...Deno.readDirSync(folder)], []);
  await keepNetworkSecret(made);
  if (Deno.build.os !== "windows") assertEquals(Deno.statSync(`${folder}/secret`).mode! & 0o777, 0o600);
  assertEquals(await findNetworkSecret(config), { ...made, from: "kept" });
});

inFolder("findNetworkSecret() takes the one that was given, and leaves what is kept as it is", async (folder) => {
  await Deno.writeTextFile(`${folder}/secret`, "kept\n");
  const given = await findNetworkSecret(configOf({ store: { data: folder }, cluster: { secret: "abc" } }));
  assertEquals([given.secret, given.from], ["abc", "given"]);
  await keepNetworkSecret(given);
  assertEquals(await Deno.readTextFile(`${folder}/secret`), "kept\n");
});

inFolder("findNetworkSecret() makes a new one each time for a store in memory, and keeps none", async (folder) => {
  const config = configOf({ store: { data: folder, ephemeral: true } });
  const [first, second] = [await findNetworkSecret(config), await findNetworkSecret(config)];
  assertEquals([first.from, first.file], ["made", undefined]);
  assert(first.secret !== second.secret);
  await keepNetworkSecret(first);
  assertEquals([...Deno.readDirSync(folder)], []);
});

inFolder("findNetworkSecret() makes another one where a power cut left an empty file", async (folder) => {
  await Deno.writeTextFile(`${folder}/secret`, "");
  const config = configOf({ store: { data: folder } });
  const made = await findNetworkSecret(config);
  assertEquals(made.from, "made");
  await keepNetworkSecret(made);
  assertEquals((await findNetworkSecret(config)).secret, made.secret);
});

inFolder("findNetworkSecret() refuses a file that holds none, and does not show it", async (folder) => {
  const config = configOf({ store: { data: folder } });
  for (const text of ["hunter2\nhunter3", "hunter2".repeat(40)]) {
    await Deno.writeTextFile(`${folder}/secret`, text);
    const { message } = await assertRejects(() => findNetworkSecret(config), FileError);
    assertEquals(message, `Cannot use "${folder}/secret": it holds no secret of a network`);
    assertNotMatch(message, /hunter/);
  }
  await Deno.remove(`${folder}/secret`);
  await Deno.mkdir(`${folder}/secret`);
  await assertRejects(() => findNetworkSecret(config), FileError, `Cannot read "${folder}/secret": it is a folder`);
  await assertRejects(
    () => keepNetworkSecret({ secret: "x", from: "made", file: `${folder}/secret` }),
    FileError,
    "it is a folder",
  );
});

Deno.test("makeNetworkSecret() gives 32 characters that can be copied anywhere, and never the same", () => {
  const secrets = Array.from({ length: 500 }, makeNetworkSecret);
  for (const secret of secrets) assertMatch(secret, /^[A-Za-z0-9][\w-]{31}$/);
  assertEquals(new Set(secrets).size, secrets.length);
});
