/** The messages of a login that tells no secret. `scram.ts` says what is in them. Types only. Pure. */

/** The client has to prove that it knows its secret. */
export interface ChallengeMessage {
  readonly command: "CHALLENGE";
  /** The server's first message of the exchange. */
  readonly scram: string;
}

/** The answer to `CHALLENGE`. */
export interface ResponseMessage {
  readonly command: "RESPONSE";
  /** The client's last message of the exchange. */
  readonly scram: string;
  /** After a `LOGIN` with `change`: what is to be changed, sealed (`account_change.ts`). */
  readonly sealed?: string;
}
