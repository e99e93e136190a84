/** Who may do what, and who may register: the rules alone. */

import { assertEquals } from "@std/assert";
import type { RightsRule } from "../../../config/auth/auth_config.ts";
import { matchesPattern } from "../../../server/rights/pattern.ts";
import { EVERYTHING, permissionsOf, readRules, rolesOf, type Subject } from "../../../server/rights/permissions.ts";
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
