// @ts-check
/**
 * What operators have set for the whole network, made of what the server answers: who is banned or disabled, who has
 * which roles, and the invitations. Pure.
 */

/**
 * @typedef {{ readonly kind: string, readonly about: string, readonly until?: number, readonly why?: string,
 *   readonly by: string }} Ruling as `/api/rulings` has it
 */

/**
 * @typedef {{ readonly users: readonly { readonly user: string, readonly roles: readonly string[],
 *     readonly given: readonly string[] }[],
 *   readonly patterns: readonly { readonly role: string, readonly users: readonly string[] }[] }} Roles as `/api/roles`
 *   has them; the patterns are those of the config of the server that answers
 */

/**
 * @typedef {{ readonly id: string, readonly uses: number, readonly used: number, readonly until: number | null,
 *   readonly state: string, readonly note?: string, readonly by?: string }} Invitation as `/api/invitations` has it
 */

/**
 * What was answered. What is not there was not answered: this server does not know it, or it is still on its way.
 *
 * @typedef {{ readonly rulings?: readonly Ruling[], readonly roles?: Roles,
 *   readonly invitations?: readonly Invitation[] }} Answers
 */

/**
 * @typedef {{ readonly users: ReadonlyMap<string, Roles["users"][number]>,
 *   readonly patterns: Roles["patterns"] }} RoleBook the same, by name
 */

/** @typedef {Ruling & { readonly key: string }} BanRow */
/** @typedef {Invitation & { readonly key: string }} InvitationRow */

/**
 * The lists. `banned` and `disabled` are by name. `endsNext` is the moment when the first of all bans ends by itself,
 * by the clock of the server that answers: from then on `laidDown` gives something else.
 *
 * @typedef {{ readonly banned: ReadonlyMap<string, Ruling>, readonly disabled: ReadonlyMap<string, Ruling>,
 *   readonly bans: readonly BanRow[] | undefined, readonly roles: RoleBook | undefined,
 *   readonly invitations: readonly InvitationRow[] | undefined, readonly endsNext: number }} LaidDown
 */

/** Before anything was answered. @type {LaidDown} */
export const NOTHING_LAID_DOWN = Object.freeze({
  ...{ banned: new Map(), disabled: new Map(), bans: undefined, roles: undefined, invitations: undefined },
  endsNext: Infinity,
});

/**
 * The lists at `now`, by the clock of the server that answers.
 *
 * @param {Answers} answers
 * @param {number} now
 * @returns {LaidDown}
 */
export function laidDown({ rulings, roles, invitations }, now) {
  const inForce = (rulings ?? []).filter(({ until }) => until === undefined || now < until);
  const bans = inForce.filter(({ kind }) => kind === "ban" || kind === "bannedAddress");
  return {
    banned: byName(inForce, "ban"),
    disabled: byName(inForce, "disabled"),
    bans: rulings && bans.map((ban) => ({ ...ban, key: `${ban.kind} ${ban.about}` })),
    roles: roles && { users: new Map(roles.users.map((one) => [one.user, one])), patterns: roles.patterns },
    invitations: invitations?.map((invitation) => ({ ...invitation, key: invitation.id })),
    // No spread: there may be more of them than a call takes.
    endsNext: bans.reduce((least, { until = Infinity }) => Math.min(least, until), Infinity),
  };
}

/**
 * The roles of a user: all that count, and those that an operator has given.
 *
 * @param {string} name
 * @param {RoleBook | undefined} roles
 * @returns {{ readonly all: readonly string[], readonly given: readonly string[] }}
 */
export function rolesOf(name, roles) {
  const known = roles?.users.get(name);
  const byPattern = roles?.patterns.filter(({ users }) => users.some((pattern) => matchesPattern(pattern, name))) ?? [];
  return {
    all: [...new Set([...byPattern.map(({ role }) => role), ...known?.roles ?? []])],
    given: known?.given ?? [],
  };
}

/**
 * Whether `name` is one of `pattern`, as `server/rights/pattern.ts` has it.
 *
 * @param {string} pattern
 * @param {string} name
 */
export function matchesPattern(pattern, name) {
  const [first = "", ...rest] = pattern.toLowerCase().split("*");
  const text = name.toLowerCase();
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}

/**
 * @param {readonly Ruling[]} rulings
 * @param {string} kind
 */
function byName(rulings, kind) {
  /** @type {Map<string, Ruling>} */
  const named = new Map();
  for (const ruling of rulings) if (ruling.kind === kind) named.set(ruling.about, ruling);
  return named;
}
