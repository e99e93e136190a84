/** `register`: makes an account, and leaves. */

import { type CommandParts, enter } from "./command.ts";
import { settleIdentity } from "./identity.ts";

/**
 * Registers. A new secret goes to standard output, so that a script can keep it; everything else goes to standard
 * error.
 */
export async function register(parts: CommandParts): Promise<void> {
  const { args, stdio } = parts;
  const identity = await settleIdentity({ ...parts, ...args, secret: parts.secret, command: "register" }, stdio);
  const { username, secret, isMade } = identity;
  const client = await enter(parts, { ...identity, isMade: false });
  await client.close();
  if (!args.json && !isMade) return;
  if (!args.json) stdio.tell(stdio.err.dim("its secret, shown this once:\n"));
  const line = args.json ? JSON.stringify({ username, ...(isMade ? { secret } : {}) }) : secret;
  try {
    if (await stdio.write(`${line}\n`) || !isMade) return;
  } catch (error) {
    if (isMade) stdio.tell(`${secret}\n`);
    throw error;
  }
  // Nobody else has the secret, and nobody reads standard output.
  stdio.tell(`${secret}\n`);
}
