/**
 * What servers know of the ends of each other's audit logs. Whoever cuts the end of a log can make its chain whole
 * again. So the others keep the number and the hash of its newest line, and say so when the server is there again.
 */

import { getLogger } from "@logtape/logtape";
import type { Clock, Timer } from "../../platform/clock.ts";
import type { AuditMessage } from "../../protocol/peer/audit_message.ts";
import type { Auditor } from "../audit/audit_event.ts";
import { type ChainEnd, isHash } from "../audit/audit_line.ts";
import type { AuditLog } from "../audit/audit_log.ts";
import type { Backplane } from "../backplane/backplane.ts";

/** What it is made with. */
export interface AuditTalkParts {
  /** This server's own; absent where it has none. */
  readonly log: Pick<AuditLog, "end" | "hashOf"> | undefined;
  readonly auditor: Auditor;
  readonly clock: Pick<Clock, "after">;
  readonly backplane: Pick<Backplane, "say">;
  /** What the store keeps, by key. */
  readonly notes: Readonly<Record<string, string>>;
  save(key: string, value: string | null): void;
}

/** Lines of one moment are told once. */
const TELL_MS = 1_000;
/** Servers whose ends are kept, also of those that are gone. */
const MAX_KEPT = 256;
/** Before the name of a server, in the store. */
const NOTE = "audit ";
const logger = getLogger(["thrum", "server"]);

/** One server's. */
export class AuditTalk {
  readonly #parts: AuditTalkParts;
  /** By server, heard of longest ago first. */
  readonly #kept = new Map<string, ChainEnd>();
  /** Servers whose knowledge is being compared with the files. */
  readonly #comparing = new Set<string>();
  #timer: Timer | undefined;
  #disagreements = 0;
  #isStopped = false;

  constructor(parts: AuditTalkParts) {
    this.#parts = parts;
    for (const [key, value] of Object.entries(parts.notes)) {
      const end = key.startsWith(NOTE) ? readEnd(value) : undefined;
      if (end !== undefined) this.#kept.set(key.slice(NOTE.length), end);
    }
  }

  /** How often an audit log was not what another server knew of it. */
  get disagreements(): number {
    return this.#disagreements;
  }

  /** This server's own log has more lines. */
  written(): void {
    if (!this.#isStopped) this.#timer ??= this.#parts.clock.after(TELL_MS, () => this.tellNow());
  }

  /** All others are told how far it goes. */
  tellNow(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#tell(undefined);
  }

  /** There is a way to `serverId`. */
  met(serverId: string): void {
    const kept = this.#kept.get(serverId);
    // First of all: what that server says next takes its place.
    if (kept !== undefined) this.#parts.backplane.say({ command: "AUDIT_KEPT", ...kept }, serverId);
    this.#tell(serverId);
  }

  /** Another server says so. */
  heard(serverId: string, { command, number, hash }: AuditMessage): void {
    if (command === "AUDIT_KEPT") void this.#compare(serverId, { number, hash });
    else this.#keep(serverId, { number, hash });
  }

  /** Tells nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #tell(serverId: string | undefined): void {
    const { log, backplane } = this.#parts;
    if (log === undefined || log.end.number === 0) return;
    backplane.say({ command: "AUDIT_END", ...log.end }, serverId);
  }

  #keep(serverId: string, end: ChainEnd): void {
    const kept = this.#kept.get(serverId);
    if (kept !== undefined && (end.number < kept.number || (end.number === kept.number && end.hash !== kept.hash))) {
      this.#disagrees(serverId, serverId, kept, end.number);
    } else if (kept?.number === end.number) return;
    this.#kept.delete(serverId);
    this.#kept.set(serverId, end);
    const { save } = this.#parts;
    save(NOTE + serverId, `${end.number} ${end.hash}`);
    if (this.#kept.size <= MAX_KEPT) return;
    const oldest = this.#kept.keys().next().value!;
    this.#kept.delete(oldest);
    save(NOTE + oldest, null);
  }

  /** Whether this server's own log still has the line that `serverId` knows. */
  async #compare(serverId: string, kept: ChainEnd): Promise<void> {
    const { log } = this.#parts;
    if (log === undefined || this.#comparing.has(serverId)) return;
    this.#comparing.add(serverId);
    try {
      const { end } = log;
      const hash = kept.number > end.number ? "" : await log.hashOf(kept.number);
      // A file that was full and old is gone in good order.
      if (hash !== undefined && hash !== kept.hash) this.#disagrees("", serverId, kept, end.number);
    } catch (error) {
      logger.error("cannot read the audit log: {error}", { error: (error as Error).message });
    } finally {
      this.#comparing.delete(serverId);
    }
  }

  /** The log of `of` (empty: of this server) is not the one that `by` knew. */
  #disagrees(of: string, by: string, kept: ChainEnd, has: number): void {
    this.#disagreements++;
    const facts = { of, by, number: kept.number, hash: kept.hash, has };
    if (of === "") {
      logger.error(
        "the audit log of this server was cut or changed: {by} knows its line {number} with the hash {hash}, and it is not here; lines here: {has}",
        facts,
      );
    } else {
      logger.error(
        "the audit log of {of} was cut or changed: it had a line {number} with the hash {hash}, and says now that it has {has} lines",
        facts,
      );
    }
    const more = { number: kept.number, hash: kept.hash, lines: has };
    this.#parts.auditor.audit({ what: "peerDisagrees", from: by, ...(of === "" ? {} : { of }), more });
  }
}

function readEnd(note: string): ChainEnd | undefined {
  const [number, hash] = note.split(" ");
  const count = Number(number);
  return Number.isSafeInteger(count) && count > 0 && isHash(hash) ? { number: count, hash } : undefined;
}
