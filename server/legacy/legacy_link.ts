/**
 * The link to one server of the older dialect: lines in and out, the part of the log that it is read, and its end.
 * `legacy_dialect.ts` decides what lines mean, and the owner acts.
 */

import { getLogger } from "@logtape/logtape";
import type { RefusalLog } from "../accounts/refusal_log.ts";
import type { LogPosition } from "../../log/cursor.ts";
import { linesOf, type Position, type Segment } from "../../log/segment.ts";
import type { Clock, Timer } from "../../platform/clock.ts";
import { type FaultGuard, guarded } from "../../platform/faults.ts";
import type { Link, LinkEnd, LinkHandler } from "../../platform/transport.ts";
import type { LineFramer } from "../../protocol/line_framer.ts";
import type { LinkTaker } from "../backplane/door.ts";
import { WHOLE_LOG } from "../hub/pump.ts";
import { ServerReader, type ServerReaderOwner } from "../hub/server_reader.ts";
import type { Journal } from "../journal/journal.ts";
import type { LegacyDialect, LegacyEffect, LegacyFacts } from "./legacy_dialect.ts";

/** Whoever has all such links. */
export interface LegacyLinkOwner {
  facts(): LegacyFacts;
  carryOut(link: LegacyLink, effect: LegacyEffect): void;
  /** An activity of the segment at `position` was passed on, with this send time. */
  gave(sendTime: number, position: Position): void;
  /** The link is over. */
  gone(link: LegacyLink): void;
}

/** What a link is made with. */
export interface LegacyLinkParts {
  readonly journal: Pick<Journal, "head" | "segmentsAfter">;
  readonly clock: Clock;
  readonly faults: FaultGuard;
  /** Whether this server has made the link. */
  readonly isOwn?: boolean;
  /** Counts those that are refused again and again. */
  readonly refusals: Pick<RefusalLog, "isQuiet" | "refused">;
}

/** How much of the log is read at once. */
const READ_BYTES = 131_072;
/** Longest line: family A sends its whole history in one, every 5 seconds. */
const MAX_LINE_BYTES = 33_554_432;
/** After so long a server that does not say who it is has started. */
const FIRST_WORD_MS = 1_000;
/** How long the last line may take to leave. */
const LINGER_MS = 2_000;
const logger = getLogger(["thrum", "older"]);
const encoder = new TextEncoder();

/** One of them. */
export class LegacyLink implements LinkHandler, LinkTaker, ServerReaderOwner {
  readonly #link: Link;
  readonly #framer: LineFramer;
  readonly #owner: LegacyLinkOwner;
  readonly #ended: () => void;
  readonly #cursor: LogPosition;
  /** Reads the log for it. */
  readonly reader: ServerReader;
  readonly #parts: LegacyLinkParts;
  #heldBack: { readonly lines: string[]; readonly timer: Timer } | undefined;
  #speaksAtMs = -Infinity;
  #isFull = false;
  #isOver = false;
  /** Whether the log has it. */
  #isTold = false;
  #hasToldTooOld = false;

  constructor(
    link: Link,
    framer: LineFramer,
    readonly peer: LegacyDialect,
    readonly serverId: string | undefined,
    owner: LegacyLinkOwner,
    made: LegacyLinkParts,
    ended: () => void,
  ) {
    this.#link = link;
    this.#framer = framer;
    this.#owner = owner;
    this.#ended = ended;
    this.#parts = made;
    const { journal, clock, faults } = made;
    framer.allow(MAX_LINE_BYTES);
    // It gets what is published from now on.
    this.#cursor = { position: journal.head };
    const parts = { log: journal, clock, faults, share: WHOLE_LOG, readBytes: READ_BYTES };
    this.reader = new ServerReader(parts, this.#cursor, this);
  }

  /** For the log. */
  get name(): string {
    const address = `${this.#link.remoteHost}:${this.#link.remotePort}`;
    return this.serverId === undefined ? address : `${this.serverId} (${address})`;
  }

  get remoteHost(): string {
    return this.#link.remoteHost;
  }

  get isFull(): boolean {
    return this.#isFull || this.isHeldBack;
  }

  /** Whether nothing is said to it yet. */
  get isHeldBack(): boolean {
    return this.#heldBack !== undefined;
  }

  /** When that is over, in milliseconds of a monotonic clock. */
  get speaksAtMs(): number {
    return this.#speaksAtMs;
  }

  /**
   * Says nothing for a second, as a plain server that is still starting may end when a line comes; then what `begin`
   * says, and what was to be said meanwhile.
   */
  holdBack(begin: () => void): void {
    const { clock, faults } = this.#parts;
    this.#speaksAtMs = clock.nowMs() + FIRST_WORD_MS;
    const speak = () => {
      const lines = this.#heldBack?.lines ?? [];
      this.#heldBack = undefined;
      begin();
      for (const line of lines) this.write(line);
      this.reader.readOn();
    };
    const timer = clock.after(FIRST_WORD_MS, () => guarded(faults, "peers", speak, () => this.faulted()));
    this.#heldBack = { lines: [], timer };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  carryOut(effects: readonly LegacyEffect[]): void {
    for (const effect of effects) if (!this.#isOver) this.#owner.carryOut(this, effect);
  }

  write(line: string): void {
    if (this.#heldBack !== undefined) return void this.#heldBack.lines.push(line);
    this.#send(line);
  }

  #send(line: string): void {
    if (!this.#isOver && !this.#link.write(encoder.encode(line))) this.#isFull = true;
  }

  /** Sends those lines of `segment` that such a server understands. */
  pass(segment: Segment): void {
    this.#cursor.position = segment.position;
    if (segment.audience.kind !== "everyone") return;
    for (const line of linesOf(segment.bytes)) {
      const passed = this.peer.pass(line);
      if (passed === undefined) continue;
      if (this.peer.family !== "S") this.#owner.gave(this.peer.lastSendTime, segment.position);
      this.write(passed);
    }
  }

  /** Says once that what it lists cannot be told from what it was given. */
  tellTooOld(): void {
    if (this.#hasToldTooOld) return;
    this.#hasToldTooOld = true;
    logger.warning(
      "{name} lists activities that are so old that they may be this network's own: they are not taken",
      { name: this.name },
    );
  }

  take(lines: readonly string[], problem: string | undefined): void {
    for (const line of lines) {
      if (this.#isOver) return;
      this.carryOut(this.peer.receive(line, this.#owner.facts()));
    }
    if (problem === undefined || this.#isOver) return;
    this.refuse(`${JSON.stringify({ command: "INVALID_MESSAGE", info: problem })}\n`, problem);
  }

  /** Says in the log that it is here, once. */
  tell(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const words = this.#parts.isOwn
      ? "joined a server of the older dialect"
      : "a server of the older dialect has connected";
    logger.info(`${words}: {name}`, { name: this.name });
  }

  /** Ends it, as it has said something that is not taken. `line` is the answer. */
  refuse(line: string, why: string): void {
    this.#send(line);
    if (this.#parts.refusals.refused(this.remoteHost, why)) this.tell();
    this.close(why);
  }

  close(why: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#heldBack?.timer.cancel();
    const gone = { name: this.name, why };
    if (this.#isTold) logger.info("the server of the older dialect is gone: {name}: {why}", gone);
    else logger.debug("the server of the older dialect is gone: {name}: {why}", gone);
    this.#link.end(LINGER_MS);
    this.#owner.gone(this);
  }

  /** A fault of this server: there is nothing to be said. */
  faulted(): void {
    this.#link.destroy();
  }

  onData(bytes: Uint8Array): void {
    if (this.#isOver) return;
    const { lines, problem } = this.#framer.push(bytes);
    this.take(lines, problem);
  }

  onDrain(): void {
    this.#isFull = false;
    this.reader.readOn();
  }

  onFinish(): void {
    this.close("it closed the link");
  }

  onEnd(end: LinkEnd): void {
    try {
      this.close(end === "reset" ? "the network broke the link" : "it closed the link");
    } finally {
      this.#ended();
    }
  }
}
