/**
 * One connection of this server: carries out what `session.ts` decides. It owns the link until the server knows who is
 * at the other end. All else that a connection has lies in its phase.
 */

import type { Endpoint } from "../../platform/address.ts";
import { endpointText } from "../../config/values.ts";
import { guarded } from "../../platform/faults.ts";
import type { Link, LinkEnd, LinkHandler, Outlet } from "../../platform/transport.ts";
import { parseClientLine } from "../../protocol/client_codec.ts";
import type { PatternSet } from "../../protocol/channels/pattern_set.ts";
import { CLOSE_REASONS, type CloseReason } from "../../protocol/close_reason.ts";
import type { Feature, LoginMessage, WireServer } from "../../protocol/message.ts";
import { onMessage, PUBLISH, refuseThirdFamily } from "./session.ts";
import type { LoggedIn, SessionEffect, SessionStep } from "./session_state.ts";
import { ConnectionFacts } from "./session_facts.ts";
import { refuseChannel } from "./login/refuse_channel.ts";
import { farewellOf } from "./farewell.ts";
import type { ConnectionView, Door } from "../../view/network_view.ts";
import type { PlainPublication } from "../../protocol/publication/plain_publication.ts";
import { takePublication } from "./publication_intake.ts";
import { countRefusedLogin } from "./limits/refused_login.ts";
import { Replies, type RepliesOwner } from "./replies.ts";
import type { ConnectionParts } from "./connection_parts.ts";
import type { ConnectionOrigin, ConnectionOwner, ServedConnection } from "./served_connection.ts";
import type { PeerEntranceOwner } from "./peer_entrance.ts";
import { type ClientPhase, isQuietIn, mayBeMovedIn, owesIn, type Phase } from "./connection_phase.ts";
import { servedIn, sessionOf, takingIn } from "./connection_phase.ts";
import { viewOf } from "./connection_view.ts";
import type { EntranceOwner } from "./entrance.ts";
import { ConnectionLog } from "./connection_log.ts";
import { HalfClose, type HalfClosed } from "./half_close.ts";
import { Identification, type IdentificationOwner, type StrangerSession } from "./identification.ts";
import { LineIntake, type LineIntakeOwner, type Taken, type Taking } from "./line_intake.ts";
import type { ClientSession } from "../hub/sessions.ts";
import { ClockOutlet } from "./clock_outlet.ts";
import { isThirdFamily } from "../legacy/legacy_codec.ts";
import { guardedHandler } from "../journal/unreadable_store.ts";
import type { Renumbering } from "../../log/renumbering.ts";

/** How long the last line may take to leave before the link is cut. */
const LINGER_MS = 2_000;

/** One client, or another program that has connected. */
export class Connection
  implements
    LinkHandler,
    RepliesOwner,
    ClientSession,
    ServedConnection,
    EntranceOwner,
    PeerEntranceOwner,
    IdentificationOwner,
    HalfClosed,
    LineIntakeOwner {
  readonly id: string;
  readonly link: Link;
  readonly over: Door;
  readonly #since: number;
  readonly #parts: ConnectionParts;
  readonly #owner: ConnectionOwner;
  readonly #lines: LineIntake;
  readonly #facts: ConnectionFacts;
  readonly replies: Replies;
  #phase: Phase;
  /** The link, or what stands before it. */
  outlet: Outlet;
  /** The other side sends no more. */
  #halfClose: HalfClose | undefined;
  /** Whether the server decides just now who it is. */
  #isDeciding = false;
  /** Whether it is about to be closed, and is owed what is not on the disk yet. */
  #isParting = false;
  /** The user that has logged in; empty before. */
  #username = "";
  /** What a client that keeps a trace is called there; empty for others. */
  #nameInTrace = "";
  readonly #log: ConnectionLog;

  constructor(
    link: Link,
    parts: ConnectionParts,
    owner: ConnectionOwner,
    { id, over }: ConnectionOrigin,
  ) {
    this.id = id;
    this.over = over;
    this.#since = parts.clock.wallMs();
    this.link = link;
    this.outlet = link;
    this.#parts = parts;
    this.#owner = owner;
    this.#phase = { kind: "stranger", identification: new Identification(parts.identification, this) };
    this.#lines = new LineIntake(link, parts.lines, this);
    this.#facts = new ConnectionFacts(link, parts.facts, () => this.#phase);
    this.replies = new Replies(parts.journal, this);
    this.#log = new ConnectionLog(this, parts.log);
  }

  /** Begins to read. */
  start(): void {
    this.#log.came();
    this.note("connect");
    if (this.#phase.kind === "stranger") this.#phase.identification.begin();
    this.link.attach(guardedHandler(this));
  }

  /** Host and port, as the log shows them. */
  get address(): string {
    return endpointText({ host: this.link.remoteHost, port: this.link.remotePort });
  }

  /** The user where there is one, and the address. */
  get name(): string {
    return this.#username === "" ? this.address : `${this.#username} (${this.address})`;
  }

  /** Its own name in its trace, if it keeps one. */
  get tracedAs(): string {
    return this.#nameInTrace === "" ? this.name : this.#nameInTrace;
  }

  get isGone(): boolean {
    return this.#phase.kind === "closed";
  }

  get isQuiet(): boolean {
    return isQuietIn(this.#phase, this.#parts.clock.nowMs());
  }

  /** Ends the connection of this server's own will. Peers are ended by the backplane. */
  end(reason: CloseReason, why: string = CLOSE_REASONS[reason].sentence, lingerMs = LINGER_MS): void {
    if (this.#phase.kind === "closed" || this.#phase.kind === "peer") return;
    this.contain(() => {
      const farewell = farewellOf(sessionOf(this.#phase), reason, why);
      if (farewell !== undefined) this.replies.send(farewell);
      this.#close(reason, why, lingerMs);
    });
  }

  // ---- the link speaks -------------------------------------------------------------------------------------------

  onData(bytes: Uint8Array): void {
    const phase = this.#phase;
    if (phase.kind === "closed") return;
    if (phase.kind === "client") phase.client.supervision.heard();
    else if (phase.kind === "stranger") phase.identification.heard();
    this.#lines.push(bytes);
  }

  onFinish(): void {
    const phase = this.#phase;
    if (phase.kind === "closed") return;
    this.#lines.finish();
    this.#halfClose ??= new HalfClose(this.#parts.clock, this);
    const isBusy = phase.kind === "stranger" && phase.identification.isBusy;
    if (isBusy) phase.identification.finished();
    if (!this.#lines.isHolding && !isBusy) {
      if (this.#lines.framer.hasUnfinishedLine) {
        return this.takeProblem("the connection was closed in the middle of a line");
      }
      this.replies.endTurn();
      if (phase.kind === "client") this.#parts.entrance.finishes(this, phase.client);
    }
    this.#halfClose.look();
  }

  get isAnswered(): boolean {
    return !this.#lines.isHolding && this.replies.haveLeft && !owesIn(this.#phase);
  }

  closes(lingerMs?: number): void {
    this.#close("CLOSED_BY_OTHER_SIDE", CLOSE_REASONS.CLOSED_BY_OTHER_SIDE.sentence, lingerMs);
  }

  onDrain(): void {
    this.replies.drained();
    servedIn(this.#phase)?.drained();
    this.#lines.drained();
  }

  onEnd(end: LinkEnd): void {
    try {
      // This side cut the link, and did not mean to end the connection.
      const isFault = end === "local";
      const reason = isFault ? "SERVER_FAILED" : end === "reset" ? "CONNECTION_RESET" : "CLOSED_BY_OTHER_SIDE";
      this.#close(reason, isFault ? "a fault of this server" : CLOSE_REASONS[reason].sentence);
    } finally {
      this.gone();
    }
  }

  gone(): void {
    this.#owner.gone(this);
  }

  // ---- the network speaks ----------------------------------------------------------------------------------------

  /** Of the user that is logged in, and stays it; empty before. */
  get username(): string {
    return this.#username;
  }

  get reads(): PatternSet | undefined {
    return servedIn(this.#phase)?.wants;
  }

  get canResume(): boolean {
    return this.#knows("resume");
  }

  renumbered(renumbering: Renumbering): void {
    servedIn(this.#phase)?.renumbered(renumbering);
  }

  tellPresence(username: string, line: Uint8Array): void {
    // Nobody is told of himself.
    if (this.#knows("presence") && username !== this.#username) this.contain(() => this.replies.write(line));
  }

  reviewRights(): void {
    if (this.#facts.haveRightsChanged) this.end("RIGHTS_CHANGED");
  }

  canBeMoved(nowMs: number): boolean {
    return mayBeMovedIn(this.#phase, nowMs) && !this.replies.isWaiting;
  }

  sendBackups(servers: readonly WireServer[]): void {
    this.contain(() => this.replies.send({ command: "BACKUP_LIST", servers }));
  }

  redirect({ host, port }: Endpoint): void {
    if (this.isGone || this.#isParting) return;
    this.contain(() => {
      if (!this.replies.endTurn()) return this.#partLater(() => this.redirect({ host, port }));
      this.replies.send({ command: "REDIRECT", hostname: host, port });
      this.#close("REDIRECTED", `it was sent to ${host}:${port}`);
    });
  }

  #knows(feature: Feature): boolean {
    return this.#phase.kind === "client" && this.#phase.session.features.includes(feature);
  }

  describe(nowWallMs: number): ConnectionView {
    const { address, outlet: { pendingBytes } } = this;
    const seen = { user: this.#username, address, phase: this.#phase, over: this.over, since: this.#since };
    return viewOf({ ...seen, waitingBytes: pendingBytes }, nowWallMs);
  }

  get remoteHost(): string {
    return this.link.remoteHost;
  }

  // ---- lines in --------------------------------------------------------------------------------------------------

  get isLoggedIn(): boolean {
    return this.#phase.kind === "client";
  }

  get taking(): Taking {
    const taking = takingIn(this.#phase);
    return this.#isParting && taking === "now" ? "later" : taking;
  }

  /**
   * Whether it does not take its answers. Lines of the log do not count: they may be many at once, and a client that is
   * slow to read them still has to be heard.
   */
  get isStuffed(): boolean {
    return this.replies.untakenBytes > 2 * this.#parts.limits.maxPendingBytes;
  }

  get isRead(): boolean {
    return this.#lines.isRead;
  }

  takeLine(line: string): Taken {
    const phase = this.#phase;
    if (this.#isParting || (phase.kind !== "client" && takingIn(phase) !== "now")) return "not";
    if (phase.kind === "stranger") {
      const refusal = refuseChannel(this.#facts) ?? (isThirdFamily(line) ? refuseThirdFamily() : undefined);
      if (refusal !== undefined) {
        this.#apply(refusal);
        return "dear";
      }
    }
    const message = parseClientLine(line);
    const step = onMessage(phase.kind === "client" ? phase.session : sessionOf(phase), message, this.#facts);
    // Almost every line is one of these, and needs nothing of what follows.
    if (message.command === "ACTIVITY_MESSAGE" && step.effects === PUBLISH && phase.kind === "client") {
      phase.requests.publish(message);
      return "cheap";
    }
    this.#apply(step);
    return "dear";
  }

  takePublication(publication: PlainPublication, bytes: Uint8Array): boolean {
    const phase = this.#phase;
    return phase.kind === "client" && !this.#isParting && takePublication(phase, publication, bytes, this.#facts);
  }

  takeProblem(problem: string): void {
    this.#apply(onMessage(sessionOf(this.#phase), { command: "", info: problem }, this.#facts));
  }

  handOn(lines: readonly string[], problem: string | undefined): void {
    if (this.#phase.kind === "peer") this.#phase.taker.take(lines, problem);
  }

  readsAgain(): void {
    // Lines that it sent meanwhile are still to come, so its silence begins now. A client that is let in just now is
    // asked soon instead.
    if (this.#phase.kind === "client" && !this.#isDeciding) this.#phase.client.supervision.heard();
  }

  readOrNot(): void {
    this.#lines.readOrNot();
  }

  // ---- effects out -----------------------------------------------------------------------------------------------

  decided(step: SessionStep): void {
    this.#isDeciding = true;
    try {
      this.#apply(step);
      this.#lines.takeHeld();
    } finally {
      this.#isDeciding = false;
    }
  }

  #apply(step: SessionStep): void {
    const { session, effects } = step;
    // The step's last effect closes, after what is to be said before.
    if (session.kind === "closed") {
      if (!this.replies.endTurn()) return this.#partLater(() => this.#apply(step));
    } else if (this.#phase.kind === "stranger") this.#identified(this.#phase.identification, session);
    for (const effect of effects) this.#perform(effect);
    this.#lines.readOrNot();
  }

  /** Calls `part`, which closes, when what it is owed is on the disk and was said. Until then no line is taken. */
  #partLater(part: () => void): void {
    this.#isParting = true;
    this.#parts.journal.whenDelivered(() => {
      this.#isParting = false;
      if (this.#phase.kind !== "closed") this.contain(part);
    });
    this.#lines.readOrNot();
  }

  /** A stranger's session goes on, or the stranger is known. */
  #identified(identification: Identification, session: StrangerSession | LoggedIn | { readonly kind: "peer" }): void {
    // The effect that follows says who takes the link of a peer.
    if (session.kind !== "client" && session.kind !== "peer") return identification.goesOn(session);
    const { silentMs } = identification;
    identification.leave();
    if (session.kind === "client") this.#phase = { kind: "entering", session, silentMs };
  }

  #perform(effect: SessionEffect): void {
    const phase = this.#phase;
    switch (effect.kind) {
      case "send":
        countRefusedLogin(effect.message, this.over, this.#parts.counters);
        if (phase.kind === "stranger") this.#log.answered(effect.message, sessionOf(phase), effect.username);
        return this.replies.send(effect.message);
      case "checkLogin":
      case "challenge":
      case "checkAnswer":
      case "changeAccount":
      case "register":
        if (phase.kind === "stranger") phase.identification.perform(effect);
        return;
      case "redirect":
        return this.#parts.entrance.sendOn(effect, effect.to, this);
      case "becomePeer": {
        const taker = this.#parts.peerEntrance.letIn(effect.admission, this.#lines.framer, this);
        this.#phase = { kind: "peer", taker };
        return this.#log.settle();
      }
      case "beginSession":
        if (phase.kind === "entering") this.#parts.entrance.letIn(phase, effect, this);
        return;
      case "close":
        return this.#close(effect.reason, effect.why);
      default:
        if (phase.kind === "client") phase.requests.carryOut(effect);
    }
  }

  registered(username: string): void {
    this.#log.registered(username);
    this.note("register", username);
  }

  /** From here on it is told the time. */
  traced({ username, features }: LoginMessage, { node, attempt, lamport }: NonNullable<LoginMessage["trace"]>): void {
    const { journal, tracer } = this.#parts;
    const time = journal.tick(lamport);
    this.#nameInTrace = `${username}#${node}`;
    tracer()?.trace({ event: "receive", peer: this.#nameInTrace, id: `login:${attempt}`, what: this.address }, time);
    if (features.length > 0) this.outlet = new ClockOutlet(this.link, () => journal.lamport);
  }

  named(username: string): void {
    this.#username = username;
    this.#log.letIn();
  }

  enters(as: ClientPhase): void {
    this.#phase = as;
  }

  /** The one way out. Everything that the connection holds is let go, and the log says why. */
  #close(reason: CloseReason, why: string, lingerMs = LINGER_MS): void {
    const phase = this.#phase;
    if (phase.kind === "closed") return;
    const client = phase.kind === "client" ? phase.client : undefined;
    this.#phase = { kind: "closed", reason, served: client };
    this.#halfClose?.cancel();
    if (phase.kind === "stranger") phase.identification.leave();
    this.#lines.end();
    this.#parts.entrance.letOut(this, client, reason);
    this.#log.ended(reason, why, phase.kind, this.#username);
    this.note("closed", reason);
    const heartbeats = client?.supervision.moments ?? [];
    this.#owner.ended({ since: this.#since, user: this.#username, address: this.address, reason, why, heartbeats });
    this.link.end(lingerMs);
  }

  /** After a fault on the way to it, nobody knows what it got. */
  cut(): void {
    this.link.destroy();
  }

  /** A later call of others that throws is this connection's own fault. */
  contain(act: () => void): void {
    guarded(this.#parts.faults, "session", act, () => this.link.destroy());
  }

  note(event: "connect" | "register" | "login" | "redirect" | "closed", what?: string): void {
    const { journal, tracer } = this.#parts;
    tracer()?.trace({ event, peer: this.tracedAs, ...(what === undefined ? {} : { what }) }, journal.tick());
  }
}
