/**
 * The messages between Chitty-Chat programs and the door, as tables of fields. `chitty_chat.proto` has the same fields,
 * for authors of participants in other languages; a test keeps the two equal. Pure.
 */

import type { MessageFields, ValueOf } from "./protobuf.ts";

const text = (number: number) => ({ number, type: "string" }) as const;
const int32 = (number: number) => ({ number, type: "int32" }) as const;
const bool = (number: number) => ({ number, type: "bool" }) as const;

/** `Message`: something that a participant says. */
export const MESSAGE = {
  message: text(1),
  lamportTime: int32(2),
  participantID: text(3),
  isPublish: bool(4),
  isJoin: bool(5),
  isLeave: bool(6),
} as const satisfies MessageFields;

/** `PublishMessageReply`. */
export const PUBLISH_MESSAGE_REPLY = { reply: text(1), lamportTime: int32(2) } as const satisfies MessageFields;

/** `BroadCastRequest`: a message for one participant. */
export const BROADCAST_REQUEST = {
  participantID: text(1),
  message: { number: 2, type: MESSAGE },
  lamportTime: int32(3),
} as const satisfies MessageFields;

const requestFields = { participantID: text(1), lamportTime: int32(2) } as const satisfies MessageFields;
const replyFields = {
  participantID: text(1),
  reply: text(2),
  lamportTime: int32(3),
} as const satisfies MessageFields;

/** `BroadCastReply`. */
export const BROADCAST_REPLY = replyFields;
/** `JoinRequest`. */
export const JOIN_REQUEST = requestFields;
/** `JoinReply`. */
export const JOIN_REPLY = replyFields;
/** `LeaveRequest`. */
export const LEAVE_REQUEST = requestFields;
/** `LeaveReply`. */
export const LEAVE_REPLY = replyFields;

/** Something that a participant says. */
export type Message = ValueOf<typeof MESSAGE>;
/** The answer to a `Message`. */
export type PublishMessageReply = ValueOf<typeof PUBLISH_MESSAGE_REPLY>;
/** A message for one participant. */
export type BroadCastRequest = ValueOf<typeof BROADCAST_REQUEST>;
/** The answer to it. */
export type BroadCastReply = ValueOf<typeof BROADCAST_REPLY>;
/** A participant comes. */
export type JoinRequest = ValueOf<typeof JOIN_REQUEST>;
/** The answer to that. */
export type JoinReply = ValueOf<typeof JOIN_REPLY>;
/** A participant goes. */
export type LeaveRequest = ValueOf<typeof LEAVE_REQUEST>;
/** The answer to that. */
export type LeaveReply = ValueOf<typeof LEAVE_REPLY>;

/** One procedure that can be called. */
export interface Procedure {
  /** Package, service and name. */
  readonly path: string;
  readonly request: MessageFields;
  readonly reply: MessageFields;
}

/** `ChittyChatServiceIN`: what the door serves. */
export const SERVICE_IN = {
  Publish: { path: "/chat.ChittyChatServiceIN/Publish", request: MESSAGE, reply: PUBLISH_MESSAGE_REPLY },
  Join: { path: "/chat.ChittyChatServiceIN/Join", request: JOIN_REQUEST, reply: JOIN_REPLY },
  Leave: { path: "/chat.ChittyChatServiceIN/Leave", request: LEAVE_REQUEST, reply: LEAVE_REPLY },
} as const satisfies Readonly<Record<string, Procedure>>;

/** `ChittyChatServiceOUT`: every participant serves this. */
export const SERVICE_OUT = {
  BroadCast: { path: "/chat.ChittyChatServiceOUT/BroadCast", request: BROADCAST_REQUEST, reply: BROADCAST_REPLY },
} as const satisfies Readonly<Record<string, Procedure>>;
