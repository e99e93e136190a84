/** Who may not say anything, for the way in which its connection comes. Pure. */

import { isLoopbackAddress, plainAddress } from "../../../platform/address.ts";
import type { SecureChannel } from "../../../platform/tls/secure_channel.ts";
import { refuse, type SessionStep } from "../session_state.ts";

/** What it depends on. */
export interface ChannelFacts {
  readonly remoteHost: string;
  /** `undefined`: everything on it can be read. */
  readonly channel: SecureChannel | undefined;
  /** Whether other machines have to come by TLS. */
  readonly requiresTls: boolean;
}

/** How it is refused; `undefined` if it is not. */
export function refuseChannel({ remoteHost, channel, requiresTls }: ChannelFacts): SessionStep | undefined {
  if (channel?.isResumed) {
    // Nobody has looked at certificates since that session was made, and those that count may be others by now.
    return refuse("INVALID_MESSAGE", "this server resumes no TLS sessions: connect without a ticket", "TLS_RESUMED");
  }
  if (channel !== undefined || !requiresTls || isLoopbackAddress(plainAddress(remoteHost))) return undefined;
  return refuse("INVALID_MESSAGE", "this server takes connections of other machines by TLS alone", "TLS_REQUIRED");
}
