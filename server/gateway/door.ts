/** A door for another protocol: the interface for its owner, and the parts it is opened with. */

import type { Config } from "../../config/config.ts";
import type { ThrumNode } from "../node/node.ts";
import type { Endpoint } from "../../platform/address.ts";
import type { Clock } from "../../platform/clock.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import type { FaultGuard } from "../../platform/faults.ts";
import type { DoorTls } from "./tls/door_tls.ts";

/** An open door. */
export interface Door {
  readonly host: string;
  /** The port that it has, also when 0 was asked for. */
  readonly port: number;
  /** Whether it speaks TLS. */
  readonly isSecure: boolean;
  /** Lets nobody in any more, and ends everything that came through the door. A second call waits for the same end. */
  close(): Promise<void>;
}

/** What a door is opened with. */
export interface DoorParts {
  readonly node: ThrumNode;
  readonly config: Config;
  readonly clock: Clock;
  readonly crypto: SecretCrypto;
  /** The most connections at once that are neither streams nor WebSockets; the door decides if absent. */
  readonly maxCallers?: number;
  /** Its TLS; none if absent. */
  readonly tls?: DoorTls | undefined;
  /** Takes exceptions in the door; without it they are thrown on. */
  readonly faults?: FaultGuard;
}

/** A door's address cannot be listened on. */
export class DoorError extends Error {
  /** Its class, by name. */
  override name = "DoorError";
  /** Which one, in words. */
  readonly door: string;
  /** The address that could not be opened. */
  readonly endpoint: Endpoint;
  /** The code of the operating system, such as `EADDRINUSE`. */
  readonly code: string;

  /** `door` names it, `code` says why it cannot be opened. */
  constructor(door: string, endpoint: Endpoint, code: string, options?: ErrorOptions) {
    super(`Cannot listen for ${door}: ${code}`, options);
    this.door = door;
    this.endpoint = endpoint;
    this.code = code;
  }
}
