/**
 * Whether a logged-in client is alive: heartbeats go to it, over the connection or over a channel of their own, and
 * what comes back is counted, traced and told to the log. The supervisor decides when a heartbeat is due, and when the
 * client has not answered for too long.
 */

import { getLogger } from "@logtape/logtape";
import type { HeartbeatConfig } from "../../../config/config.ts";
import { RecentHeartbeats } from "../../../heartbeat/recent_heartbeats.ts";
import type { HeartbeatSnapshot, OtherSign, Supervised, Supervisor, Watch } from "../../../heartbeat/supervisor.ts";
import type { Endpoint } from "../../../platform/address.ts";
import type { Clock, Timer } from "../../../platform/clock.ts";
import { type FaultGuard, guarded } from "../../../platform/faults.ts";
import type { Link, Outlet, Transport } from "../../../platform/transport.ts";
import type { CloseReason } from "../../../protocol/close_reason.ts";
import type { LoginMessage, WireHeartbeat } from "../../../protocol/message.ts";
import { lineBytes } from "../../../protocol/server_codec.ts";
import type { MetricCounters } from "../../../view/metric_counters.ts";
import type { HeartbeatMoment } from "../../../view/network_view.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Tracer } from "../../observe/tracer.ts";
import { HeartbeatChannel } from "./heartbeat_channel.ts";
import type { HeartbeatDials } from "../limits/heartbeat_dials.ts";
import type { LoggedIn } from "../session_state.ts";

/** What clients are supervised with. */
export interface ClientSupervisionParts {
  readonly supervisor: Pick<Supervisor, "watch">;
  readonly heartbeat: WireHeartbeat;
  readonly plainClients: HeartbeatConfig["plainClients"];
  readonly transport: Transport;
  /** Says when a client may be called on the port that it has named. */
  readonly heartbeatDials: HeartbeatDials;
  /** Whether this server itself would answer there. */
  isSelf(endpoint: Endpoint): boolean;
  readonly clock: Clock;
  readonly faults: FaultGuard;
  readonly counters: Pick<MetricCounters, "clientHeartbeats">;
  readonly journal: Pick<Journal, "tick" | "lamport">;
  /** Puts events on record; absent while nobody does. */
  tracer(): Pick<Tracer, "trace"> | undefined;
}

/** The connection of the client. */
export interface ClientSupervisionOwner {
  readonly link: Link;
  /** What is said to it goes here: the link, or what stands before it. */
  readonly outlet: Outlet;
  /** The user and the address, for the log. */
  readonly name: string;
  /** The same, for the trace. */
  readonly tracedAs: string;
  /** Whether what it sends is read: not while lines of it wait, or it takes no answers. */
  readonly isRead: boolean;
  end(reason: CloseReason, why?: string): void;
}

const logger = getLogger(["thrum", "connection"]);

/** Of one client. */
export class ClientSupervision implements Supervised {
  readonly #parts: ClientSupervisionParts;
  readonly #owner: ClientSupervisionOwner;
  /** The client keeps a trace, and is told the time with each heartbeat. */
  #keepsTrace = false;
  /** The answer to a heartbeat that the supervisor looks at, and when it came. */
  #answer: { readonly id: string; readonly received: number } | undefined;
  #watch: Watch | undefined;
  #channel: HeartbeatChannel | undefined;
  /** Until its port may be called. */
  #dialling: Timer | undefined;
  readonly #moments = new RecentHeartbeats();
  /** Heartbeats that went unanswered so far. */
  #attempt = 0;
  /** What had not left this process when the client was asked for a sign of life last. */
  #untakenBytes = 0;
  /** Whether all of it has left since. */
  #hasDrained = false;

  constructor(parts: ClientSupervisionParts, owner: ClientSupervisionOwner) {
    this.#parts = parts;
    this.#owner = owner;
  }

  /** Begins, as the client has asked for it. The client has said nothing for `silentMs` of awake time. */
  begin(login: LoginMessage, { isPlain, features }: LoggedIn, silentMs: number): void {
    const { plainClients, heartbeat, supervisor } = this.#parts;
    this.#keepsTrace = login.trace !== undefined;
    const { link } = this.#owner;
    const isSupervised = isPlain ? plainClients === "supervise" : features.includes("heartbeat");
    if (!isSupervised) {
      link.keepAlive(heartbeat.idleTimeoutMs);
      return;
    }
    this.#watch = supervisor.watch(this, heartbeat, silentMs);
    if (login.heartbeatPort !== undefined && !isPlain) this.#call(login.heartbeatPort);
  }

  /** How its heartbeats stand; `undefined` when it is not supervised. */
  get heartbeat(): HeartbeatSnapshot | undefined {
    return this.#watch?.snapshot();
  }

  /** The newest of its heartbeats. */
  get moments(): readonly HeartbeatMoment[] {
    return this.#moments.list(this.#parts.heartbeat.count);
  }

  /** Bytes came from it. */
  heard(): void {
    this.#watch?.heard();
  }

  /** It answered a heartbeat, at its time `lamport` if it keeps a trace. */
  answered(sequence: number, lamport?: number): void {
    if (lamport === undefined) return this.#watch?.answered(sequence);
    const { tracer, journal } = this.#parts;
    const received = journal.tick(lamport);
    this.#answer = { id: heartbeatId(sequence), received };
    this.#watch?.answered(sequence);
    // Only the answer to the newest heartbeat says anything.
    if (this.#answer !== undefined) {
      tracer()?.trace(
        { event: "receive", peer: this.#owner.tracedAs, id: this.#answer.id, what: "late answer" },
        received,
      );
    }
    this.#answer = undefined;
  }

  /** Its link takes data again. */
  drained(): void {
    this.#hasDrained = true;
  }

  /** Its connection ends. */
  end(): void {
    this.#watch?.end();
    this.#dialling?.cancel();
    this.#channel?.close();
  }

  // ---- the supervisor speaks -------------------------------------------------------------------------------------

  sendHeartbeat(sequence: number, attempt: number, of: number): void {
    const { heartbeat: { intervalMs, idleTimeoutMs }, tracer, clock, counters, journal } = this.#parts;
    const { name } = this.#owner;
    this.#attempt = attempt;
    counters.clientHeartbeats.sent++;
    this.#moments.add(clock.wallMs(), "sent", attempt);
    if (attempt === 1) {
      const seconds = idleTimeoutMs / 1000;
      logger.info("no data for the past {seconds} from {address}", {
        seconds: seconds === 1 ? "second" : `${seconds} seconds`,
        address: name,
      });
    }
    logger.info("sending heartbeat {attempt} of {of} to {address}", { attempt, of, address: name });
    tracer()?.trace(
      { event: "heartbeat", peer: this.#owner.tracedAs, id: heartbeatId(sequence), what: `${attempt} of ${of}` },
      journal.tick(),
    );
    const time = this.#keepsTrace ? { lamport: journal.lamport } : {};
    const line = lineBytes({ command: "HEARTBEAT", sequence, of, intervalMs, ...time });
    if (!this.#channel?.send(line)) this.#owner.outlet.write(line);
  }

  alive(roundTripMs: number | undefined): void {
    const { tracer, journal, clock } = this.#parts;
    const { name } = this.#owner;
    this.#moments.add(clock.wallMs(), "answered", this.#attempt, roundTripMs);
    if (roundTripMs === undefined) logger.info("connection is alive: data from {address}", { address: name });
    else {
      logger.info("heartbeat answered by {address} after {milliseconds} ms; connection is alive", {
        address: name,
        milliseconds: Math.round(roundTripMs * 10) / 10,
      });
    }
    const what = roundTripMs === undefined ? "data came" : `after ${Math.round(roundTripMs)} ms`;
    const { id, received } = this.#answer ?? {};
    this.#answer = undefined;
    tracer()?.trace(
      { event: "answered", peer: this.#owner.tracedAs, ...(id === undefined ? {} : { id }), what },
      received ?? journal.tick(),
    );
  }

  /**
   * Whether the client takes what waits for it. A client that is not read is judged by this alone. If nothing is left
   * for it to take, its own lines wait for this server.
   */
  otherSign(): OtherSign {
    const { isRead, outlet: { pendingBytes } } = this.#owner;
    const takes = this.#hasDrained || pendingBytes < this.#untakenBytes;
    this.#hasDrained = false;
    this.#untakenBytes = pendingBytes;
    if (isRead) return takes ? "takes" : "none";
    return takes || pendingBytes === 0 ? "alive" : "none";
  }

  gaveUp(): void {
    const { tracer, journal, heartbeat: { count }, clock, counters } = this.#parts;
    this.#moments.add(clock.wallMs(), "unanswered", count);
    counters.clientHeartbeats.unanswered++;
    tracer()?.trace({ event: "unanswered", peer: this.#owner.tracedAs, what: `${count} heartbeats` }, journal.tick());
    this.#owner.end("HEARTBEAT_TIMEOUT");
  }

  faulted(): void {
    this.#owner.link.destroy();
  }

  /** Calls the client on the port that it has named for heartbeats. */
  #call(port: number): void {
    const { heartbeatDials, clock, faults, transport } = this.#parts;
    const { link, name } = this.#owner;
    const endpoint = { host: link.remoteHost, port };
    if (this.#parts.isSelf(endpoint)) {
      // The client listens on another address of this machine, on the port that this server has on its own.
      logger.info("{address} named the port of this server for heartbeats; its heartbeats go over the connection", {
        address: name,
      });
      return;
    }
    const delayMs = heartbeatDials.delayFor(endpoint, clock.nowMs());
    if (delayMs === undefined) {
      logger.info("{address} named a heartbeat port that was called too often; its heartbeats go over the connection", {
        address: name,
      });
      return;
    }
    const dial = () => {
      this.#channel = new HeartbeatChannel(transport, endpoint, {
        name,
        heard: () => this.heard(),
        answered: (sequence, lamport) => this.answered(sequence, lamport),
      }, faults);
    };
    if (delayMs === 0) dial();
    else this.#dialling = clock.after(delayMs, () => guarded(faults, "heartbeat", dial, () => link.destroy()));
  }
}

/** What a heartbeat is called in traces, here and at the client. */
function heartbeatId(sequence: number): string {
  return `heartbeat:${sequence}`;
}
