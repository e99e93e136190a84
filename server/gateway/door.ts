/** A door beside the line protocol's, as whoever opened it has it, and what it is opened with. */

import type { Config } from "../../config/config.ts";
import type { ThrumNode } from "../node/node.ts";
import type { Endpoint } from "../../platform/address.ts";
import type { Clock } from "../../platform/clock.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import type { FaultGuard } from "../../platform/faults.ts";

/** An open door. */
export interface Door {
  readonly host: string;
  /** The port that it has, also when 0 was asked for. */
  readonly port: number;
  /** Lets nobody in any more and ends what came through it. Calling it again waits for the same end. */
  close(): Promise<void>;
}

/** What a door is opened with. */
export interface DoorParts {
  readonly node: ThrumNode;
  readonly config: Config;
  readonly clock: Clock;
  readonly crypto: SecretCrypto;
  /** Connections at once that are neither streams nor WebSockets; as many as the door likes where it is absent. */
  readonly maxCallers?: number;
  /** Told what is thrown in the door; without it that is thrown on. */
  readonly faults?: FaultGuard;
}

/** A door's address cannot be listened on. */
export class DoorError extends Error {
  /** Its class, by name. */
  override name = "DoorError";
  /** Which one, in words. */
  readonly door: string;
  /** Where it was to listen. */
  readonly endpoint: Endpoint;
  /** What the operating system calls it, such as `EADDRINUSE`. */
  readonly code: string;

  /** `door` names it, `code` says why it cannot be opened. */
  constructor(door: string, endpoint: Endpoint, code: string, options?: ErrorOptions) {
    super(`Cannot listen for ${door}: ${code}`, options);
    this.door = door;
    this.endpoint = endpoint;
    this.code = code;
  }
}
