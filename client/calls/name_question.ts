/**
 * Asks a server whether a name is registered, on a connection of its own. Names are public; a login without a secret is
 * the question, and costs nobody anything. Used before a person is asked for a password.
 */

import type { Endpoint } from "../../platform/address.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Link, Transport } from "../../platform/transport.ts";
import { LineFramer } from "../../protocol/line_framer.ts";
import { lineBytes, parseServerLine } from "../../protocol/server_codec.ts";

/** What is known of a name. Servers of 0.1.0 say of none that it is not registered. */
export type NameAnswer = "unknownName" | "mayBeRegistered";

/** Longer than the answer. */
const MAX_LINE_BYTES = 65_536;

/**
 * Asks `server` for `username`. Without an answer within `timeoutMs` nothing is known against the name.
 */
export async function askForName(
  { server, username, timeoutMs }: { readonly server: Endpoint; readonly username: string; readonly timeoutMs: number },
  { transport, clock }: { readonly transport: Transport; readonly clock: Clock },
): Promise<NameAnswer> {
  let link: Link;
  try {
    link = await transport.dial({ ...server, timeoutMs });
  } catch {
    // Whoever logs in next is told why.
    return "mayBeRegistered";
  }
  const answer = Promise.withResolvers<NameAnswer>();
  const framer = new LineFramer(MAX_LINE_BYTES);
  link.attach({
    onData(bytes) {
      const [line] = framer.push(bytes).lines;
      if (line !== undefined) answer.resolve(meaningOf(line));
    },
    onDrain() {},
    onFinish: () => answer.resolve("mayBeRegistered"),
    onEnd: () => answer.resolve("mayBeRegistered"),
  });
  // With a feature, so that a limit is told as such, and is no answer.
  link.write(lineBytes({ command: "LOGIN", username, features: ["ack"] }));
  const timer = clock.after(timeoutMs, () => answer.resolve("mayBeRegistered"));
  try {
    return await answer.promise;
  } finally {
    timer.cancel();
    link.destroy();
  }
}

function meaningOf(line: string): NameAnswer {
  const message = parseServerLine(line);
  return message?.command === "LOGIN_FAILED" && message.reason === "UNKNOWN_USER" ? "unknownName" : "mayBeRegistered";
}
