/**
 * One connection of a client: a link, its lines, its supervision and its end. `session.ts` decides what lines mean;
 * this file acts. `client.ts` has everything that outlives a connection: received vectors, unacknowledged messages, and
 * the next attempt.
 */

import type { Supervised, Supervisor, Watch } from "../heartbeat/supervisor.ts";
import type { Clock, Timer } from "../platform/clock.ts";
import type { Link, LinkEnd, LinkHandler } from "../platform/transport.ts";
import { joinBytes } from "../protocol/join_bytes.ts";
import { LineFramer } from "../protocol/line_framer.ts";
import type {
  ActivityBroadcastMessage,
  HeartbeatMessage,
  LoginSuccessMessage,
  WireHeartbeat,
  WireServer,
} from "../protocol/message.ts";
import type { ScramDerivation, ScramHash } from "../protocol/login/scram.ts";
import { lineBytes, parseServerLine } from "../protocol/server_codec.ts";
import type { ChannelAnswer } from "../protocol/channels/channel_message.ts";
import type { PastMessage } from "./past.ts";
import {
  beginSession,
  type ChatMessage,
  type FailedMessage,
  leave,
  onDerived,
  onLost,
  onMessage,
  onSilence,
  type OutgoingMessage,
  type Session,
  type SessionEffect,
  type SessionEnd,
  type SessionPlan,
  type SessionStep,
} from "./session.ts";

/** The calls from a connection to its client. */
export interface ConnectionOwner {
  onRegistered(): void;
  onOpened(login: LoginSuccessMessage): void;
  /** The connection sends LOGIN now. Returns the fields about the trace; none without a trace. */
  onLogin(): object;
  /** The key of the client's secret, for a proof. */
  derive(derivation: ScramDerivation): Promise<Uint8Array>;
  /** The next messages were sent at this Lamport time. */
  onClock(lamport: number): void;
  /** `length` is that of the activity's line, in characters. */
  onActivity(broadcast: ActivityBroadcastMessage, length: number): void;
  onAcknowledged(messageId: string, id: string): void;
  /** As the effect of `session.ts`. */
  onAcknowledgedUpTo(upTo: number, id: string): void;
  /** A server has stored the message and waits until another server has it. */
  onPending(messageId: string, info: string): void;
  /** The same of all activities up to this number that wait for an answer. */
  onPendingUpTo(upTo: number, info: string): void;
  /** An activity or a direct message was not taken. */
  onRefused(refusal: FailedMessage): void;
  /** A part of a page of the past, or its end. */
  onPast(message: PastMessage): void;
  /** What the client reads has changed, or has not, or nothing of it has come for long. */
  onChannels(message: ChannelAnswer): void;
  /** `length` as above. */
  onChat(message: ChatMessage, length: number): void;
  /** Returns the fields about the trace for the answer, if there is an answer; none without a trace. */
  onHeartbeat(heartbeat: HeartbeatMessage, answered: boolean): object;
  onBackups(servers: readonly WireServer[]): void;
  /** The remaining time in which heartbeats are neither answered nor sent, in milliseconds. */
  blockedForMs(): number;
  /** The link is gone. Called exactly once, and nothing after it. */
  onEnd(end: SessionEnd): void;
}

/** What a connection runs on. */
export interface ConnectionParts {
  readonly clock: Clock;
  /** May serve many connections, and is not this one's to dispose of. */
  readonly supervisor: Supervisor;
  /** For proofs; absent where the client gives none. */
  readonly hash: ScramHash | undefined;
}

/**
 * Longest line that is read from a server. This is far more than any server sends, so only a program that is no server
 * reaches it.
 */
const MAX_LINE_BYTES = 16_777_216;
/** How long the last bytes may take to leave. */
const LINGER_MS = 500;
/** How long a server may take to close after LOGOUT. */
const LEAVE_TIMEOUT_MS = 2_000;

/** Drives one `Session` over one `Link`. */
export class Connection implements LinkHandler, Supervised {
  readonly #link: Link;
  readonly #owner: ConnectionOwner;
  readonly #clock: Clock;
  readonly #supervisor: Supervisor;
  readonly #hash: ScramHash | undefined;
  readonly #framer = new LineFramer(MAX_LINE_BYTES);
  #session: Session;
  #end: SessionEnd | undefined;
  #gone = false;
  #throttled = false;
  #outgoing: Uint8Array[] = [];
  #watch: Watch | undefined;
  /** The one deadline beside supervision: of the login, the end of a block, the next sign of life, or the leave. */
  #timer: Timer | undefined;

  /** Takes the link over, and says REGISTER or LOGIN. `timeoutMs` is for the login. */
  constructor(link: Link, parts: ConnectionParts, plan: SessionPlan, timeoutMs: number, owner: ConnectionOwner) {
    this.#link = link;
    this.#clock = parts.clock;
    this.#supervisor = parts.supervisor;
    this.#hash = parts.hash;
    this.#owner = owner;
    const { session, effects } = beginSession(plan);
    this.#session = session;
    link.attach(this);
    this.#timer = this.#supervisor.deadline(
      timeoutMs,
      () => this.#apply(onLost(this.#session, "IDENTIFY_TIMEOUT", `the server did not answer within ${timeoutMs} ms`)),
    );
    for (const effect of effects) this.#act(effect, 0);
  }

  /** The address of the server. */
  get remoteHost(): string {
    return this.#link.remoteHost;
  }

  /** Sends a line together with all others of this turn. Unsent lines are lost when the connection ends. */
  send(line: Uint8Array): void {
    if (this.#outgoing.push(line) === 1) this.#clock.endOfTurn(() => this.#flush());
  }

  /** The same with a message. */
  say(message: OutgoingMessage): void {
    this.send(lineBytes(message));
  }

  /** Stops or resumes reading, so that waiting data stays with the server. */
  throttle(isOn: boolean): void {
    if (isOn === this.#throttled) return;
    this.#throttled = isOn;
    if (isOn) this.#link.pause();
    else this.#link.resume();
    if (this.#session.kind === "open") this.#supervise(this.#session.login.heartbeat);
  }

  /** The server was heard elsewhere. */
  heard(): void {
    this.#watch?.heard();
  }

  /** Sends LOGOUT and waits until the server closes. Without a session, closes at once. */
  leave(): void {
    if (this.#session.kind !== "open") return this.drop();
    this.#apply(leave(this.#session));
    this.#stopSupervision();
    this.#timer = this.#supervisor.deadline(LEAVE_TIMEOUT_MS, () => this.drop());
  }

  /** Closes without a word. */
  drop(): void {
    this.#session = { kind: "over" };
    this.#finish({ kind: "loggedOut" });
    this.#link.destroy();
  }

  onData(bytes: Uint8Array): void {
    if (this.#end !== undefined) return;
    const { lines, problem } = this.#framer.push(bytes);
    for (const line of lines) {
      if (this.#end !== undefined) return;
      this.#apply(onMessage(this.#session, parseServerLine(line)), line.length);
    }
    // After the lines, so that an answer among them gives its round trip.
    this.#watch?.heard();
    if (problem !== undefined) this.#apply(onLost(this.#session, "INVALID_MESSAGE", problem));
  }

  onDrain(): void {
    // The outbox bounds what can wait here.
  }

  onFinish(): void {
    this.#apply(onLost(this.#session, "CLOSED_BY_OTHER_SIDE"));
  }

  onEnd(linkEnd: LinkEnd): void {
    this.#gone = true;
    this.#apply(onLost(this.#session, linkEnd === "reset" ? "CONNECTION_RESET" : "CLOSED_BY_OTHER_SIDE"));
    this.#owner.onEnd(this.#end!);
  }

  sendHeartbeat(sequence: number, _attempt: number, of: number): void {
    if (this.#session.kind !== "open") return;
    this.#write({ command: "HEARTBEAT", sequence, of, intervalMs: this.#session.login.heartbeat!.intervalMs });
  }

  alive(): void {
    // Nobody asks how quick the server is.
  }

  gaveUp(): void {
    this.#apply(onSilence(this.#session));
  }

  #apply({ session, effects }: SessionStep, length = 0): void {
    this.#session = session;
    for (const effect of effects) this.#act(effect, length);
  }

  #act(effect: SessionEffect, length: number): void {
    switch (effect.kind) {
      case "deliver":
        return this.#owner.onActivity(effect.broadcast, length);
      case "acknowledged":
        return this.#owner.onAcknowledged(effect.messageId, effect.id);
      case "acknowledgedUpTo":
        return this.#owner.onAcknowledgedUpTo(effect.upTo, effect.id);
      case "pendingUpTo":
        return this.#owner.onPendingUpTo(effect.upTo, effect.info);
      case "pending":
        return this.#owner.onPending(effect.messageId, effect.info);
      case "refused":
        return this.#owner.onRefused(effect.refusal);
      case "chat":
        return this.#owner.onChat(effect.message, length);
      case "past":
        return this.#owner.onPast(effect.message);
      case "channels":
        return this.#owner.onChannels(effect.message);
      case "send":
        return this.#write(
          effect.message.command === "LOGIN" ? { ...effect.message, ...this.#owner.onLogin() } : effect.message,
        );
      case "registered":
        return this.#owner.onRegistered();
      case "derive":
        return this.#derive(effect.derivation);
      case "clock":
        return this.#owner.onClock(effect.lamport);
      case "opened":
        return this.#opened(effect.login);
      case "heartbeat":
        return this.#answer(effect.heartbeat);
      case "heartbeatAnswered":
        return this.#watch?.answered(effect.sequence);
      case "backups":
        return this.#owner.onBackups(effect.servers);
      case "end":
        this.#finish(effect.end);
        return this.#link.end(LINGER_MS);
      default:
        effect satisfies never;
    }
  }

  #derive(derivation: ScramDerivation): void {
    this.#owner.derive(derivation).then(
      (derived) => this.#apply(onDerived(this.#session, derived, this.#hash!)),
      (error) => this.#apply(onLost(this.#session, "INVALID_MESSAGE", `no key can be derived: ${error.message}`)),
    );
  }

  #opened(login: LoginSuccessMessage): void {
    this.#supervise(login.heartbeat);
    this.#owner.onOpened(login);
  }

  #answer(heartbeat: HeartbeatMessage): void {
    const isBlocked = this.#owner.blockedForMs() > 0;
    const time = this.#owner.onHeartbeat(heartbeat, !isBlocked);
    if (!isBlocked) this.#write({ command: "HEARTBEAT_ACK", sequence: heartbeat.sequence, ...time });
  }

  /** Supervises the server, or does the substitute for it while the connection is not read. */
  #supervise(heartbeat: WireHeartbeat | undefined): void {
    this.#stopSupervision();
    if (heartbeat === undefined) return;
    const blockedForMs = this.#owner.blockedForMs();
    if (blockedForMs > 0) {
      this.#timer = this.#clock.after(blockedForMs, () => this.#supervise(heartbeat));
    } else if (this.#throttled) {
      this.#showLife(heartbeat);
    } else {
      this.#watch = this.#supervisor.watch(this, {
        ...heartbeat,
        // The server asks first, so that an idle connection carries one exchange instead of two.
        idleTimeoutMs: heartbeat.idleTimeoutMs + heartbeat.intervalMs,
      });
    }
  }

  /**
   * While this client does not read, it sees no heartbeat, and must not take the silence for the server's end. But it
   * lives, and says so unasked.
   */
  #showLife(heartbeat: WireHeartbeat): void {
    this.#timer = this.#clock.after(heartbeat.intervalMs, () => {
      this.#write({ command: "HEARTBEAT_ACK", sequence: 0 });
      this.#showLife(heartbeat);
    });
  }

  #stopSupervision(): void {
    this.#stopTimer();
    this.#watch?.end();
    this.#watch = undefined;
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #write(message: OutgoingMessage): void {
    this.#flush();
    if (!this.#gone) this.#link.write(lineBytes(message));
  }

  #flush(): void {
    const lines = this.#outgoing;
    this.#outgoing = [];
    if (lines.length === 0 || this.#end !== undefined) return;
    this.#link.write(joinBytes(lines));
  }

  #finish(end: SessionEnd): void {
    this.#end ??= end;
    this.#stopSupervision();
  }
}
