/**
 * `listen`: activities, and direct messages for the user, on standard output, until somebody stops it or nobody reads
 * its output.
 */

import { endpointText } from "../../config/values.ts";
import { type CommandContext, enter, untilStopped } from "./command.ts";
import { activityLine, describeActivity, describeMessage, messageLine } from "./describe.ts";
import { settleIdentity } from "./identity.ts";

/** Listens. @throws the error that ended the client, unless the person did. */
export async function listen(context: CommandContext): Promise<void> {
  const { args, stdio } = context;
  const identity = await settleIdentity({ ...context, ...args, secret: context.secret, command: "listen" }, stdio);
  const client = await enter(context, identity);
  stdio.tell(stdio.err.dim(`connected to ${endpointText(context.server)} as ${client.username}; Ctrl-C ends\n`));
  const show = async <T>(items: AsyncIterable<T>, line: (item: T) => string): Promise<void> => {
    for await (const item of items) {
      // `listen
      // head -1`: the reader has enough.
      if (!await stdio.write(`${line(item)}\n`)) break;
    }
  };
  await untilStopped(context, client, async () => {
    // The first end counts: nobody reads any more, or the client is closed and both iterators end.
    await Promise.race([
      show(
        client.activities(),
        (activity) => args.json ? activityLine(activity) : describeActivity(activity, stdio.out),
      ),
      show(client.messages(), (message) => args.json ? messageLine(message) : describeMessage(message, stdio.out)),
    ]);
  });
}
