/** New secrets and names of others, in the terminal and in the browser: the two say the same. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { COMMON_SECRETS, MIN_NEW_SECRET_CHARACTERS, newSecretProblem } from "../../../client/login/new_secret.ts";
import { visibleName } from "../../../client/terminal/screen/visible.ts";
import * as page from "../../../dashboard/client/new_secret.js";
import { visibleName as pageName } from "../../../dashboard/format.js";

Deno.test("newSecretProblem() takes 8 characters, and none that everybody tries first", () => {
  assertEquals(newSecretProblem("xkcd-93"), "a new secret needs 8 characters at least");
  assertEquals(newSecretProblem("🔑🔑🔑🔑🔑🔑🔑"), "a new secret needs 8 characters at least");
  assertEquals(newSecretProblem("xkcd-936"), undefined);
  for (const common of ["12345678", "Password1", "QWERTYUIOP"]) {
    assertEquals(newSecretProblem(common), "this secret is one that others try first");
  }
  assertEquals(newSecretProblem("x".repeat(257))?.includes("longer"), true);
  for (const common of COMMON_SECRETS) assert(common.length >= MIN_NEW_SECRET_CHARACTERS, common);
});

Deno.test("the web client takes the new passwords that the terminal takes", () => {
  assertEquals(page.COMMON_SECRETS, COMMON_SECRETS);
  for (const secret of ["1234567", "12345678", "xkcd-936", "PASSWORD"]) {
    assertEquals(page.newSecretProblem(secret) === undefined, newSecretProblem(secret) === undefined, secret);
  }
});

Deno.test("a name shows what cannot be seen in it, alike in the terminal and in the browser", () => {
  const shown: [string, string][] = [
    ["anna", "anna"],
    ["an\u200dna", "an\\u200dna"],
    ["anna\u202egpj", "anna\\u202egpj"],
    [" anna\u00a0", "\\u0020anna\\u00a0"],
    ["an na", "an na"],
    ["a\ufe0f\u{e0041}", "a\\ufe0f\\udb40\\udc41"],
    ["Änne 🎉", "Änne 🎉"],
  ];
  for (const [name, text] of shown) assertEquals([visibleName(name), pageName(name)], [text, text]);
  const unit = fc.constantFrom("a", " ", "é", "\u200b", "\u202e", "\u3164", "\u2003", "🎉", "\u{e0020}");
  fc.assert(fc.property(fc.string({ unit, maxLength: 8 }), (name) => assertEquals(visibleName(name), pageName(name))));
});
