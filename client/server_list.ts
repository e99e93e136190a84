/**
 * Which server to call next: the one that answered last, then the others in order, round and round. Pure data; servers that the network names
 * as backups go in front of the configured ones.
 */

import type { Endpoint } from "../config/config.ts";

/** Servers to call, and the one whose turn it is. */
export interface ServerList {
  /** In order of preference, each once. */
  readonly known: readonly Endpoint[];
  /** Need not be a known one: a redirect may have named it. */
  readonly current: Endpoint;
}

/** `first` and `others`, beginning with `first`. */
export function serverList(first: Endpoint, ...others: readonly Endpoint[]): ServerList {
  const known: Endpoint[] = [];
  for (const server of [first, ...others]) if (!known.some((one) => isSame(one, server))) known.push(server);
  return { known, current: first };
}

/** The list when the current server did not answer: it is the turn of the one after it. */
export function nextServer({ known, current }: ServerList): ServerList {
  const at = known.findIndex((server) => isSame(server, current));
  return { known, current: known[(at + 1) % known.length]! };
}

/** The list when a server said to call `server` instead. If that does not answer, the known ones are called again. */
export function redirected({ known }: ServerList, server: Endpoint): ServerList {
  return { known, current: server };
}

/** How many servers will have been tried once all have. */
export function serverCount({ known, current }: ServerList): number {
  return known.some((server) => isSame(server, current)) ? known.length : known.length + 1;
}

/** `"127.0.0.1:8000"`, `"[::1]:8000"`. */
export function endpointText({ host, port }: Endpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.host === b.host && a.port === b.port;
}
