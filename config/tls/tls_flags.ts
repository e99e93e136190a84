/** The flags of a client for TLS, and what they say. Whoever names whom to believe means TLS. Pure. */

import { readFingerprint } from "../../platform/tls/fingerprint.ts";
import { type FlagValues, UsageError } from "../flags.ts";
import { FILE, flag, toggle } from "../shared_flags.ts";
import type { Reader } from "../values.ts";

/** What a client is told of TLS. */
export interface TlsArguments {
  /** The file with the CAs that are believed. */
  readonly ca: string | undefined;
  /** SHA-256 of the certificates that are taken. */
  readonly fingerprints: readonly string[];
  /** The files with the client's own certificate, and its key. */
  readonly own: { readonly cert: string; readonly key: string } | undefined;
}

const FINGERPRINT: Reader<string[]> = {
  allowed: "SHA-256 of a certificate: 64 hexadecimal digits, perhaps with colons",
  read(text) {
    const fingerprint = readFingerprint(text);
    return fingerprint === undefined ? undefined : [fingerprint];
  },
};

/** The flags. */
export const TLS_FLAGS = {
  tls: toggle({ help: "call the server by TLS, and in no other way" }),
  ca: flag("FILE", FILE, {
    help: "by TLS: believe the CAs in FILE, and not the usual ones",
    completes: "files",
  }),
  fingerprint: flag("SHA256", FINGERPRINT, {
    repeatable: true,
    help: "by TLS: take the certificate with this fingerprint; without --ca that is enough",
  }),
  cert: flag("FILE", FILE, { help: "by TLS: the certificate to show, if one is asked for", completes: "files" }),
  key: flag("FILE", FILE, { help: "by TLS: the key of --cert", completes: "files" }),
};

/**
 * What the flags say; `undefined` for a client without TLS.
 * @throws {UsageError} when a certificate comes without its key.
 */
export function tlsOf({ tls, ca, fingerprint, cert, key }: FlagValues<typeof TLS_FLAGS>): TlsArguments | undefined {
  if ((cert === undefined) !== (key === undefined)) throw new UsageError("--cert and --key go together");
  const own = cert === undefined || key === undefined ? undefined : { cert, key };
  if (!tls && ca === undefined && fingerprint === undefined && own === undefined) return undefined;
  return { ca, fingerprints: fingerprint ?? [], own };
}
