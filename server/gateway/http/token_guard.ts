/**
 * Guards the token: knows who has shown it, and stops guessing. A browser that has shown it once is known by a cookie,
 * for twelve hours or until this server stops. The caller hands in the clock.
 */

import { toHex } from "../../../platform/hex.ts";
import { RecentMap } from "../../../log/recent.ts";
import { networkOf } from "../../../platform/address.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { SecretCrypto } from "../../../platform/crypto.ts";
import type { HttpRequest } from "../../../platform/http/http_server.ts";
import type { TokenRole } from "../../accounts/operator_tokens.ts";
import { bearerOf, cookieOf, type Shown } from "./access.ts";

/** The result of a sign-in. */
export type SignIn =
  | { readonly kind: "signedIn"; readonly cookie: string }
  /** `overheard`: the token is right, and came where others on the way heard it. */
  | { readonly kind: "wrong" | "limited" | "overheard" };

/** How long a cookie holds. */
const SESSION_MS = 12 * 3_600_000;
/** More browsers than will ever be open; the oldest is forgotten first. */
const MAX_SESSIONS = 1_000;
/** This many wrong tokens from one address within this time, and it has to wait until the time is over. */
const MAX_WRONG = 5;
const WRONG_WINDOW_MS = 60_000;
/** Addresses that are remembered for wrong tokens. */
const MAX_ADDRESSES = 10_000;
/** A cookie's value: nobody else's guess. */
const SESSION_BYTES = 24;

/** The doorkeeper of one gateway. */
export class TokenGuard {
  readonly #token: string;
  readonly #cookieName: string;
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #crypto: SecretCrypto;
  readonly #networkRole: (token: string) => TokenRole | undefined;
  /**
   * The end of each session, by a digest of its cookie, so that the time of a look-up tells nothing about other
   * cookies.
   */
  readonly #sessions = new RecentMap<string, { readonly until: number; readonly role: TokenRole }>(MAX_SESSIONS);
  /** By address: how many wrong tokens came, and since when. */
  readonly #wrong = new RecentMap<string, { count: number; since: number }>(MAX_ADDRESSES);

  /**
   * `port` is in the cookie's name. Browsers send cookies to all ports of a machine, and several servers may run on
   * one. `networkRole` knows tokens that count at every server.
   */
  constructor(
    token: string,
    port: number,
    clock: Pick<Clock, "nowMs">,
    crypto: SecretCrypto,
    networkRole: (token: string) => TokenRole | undefined = () => undefined,
  ) {
    this.#networkRole = networkRole;
    this.#token = crypto.digest(token);
    this.#cookieName = `thrum_session_${port}`;
    this.#clock = clock;
    this.#crypto = crypto;
  }

  /** The proof in `request`. A wrong token is counted. */
  judge({ headers, remoteHost }: HttpRequest): Shown {
    const bearer = bearerOf(headers);
    if (bearer !== undefined) return this.#compare(bearer, remoteHost);
    const cookie = cookieOf(headers, this.#cookieName);
    if (cookie === undefined) return "nothing";
    // An old cookie is no guess, and worth nothing.
    const role = this.#roleOfSession(cookie);
    return role === "act" ? "session" : role ?? "nothing";
  }

  /**
   * Takes a token from the sign-in page; `isSecure` when the page came over TLS. With `isOverheard` others on the way
   * heard the token: then it has to be one to look.
   */
  signIn(token: string, remoteHost: string, isSecure: boolean, isOverheard = false): SignIn {
    const shown = this.#compare(token, remoteHost);
    if (shown !== "token" && shown !== "look") return { kind: shown };
    if (shown === "token" && isOverheard) return { kind: "overheard" };
    const session = toHex(this.#crypto.randomBytes(SESSION_BYTES));
    const role = shown === "token" ? "act" : "look";
    this.#sessions.set(this.#crypto.digest(session), { until: this.#clock.nowMs() + SESSION_MS, role });
    return { kind: "signedIn", cookie: this.#cookie(session, SESSION_MS / 1_000, isSecure) };
  }

  /** How long the session of a request lasts still: that of its cookie, or one that began now. */
  lastsMs({ headers }: HttpRequest): number {
    const cookie = cookieOf(headers, this.#cookieName);
    const until = cookie === undefined ? undefined : this.#sessions.get(this.#crypto.digest(cookie))?.until;
    return until === undefined ? SESSION_MS : Math.max(0, until - this.#clock.nowMs());
  }

  /** Forgets the browser that asks; gives the cookie that takes its cookie away. */
  signOut({ headers }: HttpRequest): string {
    const cookie = cookieOf(headers, this.#cookieName);
    if (cookie !== undefined) this.#sessions.delete(this.#crypto.digest(cookie));
    return this.#cookie("", 0, false);
  }

  #compare(token: string, remoteHost: string): "token" | "look" | "wrong" | "limited" {
    const now = this.#clock.nowMs();
    const from = networkOf(remoteHost);
    const before = this.#wrong.get(from);
    const recent = before !== undefined && now - before.since < WRONG_WINDOW_MS ? before : undefined;
    // Digests, so that both are of one length.
    const encoder = new TextEncoder();
    // The right token counts after any number of wrong ones. Its owner may share an address with somebody who guesses,
    // behind a proxy or on this machine, and must not be shut out. The length of the token protects it. The limit keeps
    // guesses out of the log, and stops programs with an old token.
    if (this.#crypto.isEqual(encoder.encode(this.#crypto.digest(token)), encoder.encode(this.#token))) return "token";
    const role = this.#networkRole(token);
    if (role !== undefined) return role === "act" ? "token" : "look";
    if (recent !== undefined && recent.count >= MAX_WRONG) return "limited";
    this.#wrong.renew(from, { count: (recent?.count ?? 0) + 1, since: recent?.since ?? now });
    return "wrong";
  }

  /** What the owner of a cookie may do; `undefined` where it is none, or none any more. */
  #roleOfSession(cookie: string): TokenRole | undefined {
    const key = this.#crypto.digest(cookie);
    const session = this.#sessions.get(key);
    if (session === undefined || this.#clock.nowMs() < session.until) return session?.role;
    this.#sessions.delete(key);
    return undefined;
  }

  #cookie(value: string, maxAgeSeconds: number, isSecure: boolean): string {
    const secure = isSecure ? "; Secure" : "";
    return `${this.#cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${secure}`;
  }
}
