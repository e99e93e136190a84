/**
 * Lines of publications, and of what nearly is one: made of parts that are as usual or odd, and damaged here and there.
 * The same seed gives the same lines.
 */

import { Chance } from "../simulation/chance.ts";

const SCALARS = ["0", "-0", "1.0", "9007199254740993", "-12.50e-3", "1E+2", "true", "false", "null", '""', '"x"'];
const TEXTS = ["", "hello", "a b", "ø", "😀", "\\n", '\\"', "\\\\", "\\u0041", "\\ud83d", "\\/", "{[}]:,", '\\\\\\"'];
const ODD_TEXTS = ["\t", "\\x", "\\u00g0", '"', "\\", "\u007f", "\\u12", "\r"];
const KEYS = ["a", "text", "", "æ", "authenticated_user ", "__proto__", "toString"];
const ODD_KEYS = ["authenticated_user", "authenticated\\u005fuser", "\\u0061uthenticated_user", "a\\n", "\\x"];
const ODD_SCALARS = [
  "01",
  "1.",
  ".5",
  "+1",
  "-",
  "1e",
  "nul",
  "NaN",
  "Infinity",
  "'x'",
  "tru",
  "--1",
  "0x1",
  "\\u0031",
];
/** What a byte is changed to. */
const DAMAGE = ['"', "\\", "{", "}", "[", "]", ",", ":", " ", "\t", "\r", "0", "e", "-", "ø", "\u0000", "\ufeff", "u"];

/** So many lines, without their ends. None holds a newline. */
export function* oddLines(seed: number, count: number): Generator<string> {
  const chance = new Chance(seed, "odd lines");
  for (let n = 0; n < count; n++) yield damaged(line(chance), chance).toWellFormed();
}

function line(chance: Chance): string {
  const members = [`"command"${colon(chance)}${command(chance)}`, `"activity"${colon(chance)}${activity(chance)}`];
  if (chance.percent(50)) members.push(`"username"${colon(chance)}${username(chance)}`);
  if (chance.percent(30)) {
    members.push(`"secret"${colon(chance)}${pick(chance, ["null", "null", '"s"', '"wrong"', "1"])}`);
  }
  if (chance.percent(50)) members.push(`"messageId"${colon(chance)}${messageId(chance)}`);
  if (chance.percent(20)) members.push(`"channel"${colon(chance)}${channel(chance)}`);
  if (chance.percent(40)) members.push(`"lamport"${colon(chance)}${lamport(chance)}`);
  if (chance.percent(4)) {
    members.push(pick(chance, ['"other":{"a":[1]}', '"trace":null', '"activity":7', '"command":7']));
  }
  if (chance.percent(3)) members.push(pick(chance, members));
  if (chance.percent(4)) members.splice(chance.whole(0, members.length - 1), 1);
  shuffle(members, chance);
  return `${space(chance)}{${members.map((member) => space(chance) + member + space(chance)).join(",")}}${
    space(chance)
  }`;
}

function damaged(line: string, chance: Chance): string {
  if (!chance.percent(25)) return line;
  const at = chance.whole(0, line.length);
  switch (chance.whole(0, 3)) {
    case 0:
      return line.slice(0, at) + line.slice(at + 1);
    case 1:
      return line.slice(0, at) + pick(chance, DAMAGE) + line.slice(at);
    case 2:
      return line.slice(0, at) + pick(chance, DAMAGE) + line.slice(at + 1);
    default:
      return line.slice(0, at);
  }
}

function command(chance: Chance): string {
  return chance.percent(96)
    ? '"ACTIVITY_MESSAGE"'
    : pick(chance, ['"ACTIVITY_MESSAG\\u0045"', '"ACTIVITY"', '"LIST_USERS"', '"DANCE"', "null", "1"]);
}

function username(chance: Chance): string {
  return chance.percent(80)
    ? '"anonymous"'
    : pick(chance, ["null", '"anna"', '"anonymou\\u0073"', '"ø"', '""', "7", "{}"]);
}

function messageId(chance: Chance): string {
  const usual = `"m-${chance.whole(1, 50)}"`;
  const odd = ["null", '""', '"ø"', '"a\\n"', `"${"x".repeat(128)}"`, `"${"x".repeat(129)}"`, "5", "[]", '"\\ud800"'];
  return chance.percent(80) ? usual : pick(chance, odd);
}

function channel(chance: Chance): string {
  const odd = ["null", '""', '"ø"', '"a//b"', '"a/*"', '"a\\/b"', `"${"x".repeat(129)}"`, "5", "[]", '"\\ud800"'];
  return chance.percent(80) ? pick(chance, ['"lab"', '"lab/1"']) : pick(chance, odd);
}

function lamport(chance: Chance): string {
  const odd = [
    "null",
    "-1",
    "-0",
    "01",
    "1.5",
    "1e3",
    "1125899906842624",
    "1125899906842625",
    "999999999999999",
    '"1"',
  ];
  return chance.percent(75) ? `${chance.whole(0, 5_000)}` : pick(chance, odd);
}

function activity(chance: Chance): string {
  if (chance.percent(2)) return pick(chance, ["[]", "null", '"x"', "{", "7"]);
  if (chance.percent(2)) return nested(chance.whole(20, 70));
  return object(chance, true, 3);
}

function nested(depth: number): string {
  return `{"deep":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}}`;
}

function object(chance: Chance, isOuter: boolean, levels: number): string {
  const members = Array.from({ length: chance.whole(0, 4) }, () => {
    const isOdd = chance.percent(isOuter ? 4 : 1);
    return `${space(chance)}"${pick(chance, isOdd ? ODD_KEYS : KEYS)}"${colon(chance)}${value(chance, levels - 1)}`;
  });
  return `{${members.join(",")}${space(chance)}}`;
}

function value(chance: Chance, levels: number): string {
  const what = chance.whole(0, 9);
  if (levels > 0 && what === 0) return object(chance, false, levels);
  if (levels > 0 && what === 1) {
    return `[${Array.from({ length: chance.whole(0, 3) }, () => value(chance, levels - 1)).join(",")}]`;
  }
  if (what < 5) return pick(chance, chance.percent(3) ? ODD_SCALARS : SCALARS);
  const length = chance.percent(3) ? chance.whole(500, 3_000) : chance.whole(0, 4);
  const texts = Array.from({ length }, () => pick(chance, TEXTS));
  if (chance.percent(2)) texts.push(pick(chance, ODD_TEXTS));
  return `"${texts.join("")}"`;
}

function colon(chance: Chance): string {
  return `${space(chance)}:${space(chance)}`;
}

function space(chance: Chance): string {
  return chance.percent(94) ? "" : pick(chance, [" ", " ", "  ", "\t", "\r"]);
}

function pick<T>(chance: Chance, of: readonly T[]): T {
  return of[chance.whole(0, of.length - 1)]!;
}

function shuffle(members: string[], chance: Chance): void {
  if (!chance.percent(40)) return;
  for (let at = members.length - 1; at > 0; at--) {
    const other = chance.whole(0, at);
    [members[at], members[other]] = [members[other]!, members[at]!];
  }
}
