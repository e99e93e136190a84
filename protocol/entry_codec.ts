/**
 * Lines of entries that are not broadcasts: they are in the log and go from server to server, never to a client. Pure.
 */

/** A registration, as the log keeps it. */
export interface AccountEntry {
  readonly username: string;
  /** Never the secret. */
  readonly verifier: string;
  readonly origin: string;
  readonly sequence: number;
  readonly lamport: number;
  /** Milliseconds since 1970. */
  readonly sentAt: number;
}

/** An ACCOUNT line, its end included. */
export function encodeAccount({ username, verifier, origin, sequence, lamport, sentAt }: AccountEntry): string {
  return JSON.stringify({ command: "ACCOUNT", username, verifier, id: `${origin}:${sequence}`, lamport, sentAt }) +
    "\n";
}
