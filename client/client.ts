/**
 * A client: what outlives its connections. It connects, comes back when a connection is lost, asks for what it missed, and sends
 * again what was not acknowledged. Decisions are made in `session.ts`, `reconnect.ts` and `progress.ts`; one connection is driven in `connection.ts`.
 */

import { getLogger } from "@logtape/logtape";
import { DEFAULT_CONFIG } from "../config/config.ts";
import { Supervisor } from "../heartbeat/mod.ts";
import type { Vector } from "../log/vector.ts";
import type { Clock } from "../platform/clock.ts";
import type { Link, Transport } from "../platform/transport.ts";
import { CLOSE_REASONS, type ReconnectAdvice } from "../protocol/close_reason.ts";
import type { ActivityBroadcastMessage, Feature, HeartbeatMessage, LoginSuccessMessage } from "../protocol/message.ts";
import { withoutMember } from "../protocol/raw_json.ts";
import { ANONYMOUS } from "../protocol/names.ts";
import { receive, tick } from "../trace/lamport_clock.ts";
import { ActivityQueue } from "./activity_queue.ts";
import { Connection, type ConnectionOwner } from "./connection.ts";
import { ConnectError, ConnectionEndedError, endedHere, refusedError, unreachable } from "./errors.ts";
import { HeartbeatChannel } from "./heartbeat_channel.ts";
import type { Activity, Client, ClientEvent, CloseInfo, ConnectOptions, Published } from "./options.ts";
import { Outbox, type Unacknowledged } from "./outbox.ts";
import { Progress } from "./progress.ts";
import { activityText, encodePublication } from "./publication.ts";
import {
  DEFAULT_RECONNECT,
  NO_FAILURES,
  type ReconnectPolicy,
  type ReconnectState,
  stepReconnect,
} from "./reconnect.ts";
import { endpointText, nextServer, redirected, serverCount, type ServerList, serverList } from "./server_list.ts";
import { describeEnd, type LostReason, type SessionEnd, type SessionPlan } from "./session.ts";

/** What a client runs on. */
export interface ClientPlatform {
  readonly clock: Clock;
  readonly transport: Transport;
  /** Evenly distributed from 0 up to but not including 1. */
  readonly random: () => number;
}

/** All features that a client of this version can do something with. */
export const CLIENT_FEATURES: readonly Feature[] = Object.freeze(["heartbeat", "ack", "resume"] as const);

/** Time allowed to connect where nothing else is said. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
/** A network of servers keeps a client after 3; more means that they send it in circles. */
const MAX_REDIRECTS = 5;
/** How long `close()` waits for acknowledgements. */
const CLOSE_TIMEOUT_MS = 5_000;

const logger = getLogger(["thrum", "client"]);

/** Connects and logs in, as `connect` in `connect.ts` does, on a platform of the caller's choice; rejects with the same. */
export async function openClient(options: ConnectOptions, platform: ClientPlatform): Promise<Client> {
  const client = new RunningClient(options, platform);
  await client.start();
  return client;
}

class RunningClient implements Client {
  readonly closed: Promise<CloseInfo>;
  readonly #options: ConnectOptions;
  readonly #platform: ClientPlatform;
  readonly #supervisor: Supervisor;
  readonly #username: string;
  readonly #features: readonly Feature[];
  readonly #progress: Progress;
  readonly #queue: ActivityQueue;
  readonly #outbox: Outbox;
  readonly #nonce: string;
  readonly #opened = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<CloseInfo>();
  #servers: ServerList;
  #reconnect: ReconnectState = NO_FAILURES;
  #register: boolean | "ifNew";
  #registered = false;
  #redirects = 0;
  #lamport = 0;
  #published = 0;
  #login: LoginSuccessMessage | undefined;
  #firstLoginMs: number | undefined;
  #connection: Connection | undefined;
  /** The same, while it is logged in. */
  #open: Connection | undefined;
  #channel: HeartbeatChannel | undefined;
  #missed = 0;
  #isThrottled = false;
  /** Set once: from then on the client only finishes. */
  #closing: CloseInfo | undefined;
  #onDrained: (() => void) | undefined;
  /** Ends what the next connection is waited for with: a dial, or a delay. */
  #giveUpWaiting: (() => void) | undefined;

  constructor(options: ConnectOptions, platform: ClientPlatform) {
    this.#options = options;
    this.#platform = platform;
    this.#supervisor = new Supervisor(platform.clock);
    this.#username = options.username ?? ANONYMOUS;
    if (this.#username !== ANONYMOUS && options.secret === undefined) {
      throw new TypeError(`Cannot log in as "${this.#username}": there is no secret`);
    }
    this.#features = options.features ?? CLIENT_FEATURES;
    if (options.since !== undefined && !this.#features.includes("resume")) {
      throw new TypeError('Cannot come back to where a client was before without the feature "resume"');
    }
    this.#register = options.register ?? false;
    this.#servers = serverList({ host: options.host, port: options.port });
    this.#progress = new Progress(options.since);
    this.#queue = new ActivityQueue({
      onPressure: (isHigh) => {
        this.#isThrottled = isHigh;
        this.#open?.throttle(isHigh);
      },
      onUnread: () => this.#tell({ kind: "unread" }),
      received: () => this.#progress.received,
    });
    this.#outbox = new Outbox((entry) => this.#transmit(entry));
    // Accounts share one space of message ids, and all anonymous clients one account: 96 bits keep them apart.
    this.#nonce = Array.from({ length: 3 }, () => Math.floor(platform.random() * 2 ** 32).toString(36)).join("");
    this.closed = this.#closed.promise;
    // Whoever calls `connect` gets this as its rejection; where nobody waits for it any more it must not be reported.
    this.#opened.promise.catch(() => {});
  }

  get username(): string {
    return this.#username;
  }

  get registered(): boolean {
    return this.#registered;
  }

  get serverId(): string | undefined {
    return this.#login?.serverId;
  }

  get features(): readonly Feature[] {
    return this.#login?.features ?? [];
  }

  get vector(): Vector {
    return this.#queue.taken;
  }

  get unacknowledged(): number {
    return this.#outbox.size;
  }

  /** Connects; resolves when the client is logged in. Called once. */
  async start(): Promise<void> {
    await this.#openChannel();
    // Runs as long as the client does; all that can go wrong in it ends in `closed`.
    void this.#run();
    await this.#opened.promise;
  }

  async publish(activity: Readonly<Record<string, unknown>> | string): Promise<Published> {
    const text = activityText(activity);
    if (this.#closing !== undefined) throw this.#closing.error ?? endedHere();
    this.#lamport = tick(this.#lamport);
    const publication = {
      activity: text,
      messageId: `${this.#nonce}-${++this.#published}`,
      lamport: this.#lamport,
      user: this.#mustSayWho() ? { username: this.#username, secret: this.#options.secret } : undefined,
    };
    const line = encodePublication(publication, this.#options.maxLineBytes ?? DEFAULT_CONFIG.limits.maxLineBytes);
    const { messageId } = publication;
    const { promise, resolve, reject } = Promise.withResolvers<Published>();
    this.#outbox.add({ messageId, line, onAcknowledged: (id) => resolve({ id }), onFailed: reject });
    return await promise;
  }

  activities(): AsyncIterableIterator<Activity> {
    return this.#queue.iterate();
  }

  async close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = { reason: "LOGGED_OUT", info: CLOSE_REASONS.LOGGED_OUT.sentence };
      // Nobody is to be kept waiting by an iterator that is not read any more.
      this.#queue.end(undefined);
      this.#open?.throttle(false);
      this.#giveUpWaiting?.();
      if (this.#open !== undefined && this.#outbox.size > 0) await this.#drained();
      this.#connection?.leave();
    }
    await this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A client without its channel is no worse off than one that wants none. */
  async #openChannel(): Promise<void> {
    const { heartbeatChannel } = this.#options;
    if (heartbeatChannel === undefined) return;
    try {
      this.#channel = await HeartbeatChannel.open(this.#platform.transport, heartbeatChannel, {
        serverHost: () => this.#connection?.remoteHost,
        onHeartbeat: (heartbeat) => {
          this.#connection?.heard();
          const answered = this.#blockedForMs() === 0;
          this.#tellHeartbeat(heartbeat, answered, true);
          return answered;
        },
      });
    } catch (error) {
      const info = (error as Error).message;
      logger.warn("Cannot listen for heartbeats out of band: {info}", { info });
      this.#tell({ kind: "noChannel", endpoint: heartbeatChannel, info });
    }
  }

  /** One connection after the other, until the client is closed. */
  async #run(): Promise<void> {
    try {
      for (;;) {
        const delayMs = await this.#attempt();
        if (this.#closing === undefined && delayMs > 0) await this.#wait(delayMs);
        if (this.#closing !== undefined) break;
      }
    } catch (error) {
      // A fault of ours, or of a callback: whoever waits for the client must not wait for ever.
      this.#fail("CLIENT_FAILED", error as Error);
    }
    await this.#finish();
  }

  /** Makes a connection and lives through it. Returns how long to wait before the next. */
  async #attempt(): Promise<number> {
    const { clock, transport } = this.#platform;
    const platform = { clock, supervisor: this.#supervisor };
    const server = this.#servers.current;
    const timeoutMs = this.#options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
    this.#tell({ kind: "connecting", server });
    const dialing = new AbortController();
    this.#giveUpWaiting = () => dialing.abort();
    let link: Link;
    try {
      link = await transport.dial({ ...server, timeoutMs, signal: dialing.signal });
    } catch (error) {
      return this.#closing === undefined ? this.#onUnreachable(error as Error) : 0;
    }
    this.#giveUpWaiting = undefined;
    let openedAt: number | undefined;
    const end = await new Promise<SessionEnd>((resolve) => {
      const owner = this.#owner(resolve, () => openedAt = clock.nowMs());
      this.#connection = new Connection(link, platform, this.#plan(), timeoutMs, owner);
      if (this.#closing !== undefined) this.#connection.drop();
    });
    this.#connection = undefined;
    this.#open = undefined;
    return this.#closing === undefined ? this.#onEnd(end, openedAt === undefined ? 0 : clock.nowMs() - openedAt) : 0;
  }

  #plan(): SessionPlan {
    const { secret } = this.#options;
    const canResume = this.#features.includes("resume");
    const mayResume = this.#options.since !== undefined || this.#login?.resume !== undefined;
    return {
      username: this.#username,
      secret,
      register: this.#register,
      features: this.#features,
      resume: canResume && mayResume ? this.#progress.received : undefined,
      heartbeatPort: this.#channel?.port,
      redirects: this.#redirects,
    };
  }

  #owner(onEnd: (end: SessionEnd) => void, onOpened: () => void): ConnectionOwner {
    return {
      onRegistered: () => {
        this.#register = false;
        this.#registered = true;
        this.#tell({ kind: "registered", username: this.#username });
      },
      onOpened: (login) => {
        onOpened();
        this.#onOpened(login);
      },
      onActivity: (broadcast, length) => this.#onActivity(broadcast, length),
      onAcknowledged: (messageId, id) => this.#onAcknowledged(messageId, id),
      onHeartbeat: (heartbeat, answered) => this.#tellHeartbeat(heartbeat, answered, false),
      blockedForMs: () => this.#blockedForMs(),
      onEnd,
    };
  }

  #onOpened(login: LoginSuccessMessage): void {
    const returned = this.#login !== undefined;
    this.#login = login;
    this.#open = this.#connection;
    this.#register = false;
    this.#firstLoginMs ??= this.#platform.clock.nowMs();
    this.#lamport = receive(this.#lamport, login.lamport);
    this.#missed = login.resume?.replayed ?? 0;
    this.#tell({
      kind: "connected",
      server: this.#servers.current,
      serverId: login.serverId,
      returned,
      missed: this.#missed,
    });
    const gaps = login.resume?.gap ?? [];
    if (gaps.length > 0) {
      logger.warn("Some of what was missed is no longer kept by the server: {gaps}", { gaps });
      this.#tell({ kind: "gap", gaps });
    }
    if (this.#progress.begin(login.resume?.vector ?? {}, this.#missed)) this.#tellCaughtUp();
    if (this.#isThrottled) this.#open?.throttle(true);
    for (const entry of [...this.#outbox]) this.#transmit(entry);
    this.#opened.resolve();
  }

  #onActivity({ activity, activityText, id, lamport, sentAt }: ActivityBroadcastMessage, length: number): void {
    this.#lamport = receive(this.#lamport, lamport);
    const arrival = this.#progress.receive(id);
    if (arrival === "duplicate" || arrival === "invalid") {
      logger.warn("Left out an activity that came twice, or without an identity: {id}", { id });
      this.#tell({ kind: "duplicate", id });
      return;
    }
    const { authenticated_user: user, ...rest } = activity;
    this.#queue.push(
      {
        activity: rest,
        // Cut when somebody asks: most do not.
        get json() {
          return withoutMember(activityText, "authenticated_user");
        },
        user: typeof user === "string" ? user : "",
        id,
        lamport,
        sentAt,
      },
      length,
    );
    if (arrival === "caughtUp") this.#tellCaughtUp();
  }

  #onAcknowledged(messageId: string, id: string | undefined): void {
    this.#outbox.acknowledge(messageId, id);
    if (this.#outbox.size === 0) this.#onDrained?.();
  }

  #transmit({ messageId, line }: Unacknowledged): void {
    if (this.#open === undefined) return;
    this.#open.send(line);
    // Nothing will tell that it arrived. Not at once, as the outbox is in the middle of something.
    if (!this.features.includes("ack")) queueMicrotask(() => this.#onAcknowledged(messageId, undefined));
  }

  #onUnreachable(cause: Error): number {
    const server = this.#servers.current;
    this.#tell({ kind: "unreachable", server, info: cause.message });
    this.#servers = nextServer(this.#servers);
    return this.#tryAgain("CLOSED_BY_OTHER_SIDE", unreachable(endpointText(server), cause), { advice: "backoff" });
  }

  /** Decides what follows the end of a connection. Returns how long to wait before the next. */
  #onEnd(end: SessionEnd, lastedMs: number): number {
    const server = endpointText(this.#servers.current);
    switch (end.kind) {
      case "refused":
        return this.#fail(end.refusal.command, refusedError(end.refusal, this.#username, server));
      case "nameTaken":
        this.#register = false;
        return 0;
      case "redirected":
        if (lastedMs >= this.#policy.stableAfterMs) this.#redirects = 0;
        if (++this.#redirects > MAX_REDIRECTS) {
          const error = new ConnectError(
            `Cannot log in: redirected more than ${MAX_REDIRECTS} times, last by ${server}`,
          );
          return this.#fail("REDIRECTED", error);
        }
        this.#servers = redirected(this.#servers, end.server);
        this.#tell({ kind: "redirected", server: end.server });
        return 0;
      case "lost":
      case "endedByServer": {
        const byServer = end.kind === "endedByServer";
        const info = describeEnd(end.reason, end.info);
        if (this.#login !== undefined) this.#tell({ kind: "lost", reason: end.reason, info, byServer });
        else this.#servers = nextServer(this.#servers);
        const error = this.#login === undefined && !byServer
          ? new ConnectError(`Cannot log in at ${server}: ${info}`)
          : new ConnectionEndedError(`The connection to ${server} ended: ${info}`, end.reason);
        return this.#tryAgain(
          end.reason,
          error,
          byServer ? { ...end, lastedMs } : { advice: adviceFor(end.reason), lastedMs },
        );
      }
      case "loggedOut":
        return 0;
    }
  }

  #tryAgain(
    reason: string,
    error: Error,
    { advice, lastedMs = 0, retryAfterMs = 0 }: {
      readonly advice: ReconnectAdvice;
      readonly lastedMs?: number;
      readonly retryAfterMs?: number;
    },
  ): number {
    const { clock, random } = this.#platform;
    const servers = serverCount(this.#servers);
    const ended = { at: clock.nowMs(), lastedMs, advice, retryAfterMs, servers, chance: random() };
    const { state, decision } = stepReconnect(this.#reconnect, ended, this.#policy);
    this.#reconnect = state;
    // Who has never been logged in is told at once, after each server was tried.
    const isHopeless = this.#login === undefined ? state.failures >= servers : this.#options.reconnect === false;
    if (isHopeless || decision.kind === "giveUp") return this.#fail(reason, error);
    if (decision.delayMs > 0) this.#tell({ kind: "waiting", delayMs: decision.delayMs });
    return decision.delayMs;
  }

  get #policy(): ReconnectPolicy {
    return { ...DEFAULT_RECONNECT, ...this.#options.reconnect || {} };
  }

  #fail(reason: string, error: Error): 0 {
    this.#closing ??= { reason, info: error.message, error };
    return 0;
  }

  async #finish(): Promise<void> {
    const info = this.#closing!;
    const error = info.error ?? endedHere();
    this.#queue.end(info.error);
    this.#outbox.fail(error);
    this.#onDrained?.();
    this.#supervisor.stop();
    await this.#channel?.[Symbol.asyncDispose]();
    this.#opened.reject(error);
    this.#closed.resolve(info);
    this.#tell({ kind: "closed", info });
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#platform.clock.after(delayMs, resolve);
      this.#giveUpWaiting = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** Resolves when all is acknowledged, when that has taken too long, or when the connection is gone. */
  async #drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#platform.clock.after(CLOSE_TIMEOUT_MS, resolve);
    this.#onDrained = resolve;
    await promise;
    timer.cancel();
  }

  #blockedForMs(): number {
    const { blockHeartbeatMs = 0 } = this.#options;
    const sinceMs = this.#firstLoginMs === undefined ? 0 : this.#platform.clock.nowMs() - this.#firstLoginMs;
    return Math.max(0, blockHeartbeatMs - sinceMs);
  }

  /** Servers want to hear from clients that asked for no features who publishes, with every activity. */
  #mustSayWho(): boolean {
    return this.#username !== ANONYMOUS && this.features.length === 0;
  }

  #tellHeartbeat({ sequence, of }: HeartbeatMessage, answered: boolean, outOfBand: boolean): void {
    this.#tell({ kind: "heartbeat", sequence, of, answered, outOfBand });
  }

  #tellCaughtUp(): void {
    this.#tell({ kind: "caughtUp", replayed: this.#missed });
  }

  #tell(event: ClientEvent): void {
    this.#options.onEvent?.(event);
  }
}

/** Whether coming back helps when the server has not said so. */
function adviceFor(reason: LostReason): ReconnectAdvice {
  // Something that is no server of ours now may be one again later.
  return reason === "INVALID_MESSAGE" ? "backoff" : CLOSE_REASONS[reason].reconnect;
}
