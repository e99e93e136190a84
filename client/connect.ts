/**
 * A client on the real world: real clock, sockets and random numbers. `mod.ts` exports this, and `client.ts` runs it.
 */

import { getLogger } from "@logtape/logtape";
import { DEFAULT_CONFIG } from "../config/config.ts";
import { endpointText } from "../config/values.ts";
import type { Endpoint } from "../platform/address.ts";
import { nodeCrypto } from "../platform/crypto.ts";
import { type LineFile, openLineFile } from "../platform/files/line_file.ts";
import { fileReason } from "../platform/files/text_file.ts";
import { random } from "../platform/random.ts";
import { realClock } from "../platform/real_clock.ts";
import { tcpTransport } from "../platform/tcp/tcp_transport.ts";
import { readFingerprint } from "../platform/tls/fingerprint.ts";
import type { TlsTrust } from "../platform/tls/tls_caller.ts";
import type { Transport } from "../platform/transport.ts";
import { DEFAULT_TRACE_LIMIT_BYTES, encodeTraceEvent } from "../trace/trace_event.ts";
import { DEFAULT_CONNECT_TIMEOUT_MS } from "./calls/known_options.ts";
import { openClient } from "./client.ts";
import { TraceFileError, unreachable } from "./errors.ts";
import { askForName, type NameAnswer } from "./calls/name_question.ts";
import type { Client, ConnectOptions, TlsOptions } from "./options.ts";

/** A person waits for the question that follows. */
const NAME_TIMEOUT_MS = 3_000;

const logger = getLogger(["thrum", "client"]);

/**
 * Connects to a server and logs in. When the connection is lost later, the client comes back by itself.
 * @throws {ConnectError} when no server can be reached, or none answers the login.
 * @throws {RefusedError} when the server refuses the registration or the login.
 * @throws {ConnectionEndedError} when the server ends the connection before the client is logged in.
 * @throws {TypeError} when a username comes without a secret, or `tls` cannot be used.
 * @throws {TraceFileError} when the trace cannot be opened.
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const { trace, traceLimitBytes } = options;
  const platform = { clock: realClock, transport: await transport(options.tls), random, crypto: nodeCrypto };
  if (trace === undefined) return await openClient(options, platform);
  const file = await openTrace(trace, traceLimitBytes ?? DEFAULT_TRACE_LIMIT_BYTES);
  try {
    return await openClient(options, {
      ...platform,
      writeTrace: (event) => file.append(encodeTraceEvent(event)),
      // A trace that cannot be written is no reason for a client to fail.
      endTrace: () => file.close().catch((error) => logger.warn("Cannot write the trace: {error}", { error })),
    });
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
}

/**
 * Finds out whether something listens at `server`, and says nothing to it.
 * @throws {ConnectError} when nothing does.
 */
export async function reach({ host, port }: Endpoint, tls?: ConnectOptions["tls"]): Promise<void> {
  const called = await transport(tls);
  try {
    const link = await called.dial({ host, port, timeoutMs: DEFAULT_CONNECT_TIMEOUT_MS });
    link.destroy();
  } catch (error) {
    throw unreachable(endpointText({ host, port }), error as Error);
  }
}

/** Asks `server` whether `username` is registered there, as `askForName` in `name_question.ts` does. */
export async function askName(
  server: Endpoint,
  username: string,
  tls?: ConnectOptions["tls"],
): Promise<NameAnswer> {
  const { host, port } = server;
  const question = { server: { host, port }, username, timeoutMs: NAME_TIMEOUT_MS };
  return await askForName(question, { transport: await transport(tls), clock: realClock });
}

async function openTrace(path: string, limitBytes: number): Promise<LineFile> {
  try {
    return await openLineFile(path, limitBytes);
  } catch (error) {
    throw new TraceFileError(`Cannot open trace file "${path}": ${fileReason(error)}`, { cause: error });
  }
}

async function transport(tls: ConnectOptions["tls"] = false): Promise<Transport> {
  const { maxPendingBytes } = DEFAULT_CONFIG.limits;
  if (tls === false) return tcpTransport(maxPendingBytes);
  // What speaks TLS is loaded by those who use it.
  const { TlsCaller } = await import("../platform/tls/tls_caller.ts");
  const trust = await trustOf(tls === true ? {} : tls);
  return tcpTransport(maxPendingBytes, { caller: new TlsCaller(() => trust) });
}

/** Says what of `tls` cannot be used. @throws {TypeError} for the first fault. */
export async function checkTls(tls: TlsOptions): Promise<void> {
  await trustOf(tls);
}

async function trustOf({ ca, fingerprints = [], cert, key }: TlsOptions): Promise<TlsTrust> {
  const { checkCa, checkIdentity, TlsIdentityError } = await import("../platform/tls/tls_identity.ts");
  const read = fingerprints.map((text) => {
    const fingerprint = readFingerprint(text);
    if (fingerprint === undefined) {
      throw new TypeError('"tls.fingerprints" must be SHA-256: 64 hexadecimal digits each');
    }
    return fingerprint;
  });
  if ((cert === undefined) !== (key === undefined)) throw new TypeError('"tls.cert" and "tls.key" go together');
  const identity = cert === undefined || key === undefined ? undefined : { cert, key };
  try {
    if (ca !== undefined) checkCa(ca);
    if (identity !== undefined) checkIdentity(identity);
  } catch (error) {
    if (!(error instanceof TlsIdentityError)) throw error;
    throw new TypeError(`Cannot use "tls.${error.part}": ${error.message}`, { cause: error });
  }
  return { ca, fingerprints: read, identity };
}
