/** `thrum-server tls-init`: from the words of a command line to the words for a person. */

import { UsageError } from "../../../config/flags.ts";
import type { TlsInitArguments } from "../../../config/server_arguments.ts";
import { quoted } from "../../../config/values.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { SecretCrypto } from "../../../platform/crypto.ts";
import { toHex } from "../../../platform/hex.ts";
import { dayOf } from "../../../platform/local_time.ts";
import type { Style } from "../../../platform/terminal.ts";
import { certificateHost } from "./certificate_hosts.ts";
import { initText } from "./init_text.ts";
import { loadTlsInit } from "./load_init.ts";

/** What the command is run with. */
export interface InitCommandParts {
  readonly clock: Pick<Clock, "wallMs">;
  readonly crypto: Pick<SecretCrypto, "randomBytes">;
  /** `"thrum-server 0.1.0"`. */
  readonly title: string;
  /** How the two programs are started here. */
  readonly commands: { readonly server: string; readonly client: string };
  readonly out: Style;
}

/** Bytes that tell two authorities apart. */
const TAG_BYTES = 3;

/**
 * Makes or renews, and says what was done.
 * @throws {UsageError} when a host can be in no certificate, or there is something in the folder that it does not
 * replace; then nothing was written.
 * @throws {FileError} when the folder cannot be read or written.
 */
export async function runTlsInit(asked: TlsInitArguments, parts: InitCommandParts): Promise<string> {
  const hosts = asked.hosts.map((text) => {
    const host = certificateHost(text);
    if (host !== undefined) return host;
    throw new UsageError(
      `HOST must be a name or an address by which others reach the server, without a port, not ${quoted(text)}`,
    );
  });
  const { tlsInit, InitError } = await loadTlsInit();
  const { clock, crypto, title, commands, out } = parts;
  const { folder, client } = asked;
  const whose = client === undefined ? "server" : "client";
  const name = client ?? asked.name;
  try {
    const done = await tlsInit(
      { folder, name, for: whose, hosts },
      clock.wallMs(),
      toHex(crypto.randomBytes(TAG_BYTES)),
    );
    return initText(done, { title, folder, name, isServer: whose === "server", commands, out, dayOf });
  } catch (error) {
    if (error instanceof InitError) throw new UsageError(error.message);
    throw error;
  }
}
