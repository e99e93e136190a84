/** Who may do what, and who may register: the rules alone. */

import { assertEquals } from "@std/assert";
import type { RightsRule } from "../../../config/auth/auth_config.ts";
import { matchesPattern } from "../../../server/rights/pattern.ts";
import {
  areSamePermissions,
  EVERYTHING,
  getsMessages,
  hasRight,
  mayPublishIn,
  mayReadAll,
  mayReadIn,
  mayReadSome,
  type Permissions,
  permissionsOf,
  readingLimit,
  readRules,
  type Subject,
} from "../../../server/rights/permissions.ts";
import { rolesOf } from "../../../server/rights/roles.ts";
import {
  type RegistrationFacts,
  registrationRefusal,
  type RegistrationRules,
} from "../../../server/rights/registration.ts";

const ROLES = [{ role: "teacher", users: ["anna", "t-*"] }];

/** The rights of somebody, in the order of the table, as words. */
function may(rules: RightsRule[], subject: Subject, given: string[] = []): string {
  const permissions = permissionsOf(subject, rolesOf(subject, ROLES, given), readRules(rules));
  return Object.entries(permissions).flatMap(([right, is]) => is ? right : []).join(" ");
}

Deno.test("matchesPattern() takes * for any characters, and does not look at the case", () => {
  const yes = [["anna", "Anna"], ["*", ""], ["a*", "a"], ["*a", "ba"], ["a*b*c", "aXbYc"], ["t-*", "T-1"], [
    "*a*a*",
    "aa",
  ]];
  const no = [["anna", "ann"], ["a*a", "a"], ["a*b*c", "acb"], ["", "a"], ["*ab*b", "ab"]];
  for (const [pattern, name] of yes) assertEquals(matchesPattern(pattern!, name!), true, `${pattern} ${name}`);
  for (const [pattern, name] of no) assertEquals(matchesPattern(pattern!, name!), false, `${pattern} ${name}`);
});

Deno.test("the first rule that matches counts, and where none does everything is allowed", () => {
  const rules: RightsRule[] = [
    { users: ["bob"], may: [] },
    { roles: ["teacher"], may: ["publish", "read"] },
    { roles: ["anonymous", "guest"], addresses: ["10.0.0.0/8"], may: ["read"] },
    { addresses: ["10.0.0.0/8"], may: ["read", "message"] },
  ];
  assertEquals(may(rules, { username: "bob", address: "::1" }, ["teacher"]), "");
  assertEquals(may(rules, { username: "T-7", address: "10.1.1.1" }), "publish read");
  assertEquals(may(rules, { username: "eve", address: "1.2.3.4" }, ["teacher"]), "publish read");
  assertEquals(may(rules, { username: "anonymous", address: "::ffff:10.0.0.9" }), "read");
  assertEquals(may(rules, { username: "anna", address: "10.0.0.9", isGuest: true }), "read");
  assertEquals(may(rules, { username: "eve", address: "10.0.0.9" }), "read message");
  assertEquals(may(rules, { username: "eve", address: "11.0.0.9" }), "publish read message listUsers");
  assertEquals(permissionsOf({ username: "eve", address: "" }, [], []), EVERYTHING);
});

/** What somebody may do by a table with channels. */
function permissions(rules: RightsRule[], username = "anna", roles: string[] = []): Permissions {
  return permissionsOf({ username, address: "::1" }, ["named", ...roles], readRules(rules));
}

Deno.test("rules for channels count for publishing and reading there, and for nothing else", () => {
  const rules: RightsRule[] = [
    { roles: ["staff"], channels: ["lab/**"], may: ["publish", "read"] },
    { channels: ["lab/news"], may: ["read"] },
    { channels: ["lab/**", "ku\u0308che"], may: [] },
    { users: ["anna"], may: ["publish", "read", "listUsers"] },
    { channels: [""], may: ["publish", "read"] },
    { may: ["message"] },
  ];
  const anna = permissions(rules);
  const in_ = (may: Permissions, channels: string[]) =>
    channels.map((channel) => [mayPublishIn(may, channel), mayReadIn(may, channel)].map(Number).join(""));
  assertEquals(in_(anna, ["lab", "lab/news", "hall", "", "k\u00fcche"]), ["00", "01", "11", "11", "00"]);
  assertEquals([anna.publish, anna.read, anna.message, anna.listUsers], [true, true, false, true]);
  assertEquals([getsMessages(anna), mayReadAll(anna), mayReadSome(anna, "lab/*"), mayReadSome(anna, "lab")], [
    ...[true, false, true, false],
  ]);
  // A rule for all of it comes first for her. The rules behind it say nothing.
  const staff = permissions(rules, "anna", ["staff"]);
  assertEquals(in_(staff, ["lab", "lab/news", "hall"]), ["11", "11", "11"]);
  // Who has no rule but the last for what is of no channel: messages come by that one.
  const bob = permissions(rules, "bob");
  assertEquals(in_(bob, ["lab", "lab/news", "hall", ""]), ["00", "01", "00", "11"]);
  assertEquals([getsMessages(bob), bob.message, bob.listUsers], [false, true, false]);
  assertEquals([hasRight(bob, "publish", true), hasRight(bob, "publish", false)], [true, true]);
});

Deno.test("rights by channel that change nothing are none, and two tables that say the same give the same", () => {
  const plain = permissions([{ channels: ["lab"], may: ["publish", "read"] }, { may: ["publish", "read"] }]);
  assertEquals([plain.channels, readingLimit(plain)], [undefined, undefined]);
  const mute = permissions([{ channels: ["lab"], may: ["read"] }]);
  assertEquals([readingLimit(mute), mayReadAll(mute), hasRight(mute, "publish", true)], [undefined, true, true]);
  const one = [{ channels: ["lab"], may: [] }] satisfies RightsRule[];
  assertEquals(
    areSamePermissions(permissions(one), permissions([...one, { channels: ["hall"], may: ["publish", "read"] }])),
    true,
  );
  assertEquals(areSamePermissions(permissions(one), permissions([{ channels: ["hall"], may: [] }])), false);
  assertEquals(areSamePermissions(permissions(one), EVERYTHING), false);
  const nowhere = permissions([{ channels: ["**"], may: [] }]);
  assertEquals([hasRight(nowhere, "read", true), getsMessages(nowhere), nowhere.message], [false, true, true]);
});

const OPEN: RegistrationRules = { registration: "open", reservedNames: ["admin", "staff-*"], minSecretLength: 0 };
const FACTS: RegistrationFacts = {
  hasAccount: (username) => username === "anna" || username === "an\u200dna",
  alike: (username) => username === "аппа" ? "anna" : undefined,
  invitationProblem: (code) => code === "good" ? undefined : "unknown",
};

/** The word that the refusal has for programs. */
function reason(username: string, rules: Partial<RegistrationRules> = {}, more = {}): string | undefined {
  return registrationRefusal({ username, secret: "1234567", ...more }, { ...OPEN, ...rules }, FACTS)?.reason;
}

Deno.test("registrationRefusal() has a reason for each thing that is wrong, and none by default", () => {
  assertEquals(reason("bob"), undefined);
  assertEquals(reason("a:b"), "NOT_ALLOWED");
  assertEquals(reason("bo\u200db"), "NOT_ALLOWED");
  assertEquals(reason("аппа"), "LOOKS_ALIKE");
  assertEquals(reason("anna"), "NAME_TAKEN");
  assertEquals(reason("an\u200dna"), "NAME_TAKEN");
  for (const reserved of ["ADMIN", "admın", "Staff-9", "staff-é"]) {
    assertEquals(reason(reserved), "NOT_ALLOWED", reserved);
  }
  assertEquals(reason("bob", { minSecretLength: 8 }), "SECRET_TOO_SHORT");
  assertEquals(reason("bob", { minSecretLength: 7 }), undefined);
  assertEquals(reason("bob", { registration: "closed" }), "CLOSED");
  assertEquals(reason("bob", { registration: "invite" }), "INVITATION");
  assertEquals(reason("bob", { registration: "invite" }, { invitation: "bad" }), "INVITATION");
  assertEquals(reason("bob", { registration: "invite" }, { invitation: "good" }), undefined);
});
