/** How other servers come in over a server's own port, where clients come in too. Types only. */

import type { Link } from "../../platform/transport.ts";
import type { LineFramer } from "../../protocol/line_framer.ts";
import type { AuthenticateMessage } from "../../protocol/message.ts";
import type { Admitted, LinkGreeting, PeerAdmission } from "./peer_admission.ts";

/** Where a call comes from. */
export type CallerFacts = Pick<Link, "remoteHost" | "channel">;

/** The door of a backplane that has one. */
export interface PeerDoor {
  /** Whether who said this may come in; `greeting` was said before on the same link. */
  admit(message: AuthenticateMessage, from: CallerFacts, greeting: LinkGreeting | undefined): PeerAdmission;
  /** Takes over the link of a server that was admitted; `gone` is called once when the link is gone. */
  accept(link: Link, framer: LineFramer, admission: Admitted, gone: () => void): LinkTaker;
}

/** Who has taken a link over, once it was known who is at the other end. */
export interface LinkTaker {
  /** Takes lines that came before that, and what was wrong with what followed them, if anything. */
  take(lines: readonly string[], problem: string | undefined): void;
}

/** What a backplane has of servers of the older dialect, which hang on this server. */
export interface LegacyDoor {
  /** Takes over a link on which one has said AUTHENTICATE. `serverId` is there for family A alone. */
  accept(link: Link, framer: LineFramer, serverId: string | undefined, gone: () => void): LinkTaker;
  /**
   * Takes over a link that this server has made, to one that turned out to be such a server: `line` came first, or
   * nothing did.
   */
  called(link: Link, framer: LineFramer, line: string | undefined, gone: () => void): LinkTaker;
  /** Asks all of them for a name; tells at once where there are none. */
  claim(username: string, told: (isAllowed: boolean) => void): void;
}
