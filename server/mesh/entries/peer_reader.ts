/**
 * The part of this server's log that goes out to one peer: its feed, the reader that pumps it, and the lines of ENTRIES
 * on the wire. `server/mesh/peer_feed.ts` decides which entries go.
 */

import { channelsByLine } from "../../../log/channel_lines.ts";
import type { Audience, Segment } from "../../../log/segment.ts";
import type { Vector } from "../../../log/vector.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { FaultGuard } from "../../../platform/faults.ts";
import { joinBytes } from "../../../protocol/join_bytes.ts";
import { encodeEntries, MAX_ENTRIES_LINES } from "../../../protocol/peer/peer_codec.ts";
import {
  CHANNELS_FEATURE,
  type EntriesMessage,
  type PeerIdentity,
  type WireAudience,
} from "../../../protocol/peer/peer_message.ts";
import { formatRange, type Trace } from "../../../trace/trace_event.ts";
import { PEER_SHARE } from "../../hub/pump.ts";
import { ServerReader, type ServerReaderOwner } from "../../hub/server_reader.ts";
import type { Journal } from "../../journal/journal.ts";
import { beginFeed, type Feed, type FeedPart, feedSegment, onWant } from "../peer_feed.ts";
import type { PeerLink } from "../peer_link.ts";

/** What a peer's reader is made with. */
export interface PeerReaderParts {
  readonly journal: Pick<Journal, "serverId" | "head" | "vector" | "segmentsAfter" | "missing" | "tick"> & {
    readonly retention: Pick<Journal["retention"], "ageOf">;
  };
  readonly clock: Pick<Clock, "nowMs" | "after" | "endOfTurn">;
  readonly faults: FaultGuard;
  readonly trace: () => Trace | undefined;
  /** The peer is sent this server's own entries, up to `last`. */
  sentOwn(last: number): void;
}

/** What is needed of its link. */
type SentLink = Pick<
  PeerLink,
  "serverId" | "isFull" | "isOver" | "write" | "writeSealed" | "faulted" | "peer" | "end"
>;

/** Read for one peer at once: peers are fewer than clients, and take more. */
const READ_BYTES = 262_144;
/** What a server has had for less is new to its peers too. */
const TOLD_AGE_MS = 1_000;
const NEWLINE = 0x0a;
const NO_LINES = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One peer's. */
export class PeerReader implements ServerReaderOwner {
  readonly #parts: PeerReaderParts;
  readonly #link: SentLink;
  readonly #feed: Feed;
  readonly #reader: ServerReader;
  /** What it has said in this turn that it wants. */
  #wants: Vector | undefined;
  #isEnded = false;
  #heldSinceMs: number | undefined;

  /**
   * The peer has `vector`. `isHeld`: it is not known yet whether it has others under numbers of this server. Until
   * `release` it is sent nothing.
   */
  constructor(parts: PeerReaderParts, link: SentLink, vector: Vector, isHeld: boolean) {
    const { journal, clock, faults } = parts;
    this.#parts = parts;
    this.#link = link;
    this.#feed = beginFeed(journal.serverId, vector, journal.vector, this.#startFor);
    this.#heldSinceMs = isHeld ? clock.nowMs() : undefined;
    const readerParts = { log: journal, clock, faults, share: PEER_SHARE, readBytes: READ_BYTES };
    this.#reader = new ServerReader(readerParts, this.#feed, this);
  }

  /** Since when it is held, in milliseconds of a monotonic clock. */
  get heldSinceMs(): number | undefined {
    return this.#heldSinceMs;
  }

  get isFull(): boolean {
    return this.#heldSinceMs !== undefined || this.#link.isFull;
  }

  get isOver(): boolean {
    return this.#link.isOver;
  }

  /** Whether all of the log was sent, and the link has taken it. */
  get isAllSent(): boolean {
    return !this.#link.isFull && this.#feed.position >= this.#parts.journal.head;
  }

  /** The peer has the same entries under numbers of this server. */
  release(): void {
    this.#heldSinceMs = undefined;
    this.#reader.readOn();
  }

  /** The link takes data, as at its beginning or after it was full. */
  readOn(): void {
    this.#reader.readOn();
  }

  /** These are committed, and are the end of the log now. */
  committed(segments: readonly Segment[]): void {
    this.#reader.committed(segments);
  }

  /** The peer wants to have other origins too, or its part of this one again. */
  wants(vector: Vector): void {
    const { serverId } = this.#parts.journal;
    const isFirst = this.#wants === undefined;
    // The newest one holds; but that it wants this server's own part again stays said.
    const own = this.#wants?.[serverId];
    this.#wants = own === undefined ? vector : { [serverId]: own, ...vector };
    // Once for all that came in a turn: to find where it begins costs some look-ups for each origin.
    if (isFirst) this.#parts.clock.endOfTurn(() => this.#takeWants());
  }

  /** Its link is gone, or another one took its place. */
  end(): void {
    this.#isEnded = true;
  }

  pass(segment: Segment): void {
    // The first activity of a channel has come meanwhile. It is not for a server that would show it to everybody.
    if (segment.audience.kind === "channels" && !takesChannels(this.#link.peer)) return this.#link.end("TOO_OLD");
    const part = feedSegment(this.#feed, segment);
    if (part === undefined) return;
    const { journal, trace, sentOwn } = this.#parts;
    if (segment.origin === journal.serverId) sentOwn(segment.last);
    const lamport = journal.tick();
    const id = { origin: segment.origin, first: part.first, last: segment.last };
    trace()?.({ event: "send", peer: this.#link.serverId, id: formatRange(id) }, lamport);
    const ageMs = journal.retention.ageOf(segment);
    const bytes = joinBytes(runsOf(part).map((run) => runBytes(segment.origin, run, lamport, ageMs)));
    // Registrations are for servers.
    if (segment.audience.kind === "servers") this.#link.writeSealed(decoder.decode(bytes));
    else this.#link.write(bytes);
  }

  /** It links again, and says what it has. */
  faulted(): void {
    this.#link.faulted();
  }

  #takeWants(): void {
    const wants = this.#wants;
    this.#wants = undefined;
    if (wants === undefined || this.#isEnded) return;
    const { journal } = this.#parts;
    onWant(this.#feed, journal.serverId, wants, journal.vector, this.#startFor);
    this.#reader.readOn();
  }

  readonly #startFor = (has: Vector): number => this.#parts.journal.missing(has).after;
}

/** Entries of a part that go under one header. */
export interface WireRun extends Pick<EntriesMessage, "first" | "last" | "after" | "to"> {
  /** Their lines; none of what is forgotten. */
  readonly bytes: Uint8Array;
}

/** A part as servers are sent it: what is forgotten of a channel has a header of its own, and no lines. */
export function runsOf({ segment, first, after, bytes }: FeedPart): WireRun[] {
  const { last, audience } = segment;
  const to = wireAudience(audience);
  const hasForgotten = audience.kind === "channels" && audience.channels.some(({ isForgotten }) => isForgotten);
  if (!hasForgotten) return [{ first, last, after, to, bytes }];
  const runs: { forgotten: string | undefined; first: number; last: number; start: number; end: number }[] = [];
  const channelAt = channelsByLine(audience);
  const skipped = segment.bytes.length - bytes.length;
  for (let [sequence, start, end] = [first, 0, 0]; sequence <= last; sequence++, start = end) {
    const { name, isForgotten } = channelAt(skipped + start);
    const forgotten = isForgotten ? name : undefined;
    end = bytes.indexOf(NEWLINE, start) + 1;
    const run = runs.at(-1);
    const goesOn = run?.forgotten === forgotten && run !== undefined && sequence - run.first < MAX_ENTRIES_LINES;
    if (goesOn) [run.last, run.end] = [sequence, end];
    else runs.push({ forgotten, first: sequence, last: sequence, start, end });
  }
  return runs.map(({ forgotten, first, last, start, end }, index) => ({
    ...{ first, last, after: index === 0 ? after : first - 1 },
    to: forgotten === undefined ? to : { forgotten },
    bytes: forgotten === undefined ? bytes.subarray(start, end) : NO_LINES,
  }));
}

function runBytes(origin: string, { bytes, ...run }: WireRun, lamport: number, ageMs: number): Uint8Array {
  const facts = { origin, ...run, lamport };
  const header = encoder.encode(encodeEntries(ageMs < TOLD_AGE_MS ? facts : { ...facts, ageMs }));
  return joinBytes([header, bytes]);
}

/** Whether the server shows activities of a channel only to who reads it. */
export function takesChannels({ features }: Pick<PeerIdentity, "features">): boolean {
  return features?.includes(CHANNELS_FEATURE) ?? false;
}

/** As a peer is told it. */
export function wireAudience(audience: Audience): WireAudience {
  if (audience.kind === "user") return { user: audience.username };
  // Each line says which channel it is for.
  return audience.kind === "channels" ? "everyone" : audience.kind;
}
