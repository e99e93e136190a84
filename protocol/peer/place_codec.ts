/**
 * PLACE lines of the log: the position of a user's lost connection, or the notice that a server took that position up.
 * Servers tell each other; no client gets these lines. They are entries for one user, so that a store forgets them with
 * the user's messages. A server that does not know them keeps them and passes them on. Pure.
 */

import { type Fields, isObject } from "../fields.ts";
import type { WireVector } from "../message.ts";
import { isServerId } from "../server_id.ts";

/** The content of a PLACE line. */
export type PlaceNote = LostNote | TakenNote;

/** `username` lost a connection with the server that writes this. */
export interface LostNote {
  readonly event: "lost";
  readonly username: string;
  /** Whether the client of that connection can say itself which entries it has. */
  readonly resumes: boolean;
  /** Lamport time of the loss. Earlier than the entry's time if the server has restarted since. */
  readonly lostAt: number;
  /**
   * The position of the connection, for each origin of which servers may have more or less. Of all other origins, it
   * had everything that the server had.
   */
  readonly vector: WireVector;
  /** `vector` names all origins: of any other one the connection had nothing, as the server knew none. */
  readonly whole?: boolean;
}

/** The server that writes this has taken up a position of `username`. */
export interface TakenNote {
  readonly event: "taken";
  readonly username: string;
  /**
   * The server of the lost connection, and its entry. The entry is 0 if that server was lost before it could write one.
   */
  readonly server: string;
  readonly sequence: number;
}

/** The fields that make the line an entry. */
interface EntryFields {
  readonly origin: string;
  readonly sequence: number;
  readonly lamport: number;
}

/** The most origins in one line: as many as any vector may have. */
const MAX_ORIGINS = 1_024;
const MAX_NAME_UNITS = 128;

/** A PLACE line with its end. */
export function encodePlace(note: PlaceNote, { origin, sequence, lamport }: EntryFields): string {
  const id = `${origin}:${sequence}`;
  const { event, username } = note;
  const rest = event === "lost"
    ? { resumes: note.resumes, lostAt: note.lostAt, vector: note.vector, ...(note.whole ? { whole: true } : {}) }
    : { of: note.sequence === 0 ? note.server : `${note.server}:${note.sequence}` };
  return JSON.stringify({ command: "PLACE", event, username, ...rest, id, lamport }) + "\n";
}

/** The content of a PLACE line's fields; `undefined` if only a newer server can read them. */
export function readPlace(fields: Fields): PlaceNote | undefined {
  const { event, username } = fields;
  if (typeof username !== "string" || username === "" || username.length > MAX_NAME_UNITS) return undefined;
  if (event === "lost") {
    const { resumes, lostAt, vector, whole } = fields;
    if (!isCount(lostAt) || !isVector(vector)) return undefined;
    return { event, username, resumes: resumes === true, lostAt, vector, ...(whole === true ? { whole } : {}) };
  }
  if (event !== "taken" || typeof fields.of !== "string") return undefined;
  const [, server, sequence] = /^([^:]*)(?::([1-9]\d{0,15}))?$/.exec(fields.of) ?? [];
  const isNamed = server !== undefined && isServerId(server);
  return isNamed ? { event, username, server, sequence: Number(sequence ?? 0) } : undefined;
}

function isVector(value: unknown): value is WireVector {
  if (!isObject(value)) return false;
  const entries = Object.entries(value);
  return entries.length <= MAX_ORIGINS &&
    entries.every(([origin, sequence]) => isServerId(origin) && isCount(sequence));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
