/**
 * How an operator's command reaches a server that runs: where its gateway is, and the token. The token comes from a
 * file, the environment, the configuration, the data folder, or a person who types it. Never from the command line,
 * which every user of the machine can read.
 */

import type { Config } from "../../../config/config.ts";
import { UsageError } from "../../../config/flags.ts";
import { endpointText, isToken, parseListenAddress, quoted, TOKEN } from "../../../config/values.ts";
import type { Endpoint } from "../../../platform/address.ts";
import { isOwnAddress } from "../../../platform/tcp/own_address.ts";
import { FileError, othersMayRead, readTextFile } from "../../../platform/files/text_file.ts";
import { findHttpToken } from "../http_token.ts";

/** Where the token may be, beside the configuration. */
export interface TokenSources {
  /** The file that the command line names. */
  readonly file?: string | undefined;
  /** Asks a person; absent where nobody can be asked. */
  readonly askPerson?: (() => Promise<string>) | undefined;
  /** Takes a warning. */
  readonly warn?: (sentence: string) => void;
}

/**
 * The address of the gateway in `config`, for somebody who calls it.
 * @throws {UsageError} when there is none.
 */
export function gatewayToCall(config: Config, command: string): Endpoint {
  const at = parseListenAddress(config.gateway.http.listen);
  if (at === undefined || at.port === 0) {
    throw new UsageError(`${command} needs the address of the server's HTTP gateway: --http [HOST:]PORT`);
  }
  // An address to listen on may stand for all of them; calling needs one.
  const host = at.host === "0.0.0.0" ? "127.0.0.1" : at.host === "::" ? "::1" : at.host;
  return { host, port: at.port };
}

/**
 * Sees to it that no token goes over a network in clear. `isSecure` says whether the gateway at `at` is asked by TLS.
 * @throws {UsageError} when it would, and `config` does not allow it.
 */
export function refuseClearToken(config: Config, at: Endpoint, isSecure: boolean): void {
  if (isSecure || config.gateway.http.clearToken || isOwnAddress(at.host)) return;
  throw new UsageError(
    `The token would go to ${endpointText(at)} in clear, and others on the way could read it. Ask by TLS, on that ` +
      'machine or through a tunnel; "gateway.http.clearToken" allows it',
  );
}

/**
 * The token of the server that `config` is about.
 * @throws {UsageError} when nobody knows it.
 * @throws {FileError} when a file cannot be read.
 */
export async function operatorToken(config: Config, sources: TokenSources = {}): Promise<string> {
  if (sources.file !== undefined) return await tokenIn(sources.file, sources);
  const { secret: token, from, file } = await findHttpToken(config);
  if (from !== "made") return token;
  const typed = (await sources.askPerson?.() ?? "").trim();
  if (typed !== "") return typed;
  throw new UsageError(
    `The server's token is needed: give it as THRUM_HTTP_TOKEN${
      file === undefined ? "" : `, or say with --data where the server keeps it (it is not in ${quoted(file)})`
    }`,
  );
}

async function tokenIn(file: string, { warn }: TokenSources): Promise<string> {
  const text = (await readTextFile(file))?.trim();
  if (text === undefined) throw new FileError(`Cannot read ${quoted(file)}: there is no such file`);
  // Without the content, which may be a token with a mistake in it.
  if (text === "" || !isToken(text)) throw new FileError(`Cannot use ${quoted(file)}: a token is ${TOKEN.allowed}`);
  if (await othersMayRead(file)) warn?.(`other users of this machine can read ${quoted(file)}: chmod 600 it`);
  return text;
}
