/**
 * What a name looks like: two names look alike when they have a skeleton in common (UTS 39, section 4). Letters of one
 * script are compared with those of all others. Two names of ASCII alone are alike when they differ in case only: user1
 * and userl are two people. Pure.
 */

import { CONFUSABLES } from "./confusables_data.ts";

/** Read from the data at the first name that is looked at. */
let prototypes: ReadonlyMap<number, string> | undefined;

/** The skeleton of `text`: what it looks like, in the characters that Unicode's data takes for it. */
export function skeletonOf(text: string): string {
  prototypes ??= readConfusables(CONFUSABLES);
  let skeleton = "";
  for (const character of text.normalize("NFD").replace(/\p{Default_Ignorable_Code_Point}/gu, "")) {
    skeleton += prototypes.get(character.codePointAt(0)!) ?? character;
  }
  return skeleton.normalize("NFD");
}

/** The skeletons of `name`, in its own case and in small letters: capitals look like other letters than small ones. */
export function skeletonsOf(name: string): ReadonlySet<string> {
  return new Set([skeletonOf(name), skeletonOf(name.toLowerCase())]);
}

/** Whether one may be taken for the other. A name is alike to itself. */
export function areAlike(a: string, b: string): boolean {
  if (a.toLowerCase() === b.toLowerCase()) return true;
  if (isAscii(a) && isAscii(b)) return false;
  return !skeletonsOf(a).isDisjointFrom(skeletonsOf(b));
}

/** Whether `text` is of ASCII alone. */
export function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

function readConfusables(runs: string): Map<number, string> {
  const map = new Map<number, string>();
  let last = 0;
  for (const run of runs.split(",")) {
    const [from, target] = run.split(" ");
    const how = from!.includes("+") ? "+" : "*";
    const [gap, digits = "1"] = from!.split(how);
    const source = last + Number.parseInt(gap!, 36);
    const count = Number.parseInt(digits, 36);
    const first = target!.split(".").map((each) => Number.parseInt(each, 36));
    for (let n = 0; n < count; n++) {
      map.set(source + n, String.fromCodePoint(...first.map((each) => each + (how === "+" ? n : 0))));
    }
    last = source + count - 1;
  }
  return map;
}
