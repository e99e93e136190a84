/** What the audit log is told: who did what, where from, and to whom. Types and names alone. Pure. */

/** Everything that is noted, by name. Append only: the names are in every audit log. */
export const AUDIT_KINDS = [
  ...["serverStarted", "serverStopped"] as const,
  ...["loginFailed", "registered", "registrationFailed", "tokenRefused", "peerRefused"] as const,
  ...["secretChanged", "accountForgotten", "accountDisabled", "accountEnabled", "invited"] as const,
  ...["banned", "banLifted", "connectionEnded", "drained"] as const,
  ...["configReloaded", "logLevelChanged", "networkSecretChanged"] as const,
  ...["operatorTokenChanged", "invitationWithdrawn", "rolesChanged"] as const,
  // What the log says of itself.
  ...["missed", "repaired", "peerDisagrees"] as const,
];
/** One of these. */
export type AuditKind = (typeof AUDIT_KINDS)[number];

/** Something that an operator may have to prove later. It never has a secret, a token or a verifier in it. */
export interface AuditEvent {
  readonly what: AuditKind;
  /** Who did it: the name of a user, or `operator`. Absent for a stranger, and for the server itself. */
  readonly by?: string | undefined;
  /** Where that came from: an address, `ADDRESS at SERVER` for an order by way of another server. */
  readonly from?: string | undefined;
  /** To whom or what it was done: a name, an address, a key of the configuration. */
  readonly of?: string | undefined;
  /** What else there is to say, in words and numbers. */
  readonly more?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** Takes events. */
export interface Auditor {
  /** Notes `event`. Returns at once, and never throws: a disk that fails is told elsewhere. */
  audit(event: AuditEvent): void;
}

/** For servers that keep nothing. */
export const NO_AUDIT: Auditor = Object.freeze({ audit: () => {} });
