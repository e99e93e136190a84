/** Procedures in the form of the gRPC library. */

import type { MethodDefinition } from "@grpc/grpc-js";
import { asBuffer } from "../../../platform/node_buffer.ts";
import type { Procedure } from "./messages.ts";
import { decodeMessage, encodeMessage, type ValueOf } from "./protobuf.ts";

/** How requests and replies of `P` are written and read. */
export function methodOf<P extends Procedure>(
  { path, request, reply }: P,
): MethodDefinition<ValueOf<P["request"]>, ValueOf<P["reply"]>> {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: (value) => asBuffer(encodeMessage(request, value)),
    requestDeserialize: (bytes) => decodeMessage<P["request"]>(request, bytes),
    responseSerialize: (value) => asBuffer(encodeMessage(reply, value)),
    responseDeserialize: (bytes) => decodeMessage<P["reply"]>(reply, bytes),
  };
}
