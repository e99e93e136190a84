/** Reads the files of the section `tls`, and makes of them what a server takes and makes connections with. */

import type { Config, TlsConfig } from "../../../config/config.ts";
import { ConfigError } from "../../../config/load.ts";
import { quoted } from "../../../config/values.ts";
import { readTextFile } from "../../../platform/files/text_file.ts";
import type { KeptIdentity } from "../../../platform/tls/kept_identity.ts";
import type { TlsCaller } from "../../../platform/tls/tls_caller.ts";
import type { CheckedIdentity, TlsIdentity } from "../../../platform/tls/tls_identity.ts";
import type { TlsIntake } from "../../../platform/tls/tls_intake.ts";
import { tlsSupport } from "../../../platform/tls/tls_support.ts";
import { tlsProblem } from "./tls_rules.ts";

/** The names of the files. `ca` may be empty. */
export type TlsFiles = Pick<TlsConfig, "cert" | "key" | "ca">;

/** The same, with the section of the configuration that has them. */
interface NamedFiles {
  readonly tls: TlsFiles;
  readonly section: string;
}

/** The TLS of one server. */
export interface OpenTls {
  /** Its identity, which may be replaced. */
  readonly kept: KeptIdentity;
  readonly intake: TlsIntake;
  /** Absent where other servers are called without TLS. */
  readonly caller?: TlsCaller;
}

/**
 * What the configuration says; `undefined` without TLS. `deno` is the version that runs this.
 * @throws {ConfigError} when the section or one of its files cannot be used.
 */
export async function openTls({ tls, cluster }: Config, deno: string): Promise<OpenTls | undefined> {
  const problem = tlsProblem(tls, tlsSupport(deno), deno);
  if (problem !== undefined) throw new ConfigError(`Cannot use TLS: ${problem}`);
  if (tls.cert === "") return undefined;
  const identity = await readTlsIdentity(tls);
  // A server without TLS does not load what only TLS uses.
  const { KeptIdentity } = await import("../../../platform/tls/kept_identity.ts");
  const { TlsIntake } = await import("../../../platform/tls/tls_intake.ts");
  const { TlsCaller } = await import("../../../platform/tls/tls_caller.ts");
  const kept = new KeptIdentity(identity);
  const intake = new TlsIntake(kept, { clientAuth: tls.clientAuth });
  if (!cluster.tls) return { kept, intake };
  const trust = () => ({ ca: kept.current.ca, identity: { cert: kept.current.cert, key: kept.current.key } });
  return { kept, intake, caller: new TlsCaller(trust) };
}

/**
 * The texts of the files, checked. `section` of the configuration has their names, for messages.
 * @throws {ConfigError} when one of them cannot be read, or they cannot be used together.
 */
export async function readTlsIdentity(tls: TlsFiles, section = "tls"): Promise<CheckedIdentity> {
  const named = { tls, section };
  const cert = await textOf(named, "cert");
  const key = await textOf(named, "key");
  const identity = tls.ca === "" ? { cert, key } : { cert, key, ca: await textOf(named, "ca") };
  const { checkIdentity, TlsIdentityError } = await import("../../../platform/tls/tls_identity.ts");
  try {
    return checkIdentity(identity);
  } catch (error) {
    throw error instanceof TlsIdentityError ? unusable(named, error.part, error.message, error) : error;
  }
}

async function textOf(named: NamedFiles, key: keyof TlsIdentity): Promise<string> {
  try {
    const text = await readTextFile(named.tls[key]);
    if (text !== undefined) return text;
  } catch (error) {
    throw unusable(named, key, (error as Error).message, error);
  }
  throw unusable(named, key, "there is no such file");
}

function unusable({ tls, section }: NamedFiles, key: keyof TlsIdentity, why: string, cause?: unknown): ConfigError {
  return new ConfigError(`Cannot use "${section}.${key}" (${quoted(tls[key])}): ${why}`, { cause });
}
