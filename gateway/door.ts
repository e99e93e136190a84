/** A door beside the line protocol's, as whoever opened it has it. Types only. */

/** An open door. */
export interface Door {
  readonly host: string;
  /** The port that it has, also when 0 was asked for. */
  readonly port: number;
  /** Lets nobody in any more and ends what came through it. Calling it again waits for the same end. */
  close(): Promise<void>;
}
