/** `listen`: what is published, on standard output, until somebody stops it or nobody reads any more. */

import { endpointText } from "../server_list.ts";
import { type CommandContext, enter, untilStopped } from "./command.ts";
import { activityLine, describeActivity } from "./describe.ts";
import { settleIdentity } from "./identity.ts";

/** Listens. @throws what ends the client, when that is not who started it. */
export async function listen(context: CommandContext): Promise<void> {
  const { args, stdio } = context;
  const identity = await settleIdentity({ ...context, ...args, secret: context.secret, command: "listen" }, stdio);
  const client = await enter(context, identity);
  stdio.tell(stdio.err.dim(`connected to ${endpointText(context.server)} as ${client.username}; Ctrl-C ends\n`));
  await untilStopped(context, client, async () => {
    for await (const activity of client.activities()) {
      const line = args.json ? activityLine(activity) : describeActivity(activity, stdio.out);
      // `listen | head -1`: the reader has what it wanted.
      if (!await stdio.write(`${line}\n`)) break;
    }
  });
}
