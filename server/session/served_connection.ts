/** A connection as its server keeps it, and whom a connection tells. Types only. */

import type { ConnectionView, Door, EndView } from "../../view/network_view.ts";
import type { CloseReason } from "../../protocol/close_reason.ts";
import type { StoreError } from "../store/store.ts";
import type { Standing } from "./limits/seats.ts";

/** A connection, as its server keeps it. */
export interface ServedConnection {
  /** Unique at this server while it runs. */
  readonly id: string;
  /** The address that it comes from. */
  readonly remoteHost: string;
  /** Whether it has said nothing of its own for a while. */
  readonly isQuiet: boolean;
  /** Ends it of the server's own will. Its last line has `lingerMs` to leave. */
  end(reason: CloseReason, why?: string, lingerMs?: number): void;
  /** How it is, for people. */
  describe(nowWallMs: number): ConnectionView;
}

/** What a connection tells its server. */
export interface ConnectionOwner {
  /** It is not served any more, and why. */
  ended(end: EndedConnection): void;
  /** The connection's link is gone. */
  gone(connection: ServedConnection): void;
  /** The store cannot be read: the whole server cannot go on. */
  failed(error: StoreError): void;
}

/** What a connection says of its end. */
export interface EndedConnection extends Pick<EndView, "since" | "user" | "address" | "why" | "heartbeats"> {
  readonly reason: CloseReason;
}

/** Where connections get their seats. */
export interface SeatGiver {
  /** Whether few are left. Then nobody may take long to say who it is. */
  readonly isShort: boolean;
  /** The server looks at the secret of `connection`, or has looked. */
  tries(connection: ServedConnection, isTrying: boolean): void;
  /** It has said who it is. Returns whether it has a seat. If not, `granted` is called once it has, perhaps never. */
  enter(connection: ServedConnection, standing: Standing, granted: () => void): boolean;
}

/** What a connection is told of itself. */
export interface ConnectionOrigin {
  readonly id: string;
  readonly over: Door;
}
