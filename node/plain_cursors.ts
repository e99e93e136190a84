/**
 * Where plain clients stand. Such a client cannot say what it has, so the server remembers how far its connection got, and gives it what it missed
 * when its user logs in again. Clients that ask for `resume` bring their own vector and are not in here.
 */

import type { Position } from "../log/segment.ts";
import type { PlainCursor } from "../store/store.ts";
import type { Journal } from "./journal.ts";

/** Lost connections of one user that are remembered; the oldest is given up beyond that. */
const MAX_LOST_PER_USER = 16;

/** The plain cursors of one server. */
export class PlainCursors {
  readonly #journal: Journal;
  /** By user, oldest first. */
  readonly #lost = new Map<string, PlainCursor[]>();
  #nextId = 1;

  /** Begins with what the store knew when it was opened. */
  constructor(journal: Journal, known: readonly PlainCursor[]) {
    this.#journal = journal;
    for (const cursor of [...known].sort((a, b) => a.id - b.id)) {
      this.#nextId = Math.max(this.#nextId, cursor.id + 1);
      if (cursor.lost) this.#keepLost(cursor);
    }
  }

  /** Where the user's oldest lost connection stood, which is forgotten with this. `undefined` when none was lost. */
  takeOver(username: string): Position | undefined {
    const lost = this.#lost.get(username);
    const oldest = lost?.shift();
    if (oldest === undefined) return undefined;
    if (lost!.length === 0) this.#lost.delete(username);
    this.#journal.endCursor(oldest.id);
    return oldest.position;
  }

  /** A connection of `username` begins to read. Gives the name under which the other calls know it. */
  begin(username: string, position: Position | undefined): number {
    const id = this.#nextId++;
    this.#journal.saveCursor({ id, username, position, lost: false });
    return id;
  }

  /** It was sent everything up to `position`, or is at the end of the log (`undefined`). */
  moved(id: number, username: string, position: Position | undefined): void {
    this.#journal.saveCursor({ id, username, position, lost: false });
  }

  /** Its connection is gone; it was sent everything up to `position`. */
  lost(id: number, username: string, position: Position): void {
    const cursor = { id, username, position, lost: true };
    this.#journal.saveCursor(cursor);
    this.#keepLost(cursor);
  }

  /** It logged out. */
  end(id: number): void {
    this.#journal.endCursor(id);
  }

  #keepLost(cursor: PlainCursor): void {
    const lost = this.#lost.get(cursor.username) ?? [];
    lost.push(cursor);
    this.#lost.set(cursor.username, lost);
    if (lost.length > MAX_LOST_PER_USER) this.#journal.endCursor(lost.shift()!.id);
  }
}
