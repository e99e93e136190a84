/** Why a server ends that runs on a copy of a data folder. */

/** This server runs on a copy of a data folder whose server is in the network. */
export class CloneError extends Error {
  /** Its class, by name. */
  override name = "CloneError";
}
