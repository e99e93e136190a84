/** What operators have set, as the page shows it. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { laidDown, matchesPattern, NOTHING_LAID_DOWN, rolesOf } from "../../dashboard/operator/laid_down.js";
import { userBadge, userRows } from "../../dashboard/rows.js";
import { matchesPattern as serversMatch } from "../../server/rights/pattern.ts";
import { AT, sampleUser, sampleView } from "./_sample.ts";

const by = "192.0.2.1";

Deno.test("bans are a list, and who is banned or disabled is known by name, for as long as it holds", () => {
  const rulings = [
    { kind: "ban", about: "ada", until: AT + 10, by },
    { kind: "bannedAddress", about: "10.0.0.0/8", by },
    { kind: "disabled", about: "bela", why: "left", by },
    { kind: "secret", about: "bela", by },
  ];
  const laid = laidDown({ rulings }, AT);
  assertEquals(laid.bans!.map(({ key }) => key), ["ban ada", "bannedAddress 10.0.0.0/8"]);
  assertEquals([[...laid.banned.keys()], [...laid.disabled.keys()]], [["ada"], ["bela"]]);
  assertEquals(laid.endsNext, AT + 10);
  const later = laidDown({ rulings }, AT + 10);
  assertEquals([later.bans!.length, later.banned.size, later.endsNext], [1, 0, Infinity]);
});

Deno.test("what was not answered is not known, which is not the same as empty", () => {
  const { bans, invitations, roles } = laidDown({}, AT);
  assertEquals([bans, invitations, roles], [undefined, undefined, undefined]);
  assertEquals(laidDown({ rulings: [], invitations: [] }, AT).bans, []);
});

Deno.test("roles are those that count and those that were given, also by patterns of the config", () => {
  const roles = {
    users: [{ user: "t-ada", roles: ["lab"], given: ["lab"] }],
    patterns: [{ role: "teacher", users: ["anna", "T-*"] }],
  };
  const { roles: known } = laidDown({ roles }, AT);
  assertEquals(rolesOf("t-ada", known), { all: ["teacher", "lab"], given: ["lab"] });
  assertEquals(rolesOf("anna", known), { all: ["teacher"], given: [] });
  assertEquals(rolesOf("ada", undefined), { all: [], given: [] });
});

Deno.test("patterns of names mean to the page what they mean to the servers", () => {
  const part = fc.constantFrom("a", "b", "A", "*", "ab");
  const text = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(""));
  fc.assert(fc.property(text, text, (pattern, text) => {
    const name = text.replaceAll("*", "");
    assertEquals(matchesPattern(pattern, name), serversMatch(pattern, name));
  }));
});

Deno.test("a user's row is new when something of it was set or lifted, and only then", () => {
  const view = sampleView({ users: { ada: [], bela: ["a"] } });
  const before = userRows(view, new Map(), NOTHING_LAID_DOWN);
  const laid = laidDown({ rulings: [{ kind: "disabled", about: "ada", by }] }, AT);
  const after = userRows(view, before, laid);
  assertEquals(userBadge(after.get("ada")!).text, "disabled");
  assertStrictEquals(after.get("bela"), before.get("bela"));
  // The same again, made anew of another answer.
  const again = userRows(view, after, laidDown({ rulings: [{ kind: "disabled", about: "ada", by }] }, AT));
  assertStrictEquals(again.get("ada"), after.get("ada"));
  assertEquals(userBadge(userRows(view, again).get("ada")!).text, "offline");
});

Deno.test("a user's badge says what keeps it out before where it is", () => {
  const ruling = { kind: "ban", about: "ada", by };
  assertEquals(userBadge(sampleUser({ at: ["a", "b"] })), { state: "good", text: "online × 2" });
  assertEquals(userBadge(sampleUser({ at: ["a"], disabled: ruling })), { state: "warn", text: "disabled" });
  assertEquals(userBadge(sampleUser({ ban: ruling, disabled: ruling })), { state: "bad", text: "banned" });
});
