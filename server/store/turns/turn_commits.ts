/**
 * Commits of a store on a disk: each is one turn behind the end of the log. Where commits wait for the disk, one sync
 * serves all that came together, and no reader finds a turn before. Errors of this file are those of the disk;
 * `server/store/sqlite/sqlite_store.ts` explains them.
 */

import type { Position } from "../../../log/segment.ts";
import { inboxChange } from "../inbox.ts";
import { checkBatch } from "../origin_log.ts";
import { Queue } from "../queue.ts";
import type { LogFiles } from "../sqlite/log_files.ts";
import type { LoggedTurn, SettledTables } from "../sqlite/settled_tables.ts";
import type { Batch } from "../store.ts";
import { TurnEncoder } from "./turn_record.ts";

/** What they are made with. */
export interface TurnCommitsParts {
  readonly files: Pick<LogFiles, "append" | "sync" | "whenSynced">;
  readonly tables: Pick<SettledTables, "head" | "turn" | "serverId" | "takenAt" | "sequenceAt">;
  /** Whether every commit waits for the disk. */
  readonly waitsForDisk: boolean;
  /** This turn is about to be logged, and settled at once. */
  settlesAtOnce(batch: Batch): void;
  /** The log has this turn for certain. */
  take(logged: LoggedTurn): void;
  /** This turn is in this file. */
  logged(turn: number, file: number): void;
  /** The log and the memory of the store may say different things from now on. */
  failed(error: unknown): void;
}

interface Waiting {
  readonly logged: LoggedTurn;
  readonly done: (error?: unknown) => void;
}

/** One store's. */
export class TurnCommits {
  readonly #parts: TurnCommitsParts;
  readonly #encoder = new TurnEncoder();
  /** Turns in the log that are not on the disk yet. */
  readonly #waiting = new Queue<Waiting>();
  /** How far these go in each origin, and in the log. */
  readonly #ends = new Map<string, number>();
  #head: Position | undefined;

  constructor(parts: TurnCommitsParts) {
    this.#parts = parts;
  }

  /** Whether turns wait for the disk. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** As `Store.commit`. */
  commit(batch: Batch): void {
    const { files, take, waitsForDisk, failed } = this.#parts;
    const logged = this.#log(batch);
    try {
      if (waitsForDisk || batch.isSynced === true) files.sync();
      take(logged);
    } catch (error) {
      failed(error);
      throw error;
    }
  }

  /** As `Store.commitInBackground`. Calls `later` when turns were taken in. */
  commitInBackground(batch: Batch, done: Waiting["done"], later: () => void): void {
    if (dropsSegments(batch)) {
      this.finish();
      this.commit(batch);
      return done();
    }
    const logged = this.#log(batch);
    this.#waiting.push({ logged, done });
    for (const { origin, last, position } of batch.segments) {
      this.#ends.set(origin, last);
      this.#head = position;
    }
    this.#parts.files.whenSynced((error) => {
      if (error === undefined) this.#release(logged.turn);
      else this.#refuse(error);
      later();
    });
  }

  /** Waits in place for all turns that are not on the disk. */
  finish(): void {
    if (!this.isWaiting) return;
    try {
      this.#parts.files.sync();
    } catch (error) {
      this.#refuse(error);
      throw error;
    }
    this.#release(Infinity);
  }

  /** Writes a turn behind all others. Nobody can read it yet. */
  #log(batch: Batch): LoggedTurn {
    const { files, tables, settlesAtOnce } = this.#parts;
    const before = this.#waiting.at(this.#waiting.size - 1)?.logged;
    const sequenceAt = (origin: string) => this.#ends.get(origin) ?? tables.sequenceAt(batch, origin);
    const headBefore = this.#head ?? tables.head;
    checkBatch(batch, headBefore, tables.serverId, sequenceAt);
    const takenAt = batch.segments.at(-1)?.takenAt ?? before?.takenAt ?? tables.takenAt;
    const inbox = inboxChange(batch, sequenceAt, takenAt);
    if (dropsSegments(batch)) settlesAtOnce(batch);
    const turn = (before?.turn ?? tables.turn) + 1;
    const { bytes, frames } = this.#encoder.encode(turn, batch);
    const { file, start } = files.append(bytes, batch.segments.at(-1)?.position ?? headBefore);
    this.#parts.logged(turn, file);
    return { turn, batch, inbox, takenAt, frames, file, start, end: start + bytes.length };
  }

  /** Turns up to this one are on the disk. */
  #release(upTo: number): void {
    for (;;) {
      const next = this.#waiting.at(0);
      if (next === undefined || next.logged.turn > upTo) return;
      try {
        this.#parts.take(next.logged);
      } catch (error) {
        return this.#refuse(error);
      }
      this.#waiting.drop(1);
      if (this.#waiting.size === 0) {
        this.#ends.clear();
        this.#head = undefined;
      }
      next.done();
    }
  }

  #refuse(error: unknown): void {
    this.#parts.failed(error);
    while (this.#waiting.size > 0) {
      const { done } = this.#waiting.at(0)!;
      this.#waiting.drop(1);
      done(error);
    }
  }
}

/** Whether something of the log is not in it after the turn. */
function dropsSegments({ renamed, buried }: Batch): boolean {
  return renamed !== undefined || buried !== undefined;
}
