/** The lists of the section `auth`: what is wrong in which of their entries. */

import { assertEquals, assertThrows } from "@std/assert";
import { ConfigError, parseConfig } from "../../config/load.ts";

function auth(value: unknown): unknown {
  return parseConfig(JSON.stringify({ auth: value }), "c.json").auth;
}

Deno.test("roles and rules are taken as they are written", () => {
  const roles = [{ role: "teacher", users: ["anna", "t-*"] }];
  const rights = [{ users: ["a*"], roles: ["guest"], addresses: ["10.0.0.0/8", "::1"], may: ["read"] }, {
    channels: ["", "lab/**"],
    may: ["publish", "read"],
  }, { may: [] }];
  const given = { registration: "invite", reservedNames: ["admin*"], minSecretLength: 12, roles, rights };
  assertEquals(auth(given), { clearSecrets: true, anonymous: true, ...given });
});

Deno.test("a wrong entry is refused with its place in the list", () => {
  const cases: [unknown, string][] = [
    [
      { rights: [{ may: ["read"] }, { may: ["write"] }] },
      '"auth.rights.1.may.0" must be "publish", "read", "message" or',
    ],
    [{ rights: [{ may: [], user: ["a"] }] }, '"auth.rights.0.user" must be an object of "may" and perhaps "users"'],
    [
      { rights: [{ addresses: ["10.0.0.0/33"], may: [] }] },
      '"auth.rights.0.addresses.0" must be an address, or a range',
    ],
    [{ rights: [{ users: ["a"] }] }, '"auth.rights.0.may" must be'],
    [{ rights: [{ channels: ["a/*/b"], may: [] }] }, '"auth.rights.0.channels.0" must be a channel, or a pattern'],
    [{ rights: [{ channels: "lab", may: [] }] }, '"auth.rights.0.channels" must be a list of channels'],
    [
      { rights: [{ may: [] }, { channels: ["lab"], may: ["read", "message"] }] },
      '"auth.rights.1" must be a rule that gives no more than "publish" or "read", as it is about "channels"',
    ],
    [{ roles: [{ role: "guest", users: [] }] }, '"auth.roles.0.role" must be a word'],
    [{ reservedNames: [""] }, '"auth.reservedNames.0" must be a name, or a pattern'],
    [{ minSecretLength: 257 }, '"auth.minSecretLength" must be a number from 0 to 256'],
  ];
  for (const [value, words] of cases) assertThrows(() => auth(value), ConfigError, words);
});
