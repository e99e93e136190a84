/** The exit codes of the two programs. The numbers are part of their interface: append only. Pure. */

/** The exit code tells the caller how the program ended. */
export const EXIT_CODE = {
  done: 0,
  /** The command line, an answer or the config file is wrong. */
  usage: 1,
  /** A client cannot connect; a server cannot listen. */
  unreachable: 2,
  /** The server refused a login, a registration or a direct message. */
  refused: 3,
  /** The server ended the connection. */
  ended: 4,
  /** The data folder or another file, also standard output, cannot be opened, read or written. */
  store: 5,
  /** A fault in the program itself. */
  fault: 6,
  /** Another server has this data folder's identity. */
  clone: 7,
  /** A client waited for something that did not come in the given time. */
  late: 8,
} as const;

/** One of the numbers. */
export type ExitCode = typeof EXIT_CODE[keyof typeof EXIT_CODE];
