/**
 * Makes `dashboard/kept/scrypt.js`, which the web client loads when somebody logs in: scrypt, SHA-256 and HMAC of
 * `@noble/hashes`, as one module for browsers. Browsers have no scrypt of their own, and on a page over plain HTTP no
 * cryptography at all. Run it after the package was updated: `deno task kept:scrypt`.
 */

const OUT = new URL("../dashboard/kept/scrypt.js", import.meta.url);
const ENTRY = new URL("./kept_scrypt_entry.ts", import.meta.url);

const { imports } = JSON.parse(await Deno.readTextFile(new URL("../imports.json", import.meta.url)));
const version = /@([\d.]+)$/.exec(imports["@noble/hashes"])![1];
const bundled = await new Deno.Command(Deno.execPath(), {
  args: ["bundle", "--quiet", "--platform", "browser", "--minify", ENTRY.pathname],
  stderr: "inherit",
}).output();
if (!bundled.success) Deno.exit(1);
const code = new TextDecoder().decode(bundled.stdout).replace(/^\/\/.*\n/gm, "").trim();
const header =
  `/*! scrypt, SHA-256 and HMAC of @noble/hashes ${version}. Made by tools/kept_scrypt.ts; not to be edited.
 * The MIT License (MIT). Copyright (c) 2022 Paul Miller (https://paulmillr.com). Permission is hereby granted, free of
 * charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal
 * in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
 * distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished
 * to do so, subject to the following conditions: The above copyright notice and this permission notice shall be
 * included in all copies or substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF
 * ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A
 * PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
 * DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
 * CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE. */
`;
await Deno.writeTextFile(OUT, `${header}${code}\n`);
