/**
 * Calls a gRPC procedure with one message in and one out. Whether there is a reply shows in its message. The status
 * after a message, a trailer, is not visible here. A status without a message is in the headers.
 */

import type { Clock } from "../../../platform/clock.ts";
import { Http2Channel, Http2Error } from "../../../platform/http/http2_client.ts";
import type { Procedure } from "./messages.ts";
import { decodeMessage, encodeMessage, type ValueOf } from "./protobuf.ts";

/** How long to wait for the reply. */
export interface CallParts {
  readonly clock: Clock;
  /** In milliseconds, from now on. */
  readonly timeoutMs: number;
  /** Whether a server that does not listen yet is waited for. */
  readonly waitsForServer: boolean;
}

/** gRPC's status codes that are told apart here, by number. */
export const GRPC_STATUS = { UNKNOWN: 2, DEADLINE_EXCEEDED: 4, INTERNAL: 13, UNAVAILABLE: 14 } as const;

/** There is no reply. */
export class GrpcError extends Error {
  /** Its class, by name. */
  override name = "GrpcError";
  /** gRPC's status code. */
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Between two attempts to reach a server that does not listen yet. */
const AGAIN_MS = 100;
/** No reply needs nearly as much. */
const MAX_REPLY_BYTES = 65_536;
/** Before each message: whether it is compressed, and its length in four bytes. */
const PREFIX_BYTES = 5;

/** Calls `procedure`. @throws {GrpcError} */
export async function callUnary<P extends Procedure>(
  channel: Http2Channel,
  procedure: P,
  request: ValueOf<P["request"]>,
  { clock, timeoutMs, waitsForServer }: CallParts,
): Promise<ValueOf<P["reply"]>> {
  const tooLate = new AbortController();
  const timer = clock.after(timeoutMs, () => tooLate.abort(new Error(`no reply within ${timeoutMs} ms`)));
  const headers = { "content-type": "application/grpc", te: "trailers", "grpc-timeout": `${timeoutMs}m` };
  const body = framed(encodeMessage(procedure.request, request));
  try {
    for (;;) {
      try {
        const answer = await channel.post(procedure.path, headers, body, {
          signal: tooLate.signal,
          maxBytes: MAX_REPLY_BYTES,
        });
        return decodeMessage<P["reply"]>(procedure.reply, messageOf(answer));
      } catch (error) {
        if (!(error instanceof Http2Error)) throw error;
        const isLate = tooLate.signal.aborted;
        if (isLate || !waitsForServer || !error.isUnreachable) {
          const code = isLate ? GRPC_STATUS.DEADLINE_EXCEEDED : GRPC_STATUS.UNAVAILABLE;
          throw new GrpcError(code, error.message, { cause: error });
        }
        await new Promise<void>((resolve) => void clock.after(AGAIN_MS, resolve));
      }
    }
  } catch (error) {
    if (error instanceof GrpcError) throw error;
    throw new GrpcError(GRPC_STATUS.INTERNAL, `the reply is no message: ${(error as Error).message}`, { cause: error });
  } finally {
    timer.cancel();
  }
}

function framed(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PREFIX_BYTES + message.length);
  new DataView(bytes.buffer).setUint32(1, message.length);
  bytes.set(message, PREFIX_BYTES);
  return bytes;
}

/** @throws {GrpcError} when there is none, or not just one. */
function messageOf(
  { status, headers, body }: { readonly status: number; readonly headers: Headers; readonly body: Uint8Array },
): Uint8Array {
  const code = Number(headers.get("grpc-status") ?? "0");
  if (code !== 0) throw new GrpcError(code, decoded(headers.get("grpc-message") ?? `gRPC status ${code}`));
  if (status !== 200) throw new GrpcError(GRPC_STATUS.UNKNOWN, `HTTP status ${status}`);
  if (body.length === 0) throw new GrpcError(GRPC_STATUS.UNKNOWN, "the call failed without a message");
  const length = body.length < PREFIX_BYTES ? -1 : new DataView(body.buffer, body.byteOffset).getUint32(1);
  if (length !== body.length - PREFIX_BYTES) throw new GrpcError(GRPC_STATUS.INTERNAL, "the reply is cut off");
  if (body[0] !== 0) throw new GrpcError(GRPC_STATUS.INTERNAL, "the reply is compressed, and nobody asked for that");
  return body.subarray(PREFIX_BYTES);
}

/** Status messages encode characters beyond ASCII with percent signs. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    // It was written by a program that does not know that.
    return message;
  }
}
