/**
 * The audit log of a server: gathers events for a moment, chains their lines, and hands them to the disk beside the
 * event loop. A disk that fails is told, and nothing that came meanwhile goes without a word. `stranger_share.ts`
 * decides what gets a line.
 */

import { getLogger } from "@logtape/logtape";
import { networkOf } from "../../platform/address.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { isoTime } from "../../platform/local_time.ts";
import type { AuditEvent, Auditor } from "./audit_event.ts";
import { auditLine, type ChainEnd, type HashLine } from "./audit_line.ts";
import { StrangerShare } from "./stranger_share.ts";

/** Where the lines go. */
export interface AuditFiles {
  /** Where the chain ended when this was opened. */
  readonly opened: ChainEnd;
  /** Bytes of a line without an end that were taken away then, as of a power cut; 0 for none. */
  readonly repairedBytes: number;
  /** Resolves when `text` is on the disk: all of it, or nothing. */
  append(text: string): Promise<void>;
  /** The hash of the line `number`: empty if it is not there, `undefined` if it went with a file that was removed. */
  hashOf(number: number): Promise<string | undefined>;
  close(): Promise<void>;
}

/** What it is made with. */
export interface AuditLogParts {
  readonly clock: Pick<Clock, "nowMs" | "wallMs" | "after">;
  readonly files: AuditFiles;
  readonly hash: HashLine;
  /** New lines are on the disk. */
  written(end: ChainEnd): void;
}

/** How it stands. */
export interface AuditState {
  /** Lines that are on the disk, since the chain began. */
  readonly lines: number;
  /** Events that were lost since the start, because the disk failed. */
  readonly missed: number;
  readonly isFailing: boolean;
}

/** How long events are gathered: each write waits for the disk. */
const GATHER_MS = 250;
/** After a failure. */
const RETRY_MS = 5_000;
/** Events that wait for a disk that fails. Further ones are counted. */
const MAX_WAITING = 10_000;
/** How long the end of the server waits for a disk that does not answer. */
const CLOSE_PATIENCE_MS = 2_000;
const logger = getLogger(["thrum", "server"]);

/** One server's. */
export class AuditLog implements Auditor {
  readonly #parts: AuditLogParts;
  readonly #strangers = new StrangerShare();
  #waiting: { readonly event: AuditEvent; readonly at: string }[] = [];
  /** Chained lines that the disk has not taken yet, and where the chain ends with them. */
  #lines = "";
  #chained: ChainEnd;
  #end: ChainEnd;
  #timer: Timer | undefined;
  #counting: Timer | undefined;
  #writing: Promise<void> | undefined;
  #missed = 0;
  /** Those of `#missed` that no line tells of yet. */
  #untold = 0;
  #isFailing = false;
  #isClosed = false;

  constructor(parts: AuditLogParts) {
    this.#parts = parts;
    this.#chained = this.#end = parts.files.opened;
    const { repairedBytes } = parts.files;
    if (repairedBytes > 0) this.audit({ what: "repaired", more: { bytes: repairedBytes } });
  }

  /** The newest line that is on the disk. */
  get end(): ChainEnd {
    return this.#end;
  }

  get state(): AuditState {
    return { lines: this.#end.number, missed: this.#missed, isFailing: this.#isFailing };
  }

  audit(event: AuditEvent): void {
    if (this.#isClosed) return;
    const from = event.from === undefined ? "" : networkOf(event.from);
    if (this.#strangers.hasLine(event, from, this.#parts.clock.nowMs())) this.#add(event);
    else this.#countLater();
  }

  /** As `AuditFiles.hashOf`. */
  hashOf(number: number): Promise<string | undefined> {
    return this.#parts.files.hashOf(number);
  }

  /** Writes what is left, and ends. Waits for a disk that does not answer for a bounded time. Never rejects. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#counting?.cancel();
    for (const event of this.#strangers.due(Infinity)) this.#add(event);
    this.#isClosed = true;
    this.#timer?.cancel();
    const { clock, files } = this.#parts;
    let patience: Timer | undefined;
    const late = new Promise<void>((resolve) => patience = clock.after(CLOSE_PATIENCE_MS, resolve));
    await Promise.race([late, this.#finish()]);
    const left = this.#waiting.length + this.#untold;
    if (left > 0 || this.#lines !== "") logger.error("the audit log is not whole: its disk took no more");
    // Not awaited where the disk does not answer: the files are this process's, and end with it.
    const closed = files.close().catch(() => {});
    await Promise.race([late, closed]);
    patience?.cancel();
  }

  async #finish(): Promise<void> {
    await this.#writing;
    if (!this.#isFailing) await this.#write();
  }

  #add(event: AuditEvent): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#missed++;
      this.#untold++;
      return;
    }
    this.#waiting.push({ event, at: this.#at() });
    this.#writeIn(GATHER_MS);
  }

  #countLater(): void {
    const { dueAt } = this.#strangers;
    if (dueAt === undefined || this.#counting !== undefined) return;
    const { clock } = this.#parts;
    this.#counting = clock.after(Math.max(0, dueAt - clock.nowMs()), () => {
      this.#counting = undefined;
      for (const event of this.#strangers.due(clock.nowMs())) this.#add(event);
      this.#countLater();
    });
  }

  #writeIn(spanMs: number): void {
    if (this.#timer !== undefined || this.#writing !== undefined || this.#isClosed) return;
    this.#timer = this.#parts.clock.after(spanMs, () => {
      this.#timer = undefined;
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined;
        if (this.#lines !== "" || this.#waiting.length > 0) this.#writeIn(this.#isFailing ? RETRY_MS : GATHER_MS);
      });
    });
  }

  async #write(): Promise<void> {
    const { files, written } = this.#parts;
    // Lines that the disk has not taken are written first and as they are: their hashes are in those that follow.
    if (this.#lines === "") this.#chain();
    while (this.#lines !== "") {
      const end = this.#chained;
      try {
        await files.append(this.#lines);
      } catch (error) {
        return this.#failed(error);
      }
      this.#lines = "";
      this.#end = end;
      if (this.#isFailing) logger.info("the audit log is written again");
      this.#isFailing = false;
      written(end);
      this.#chain();
    }
  }

  /** Makes lines of what waits. */
  #chain(): void {
    const { hash } = this.#parts;
    const waiting = this.#waiting.splice(0);
    if (this.#untold > 0) {
      waiting.push({ event: { what: "missed", more: { events: this.#untold } }, at: this.#at() });
      this.#untold = 0;
    }
    for (const { event, at } of waiting) {
      const line = auditLine(event, at, this.#chained);
      this.#lines += `${line}\n`;
      this.#chained = { number: this.#chained.number + 1, hash: hash(line) };
    }
  }

  #at(): string {
    return isoTime(this.#parts.clock.wallMs());
  }

  #failed(error: unknown): void {
    if (!this.#isFailing) {
      logger.error(
        "cannot write the audit log: {error}; up to {most} events wait in memory, and further ones are counted",
        { error: (error as Error).message, most: MAX_WAITING },
      );
    }
    this.#isFailing = true;
  }
}
