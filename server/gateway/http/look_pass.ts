/**
 * Passes: what lets a page that has signed in at one server look at another one, when its own is silent. A server makes
 * a pass with the key of its clients' tickets, which all servers of the network know. So a pass says that one of them
 * has seen its token, and no token leaves a browser for another server. With a pass one may look, and nothing else. It
 * is good for minutes, and gives way to newer ones until the session ends that it began with. The caller hands in
 * time and cipher.
 */

import type { SecretCrypto } from "../../../platform/crypto.ts";

/** A pass: who made it, when, and when the session ends that it stands for, in milliseconds since 1970. */
export interface LookPass {
  readonly serverId: string;
  readonly issuedAt: number;
  readonly endsAt: number;
}

/** How long a pass is good for. A page asks for a new one each minute. */
export const PASS_MS = 300_000;
/** The most that the clocks of two servers may differ. */
const SKEW_MS = 120_000;
/** Server, time, end of the session, code. Only the server's name may hold dots. */
const PASS = /^(.{1,64})\.([0-9a-z]{1,11})\.([0-9a-z]{1,11})\.([0-9a-f]{64})$/;
const encoder = new TextEncoder();

/** The text of a pass, made with the key of its server. */
export function makeLookPass(key: string, pass: LookPass, crypto: Pick<SecretCrypto, "hmac">): string {
  return [...statedIn(pass), codeOf(key, pass, crypto)].join(".");
}

/**
 * When the session ends that `text` stands for; `undefined` where it is no pass, or none any more. `keyOf` knows the
 * keys of the servers of the network.
 */
export function worthOfPass(
  text: string,
  nowMs: number,
  keyOf: (serverId: string) => string | undefined,
  crypto: Pick<SecretCrypto, "hmac" | "isEqual">,
): number | undefined {
  const [, serverId, issued, ends, code] = PASS.exec(text) ?? [];
  const key = serverId === undefined ? undefined : keyOf(serverId);
  if (key === undefined || key === "") return undefined;
  const pass = { serverId: serverId!, issuedAt: parseInt(issued!, 36), endsAt: parseInt(ends!, 36) };
  if (!crypto.isEqual(encoder.encode(code), encoder.encode(codeOf(key, pass, crypto)))) return undefined;
  const ageMs = nowMs - pass.issuedAt;
  return ageMs >= -SKEW_MS && ageMs < PASS_MS + SKEW_MS && nowMs < pass.endsAt ? pass.endsAt : undefined;
}

function statedIn({ serverId, issuedAt, endsAt }: LookPass): string[] {
  return [serverId, Math.round(issuedAt).toString(36), Math.round(endsAt).toString(36)];
}

/** Said of nothing else that is made with such a key. */
function codeOf(key: string, pass: LookPass, crypto: Pick<SecretCrypto, "hmac">): string {
  return crypto.hmac(key, ["look", ...statedIn(pass)].join("\0"));
}
