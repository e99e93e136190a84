/**
 * The certificates of one server: what its port for lines shows, and what its doors show. Their files are read again
 * when somebody asks. Whoever is connected notices nothing of that.
 */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../../../config/config.ts";
import type { Clock, Timer } from "../../../platform/clock.ts";
import { dayOf } from "../../../platform/local_time.ts";
import type { KeptIdentity } from "../../../platform/tls/kept_identity.ts";
import type { CheckedIdentity } from "../../../platform/tls/tls_identity.ts";
import { tlsSupport } from "../../../platform/tls/tls_support.ts";
import { type DoorTls, openDoorTls, type TlsDoor } from "./door_tls.ts";
import { expirySentence, type ExpiryStage, expiryStage } from "./expiry.ts";
import { type OpenTls, openTls, readTlsIdentity, type TlsFiles } from "./tls_files.ts";

/** A certificate with its files. */
interface Certificate {
  /** The section of the configuration that names the files. */
  readonly section: "tls" | `gateway.${TlsDoor}.tls`;
  files: TlsFiles;
  readonly kept: KeptIdentity;
  /** What was said of its end so far. */
  stage: ExpiryStage;
}

/** Between two looks at the calendar. */
const LOOK_MS = 3_600_000;
const DOORS: readonly TlsDoor[] = ["http", "grpc"];
const logger = getLogger(["thrum", "tls"]);

/**
 * Opens what the configuration names. `deno` is the version that runs this.
 * @throws {ConfigError} when a section or a file cannot be used.
 */
export async function openCertificates(config: Config, clock: Clock, deno: string): Promise<Certificates> {
  const server = await openTls(config, deno);
  const doors: { [Door in TlsDoor]?: DoorTls } = {};
  for (const door of DOORS) {
    if (config.gateway[door].listen === "") continue;
    const tls = await openDoorTls(door, config, server?.kept, deno);
    if (tls !== undefined) doors[door] = tls;
  }
  return new Certificates({ config, clock, deno, server, doors });
}

/** What it is made with. */
interface CertificatesParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly deno: string;
  readonly server: OpenTls | undefined;
  readonly doors: { readonly [Door in TlsDoor]?: DoorTls };
}

/** All of one server. */
export class Certificates {
  /** Of the port for lines; `undefined` without TLS. */
  readonly server: OpenTls | undefined;
  readonly #parts: CertificatesParts;
  readonly #all: readonly Certificate[];
  #look: Timer | undefined;

  constructor(parts: CertificatesParts) {
    const { config, server, doors } = parts;
    this.#parts = parts;
    this.server = server;
    this.#all = [
      ...server === undefined ? [] : [{ section: "tls" as const, files: config.tls, kept: server.kept }],
      ...Object.values(doors).flatMap(({ own, kept }) => own === undefined ? [] : [{ ...own, kept }]),
    ].map((one) => ({ ...one, stage: "far" }));
  }

  /** The TLS of a door; `undefined` without. */
  of(door: TlsDoor): DoorTls | undefined {
    return this.#parts.doors[door];
  }

  /** When the first of them ends, in milliseconds since 1970; `undefined` without certificates. */
  get endsAt(): number | undefined {
    return this.#all.length === 0 ? undefined : Math.min(...this.#all.map(({ kept }) => kept.current.notAfterMs));
  }

  /** Says from now on when one is about to end, and that one has. */
  watch(): void {
    if (this.#all.length === 0) return;
    const now = this.#parts.clock.wallMs();
    for (const certificate of this.#all) {
      const { kept: { current: { notAfterMs } }, section, files, stage } = certificate;
      certificate.stage = expiryStage(notAfterMs, now);
      if (certificate.stage === "far" || certificate.stage === stage) continue;
      const sentence = expirySentence(notAfterMs, now, dayOf);
      const words = { file: files.cert, section, sentence };
      if (certificate.stage === "over") logger.error('the certificate in {file} ("{section}.cert") {sentence}', words);
      else logger.warning('the certificate in {file} ("{section}.cert") {sentence}', words);
    }
    this.#look = this.#parts.clock.after(LOOK_MS, () => this.watch());
    this.#look.unref?.();
  }

  /** Watches no more. */
  close(): void {
    this.#look?.cancel();
  }

  /** Whether others than those of the start can be shown. */
  get takesOthers(): boolean {
    return tlsSupport(this.#parts.deno).hasReload;
  }

  /**
   * Reads all files again. New connections are made with what they hold. What cannot be used is told in the log, and
   * all of the former stay. Whether they could be used.
   */
  async reload(): Promise<boolean> {
    let show: () => void;
    try {
      show = await this.prepare();
    } catch (error) {
      logger.error("{problem}. The former certificate is still shown, until {day}", {
        problem: (error as Error).message,
        day: dayOf(this.endsAt!),
      });
      return false;
    }
    show();
    return this.#all.length === 0 || this.takesOthers;
  }

  /**
   * Reads all files again; those that `config` names, where that is given. Gives what shows to new connections what the
   * files hold. A section that has no files in `config` keeps those that it has.
   * @throws {ConfigError} when one of them cannot be used.
   */
  async prepare(config?: Pick<Config, "tls" | "gateway">): Promise<() => void> {
    if (this.#all.length === 0) return () => {};
    if (!this.takesOthers) {
      return () =>
        logger.warning(
          "the certificates stay as they are: Deno {deno} takes others only at a start, 2.8 while it runs",
          {
            deno: this.#parts.deno,
          },
        );
    }
    const read = await Promise.all(this.#all.map(async (certificate) => {
      const { section } = certificate;
      const files = (config && filesIn(config, section)) ?? certificate.files;
      return { certificate, files, identity: await readTlsIdentity(files, section) };
    }));
    return () => {
      for (const { certificate, files, identity } of read) {
        certificate.files = files;
        showFrom(certificate, identity);
      }
      this.close();
      this.watch();
    };
  }
}

/** The files that `config` names for a certificate; `undefined` for none. */
function filesIn(
  { tls, gateway }: Pick<Config, "tls" | "gateway">,
  section: Certificate["section"],
): TlsFiles | undefined {
  if (section === "tls") return tls.cert === "" ? undefined : tls;
  const own = section === "gateway.http.tls" ? gateway.http.tls : gateway.grpc.tls;
  return own.use === "own" ? own : undefined;
}

function showFrom(certificate: Certificate, identity: CheckedIdentity): void {
  const { kept, files } = certificate;
  const { fingerprint: before } = kept.current;
  kept.replace(identity);
  certificate.stage = "far";
  const { fingerprint, notAfterMs } = kept.current;
  const shown = { file: files.cert, fingerprint, day: dayOf(notAfterMs) };
  if (fingerprint === before) logger.info("{file} has the certificate that it had, until {day}", shown);
  else logger.info("a new certificate is shown from now on, of {file}: {fingerprint}, until {day}", shown);
}
