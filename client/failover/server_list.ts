/**
 * The next server to call: the one that answered last, then the others in order, again and again. Backups that the
 * network names stand before the configured servers. Pure.
 */

import type { Endpoint } from "../../platform/address.ts";

/** Servers to call, and the current one. */
export interface ServerList {
  /** In order of preference, each once: the backups, then the configured ones. */
  readonly known: readonly Endpoint[];
  /** The servers that the client was given. They stay, whatever the network says. */
  readonly configured: readonly Endpoint[];
  /** Need not be a known one: a redirect may have named it. */
  readonly current: Endpoint;
}

/** `first` and `others`, beginning with `first`. */
export function serverList(first: Endpoint, ...others: readonly Endpoint[]): ServerList {
  const configured = distinct([first, ...others]);
  return { known: configured, configured, current: first };
}

/** The list after the network named `backups`, best first. They replace all backups that it named before. */
export function withBackups({ configured, current }: ServerList, backups: readonly Endpoint[]): ServerList {
  return { known: distinct([...backups, ...configured]), configured, current };
}

/** The list when the current server did not answer: it is the turn of the one after it. */
export function nextServer(list: ServerList): ServerList {
  const { known, current } = list;
  const at = known.findIndex((server) => isSame(server, current));
  return { ...list, current: known[(at + 1) % known.length]! };
}

/** The list after the current server was lost: the best other one is next, if there is one. */
export function nextBest(list: ServerList): ServerList {
  return { ...list, current: list.known.find((server) => !isSame(server, list.current)) ?? list.current };
}

/** The list after a redirect to `server`. If that server does not answer, the known ones are called again. */
export function redirected(list: ServerList, server: Endpoint): ServerList {
  return { ...list, current: server };
}

/** How many servers will have been tried once all have. */
export function serverCount({ known, current }: ServerList): number {
  return known.some((server) => isSame(server, current)) ? known.length : known.length + 1;
}

function distinct(servers: readonly Endpoint[]): Endpoint[] {
  const found: Endpoint[] = [];
  for (const server of servers) if (!found.some((one) => isSame(one, server))) found.push(server);
  return found;
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.host === b.host && a.port === b.port;
}
