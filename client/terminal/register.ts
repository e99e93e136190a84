/** `register`: makes an account, and leaves. */

import { type CommandContext, enter } from "./command.ts";
import { settleIdentity } from "./identity.ts";

/**
 * Registers. A new secret goes to standard output, so that a script can keep it; everything else goes to standard
 * error.
 */
export async function register(context: CommandContext): Promise<void> {
  const { args, stdio } = context;
  const identity = await settleIdentity({ ...context, ...args, secret: context.secret, command: "register" }, stdio);
  const { username, secret, isMade } = identity;
  const client = await enter(context, { ...identity, isMade: false });
  await client.close();
  if (args.json) await stdio.write(`${JSON.stringify({ username, ...(isMade ? { secret } : {}) })}\n`);
  else if (isMade) {
    stdio.tell(stdio.err.dim("its secret, shown this once:\n"));
    await stdio.write(`${secret}\n`);
  }
}
