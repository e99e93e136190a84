/**
 * Reads the configuration of a server that runs anew, for an order or a signal. `config/running/reload.ts` decides what
 * counts from then on. A mistake anywhere changes nothing: all of it is looked at before anything is taken.
 */

import { getLogger } from "@logtape/logtape";
import type { Config } from "../../config/config.ts";
import { UsageError } from "../../config/flags.ts";
import { ConfigError } from "../../config/load.ts";
import { reloadPlan, withKeys } from "../../config/running/reload.ts";
import { FileError } from "../../platform/files/text_file.ts";
import type { Auditor } from "../audit/audit_event.ts";
import type { LogLevel, ReloadOutcome } from "../node/order.ts";
import { secretWarnings } from "./secret_warnings.ts";
import type { Certificates } from "./tls/certificates.ts";

/** What it is made with. */
export interface ReloadingParts {
  /** As the server was started with it. */
  readonly config: Config;
  readonly certificates: Pick<Certificates, "prepare" | "takesOthers">;
  /** The server. */
  readonly node: { readonly auditor: Auditor; take(config: Config): void };
  /** Reads the configuration as at a start. @throws what is wrong with it. */
  read(): Promise<Config>;
  readonly setLogLevel?: ((level: LogLevel) => void) | undefined;
}

const logger = getLogger(["thrum", "server"]);

/** Of one server. */
export class Reloading {
  readonly #parts: ReloadingParts;
  /** As it counts now: keys that need a start have the values of before. */
  #config: Config;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ReloadingParts) {
    this.#parts = parts;
    this.#config = parts.config;
  }

  /**
   * Reads the configuration anew, after all who asked before. `from` says who wants it, for the logs. Rejects only for
   * a fault of the program.
   */
  run(from: string): Promise<ReloadOutcome> {
    const outcome = this.#last.then(() => this.#run(from));
    this.#last = outcome.catch(() => {});
    return outcome;
  }

  async #run(from: string): Promise<ReloadOutcome> {
    const { certificates, node, read, setLogLevel } = this.#parts;
    const event = { what: "configReloaded", by: "operator", from } as const;
    let next: Config;
    let showCertificates: () => void;
    try {
      next = await read();
      showCertificates = await certificates.prepare(next);
    } catch (error) {
      const isMistake = error instanceof ConfigError || error instanceof FileError || error instanceof UsageError;
      if (!isMistake) throw error;
      const sentence = error.message;
      logger.error("{sentence}. Nothing has changed, as {from} wanted", { sentence, from });
      node.auditor.audit({ ...event, more: { failed: true } });
      return { ok: false, sentence };
    }
    const now = this.#config;
    const { changed, kept } = reloadPlan(now, next, { takesCertificates: certificates.takesOthers });
    node.take(next);
    // Also back to the level of the file, after an order for another one.
    setLogLevel?.(next.log.level);
    showCertificates();
    this.#config = withKeys(now, next, changed);
    logger.info("read the configuration anew, as {from} wants. Changed: {changed}. Only at a start: {kept}", {
      from,
      changed: listed(changed),
      kept: listed(kept),
    });
    const before = secretWarnings(now);
    for (const warning of secretWarnings(this.#config)) if (!before.includes(warning)) logger.warning(warning);
    node.auditor.audit({ ...event, more: { changed: changed.join(" "), kept: kept.join(" ") } });
    return { ok: true, changed, kept };
  }
}

function listed(keys: readonly string[]): string {
  return keys.length === 0 ? "nothing" : keys.join(", ");
}
