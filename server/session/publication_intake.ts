/** Takes a publication that was read where it stands, as a line would be taken. Its activity stays in the bytes. */

import { asciiText } from "../../platform/node_buffer.ts";
import { channelProblem } from "../../protocol/channels/channel_name.ts";
import type { ActivityMessage } from "../../protocol/message.ts";
import type { PlainPublication } from "../../protocol/publication/plain_publication.ts";
import type { ClientPhase } from "./connection_phase.ts";
import { isPublished } from "./session.ts";
import type { SessionFacts } from "./session_state.ts";

/**
 * Takes `publication`, which was read in `bytes`, if nothing follows from it but that the log takes its activity.
 * Returns whether it did. If not, nothing has happened.
 */
export function takePublication(
  { session, requests }: ClientPhase,
  publication: PlainPublication,
  bytes: Uint8Array,
  facts: SessionFacts,
): boolean {
  const message = plainMessage(publication, bytes, session.username);
  if (message.channel !== undefined && !isChannel(message.channel)) return false;
  if (!isPublished(session, message, facts)) return false;
  requests.publish(message);
  return true;
}

/** What `publication` says; most likely as the user `username`. */
function plainMessage(publication: PlainPublication, bytes: Uint8Array, username: string): ActivityMessage {
  const { activityFrom, activityTo, usernameFrom, usernameTo, secretFrom, secretTo, lamport } = publication;
  const { messageIdFrom, messageIdTo, channelFrom, channelTo } = publication;
  return {
    command: "ACTIVITY_MESSAGE",
    username: usernameFrom === 0
      ? undefined
      : isAt(bytes, usernameFrom, usernameTo, username)
      ? username
      : asciiText(bytes, usernameFrom, usernameTo),
    secret: secretFrom === 0 ? undefined : asciiText(bytes, secretFrom, secretTo),
    activity: { bytes, from: activityFrom, to: activityTo },
    messageId: messageIdFrom === 0 ? undefined : asciiText(bytes, messageIdFrom, messageIdTo),
    channel: channelFrom === 0 ? undefined : channelAt(bytes, channelFrom, channelTo),
    lamport: lamport < 0 ? undefined : lamport,
  };
}

/** The channel of the last publication: the next one is often for the same. */
let lastChannel = "-";

function channelAt(bytes: Uint8Array, from: number, to: number): string {
  return isAt(bytes, from, to, lastChannel) ? lastChannel : asciiText(bytes, from, to);
}

/** Whether it is the name of a channel. What is ASCII is normal. */
function isChannel(text: string): boolean {
  if (text === lastChannel) return true;
  if (channelProblem(text) !== undefined) return false;
  lastChannel = text;
  return true;
}

/** Whether `text` stands there. A text that is not ASCII never does. */
function isAt(bytes: Uint8Array, from: number, to: number, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let index = 0; index < text.length; index++) {
    if (bytes[from + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}
