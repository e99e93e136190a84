/** How a participant is called: over one channel, which is made with the first call and kept. */

import type { Endpoint } from "../../../platform/address.ts";
import type { Clock } from "../../../platform/clock.ts";
import { Http2Channel } from "../../../platform/http/http2_client.ts";
import { SERVICE_OUT } from "./messages.ts";
import type { Caller } from "./participant.ts";
import { callUnary } from "./unary_call.ts";

/** How the participant that listens at `endpoint` is called. One that does not listen yet is waited for. */
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
