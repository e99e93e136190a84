import { assertEquals } from "@std/assert";
import {
  parseRemembered,
  readRemembered,
  type Remembered,
  rememberedText,
  secretFor,
  toKeep,
} from "../../../../client/terminal/chat/remembered_login.ts";

const server = { host: "127.0.0.1", port: 8000 };
const other = { host: "127.0.0.1", port: 8001 };
const ada = { username: "ada", server, secret: "hush" };
const kept: Remembered = { username: "ada", server };
const withSecret: Remembered = { ...kept, secret: "hush" };

Deno.test("parseRemembered() reads what rememberedText() wrote", () => {
  assertEquals(parseRemembered(rememberedText(kept)), kept);
  assertEquals(parseRemembered(rememberedText(withSecret)), withSecret);
});

Deno.test("parseRemembered() takes what makes no sense for nothing", () => {
  const good = { username: "ada", host: "h", port: 1 };
  assertEquals(parseRemembered(JSON.stringify(good)), { username: "ada", server: { host: "h", port: 1 } });
  for (
    const text of [
      "",
      "{",
      "null",
      "[]",
      "1",
      JSON.stringify({ ...good, username: "a:b" }),
      JSON.stringify({ ...good, username: undefined }),
      JSON.stringify({ ...good, host: "a\x1bb" }),
      JSON.stringify({ ...good, port: "1" }),
      JSON.stringify({ ...good, port: 70_000 }),
    ]
  ) assertEquals(parseRemembered(text), undefined, text);
  assertEquals(parseRemembered(JSON.stringify({ ...good, secret: 1 }))?.secret, undefined);
});

Deno.test("readRemembered() offers nothing where there is no file, or none that can be read", async () => {
  const write = () => Promise.resolve();
  assertEquals(await readRemembered(undefined), undefined);
  assertEquals(await readRemembered({ read: () => Promise.resolve(undefined), write }), undefined);
  assertEquals(await readRemembered({ read: () => Promise.reject(new Error("permission denied")), write }), undefined);
  assertEquals(await readRemembered({ read: () => Promise.resolve(rememberedText(kept)), write }), kept);
});

Deno.test("secretFor() gives a secret only to the user and the server that it is for", () => {
  assertEquals(secretFor(withSecret, "ada", server), "hush");
  assertEquals(secretFor(withSecret, "bob", server), undefined);
  assertEquals(secretFor(withSecret, "ada", other), undefined);
  assertEquals(secretFor(kept, "ada", server), undefined);
  assertEquals(secretFor(undefined, "ada", server), undefined);
});

Deno.test("toKeep() keeps a secret only where that is asked for, or it is kept already", () => {
  assertEquals(toKeep(undefined, ada, false), kept);
  assertEquals(toKeep(undefined, ada, true), withSecret);
  assertEquals(toKeep(kept, ada, true), withSecret);
  assertEquals(toKeep(withSecret, { ...ada, secret: "new" }, false), kept);
  assertEquals(toKeep(withSecret, { ...ada, username: "bob" }, false), { username: "bob", server });
  assertEquals(toKeep(withSecret, { ...ada, server: other }, false), { username: "ada", server: other });
});

Deno.test("toKeep() writes nothing that is there", () => {
  assertEquals(toKeep(kept, ada, false), undefined);
  assertEquals(toKeep(withSecret, ada, false), undefined);
  assertEquals(toKeep(withSecret, ada, true), undefined);
});
