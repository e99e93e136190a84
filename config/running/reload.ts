/**
 * What follows when a server that runs reads its configuration anew: which keys count from now on, and which need a
 * start. What can be taken while a server runs is decided here, and nowhere else. Pure.
 */

import type { Config, ConfigLayer } from "../config.ts";

/** Keys, as a config file names them: `auth.rights`. */
export interface ReloadPlan {
  /** They have another value, and it counts from now on. */
  readonly changed: readonly string[];
  /** They have another value, and it counts from the next start on. */
  readonly kept: readonly string[];
}

/** What the machine can do. */
export interface ReloadFacts {
  /** Whether it takes other certificates while it runs. */
  readonly takesCertificates: boolean;
}

/** Keys whose values are read each time when they are needed; a section stands for all of its keys. */
const LIVE: readonly string[] = [
  "auth",
  "log.level",
  "cluster.otherSecrets",
  "limits.identifyTimeoutMs",
  "limits.maxConnectionsPerAddress",
  "limits.maxUnidentifiedPerAddress",
  "limits.maxLoginsPerSecondPerAddress",
  "limits.maxRegistrationsPerHourPerAddress",
  "limits.maxRegistrationsPerConnection",
  "limits.maxChannelsPerClient",
  "limits.maxPatterns",
];
/** Names of files of certificates. */
const FILES = /^(tls|gateway\.http\.tls|gateway\.grpc\.tls)\.(?:cert|key|ca)$/;

/** What becomes of a server with the configuration `now` that reads `next`. */
export function reloadPlan(now: Config, next: Config, facts: ReloadFacts): ReloadPlan {
  const keys = differing(now, next);
  const changed = keys.filter((key) => isLive(key, now, next, facts));
  return { changed, kept: keys.filter((key) => !changed.includes(key)) };
}

/** `now` with the values that `next` has for these keys. */
export function withKeys(now: Config, next: Config, keys: readonly string[]): Config {
  const taken = structuredClone(now);
  for (const key of keys) {
    const path = key.split(".");
    const name = path.pop()!;
    (at(taken, path) as Record<string, unknown>)[name] = structuredClone(
      (at(next, path) as typeof taken)[name as never],
    );
  }
  return taken;
}

/** What a server that runs takes of `config`, for each of its parts that reads it when it is needed. */
export function liveLayer({ auth, limits }: Config): Pick<Required<ConfigLayer>, "auth" | "limits"> {
  const live = Object.entries(limits).filter(([name]) => LIVE.includes(`limits.${name}`));
  return { auth, limits: Object.fromEntries(live) };
}

function isLive(key: string, now: Config, next: Config, { takesCertificates }: ReloadFacts): boolean {
  if (LIVE.some((live) => key === live || key.startsWith(`${live}.`))) return true;
  const [, section] = FILES.exec(key) ?? [];
  // A door that had none has no port for it.
  return section !== undefined && takesCertificates && hasFiles(now, section) && hasFiles(next, section);
}

function hasFiles(config: Config, section: string): boolean {
  const { cert, use = "own" } = at(config, section.split(".")) as { cert: string; use?: string };
  return cert !== "" && use === "own";
}

/** The keys whose values differ. */
function differing(now: object, next: object, path = ""): string[] {
  return Object.entries(now).flatMap(([name, value]) => {
    const other = (next as Record<string, unknown>)[name];
    const key = path === "" ? name : `${path}.${name}`;
    if (isSection(value) && isSection(other)) return differing(value, other, key);
    return JSON.stringify(value) === JSON.stringify(other) ? [] : [key];
  });
}

function at(config: object, path: readonly string[]): object {
  return path.reduce((section, name) => (section as Record<string, object>)[name]!, config);
}

function isSection(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
