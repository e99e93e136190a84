/** The allowed values of the section `auth`, as in `config/schema.ts`. Pure. */

import * as v from "valibot";
import { parseAddressRange } from "../address_range.ts";
import { normalName, patternProblem } from "../../protocol/channels/channel_name.ts";
import { BUILT_IN_ROLES, CHANNEL_RIGHTS, isRole, REGISTRATIONS, RIGHTS, type RightsRule } from "./auth_config.ts";
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
  (value) => typeof value === "string" && isRole(value),
  "a word of 1 to 32 letters, digits, - and _",
);
const ownRole = v.custom<string>(
  (value) => typeof value === "string" && isRole(value) && !BUILT_IN_ROLES.includes(value),
  `a word of 1 to 32 letters, digits, - and _, and not ${word(BUILT_IN_ROLES)}`,
);
const range = v.custom<string>(
  (value) => typeof value === "string" && parseAddressRange(value) !== undefined,
  "an address, or a range such as 10.0.0.0/8",
);
const channel = v.custom<string>(
  (value) => typeof value === "string" && patternProblem(normalName(value)) === undefined,
  "a channel, or a pattern such as lab/**; empty for what has no channel",
);
const ROLE_KEYS = 'an object of "role" and "users"';
const RULE_KEYS = 'an object of "may" and perhaps "users", "roles", "addresses" and "channels"';

const CHANNEL_RULE = `a rule that gives no more than ${word(CHANNEL_RIGHTS)}, as it is about "channels"`;

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
    v.pipe(
      v.strictObject({
        users: v.exactOptional(patterns),
        roles: v.exactOptional(v.array(role, "a list of roles")),
        addresses: v.exactOptional(v.array(range, "a list of addresses")),
        channels: v.exactOptional(v.array(channel, "a list of channels")),
        may: v.array(v.picklist(RIGHTS, word(RIGHTS)), "a list of rights"),
      }, RULE_KEYS),
      v.check(isOfOneKind, CHANNEL_RULE),
    ),
    "a list of rules",
  )),
}, "an object in braces");

/** Whether a rule for channels gives what there is by channel, and nothing else. */
function isOfOneKind({ channels, may }: RightsRule): boolean {
  return channels === undefined || may.every((right) => CHANNEL_RIGHTS.includes(right));
}
