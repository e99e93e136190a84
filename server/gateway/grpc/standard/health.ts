/** Answers how a server is: the messages of `grpc.health.v1.Health`. Pure. */

import { decodeMessage, encodeMessage, type MessageFields } from "../protobuf.ts";

const REQUEST = { service: { number: 1, type: "string" } } as const satisfies MessageFields;
const RESPONSE = { status: { number: 1, type: "int32" } } as const satisfies MessageFields;

/** The states of a service, as numbers of the protocol. */
export const SERVING_STATUS = { serving: 1, notServing: 2, serviceUnknown: 3 } as const;

/** The services that one may ask for. The empty name stands for the whole server. */
const KNOWN: readonly string[] = ["", "chat.ChittyChatServiceIN"];

/**
 * The state of the service that a request names. `undefined` for a service that is not here.
 * @throws {RangeError} when the bytes are no message. @throws {TypeError} when the name is not UTF-8.
 */
export function healthOf(request: Uint8Array, isReady: boolean): number | undefined {
  const { service } = decodeMessage(REQUEST, request);
  if (!KNOWN.includes(service)) return undefined;
  return isReady ? SERVING_STATUS.serving : SERVING_STATUS.notServing;
}

/** A state as the bytes of an answer. */
export function healthAnswer(status: number): Uint8Array {
  return encodeMessage(RESPONSE, { status });
}
