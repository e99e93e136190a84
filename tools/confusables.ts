/**
 * Makes `server/rights/names/confusables_data.ts` from Unicode's `confusables.txt` (UTS 39): which characters look like
 * others. The file is on unicode.org, and in the sources of ICU, `source/data/unidata/`. Run it when Unicode has a new
 * version: `deno task confusables FILE`.
 */

const OUT = new URL("../server/rights/names/confusables_data.ts", import.meta.url);
const LINE_LENGTH = 116;

const [file] = Deno.args;
if (file === undefined) {
  console.error("Usage: deno task confusables FILE, with Unicode's confusables.txt");
  Deno.exit(2);
}
const text = await Deno.readTextFile(file);
const version = /^# Version: ([\d.]+)/m.exec(text)?.[1];
const pairs = [...text.matchAll(/^\uFEFF?([0-9A-F]+)\s*;\s*([0-9A-F ]+?)\s*;\s*MA/gm)]
  .map(([, source, target]) => ({ source: fromHex(source!), target: target!.split(" ").map(fromHex) }))
  // Names are decomposed before they are looked up, so these never come.
  .filter(({ source }) => String.fromCodePoint(source).normalize("NFD") === String.fromCodePoint(source))
  .sort((a, b) => a.source - b.source);
if (version === undefined || pairs.length < 5_000) {
  console.error(`Cannot read ${JSON.stringify(file)}: it is not Unicode's confusables.txt`);
  Deno.exit(1);
}

const runs = runsOf().join(",");
const lines = runs.match(new RegExp(`.{1,${LINE_LENGTH}}`, "g"))!.map((line) => `  "${line}",`);
await Deno.writeTextFile(
  OUT,
  `/**
 * Which characters look like others, of Unicode's \`confusables.txt\` (UTS 39). Made by \`tools/confusables.ts\`; not to be
 * edited. \`skeleton.ts\` reads it: each run is the distance to its first character, \`+n\` where the next n characters
 * look like ones that follow each other, \`*n\` where they look like the same, and what the first one looks like; all
 * numbers to the base 36. Pure.
 *
 * Copyright © 1991-2025 Unicode, Inc. Licensed under the Unicode License V3: https://www.unicode.org/license.txt
 */

/** The version of Unicode whose data this is. */
export const CONFUSABLES_VERSION = "${version}";

/** The runs, separated by commas. */
export const CONFUSABLES: string = [
${lines.join("\n")}
].join("");
`,
);
console.log(`${pairs.length} characters of Unicode ${version}`);

function runsOf(): string[] {
  const runs: string[] = [];
  let last = 0;
  for (let at = 0; at < pairs.length;) {
    const { source, target } = pairs[at]!;
    const following = target.length === 1 ? length(at, (n) => [target[0]! + n]) : 1;
    const same = length(at, () => target);
    const count = Math.max(following, same);
    const how = count === 1 ? "" : `${same > following ? "*" : "+"}${count.toString(36)}`;
    runs.push(`${(source - last).toString(36)}${how} ${target.map((each) => each.toString(36)).join(".")}`);
    last = source + count - 1;
    at += count;
  }
  return runs;
}

/** How many characters from `at` on follow each other and look like what `like` says. */
function length(at: number, like: (n: number) => readonly number[]): number {
  let n = 1;
  while (
    pairs[at + n]?.source === pairs[at]!.source + n && pairs[at + n]!.target.join() === like(n).join()
  ) n++;
  return n;
}

function fromHex(digits: string): number {
  return Number.parseInt(digits, 16);
}
