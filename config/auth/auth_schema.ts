/** The allowed values of the section `auth`, as in `config/schema.ts`. Pure. */

import * as v from "valibot";
import { parseAddressRange } from "../address_range.ts";
import { BUILT_IN_ROLES, REGISTRATIONS, RIGHTS } from "./auth_config.ts";
import { wordList } from "../values.ts";

/** As long as the longest secret. */
const MAX_MIN_SECRET_LENGTH = 256;

const flag = v.boolean("true or false");
const word = (words: readonly string[]) => wordList(words.map((each) => `"${each}"`));
const patterns = v.array(
  v.custom<string>((value) => typeof value === "string" && value !== "", "a name, or a pattern with *"),
  "a list of names",
);
const role = v.custom<string>(
  (value) => typeof value === "string" && /^[\w-]{1,32}$/.test(value),
  "a word of 1 to 32 letters, digits, - and _",
);
const ownRole = v.custom<string>(
  (value) => typeof value === "string" && /^[\w-]{1,32}$/.test(value) && !BUILT_IN_ROLES.includes(value),
  `a word of 1 to 32 letters, digits, - and _, and not ${word(BUILT_IN_ROLES)}`,
);
const range = v.custom<string>(
  (value) => typeof value === "string" && parseAddressRange(value) !== undefined,
  "an address, or a range such as 10.0.0.0/8",
);
const ROLE_KEYS = 'an object of "role" and "users"';
const RULE_KEYS = 'an object of "may" and perhaps "users", "roles" and "addresses"';

/** The section. Every key may be left out. */
export const AUTH_SCHEMA = v.object({
  clearSecrets: v.exactOptional(flag),
  anonymous: v.exactOptional(flag),
  registration: v.exactOptional(v.picklist(REGISTRATIONS, word(REGISTRATIONS))),
  reservedNames: v.exactOptional(patterns),
  minSecretLength: v.exactOptional(v.custom<number>(
    (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_MIN_SECRET_LENGTH,
    `a number from 0 to ${MAX_MIN_SECRET_LENGTH}`,
  )),
  roles: v.exactOptional(v.array(v.strictObject({ role: ownRole, users: patterns }, ROLE_KEYS), "a list of roles")),
  rights: v.exactOptional(v.array(
    v.strictObject({
      users: v.exactOptional(patterns),
      roles: v.exactOptional(v.array(role, "a list of roles")),
      addresses: v.exactOptional(v.array(range, "a list of addresses")),
      may: v.array(v.picklist(RIGHTS, word(RIGHTS)), "a list of rights"),
    }, RULE_KEYS),
    "a list of rules",
  )),
}, "an object in braces");
