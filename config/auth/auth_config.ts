/** The section `auth` of the config: who comes in, who may register, and who may do what. Types and defaults. Pure. */

/** What somebody may do. */
export const RIGHTS = ["publish", "read", "message", "listUsers"] as const satisfies RightsRule["may"];
/** Those of them that a rule for channels can give. */
export const CHANNEL_RIGHTS: readonly RightsRule["may"][number][] = ["publish", "read"];
/** Who may make an account. */
export const REGISTRATIONS = ["open", "invite", "closed"] as const satisfies AuthConfig["registration"][];
/** Roles that everybody of a kind has. An operator gives nobody one of these. */
export const BUILT_IN_ROLES: readonly string[] = ["anonymous", "named", "guest"];

/** Whether `text` can be the name of a role. */
export function isRole(text: string): boolean {
  return /^[\w-]{1,32}$/.test(text);
}

/** Users that have a role. */
export interface RoleRule {
  /** The name of the role. */
  role: string;
  /** Names of users, or patterns of names with `*`. */
  users: string[];
}

/**
 * What some users may do. A rule is about whoever matches all of `users`, `roles` and `addresses` that it has; within
 * each one match is enough. The first rule of the table that matches counts, for each channel.
 */
export interface RightsRule {
  /** Names of users, or patterns of names with `*`. */
  users?: string[];
  /** Roles. */
  roles?: string[];
  /** Addresses, or ranges of addresses such as `10.0.0.0/8`. */
  addresses?: string[];
  /**
   * Names of channels, and patterns as on the wire; the empty text stands for what has no channel. Such a rule is about
   * publishing and reading there, and about nothing else. Without it a rule is about everything.
   */
  channels?: string[];
  /** All that they may do; with `channels` no more than `publish` and `read`. */
  may: ("publish" | "read" | "message" | "listUsers")[];
}

/** How users prove who they are, and what they may do. */
export interface AuthConfig {
  /**
   * Whether other machines may tell a secret in clear: to register, or to log in without the feature `scram`. On this
   * machine they always may.
   */
  clearSecrets: boolean;
  /** Whether somebody may come in without a name. */
  anonymous: boolean;
  /** Who may make an account: anybody, whoever has an invitation, or nobody. */
  registration: "open" | "invite" | "closed";
  /** Names that nobody may register, or patterns of names with `*`. */
  reservedNames: string[];
  /** How many characters a new secret has at least; 0 for any. */
  minSecretLength: number;
  /** Who has which role. */
  roles: RoleRule[];
  /** Who may do what. Where no rule matches, everything is allowed. */
  rights: RightsRule[];
}

/** The defaults. */
export const DEFAULT_AUTH: Readonly<AuthConfig> = {
  clearSecrets: true,
  anonymous: true,
  registration: "open",
  reservedNames: [],
  minSecretLength: 0,
  roles: [],
  rights: [],
};
