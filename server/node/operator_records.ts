/**
 * Sets what operators decide for the whole network: as records of the log, and in the audit log. Knows which servers
 * act on such records, and refuses while one of them would not: it would let in whom the others keep out.
 */

import { RECORDS_FEATURE } from "../../protocol/peer/peer_message.ts";
import type { WireRecord } from "../../protocol/peer/record_codec.ts";
import type { AuditEvent, Auditor } from "../audit/audit_event.ts";
import type { Backplane } from "../backplane/backplane.ts";
import type { Journal } from "../journal/journal.ts";

/** What it is made with. */
export interface OperatorRecordsParts {
  readonly journal: Pick<Journal, "records" | "saveNote">;
  readonly backplane: Pick<Backplane, "members" | "routes">;
  readonly auditor: Auditor;
  /** The notes of the store when it was opened. */
  readonly kept: Readonly<Record<string, string>>;
}

/** Why something was not set. */
export type RecordProblem =
  | ("WRONG" | "UNKNOWN" | "SEVERAL" | "SERVER_ADDRESS" | "OLDER_VERSION" | "TOO_MANY")
  /** It could not be written down. */
  | "NOT_KEPT";

/** Something that was not set, and why. */
export interface Refused {
  readonly ok: false;
  readonly problem: RecordProblem;
  /** For the operator. */
  readonly sentence: string;
}

/** Keeps which members were seen to act on records. */
const KNOWN_NOTE = "records-known";

/** One server's. */
export class OperatorRecords {
  readonly #parts: OperatorRecordsParts;
  /** Members that were seen to act on records: one that is away now will be told. */
  readonly #known: Set<string>;

  constructor(parts: OperatorRecordsParts) {
    this.#parts = parts;
    this.#known = new Set((parts.kept[KNOWN_NOTE] ?? "").split(" ").filter((name) => name !== ""));
  }

  /** Why nothing can be set now; `undefined` where it can. */
  get problem(): Refused | undefined {
    const older = this.olderMembers;
    if (older.length === 0) return undefined;
    return refused("OLDER_VERSION", `not every server of the network is known to follow this: ${older.join(", ")}`);
  }

  /** The members that are not known to act on records, with their addresses. One of them may be away. */
  get olderMembers(): string[] {
    const { members, routes } = this.#parts.backplane;
    const linked = new Map([...routes].map(({ serverId, features }) => [serverId, features.includes(RECORDS_FEATURE)]));
    return members.filter(({ serverId }) => !(linked.get(serverId) ?? this.#known.has(serverId)))
      .map(({ serverId, host, port }) => `${serverId} (${host}:${port})`);
  }

  /** There is a way to this server: whether it acts on records is known from now on. */
  met(serverId: string): void {
    const { members, routes } = this.#parts.backplane;
    const route = [...routes].find((route) => route.serverId === serverId);
    if (route === undefined) return;
    const follows = route.features.includes(RECORDS_FEATURE);
    if (this.#known.has(serverId) === follows) return;
    if (follows) this.#known.add(serverId);
    else this.#known.delete(serverId);
    // Not those that are gone for good.
    const names = new Set(members.map((member) => member.serverId));
    for (const name of this.#known) if (!names.has(name)) this.#known.delete(name);
    this.#parts.journal.saveNote(KNOWN_NOTE, [...this.#known].join(" "));
  }

  /** Sets `record` for the whole network. Gives `result` when it is stored, and the audit log has it. */
  set<R>(record: WireRecord, event: AuditEvent, result: R): Promise<R> {
    const { journal, auditor } = this.#parts;
    return new Promise((resolve) =>
      journal.records.set(record, () => {
        auditor.audit(event);
        resolve(result);
      })
    );
  }
}

/** A refusal as a value. */
export function refused(problem: RecordProblem, sentence: string): Refused {
  return { ok: false, problem, sentence };
}
