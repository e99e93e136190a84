/** What is known of how a connection is protected. Types only. Pure. */

/** What is known of a connection that nobody on the way can read or change. */
export interface SecureChannel {
  /**
   * What both ends know of the certificate that the server has shown (RFC 5929, `tls-server-end-point`). Whoever is in
   * the middle with another certificate makes it another one. `undefined` where this end cannot know it, as behind a
   * browser's door.
   */
  readonly serverEndPoint: Uint8Array | undefined;
  /** It goes on with a session of before, for which nobody has shown a certificate now. */
  readonly isResumed: boolean;
}
