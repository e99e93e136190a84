/** Calls a participant over one channel, which the first call makes. */

import type { Endpoint } from "../../../platform/address.ts";
import type { Clock } from "../../../platform/clock.ts";
import { Http2Channel } from "../../../platform/http/http2_client.ts";
import { SERVICE_OUT } from "./messages.ts";
import type { Caller } from "./participant.ts";
import { callUnary } from "./unary_call.ts";

/** The caller of the participant at `endpoint`. It waits for a participant that does not listen yet. */
export function participantCaller(endpoint: Endpoint, clock: Clock): Caller {
  let channel: Http2Channel | undefined;
  return {
    broadCast(request, timeoutMs) {
      channel ??= new Http2Channel(endpoint);
      return callUnary(channel, SERVICE_OUT.BroadCast, request, { clock, timeoutMs, waitsForServer: true });
    },
    close: () => channel?.close(),
  };
}
