/** `thrum-server admin` on the real machine: address and token are found, the task is done, and the answer is shown. */

import type { Config } from "../../../config/config.ts";
import type { AdminArguments } from "../../../config/server_arguments.ts";
import { timeAsOf } from "../../../platform/local_time.ts";
import type { Emphasis } from "./admin_text.ts";
import { type AdminEnd, administer } from "./admin_command.ts";
import { UsageError } from "../../../config/flags.ts";
import { quoted } from "../../../config/values.ts";
import { othersMayRead } from "../../../platform/files/text_file.ts";
import { readNetworkSecret } from "../network_secret.ts";
import { readAdminTask } from "./admin_task.ts";
import { ownGateway } from "../tls/own_gateway.ts";
import { gatewayToCall, operatorToken, refuseClearToken } from "./operator_call.ts";

/** What it is run with. */
export interface RunAdminParts {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly emphasis: Emphasis;
  /** Asks a person for something that nobody else is to see; absent where nobody can be asked. */
  readonly askPerson: ((question: string) => Promise<string>) | undefined;
  /** The file with the network's new secret. */
  readonly secretFile: string | undefined;
  readonly warn: (sentence: string) => void;
}

/**
 * Does what the command line says.
 * @throws {UsageError} when that is wrong, or the token is nowhere.
 * @throws {FileError} when the token's file cannot be read.
 */
export async function runAdmin(config: Config, asked: AdminArguments, parts: RunAdminParts): Promise<AdminEnd> {
  const task = readAdminTask(asked.words, asked);
  const { askPerson, secretFile } = parts;
  if (secretFile !== undefined && task.kind !== "secret") {
    throw new UsageError("--secret-file has another secret for the network: it means nothing here");
  }
  const at = gatewayToCall(config, "admin");
  const { isSecure, ask } = await ownGateway(config);
  refuseClearToken(config, at, isSecure);
  const token = await operatorToken(config, {
    ...{ file: asked.tokenFile, warn: parts.warn },
    askPerson: askPerson && (() => askPerson("The server's token:")),
  });
  const { nowMs, emphasis } = parts;
  return await administer(task, {
    ...{ at, token, nowMs, emphasis, ask, json: asked.json },
    time: (wallMs) => timeAsOf(wallMs, nowMs),
    newSecret: () => newSecret(parts),
  });
}

/**
 * The secret that the network is to have: from the file, or typed twice.
 * @throws {UsageError} when nobody gives one.
 * @throws {FileError} when the file cannot be read.
 */
async function newSecret({ askPerson, secretFile, warn }: RunAdminParts): Promise<string> {
  if (secretFile !== undefined) {
    const secret = await readNetworkSecret(secretFile);
    if (await othersMayRead(secretFile)) {
      warn(`other users of this machine can read ${quoted(secretFile)}: chmod 600 it`);
    }
    return secret;
  }
  if (askPerson === undefined) throw new UsageError("admin secret needs the new secret in a file: --secret-file FILE");
  const secret = await askPerson("The new secret of the network:");
  if (secret === "") throw new UsageError("No secret was typed: nothing has changed");
  if (await askPerson("Once more:") !== secret) throw new UsageError("These are two secrets: nothing has changed");
  return secret;
}
