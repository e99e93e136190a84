/** What tells TLS from lines. Apart from `tls_intake.ts`, which loads the TLS of the machine. Pure. */

/** The first byte of a connection by TLS: a record of a handshake. No line begins with it. */
export const TLS_FIRST_BYTE = 0x16;
