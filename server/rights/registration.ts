/**
 * Who may register what: names that nobody can have anew, secrets that are too short, and whether strangers make
 * accounts at all. Pure.
 */

import { usernameProblem } from "../../protocol/names.ts";
import { INVITATION_PROBLEMS, type InvitationProblem } from "./invitations.ts";
import { newNameProblem } from "./names/new_name.ts";
import { skeletonOf, skeletonsOf } from "./names/skeleton.ts";
import { matchesPattern } from "./pattern.ts";

/** What an operator sets of it. */
export interface RegistrationRules {
  /** Who may make an account: anybody, whoever has an invitation, or nobody. */
  readonly registration: "open" | "invite" | "closed";
  /** Patterns of names that nobody may register. */
  readonly reservedNames: readonly string[];
  /** How many characters a new secret has at least; 0 for any. */
  readonly minSecretLength: number;
}

/** What is known of a name and of an invitation. */
export interface RegistrationFacts {
  hasAccount(username: string): boolean;
  /** Another name that exists and looks like this one. */
  alike(username: string): string | undefined;
  /** Why nobody can register with this code; `undefined` if somebody can. */
  invitationProblem(code: string): InvitationProblem | undefined;
}

/** What somebody wants to register. */
export interface Registrant {
  readonly username: string;
  readonly secret: string;
  /** The code of an invitation. */
  readonly invitation?: string | undefined;
}

/** Why it is refused: a word for programs, and a sentence for people. */
export interface RegistrationRefusal {
  readonly reason: "NOT_ALLOWED" | "NAME_TAKEN" | "LOOKS_ALIKE" | "SECRET_TOO_SHORT" | "CLOSED" | "INVITATION";
  readonly info: string;
}

/** Said of a name that somebody has. */
export const NAME_TAKEN: RegistrationRefusal = Object.freeze({ reason: "NAME_TAKEN", info: "this name is taken" });

/** Why nobody may register this; `undefined` if somebody may. */
export function registrationRefusal(
  { username, secret, invitation }: Registrant,
  { registration, reservedNames, minSecretLength }: RegistrationRules,
  facts: RegistrationFacts,
): RegistrationRefusal | undefined {
  const broken = usernameProblem(username);
  if (broken !== undefined) return { reason: "NOT_ALLOWED", info: broken };
  if (registration === "closed") {
    return { reason: "CLOSED", info: "this server makes no accounts: ask who runs it for one" };
  }
  if (registration === "invite") {
    if (invitation === undefined) {
      return { reason: "INVITATION", info: "this server makes accounts only for who has an invitation" };
    }
    const problem = facts.invitationProblem(invitation);
    if (problem !== undefined) return invitationRefusal(problem);
  }
  // Also where it would not be allowed any more.
  if (facts.hasAccount(username)) return NAME_TAKEN;
  const problem = newNameProblem(username);
  if (problem !== undefined) return { reason: "NOT_ALLOWED", info: problem };
  if (isReserved(username, reservedNames)) return { reason: "NOT_ALLOWED", info: "this name is reserved" };
  const alike = facts.alike(username);
  if (alike !== undefined) return looksAlike(alike);
  if (characters(secret) < minSecretLength) {
    return { reason: "SECRET_TOO_SHORT", info: `the secret has fewer than ${minSecretLength} characters` };
  }
  return undefined;
}

/** Why a name is refused that looks like `other`, which exists. */
export function looksAlike(other: string): RegistrationRefusal {
  return { reason: "LOOKS_ALIKE", info: `this name looks like one that exists: ${other}` };
}

/** Why somebody is refused whose invitation has this problem. */
export function invitationRefusal(problem: InvitationProblem): RegistrationRefusal {
  return { reason: "INVITATION", info: INVITATION_PROBLEMS[problem] };
}

/** Whether one of `patterns` is this name, or looks like it. */
function isReserved(username: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    if (matchesPattern(pattern, username)) return true;
    const skeleton = pattern.toLowerCase().split("*").map(skeletonOf).join("*");
    return [...skeletonsOf(username)].some((each) => matchesPattern(skeleton, each));
  });
}

function characters(text: string): number {
  return [...text].length;
}
