/**
 * Which backplane links a server with others. Only this file chooses. Another engine is one more function here. No
 * other file of a server knows its engine.
 */

import { Alone } from "../backplane/alone.ts";
import type { Backplane, BackplaneParts } from "../backplane/backplane.ts";
import { Mesh } from "../mesh/mesh.ts";

/** Makes the backplane of one server, which starts it. */
export type Engine = (parts: BackplaneParts) => Backplane;

/**
 * The engine of a server whose `NodeParts` name none. When there is a choice, this function looks at `parts.config`.
 *
 * A server without a secret is linked by TCP, too. It may know members of a network that it was in before, and lets a
 * login wait for entries that only they have.
 */
export const chosenEngine: Engine = (parts) => linkedByTcp(parts);

/** Servers linked by TCP. */
export const linkedByTcp: Engine = (parts) => new Mesh(parts);

/** A network of one server, whatever it was configured to join. */
export const onItsOwn: Engine = ({ journal, faults, ticketKey, owner }) =>
  new Alone({ named: journal, faults, ticketKey, owner, tick: () => journal.tick() });
