/** `thrum-server admin` on the real machine: address and token are found, the task is done, and the answer is shown. */

import type { Config } from "../../../config/config.ts";
import type { AdminArguments } from "../../../config/server_arguments.ts";
import { timeAsOf } from "../../../platform/local_time.ts";
import type { Emphasis } from "./admin_text.ts";
import { type AdminEnd, administer } from "./admin_command.ts";
import { readAdminTask } from "./admin_task.ts";
import { ownGateway } from "../tls/own_gateway.ts";
import { gatewayToCall, operatorToken, refuseClearToken } from "./operator_call.ts";

/** What it is run with. */
export interface RunAdminParts {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly emphasis: Emphasis;
  /** Asks a person for the token; absent where nobody can be asked. */
  readonly askPerson: (() => Promise<string>) | undefined;
  readonly warn: (sentence: string) => void;
}

/**
 * Does what the command line says.
 * @throws {UsageError} when that is wrong, or the token is nowhere.
 * @throws {FileError} when the token's file cannot be read.
 */
export async function runAdmin(config: Config, asked: AdminArguments, parts: RunAdminParts): Promise<AdminEnd> {
  const task = readAdminTask(asked.words, asked);
  const at = gatewayToCall(config, "admin");
  const { isSecure, ask } = await ownGateway(config);
  refuseClearToken(config, at, isSecure);
  const token = await operatorToken(config, { ...parts, file: asked.tokenFile });
  const { nowMs, emphasis } = parts;
  return await administer(task, {
    ...{ at, token, nowMs, emphasis, ask, json: asked.json },
    time: (wallMs) => timeAsOf(wallMs, nowMs),
  });
}
