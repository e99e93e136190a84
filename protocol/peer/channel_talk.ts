/** What servers ask and tell each other of who reads a channel: types, and how they are read. Pure. */

import { channelProblem, normalName } from "../channels/channel_name.ts";
import { FieldProblem, type Fields, optionalClockField, stringField } from "../fields.ts";
import { eventField, usernameField, usersField } from "./user_fields.ts";

/** Somebody at the sender wants to know who reads this channel, or nobody any more. */
export interface ChannelWatchMessage {
  readonly command: "CHANNEL_WATCH";
  readonly channel: string;
  readonly active: boolean;
}

/** The answer: these users, and nobody else, read the channel at the sender. It tells of changes from then on. */
export interface ChannelReadersMessage {
  readonly command: "CHANNEL_READERS";
  readonly channel: string;
  readonly users: readonly string[];
}

/** A user has begun to read the channel at the sender, or reads it there no more. */
export interface ChannelReaderMessage {
  readonly command: "CHANNEL_READER";
  readonly channel: string;
  readonly username: string;
  readonly event: "joined" | "left" | "lost";
  /** The sender's Lamport time. */
  readonly lamport: number;
}

/** Any of these. */
export type ChannelTalkMessage = ChannelWatchMessage | ChannelReadersMessage | ChannelReaderMessage;

/** The message in such a line; `undefined` for another command. @throws {FieldProblem} */
export function readChannelTalk(command: string, fields: Fields): ChannelTalkMessage | undefined {
  switch (command) {
    case "CHANNEL_WATCH": {
      const { active = true } = fields;
      if (active !== null && typeof active !== "boolean") throw new FieldProblem('"active" must be true or false');
      return { command, channel: channelField(fields.channel), active: active ?? true };
    }
    case "CHANNEL_READERS":
      return { command, channel: channelField(fields.channel), users: usersField(fields.users) };
    case "CHANNEL_READER": {
      const username = usernameField(fields.username, "username");
      const lamport = optionalClockField(fields.lamport) ?? 0;
      return { command, channel: channelField(fields.channel), username, event: eventField(fields.event), lamport };
    }
  }
  return undefined;
}

function channelField(value: unknown): string {
  const channel = stringField(value, "channel");
  const problem = channelProblem(channel) ?? (normalName(channel) === channel ? undefined : "it is not normal");
  if (problem !== undefined) throw new FieldProblem(`"channel": ${problem}`);
  return channel;
}
