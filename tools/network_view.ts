/** Asks a running server how its network is, for `why.ts`. */

import * as v from "valibot";
import type { LiveNetwork } from "../diagram/why_live.ts";

const number = v.number();
const text = v.string();
/** In what was merged from patches, what is not known is not there. */
const numberOrNull = v.nullish(number, null);

/** As much of a NetworkView as answers need. */
const NETWORK = v.object({
  at: number,
  from: text,
  servers: v.record(
    text,
    v.object({
      ...{ name: text, state: text, stateSince: number, announcedAt: numberOrNull, vector: v.record(text, number) },
      links: v.record(text, v.object({ silentSince: number, state: text })),
    }),
  ),
  connections: v.record(
    text,
    v.record(
      text,
      v.object({
        ...{ user: text, address: text, kind: text, over: text, since: number, state: text, heardAt: number },
        ...{ attempt: number, of: number, heartbeats: number, roundTripMs: numberOrNull },
        ...{ waitingBytes: number, behind: v.boolean() },
      }),
    ),
  ),
  users: v.record(text, v.array(text)),
  ends: v.array(v.object({
    ...{ server: text, at: number, since: number, user: text, address: text, reason: text, sentence: text, why: text },
    heartbeats: v.array(
      v.object({ at: number, event: text, attempt: number, of: number, roundTripMs: numberOrNull }),
    ),
  })),
  activities: v.array(v.object({ id: text, user: text, at: number, lamport: number, activity: v.unknown() })),
});

/** A server that has not answered by then will not. */
const TIMEOUT_MS = 10_000;

/**
 * What the server whose HTTP gateway is at `server` knows; or a sentence that says why it cannot be had. `token` is
 * shown where there is one.
 */
export async function askServer(server: string, token: string | undefined): Promise<LiveNetwork | string> {
  let url: URL;
  try {
    url = new URL("/api/network", /^https?:\/\//.test(server) ? server : `http://${server}`);
  } catch {
    return `"${server}" is no address of a server: it has to be like http://127.0.0.1:8080`;
  }
  let status: number;
  let body: string;
  try {
    const response = await fetch(url, {
      headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
      // The token is for this server, and for nobody that it names.
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    status = response.status;
    body = await response.text();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `Cannot ask ${url.origin}: ${why}. It has to be where a server was started with --http.`;
  }
  if (status === 401) {
    return token === undefined
      ? `${url.origin} wants its token: set THRUM_HTTP_TOKEN`
      : `${url.origin} does not take the token in THRUM_HTTP_TOKEN`;
  }
  if (status !== 200) return `${url.origin} answers with status ${status}${reasonIn(body)}`;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    // Not JSON at all: the same to whoever asked.
    value = undefined;
  }
  const read = v.safeParse(NETWORK, value);
  return read.success ? read.output : `${url.origin} answers with something else than a network: is it a thrum server?`;
}

/** Errors of a gateway say why. */
function reasonIn(body: string): string {
  try {
    const { error } = JSON.parse(body);
    return typeof error === "string" ? `: ${error}` : "";
  } catch {
    // Whatever it is, it is no sentence for people.
    return "";
  }
}
