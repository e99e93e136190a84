/** The TLS of the doors for other protocols: that of the server, files of their own, or none. */

import type { Config, DoorTlsConfig } from "../../../config/config.ts";
import { ConfigError } from "../../../config/load.ts";
import type { HttpTls } from "../../../platform/http/http_server.ts";
import type { KeptIdentity } from "../../../platform/tls/kept_identity.ts";
import { tlsSupport } from "../../../platform/tls/tls_support.ts";
import { doorTlsProblem } from "./door_tls_rules.ts";
import { readTlsIdentity, type TlsFiles } from "./tls_files.ts";

/** A door that can have TLS, by its name in the section `gateway`. */
export type TlsDoor = "http" | "grpc";

/** TLS of a door. */
export interface DoorTls extends HttpTls {
  /** What it shows; it may be replaced. */
  readonly kept: KeptIdentity;
  /** The section of the configuration that names its files, where they are its own. */
  readonly own: { readonly section: `gateway.${TlsDoor}.tls`; readonly files: TlsFiles } | undefined;
}

/**
 * What the configuration says of a door; `undefined` without TLS. `server` is what the port for lines shows, `deno` the
 * version that runs this.
 * @throws {ConfigError} when the section or one of its files cannot be used.
 */
export async function openDoorTls(
  door: TlsDoor,
  { gateway, tls }: Pick<Config, "gateway" | "tls">,
  server: KeptIdentity | undefined,
  deno: string,
): Promise<DoorTls | undefined> {
  const wish: DoorTlsConfig = gateway[door].tls;
  const section = `gateway.${door}.tls` as const;
  const support = tlsSupport(deno);
  const hasTls = wish.use === "own" || (wish.use === "asServer" && server !== undefined);
  const problem = doorTlsProblem(door, wish, support, deno, hasTls);
  if (problem !== undefined) throw new ConfigError(`Cannot use TLS: ${problem}`);
  if (!hasTls) return undefined;
  const isOwn = wish.use === "own";
  const kept = isOwn ? await ownIdentity(wish, section) : server!;
  const clientAuth = isOwn ? wish.clientAuth : tls.clientAuth;
  const shown = { kept, clientAuth, own: isOwn ? { section, files: wish } : undefined };
  const { TlsIntake } = await import("../../../platform/tls/tls_intake.ts");
  // Probes and libraries of other languages come through the doors, and some of them know nothing newer.
  const parts = { clientAuth, minVersion: "TLSv1.2" } as const;
  return { ...shown, intake: new TlsIntake(kept, door === "grpc" ? { ...parts, protocols: ["h2"] } : parts) };
}

async function ownIdentity(files: TlsFiles, section: string): Promise<KeptIdentity> {
  const { KeptIdentity } = await import("../../../platform/tls/kept_identity.ts");
  return new KeptIdentity(await readTlsIdentity(files, section));
}
