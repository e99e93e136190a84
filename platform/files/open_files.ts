/**
 * How many files this process may have open, and how they are divided. A socket is a file. If connections took all of
 * them, the store could not go on. So a part is kept, and connections are refused before the operating system has to
 * refuse something else. The decision takes numbers; the machine is read below.
 */

import { closeSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";

/** Who may have how many. */
export interface OpenFilesPlan {
  /** Connections that are served, and those without a place that are heard all the same. */
  readonly maxConnections: number;
  readonly maxLobby: number;
  /** Sockets of the line protocol, callbacks for heartbeats included: one more is closed as soon as it is accepted. */
  readonly maxSockets: number;
  /** Connections to the HTTP gateway and to the Chitty-Chat door that are no WebSockets and no streams. */
  readonly maxCallers: number;
}

/** What is wanted. */
export interface OpenFilesWish {
  readonly maxConnections: number;
  readonly maxLobby: number;
  readonly maxCallers: number;
  /** Doors that are open beside the line protocol's. */
  readonly doors: number;
}

/** Kept for the store, logs, traces and links to other servers, beyond what is open at the start. */
const LEAST_KEPT = 12;
const MOST_KEPT = 256;
/** Some 100 ms. Where more can be opened, the end is noticed when it is met: the store has a file in reserve. */
const MOST_TRIED = 8_192;
/** Sockets that are being closed, or have been accepted only to be. */
const CLOSING = 4;

/** Divides `limit` files, of which `used` are open already. Without a limit everybody has what is wanted. */
export function planOpenFiles(limit: number | undefined, used: number, wish: OpenFilesWish): OpenFilesPlan {
  const { maxConnections, maxLobby, maxCallers, doors } = wish;
  if (limit === undefined) return { maxConnections, maxLobby, maxCallers, maxSockets: Infinity };
  const kept = Math.min(MOST_KEPT, Math.max(LEAST_KEPT, Math.floor(limit / 16))) + CLOSING;
  const free = Math.max(4, limit - used - kept);
  const callers = Math.min(maxCallers, Math.max(2, Math.floor(free / 16)));
  const sockets = Math.max(2, free - doors * callers);
  const lobby = Math.min(maxLobby, Math.max(1, Math.floor(sockets / 8)));
  return {
    maxConnections: Math.min(maxConnections, Math.max(1, sockets - lobby)),
    maxLobby: lobby,
    maxSockets: sockets,
    maxCallers: callers,
  };
}

/** The soft limit in the text of `/proc/self/limits`; `undefined` when there is none. */
export function readOpenFileLimit(text: string): number | undefined {
  const found = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** What this machine says: the limit, and how many are open; without a limit where it does not say. */
export function openFiles(): { readonly limit: number | undefined; readonly used: number } {
  // Another system than Linux, or not allowed to look: Deno lets only a program read it that may do everything.
  return countOpenFiles() ?? { limit: tryOpenFiles(), used: 0 };
}

/** As `openFiles`, but opens none: `undefined` where this machine does not say. */
export function countOpenFiles(): { readonly limit: number | undefined; readonly used: number } | undefined {
  try {
    const limit = readOpenFileLimit(readFileSync("/proc/self/limits", "utf8"));
    // Since Linux 6.2 the size of the folder is the number of its entries, and nothing has to be listed.
    const { size } = statSync("/proc/self/fd");
    return { limit, used: size > 0 ? size : readdirSync("/proc/self/fd").length };
  } catch {
    return undefined;
  }
}

/** How many files more can be opened, found out by opening them; `undefined` when there are as many as are tried. */
function tryOpenFiles(): number | undefined {
  const opened: number[] = [];
  try {
    while (opened.length < MOST_TRIED) opened.push(openSync("/", "r"));
    return undefined;
  } catch (error) {
    return isOutOfFiles(error) ? opened.length : undefined;
  } finally {
    for (const handle of opened) closeSync(handle);
  }
}

/** Whether the operating system had no more files to give: try again later. */
export function isOutOfFiles(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "EMFILE" || code === "ENFILE";
}
