/**
 * The file in a data folder that keeps what became of the secret of the network while servers ran. `secret` beside it
 * has the current one, for a start and for servers that join. Both are for their owner alone.
 */

import { FileError, readTextFile, replacePrivateFile } from "../../platform/files/text_file.ts";
import type { KeptSecrets } from "../backplane/network_secrets.ts";

const CHANGED = "changed-secrets";
const CURRENT = "secret";

/**
 * What `folder` keeps; `undefined` where the secret was never changed so.
 * @throws {FileError} when the file cannot be read, or holds something else.
 */
export async function readKeptSecrets(folder: string): Promise<KeptSecrets | undefined> {
  const file = `${folder}/${CHANGED}`;
  let text: string | undefined;
  try {
    text = await readTextFile(file);
  } catch (error) {
    throw new FileError(`Cannot read ${JSON.stringify(file)}: ${(error as Error).message}`, { cause: error });
  }
  if (text === undefined) return undefined;
  const kept = keptIn(text);
  // Without the content, which is secret.
  if (kept === undefined) throw new FileError(`Cannot use ${JSON.stringify(file)}: it holds no secrets of a network`);
  return kept;
}

/**
 * Writes `secrets` down in `folder`, whole or not at all.
 * @throws {FileError}
 */
export async function writeKeptSecrets(folder: string, secrets: KeptSecrets): Promise<void> {
  // First what knows that the other one is former, whatever a crash leaves of it.
  await replacePrivateFile(`${folder}/${CHANGED}`, `${JSON.stringify(secrets)}\n`);
  await replacePrivateFile(`${folder}/${CURRENT}`, `${secrets.secret}\n`);
}

function keptIn(text: string): KeptSecrets | undefined {
  try {
    const { number, secret, until, former } = JSON.parse(text) as Partial<KeptSecrets>;
    const isWhole = Number.isSafeInteger(number) && typeof secret === "string" && Number.isFinite(until) &&
      Array.isArray(former) && former.every((one) => typeof one?.secret === "string" && Number.isFinite(one.until));
    return isWhole ? { number: number!, secret: secret!, until: until!, former: former! } : undefined;
  } catch {
    return undefined;
  }
}
