/** Which versions of the peers are on this machine. Several of one peer are compared at once. */

import type { Peer } from "./contenders.ts";

/**
 * The programs at `paths`, and the one called `name` on the PATH, newest first. Of two programs of one version the
 * first counts. A path with no such program is told to `onMissing`.
 */
export async function findPeers(
  name: string,
  paths: readonly string[],
  onMissing: (path: string) => void,
): Promise<Peer[]> {
  const found = new Map<string, Peer>();
  for (const path of [...paths, name]) {
    const version = await versionOf(path);
    if (version === undefined) onMissing(path);
    else if (!found.has(version)) found.set(version, { path, version });
  }
  return [...found.values()].sort((a, b) => compareVersions(b.version, a.version));
}

/** The version in what a program says of itself: `nats-server: v2.15.1`, `Redis server v=7.0.15 sha=…`. */
export function versionIn(text: string): string | undefined {
  return /v=?(\d+(?:\.\d+)+)/.exec(text)?.[1];
}

/** Below 0 when `a` is older than `b`: 2.9 is older than 2.15. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  for (let part = 0; part < Math.max(left!.length, right!.length); part++) {
    const difference = (left![part] ?? 0) - (right![part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command(path, { args: ["--version"], stderr: "null" }).output();
    return versionIn(new TextDecoder().decode(stdout));
  } catch {
    // There is no such program.
    return undefined;
  }
}
