/**
 * The log as clients read it. The server checks an entry when it comes in. Entries that were stored before its start
 * may be older than the rules. So lines for everyone that are no activities are left out here. No client gets them, and
 * the log says so once. Peers get these lines unchanged, as all logs have to be equal.
 */

import { getLogger } from "@logtape/logtape";
import type { ReadableLog } from "./hub.ts";
import type { LogPortion, Wanted } from "../../log/portion.ts";
import { type Position, type Segment, type SegmentLine, SERVERS } from "../../log/segment.ts";
import type { Vector } from "../../log/vector.ts";
import { checkEntry } from "../../protocol/entry_check.ts";

const PREFIX = '{"command":"ACTIVITY_BROADCAST","activity":{';
const USER = '"authenticated_user":"';
/** The text that follows the beginning of a time, as `BroadcastWriter` writes it. */
const END = /^\d{1,15},"sentAt":\d{1,15}(?:,"messageId":"[^"\\]{1,128}")?(?:,"after":"[^"\\]{3,96}")?\}$/;
/** The usernames of almost every line: these need no second look. */
const PLAIN_USER = /^[^:\\/\p{Cc}]{1,64}"$/u;
const logger = getLogger(["thrum", "server"]);
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The log of one server, for its clients. */
export class ClientLog implements ReadableLog {
  readonly #log: ReadableLog;
  readonly #openedHead: Position;
  #isSaid = false;

  /** `log` had everything up to `openedHead` when this server was started. */
  constructor(log: ReadableLog, openedHead: Position) {
    this.#log = log;
    this.#openedHead = openedHead;
  }

  get head(): Position {
    return this.#log.head;
  }

  get vector(): Vector {
    return this.#log.vector;
  }

  /** As the log's. A segment can come in parts, which have its position; some are for servers, whoever it is for. */
  portionAfter(position: Position, maxBytes: number, wanted: Wanted): LogPortion {
    const portion = this.#log.portionAfter(position, maxBytes, wanted);
    if (position >= this.#openedHead) return portion;
    return { ...portion, segments: this.#shown(portion.segments) };
  }

  #shown(segments: readonly Segment[]): readonly Segment[] {
    return segments.flatMap((segment) => {
      if (segment.position > this.#openedHead || segment.audience.kind !== "everyone") return [segment];
      const parts = partsOf(segment);
      const strange = parts.find(({ audience }) => audience === SERVERS);
      if (strange !== undefined) this.#sayOnce(strange);
      return parts;
    });
  }

  /** Whether clients get this line of `segment`, which is for everyone. For callers that read single lines. */
  shows({ position, origin }: Segment, { sequence, bytes }: SegmentLine): boolean {
    if (position > this.#openedHead) return true;
    const line = decoder.decode(bytes);
    const isShown = isActivity(line, 0, line.length, origin, sequence);
    if (!isShown) this.#sayOnce({ origin, first: sequence });
    return isShown;
  }

  #sayOnce({ origin, first }: Pick<Segment, "origin" | "first">): void {
    if (this.#isSaid) return;
    this.#isSaid = true;
    logger.warning("the log has an unknown kind of entry for everyone ({id}): clients do not get it", {
      id: `${origin}:${first}`,
    });
  }
}

/**
 * Divides `segment`, which is for everyone, into runs of activities and runs of other lines. The other lines are for
 * servers. Gives the segment itself when all its lines are activities.
 */
export function partsOf(segment: Segment): Segment[] {
  const { origin, first, bytes } = segment;
  const parts: Segment[] = [];
  const text = decoder.decode(bytes);
  let from = 0;
  let isRunPlain = true;
  let runFirst = first;
  let runFrom = 0;
  for (let sequence = first; from < text.length; sequence++) {
    const end = text.indexOf("\n", from);
    const isPlain = isActivity(text, from, end, origin, sequence);
    if (isPlain !== isRunPlain) {
      add(sequence - 1, from);
      isRunPlain = isPlain;
      runFirst = sequence;
      runFrom = from;
    }
    from = end + 1;
  }
  if (parts.length === 0 && isRunPlain) return [segment];
  add(segment.last, text.length);
  return parts;

  function add(last: number, end: number): void {
    if (last < runFirst) return;
    const run = text.slice(runFrom, end);
    const audience = isRunPlain ? segment.audience : SERVERS;
    parts.push({ ...segment, first: runFirst, last, audience, bytes: encoder.encode(run) });
  }
}

/**
 * Whether a line is an activity, as a client expects one. This version has written nearly all lines. It knows those at
 * a look, without parsing them.
 */
function isActivity(text: string, from: number, end: number, origin: string, sequence: number): boolean {
  const id = `"},"id":"${origin}:${sequence}","lamport":`;
  const idAt = text.lastIndexOf(id, end);
  const userAt = text.lastIndexOf(USER, idAt);
  const isPlain = text.startsWith(PREFIX, from) && idAt > from && userAt > from &&
    END.test(text.slice(idAt + id.length, end)) && PLAIN_USER.test(text.slice(userAt + USER.length, idAt + 1));
  if (isPlain) return true;
  const entry = checkEntry(text.slice(from, end), { origin, sequence, to: "everyone" });
  return entry?.facts.kind === "activity" && entry.problem === undefined;
}
