/**
 * One link to another server of this dialect: the greeting, lines in and out, its supervision, its end. `mesh.ts`
 * decides what is said on it. The link is supervised twice. Like every connection it is supervised by the data that
 * comes. And it is supervised by answers to probes, which are always sent: a peer may go on talking and hear nothing.
 */

import { getLogger } from "@logtape/logtape";
import { ClockOffset, type ClockOffsetEstimate } from "../../heartbeat/clock_offset.ts";
import type { HeartbeatSnapshot, Supervised, SupervisorDeadline, Watch } from "../../heartbeat/supervisor.ts";
import { isUnspecified } from "../../platform/address.ts";
import type { Link, LinkEnd, LinkHandler } from "../../platform/transport.ts";
import { CLOSE_REASONS, type CloseReason } from "../../protocol/close_reason.ts";
import type { LineFramer } from "../../protocol/line_framer.ts";
import { LineFramer as Framer } from "../../protocol/line_framer.ts";
import type { HeartbeatAckMessage } from "../../protocol/message.ts";
import { encodeAuthenticationSuccess, parsePeerLine } from "../../protocol/peer/peer_codec.ts";
import { type PeerIdentity, type PeerMessage, type WireMember } from "../../protocol/peer/peer_message.ts";
import { encodeLine } from "../../protocol/server_codec.ts";
import type { LinkTaker } from "../backplane/door.ts";
import { guardedHandler } from "../journal/unreadable_store.ts";
import type { AdmittedPeer } from "../backplane/peer_admission.ts";
import { type ComingEntries, comingUnder } from "./entry_intake.ts";
import { Calling, type CallingFacts, type SealingKeys } from "./linking/calling.ts";
import type { ArrivedLines, PeerEnd, PeerLinkParts } from "./linking/peer_link_parts.ts";
import { SILENCE_HINT } from "./linking/peer_greeting.ts";
import { clearLines, openLine, sealLines } from "./linking/sealed_lines.ts";

/** What a link tells the mesh. */
export interface PeerLinkOwner {
  /** The greeting is over; called for links that this server has made. */
  onOpened(link: PeerLink, peer: PeerIdentity, members: readonly WireMember[]): void;
  onMessage(link: PeerLink, message: PeerMessage): void;
  /** Whether servers of the older dialect may be linked. */
  readonly takesOlderDialect: boolean;
  /**
   * The called server answers in the older dialect. Or, without `line`, it has not answered in time: the oldest servers
   * are silent when they are content. Gives the taker of the link; `undefined` when nobody took it.
   */
  onLegacyDialect(link: PeerLink, dialled: Link, framer: LineFramer, line: string | undefined): LinkTaker | undefined;
  onEntries(link: PeerLink, arrived: ArrivedLines): void;
  /** It takes data again. */
  onDrain(link: PeerLink): void;
  /** Heartbeats go unanswered, or something came after all. */
  onSuspect(link: PeerLink, isSuspect: boolean): void;
  /** It is gone. Called exactly once. */
  onEnd(link: PeerLink, end: PeerEnd, why: string): void;
}

/** A link on which both servers have said who they are. */
interface OpenPhase {
  readonly kind: "open";
  readonly peer: PeerIdentity;
  /** Absent where the secret was told in clear. */
  readonly keys: SealingKeys | undefined;
  readonly silence: Watch;
  readonly probes: Watch;
  readonly clockOffset: ClockOffset;
  entries: ComingEntries | undefined;
}

/** The phase of a link, with all that the link has in it. A phase is replaced as a whole. */
type Phase =
  /** This server has begun to greet, and waits for the answer. */
  | { readonly kind: "calling"; readonly deadline: SupervisorDeadline; readonly calling: Calling }
  /** It was called, and the answer is about to be said. */
  | { readonly kind: "called" }
  | OpenPhase
  /** Its last line may still be on its way. `was` is absent if nobody answered. */
  | { readonly kind: "over"; readonly end: PeerEnd; readonly why: string; readonly was: OpenPhase | undefined };

/** The longest line from a peer. It is longer than any line that a server takes of its clients. */
export const MAX_PEER_LINE_BYTES = 33_554_432;
/**
 * The length of all lines under one header, in UTF-16 units. Segments are cut at a small part of it, but a single line
 * may be as long.
 */
const MAX_ENTRIES_SIZE = MAX_PEER_LINE_BYTES;
/** How long the last line may take to leave. */
const LINGER_MS = 2_000;
const logger = getLogger(["thrum", "mesh"]);
const encoder = new TextEncoder();
const NOBODY = () => {};
const NEW: Phase = Object.freeze({ kind: "called" });

/** A server at the other end. */
export class PeerLink implements LinkHandler, LinkTaker, Supervised {
  readonly #link: Link;
  readonly #owner: PeerLinkOwner;
  readonly #parts: PeerLinkParts;
  readonly #framer: LineFramer;
  readonly #gone: () => void;
  #phase: Phase = NEW;
  #isFull = false;

  private constructor(
    link: Link,
    owner: PeerLinkOwner,
    parts: PeerLinkParts,
    framer: LineFramer,
    /** Whether this server has made the link. */
    readonly isOwn: boolean,
    /** Called when its link is gone, in every case. */
    gone: () => void = NOBODY,
  ) {
    this.#link = link;
    this.#owner = owner;
    this.#parts = parts;
    this.#framer = framer;
    this.#gone = gone;
  }

  /** Greets the other end of a link that this server has made. */
  static call(
    link: Link,
    greeting: CallingFacts,
    parts: PeerLinkParts,
    owner: PeerLinkOwner,
  ): PeerLink {
    const peer = new PeerLink(link, owner, parts, new Framer(MAX_PEER_LINE_BYTES), true);
    const { supervisor, greetingTimeoutMs } = parts;
    const deadline = supervisor.deadline(greetingTimeoutMs, () => peer.#unanswered(greetingTimeoutMs));
    const calling = new Calling(greeting);
    peer.#phase = { kind: "calling", deadline, calling };
    link.attach(guardedHandler(peer));
    link.write(encoder.encode(calling.first));
    return peer;
  }

  /** Takes over a link on which a peer has said AUTHENTICATE, and answers it. `gone` is told when the link is. */
  static accept(
    link: Link,
    framer: LineFramer,
    { admission: { peer, proven }, identity, members }: {
      readonly admission: AdmittedPeer;
      readonly identity: PeerIdentity;
      readonly members: readonly WireMember[];
    },
    parts: PeerLinkParts,
    owner: PeerLinkOwner,
    gone: () => void,
  ): PeerLink {
    const accepted = new PeerLink(link, owner, parts, framer, false, gone);
    link.attach(guardedHandler(accepted));
    framer.allow(MAX_PEER_LINE_BYTES);
    link.write(encoder.encode(encodeAuthenticationSuccess(identity, members, proven?.proof)));
    accepted.#phase = accepted.#opened(peer, proven && { seal: proven.sealKey, open: proven.openKey });
    return accepted;
  }

  /** The server at the other end. Only after the greeting. */
  get peer(): PeerIdentity {
    return this.#open!.peer;
  }

  get serverId(): string {
    return this.#open?.peer.serverId ?? "";
  }

  /** For the log. */
  get name(): string {
    const address = `${this.#link.remoteHost}:${this.#link.remotePort}`;
    const peer = this.#open?.peer;
    return peer === undefined ? address : `${peer.serverId} (${peer.host}:${peer.port})`;
  }

  /** The state of its heartbeats; `undefined` before the greeting. */
  get heartbeat(): HeartbeatSnapshot | undefined {
    const open = this.#open;
    return open && { ...open.silence.snapshot(), roundTripMs: open.probes.snapshot().roundTripMs };
  }

  /** How far its calendar is ahead of the one here; `undefined` while it has not said. */
  get clockOffset(): ClockOffsetEstimate | undefined {
    return this.#open?.clockOffset.estimate;
  }

  /** What it has offered in the greeting. */
  get features(): readonly string[] {
    return this.#open?.peer.features ?? [];
  }

  get remoteHost(): string {
    return this.#link.remoteHost;
  }

  /** Whether more data waits than should: `onDrain` follows. */
  get isFull(): boolean {
    return this.#isFull;
  }

  get isOver(): boolean {
    return this.#phase.kind === "over";
  }

  /** Sends a message as a line, with all sealed in it that no listener may read. */
  send(message: PeerMessage): void {
    this.writeSealed(encodeLine(message));
  }

  /** Whether there is room for more. */
  write(bytes: Uint8Array): boolean {
    if (this.isOver) return true;
    if (!this.#link.write(bytes)) this.#isFull = true;
    return !this.#isFull;
  }

  /** Nothing is read of it until `resume`. */
  pause(): void {
    if (!this.isOver) this.#link.pause();
  }

  resume(): void {
    if (!this.isOver) this.#link.resume();
  }

  /** As `write`, for lines with something in them that no listener may read. */
  writeSealed(lines: string): boolean {
    const keys = this.#open?.keys;
    const said = keys === undefined ? clearLines(lines) : sealLines(lines, keys.seal, this.#parts.cipher);
    return this.write(encoder.encode(said));
  }

  /** This server ends the link, and says why. */
  end(reason: CloseReason, why: string = CLOSE_REASONS[reason].sentence, end: PeerEnd = "lost"): void {
    if (this.isOver) return;
    const { reconnect } = CLOSE_REASONS[reason];
    this.send({ command: "END_CONNECTION", reason, info: why, reconnect });
    this.#close(end, why);
  }

  /** Takes lines that came with the greeting. */
  take(lines: readonly string[], problem: string | undefined): void {
    for (let index = 0; index < lines.length; index++) {
      const phase = this.#phase;
      if (phase.kind === "over") return;
      if (phase.kind === "open") this.#takeSealed(phase, lines[index]!);
      else if (phase.kind === "calling") {
        const taker = this.#greeted(phase, lines[index]!);
        if (taker !== undefined) return taker.take(lines.slice(index + 1), problem);
      }
    }
    if (problem !== undefined) this.end("INVALID_MESSAGE", problem);
  }

  onData(bytes: Uint8Array): void {
    const phase = this.#phase;
    if (phase.kind === "over") return;
    if (phase.kind === "open") phase.silence.heard();
    const { lines, problem } = this.#framer.push(bytes);
    this.take(lines, problem);
  }

  onDrain(): void {
    this.#isFull = false;
    if (!this.isOver) this.#owner.onDrain(this);
  }

  onFinish(): void {
    const phase = this.#phase;
    const isUnasked = phase.kind === "calling" && phase.calling.isUnasked;
    this.#close(isUnasked ? "clearOnly" : "lost", "the other side closed it");
  }

  onEnd(end: LinkEnd): void {
    this.#close("lost", end === "reset" ? "the network broke it" : "the other side closed it");
    try {
      if (this.#phase.kind === "over") this.#owner.onEnd(this, this.#phase.end, this.#phase.why);
    } finally {
      this.#gone();
    }
  }

  sendHeartbeat(sequence: number, attempt: number, of: number): void {
    if (attempt === 2) this.#owner.onSuspect(this, true);
    if (attempt > 1) logger.debug("heartbeat {attempt} of {of} to {name}", { attempt, of, name: this.name });
    this.#sendHeartbeat(2 * sequence, of);
  }

  /** A fault of this server: there is nothing to be said. */
  faulted(): void {
    this.#link.destroy();
  }

  alive(): void {
    this.#owner.onSuspect(this, false);
  }

  gaveUp(): void {
    this.#accuse();
  }

  #takeSealed(phase: OpenPhase, line: string): void {
    const { keys } = phase;
    const opened = keys === undefined ? line : openLine(line, keys.open, this.#parts.cipher);
    if (opened !== undefined) return this.#takeLine(phase, opened);
    this.end("INVALID_MESSAGE", "a line was not sealed, or changed on its way");
  }

  #takeLine(phase: OpenPhase, line: string): void {
    const { entries } = phase;
    if (entries !== undefined) {
      entries.lines.push(line);
      entries.size += line.length;
      if (entries.size > MAX_ENTRIES_SIZE) {
        return this.end("INVALID_MESSAGE", `more than ${MAX_ENTRIES_SIZE} characters under one ENTRIES`);
      }
      if (--entries.missing > 0) return;
      phase.entries = undefined;
      this.#owner.onEntries(this, entries);
      return;
    }
    const message = parsePeerLine(line);
    if (message === undefined) return;
    switch (message.command) {
      case "":
        return this.end("INVALID_MESSAGE", message.info);
      case "ENTRIES":
        phase.entries = comingUnder(message);
        if (phase.entries === undefined) this.#owner.onEntries(this, { header: message, lines: [] });
        return;
      case "HEARTBEAT":
        return this.send({
          command: "HEARTBEAT_ACK",
          sequence: message.sequence,
          at: Math.trunc(this.#parts.clock.wallMs()),
        });
      case "HEARTBEAT_ACK":
        return this.#answered(phase, message);
      case "END_CONNECTION":
        return this.#close(endOf(message.reason), message.info);
      default:
        this.#owner.onMessage(this, message);
    }
  }

  /** Takes an answer in the greeting. Gives the taker of the link if its dialect is another. */
  #greeted({ deadline, calling }: Extract<Phase, { kind: "calling" }>, line: string): LinkTaker | undefined {
    const step = calling.take(line);
    if (step.kind === "say") {
      this.#link.write(encoder.encode(step.line));
      return undefined;
    }
    deadline.cancel();
    if (step.kind === "older") {
      const taker = this.#owner.onLegacyDialect(this, this.#link, this.#framer, line);
      if (taker === undefined) this.#close("lost", step.why);
      return taker;
    }
    if (step.kind !== "opened") {
      this.#close(step.kind === "over" ? step.end : step.kind, step.why);
      return undefined;
    }
    const { host, ...rest } = step.answer;
    const peer = { ...rest, host: isUnspecified(host) ? this.#link.remoteHost : host };
    this.#phase = this.#opened(peer, step.keys);
    this.#owner.onOpened(this, peer, step.answer.members);
    return undefined;
  }

  #unanswered(timeoutMs: number): void {
    if (this.#phase.kind === "calling" && this.#phase.calling.isUnasked) {
      return this.#close("clearOnly", `no answer to AUTHENTICATE within ${timeoutMs} ms`);
    }
    if (this.#owner.onLegacyDialect(this, this.#link, this.#framer, undefined) !== undefined) return;
    this.#close(
      "lost",
      `no answer to AUTHENTICATE within ${timeoutMs} ms${this.#owner.takesOlderDialect ? "" : SILENCE_HINT}`,
    );
  }

  /** The phase that begins now: both servers are known, and this one watches the other. */
  #opened(peer: PeerIdentity, keys: SealingKeys | undefined): OpenPhase {
    const { supervisor, silence, probes, clock } = this.#parts;
    const clockOffset = new ClockOffset();
    return {
      kind: "open",
      peer,
      keys,
      silence: supervisor.watch(this, silence),
      // This watch is not told of bytes, so that it always asks.
      probes: supervisor.watch({
        sendHeartbeat: (sequence, _attempt, of) => {
          clockOffset.asked(2 * sequence + 1, clock.nowMs());
          this.#sendHeartbeat(2 * sequence + 1, of);
        },
        alive: () => {},
        gaveUp: () => this.#accuse("it talks, but answers nothing"),
        faulted: () => this.faulted(),
      }, probes),
      clockOffset,
      entries: undefined,
    };
  }

  /** The phase in which both are known, also when it is over. */
  get #open(): OpenPhase | undefined {
    const phase = this.#phase;
    return phase.kind === "open" ? phase : phase.kind === "over" ? phase.was : undefined;
  }

  #sendHeartbeat(sequence: number, of: number): void {
    const { silence: { intervalMs }, heartbeats } = this.#parts;
    heartbeats.sent++;
    this.send({ command: "HEARTBEAT", sequence, of, intervalMs });
  }

  /** Both watches send heartbeats over one link: those of `silence` have even numbers, those of `probes` odd ones. */
  #answered({ silence, probes, clockOffset }: OpenPhase, { sequence, at }: HeartbeatAckMessage): void {
    const { clock } = this.#parts;
    clockOffset.answered(sequence, at, clock.nowMs(), clock.wallMs());
    const isProbe = sequence % 2 === 1;
    (isProbe ? probes : silence).answered((sequence - (isProbe ? 1 : 0)) / 2);
  }

  /** The peer is given up. Nobody waits for data that it still has to be sent. */
  #accuse(why?: string): void {
    this.#parts.heartbeats.unanswered++;
    this.end("HEARTBEAT_TIMEOUT", why, "silent");
    this.#link.destroy();
  }

  #close(end: PeerEnd, why: string): void {
    const phase = this.#phase;
    if (phase.kind === "over") return;
    this.#phase = { kind: "over", end, why, was: phase.kind === "open" ? phase : undefined };
    if (phase.kind === "calling") phase.deadline.cancel();
    else if (phase.kind === "open") {
      phase.silence.end();
      phase.probes.end();
    }
    this.#link.end(LINGER_MS);
  }
}

function endOf(reason: string): PeerEnd {
  return reason === "SERVER_STOPPING" ? "left" : reason === "DUPLICATE_LINK" ? "duplicate" : "lost";
}
