/**
 * The last user and server, to offer them the next time: a small file in the person's config folder. It has a secret
 * only if the person asked for that. This program or a person wrote the file, so nothing in it is trusted.
 */

import type { Endpoint } from "../../../platform/address.ts";
import { secretProblem, usernameProblem } from "../../../protocol/names.ts";

/** The kept login. */
export interface Remembered {
  readonly username: string;
  readonly server: Endpoint;
  readonly secret?: string;
}

/** The file of the kept login. */
export interface StateFile {
  /** Its text; `undefined` if the file is missing. */
  read(): Promise<string | undefined>;
  /** Replaces the content. Only its owner can read the file. Rejects with a reason for people. */
  write(text: string): Promise<void>;
}

/** Who logged in. */
export interface LoggedIn {
  readonly username: string;
  readonly server: Endpoint;
  readonly secret: string;
}

/** The kept login; `undefined` if there is none, or none that makes sense. */
export async function readRemembered(file: StateFile | undefined): Promise<Remembered | undefined> {
  try {
    const text = await file?.read();
    return text === undefined ? undefined : parseRemembered(text);
  } catch {
    // A file that cannot be read offers nothing. If it cannot be written either, the person is told then.
    return undefined;
  }
}

/** What a text keeps. */
export function parseRemembered(text: string): Remembered | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Somebody or another program edited the file: it offers nothing.
    return undefined;
  }
  const { username, host, port, secret } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof username !== "string" || usernameProblem(username) !== undefined) return undefined;
  if (typeof host !== "string" || !/^[\w.:%-]+$/.test(host)) return undefined;
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  const isSecret = typeof secret === "string" && secretProblem(secret) === undefined;
  return { username, server: { host, port }, ...(isSecret ? { secret } : {}) };
}

/** The text that keeps it. */
export function rememberedText({ username, server: { host, port }, secret }: Remembered): string {
  return `${JSON.stringify({ username, host, port, secret }, null, 2)}\n`;
}

/** The secret that is kept for `username` at `server`. */
export function secretFor(
  kept: Remembered | undefined,
  username: string,
  server: Endpoint,
): string | undefined {
  return kept !== undefined && kept.username === username && isSame(kept.server, server) ? kept.secret : undefined;
}

/**
 * The login to keep; `undefined` if it is kept already. A kept secret stays if it was right, as nobody asked to forget
 * it. Another secret is kept only on request (`remember`).
 */
export function toKeep(
  kept: Remembered | undefined,
  { username, server, secret }: LoggedIn,
  remember: boolean,
): Remembered | undefined {
  const keepsSecret = remember || secretFor(kept, username, server) === secret;
  const isKept = kept !== undefined && kept.username === username && isSame(kept.server, server) &&
    kept.secret === (keepsSecret ? secret : undefined);
  if (isKept) return undefined;
  const { host, port } = server;
  return { username, server: { host, port }, ...(keepsSecret ? { secret } : {}) };
}

/** Whether two endpoints are the same. */
export function isSame(one: Endpoint, other: Endpoint): boolean {
  return one.host === other.host && one.port === other.port;
}
