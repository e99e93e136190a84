/** What new names may be made of, and which look like others. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { CONFUSABLES_VERSION } from "../../../../server/rights/names/confusables_data.ts";
import { NameIndex } from "../../../../server/rights/names/name_index.ts";
import { newNameProblem } from "../../../../server/rights/names/new_name.ts";
import { areAlike, skeletonOf } from "../../../../server/rights/names/skeleton.ts";

Deno.test("newNameProblem() refuses what cannot be seen, turns text round, or mixes scripts, and says which", () => {
  const cases: Record<string, string | undefined> = {
    "Anna": undefined,
    "José": undefined,
    "анна": undefined,
    "Αθηνά": undefined,
    "たなか太郎": undefined,
    "김철수金": undefined,
    "李小龍": undefined,
    "عمر٣": undefined,
    "anna-2 🎉": undefined,
    "1234": undefined,
    "Jose\u0301": "the username is not in Unicode's form NFC",
    "an\u200dna": "the username has an invisible character",
    "anna\ufe0f": "the username has an invisible character",
    "an\u00adna": "the username has an invisible character",
    "\u3164": "the username has an invisible character",
    "anna\u202egnp": "the username has a character that turns the direction of text",
    "\u061canna": "the username has a character that turns the direction of text",
    " anna": "the username begins or ends with a space",
    "anna\u00a0": "the username begins or ends with a space",
    "аnna": "the username has letters of more than one script",
    "李Anna": "the username has letters of more than one script",
    "ひЖ": "the username has letters of more than one script",
  };
  for (const [name, problem] of Object.entries(cases)) {
    assertEquals(newNameProblem(name), problem, JSON.stringify(name));
  }
});

Deno.test("areAlike() compares letters of all scripts, and ASCII with ASCII by case only", () => {
  assertEquals(CONFUSABLES_VERSION, "17.0.0");
  assertEquals(skeletonOf("раураl"), "paypal");
  const alike = [
    ["anna", "Anna"],
    ["scope", "ѕсоре"],
    ["admin", "admın"],
    ["Αθηνά", "αθηνά"],
    ["AHHA", "АННА"],
    ["müller", "mülIer"],
  ];
  const others = [["user1", "userl"], ["rn", "m"], ["O", "0"], ["anna", "hanna"], ["jose", "josé"], ["анна", "anna"]];
  for (const [a, b] of alike) assertEquals([areAlike(a!, b!), areAlike(b!, a!)], [true, true], `${a} ${b}`);
  for (const [a, b] of others) assertEquals([areAlike(a!, b!), areAlike(b!, a!)], [false, false], `${a} ${b}`);
});

Deno.test("a NameIndex finds a name that looks like another one exactly when there is one", () => {
  const unit = fc.constantFrom("l", "1", "I", "i", "О", "O", "0", "о", "é", "m", "rn");
  const name = fc.string({ unit, minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 12 }), name, fc.nat(12), (names, asked, later) => {
      // It is asked about new names alone.
      fc.pre(!names.includes(asked));
      const index = new NameIndex(() => names.slice(later));
      index.alike("x");
      for (const each of names.slice(0, later)) index.add(each);
      const found = index.alike(asked);
      const expected = names.filter((each) => each !== asked && areAlike(each, asked));
      assertEquals(found === undefined, expected.length === 0);
      if (found !== undefined) assertEquals(expected.includes(found), true);
    }),
    { numRuns: 500 },
  );
});
