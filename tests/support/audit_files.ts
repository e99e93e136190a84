/** An audit log on a disk in memory, which can fail. */

import { nodeCrypto } from "../../platform/crypto.ts";
import type { AuditFiles } from "../../server/audit/audit_log.ts";
import { CHAIN_BEGINNING, type ChainEnd } from "../../server/audit/audit_line.ts";

/** The hash of a line. */
export const hashOfLine = (line: string): string => nodeCrypto.digest(line);

/** The lines that were written. */
export class MemoryAuditFiles implements AuditFiles {
  readonly opened: ChainEnd;
  readonly repairedBytes: number;
  readonly lines: string[] = [];
  /** What the disk says instead of taking anything. */
  failure: Error | undefined;
  appends = 0;
  isClosed = false;

  constructor(opened = CHAIN_BEGINNING, repairedBytes = 0) {
    this.opened = opened;
    this.repairedBytes = repairedBytes;
  }

  /** The lines as events, without their places in the chain. */
  get events(): Record<string, unknown>[] {
    return this.lines.map((line) => {
      const { number: _, at: _at, before: _before, ...event } = JSON.parse(line);
      return event;
    });
  }

  append(text: string): Promise<void> {
    this.appends++;
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.lines.push(...text.split("\n").slice(0, -1));
    return Promise.resolve();
  }

  hashOf(number: number): Promise<string | undefined> {
    if (number <= this.opened.number) return Promise.resolve(undefined);
    const line = this.lines[number - this.opened.number - 1];
    return Promise.resolve(line === undefined ? "" : hashOfLine(line));
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}
