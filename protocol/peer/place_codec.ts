/**
 * PLACE lines of the log: where a lost connection of a user stood, and that such a place was taken up. Servers tell each
 * other; a client gets none of them. They are entries for the user that they are about, so that a store forgets them
 * with the user's messages, and a server that knows none keeps them and passes them on. Pure.
 */

import { type Fields, isObject } from "../fields.ts";
import type { WireVector } from "../message.ts";
import { isServerId } from "../server_id.ts";

/** What a PLACE line says. */
export type PlaceNote = LostNote | TakenNote;

/** A connection of `username` with the server that says it was lost. */
export interface LostNote {
  readonly event: "lost";
  readonly username: string;
  /** Whether its client can say itself what it has. */
  readonly resumes: boolean;
  /** Lamport time of the loss; earlier than the entry's where the server was started anew since. */
  readonly lostAt: number;
  /** How far it was, of each origin of which servers may have more or less; of all others it had what the server had. */
  readonly vector: WireVector;
}

/** A place of `username` was taken up, at the server that says it. */
export interface TakenNote {
  readonly event: "taken";
  readonly username: string;
  /** The server that the lost connection was with, and its entry; 0 where there was none, as the server was lost. */
  readonly server: string;
  readonly sequence: number;
}

/** What the line says as an entry. */
interface EntryFields {
  readonly origin: string;
  readonly sequence: number;
  readonly lamport: number;
}

/** Origins that one line may name: as many as a vector may anywhere. */
const MAX_ORIGINS = 1_024;
const MAX_NAME_UNITS = 128;

/** A PLACE line, its end included. */
export function encodePlace(note: PlaceNote, { origin, sequence, lamport }: EntryFields): string {
  const id = `${origin}:${sequence}`;
  const { event, username } = note;
  const rest = event === "lost"
    ? { resumes: note.resumes, lostAt: note.lostAt, vector: note.vector }
    : { of: note.sequence === 0 ? note.server : `${note.server}:${note.sequence}` };
  return JSON.stringify({ command: "PLACE", event, username, ...rest, id, lamport }) + "\n";
}

/** What the fields of a PLACE line say; `undefined` for what only a newer server can read. */
export function readPlace(fields: Fields): PlaceNote | undefined {
  const { event, username } = fields;
  if (typeof username !== "string" || username === "" || username.length > MAX_NAME_UNITS) return undefined;
  if (event === "lost") {
    const { resumes, lostAt, vector } = fields;
    if (!isCount(lostAt) || !isVector(vector)) return undefined;
    return { event, username, resumes: resumes === true, lostAt, vector };
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
