/**
 * A client over all its connections. It connects, comes back after a lost connection, asks for missed entries, and
 * sends unacknowledged lines again. `session.ts` and `failover/` decide; `receiving.ts` and `sending.ts` handle the
 * data; `connection.ts` drives one connection.
 */

import { endpointText } from "../config/values.ts";
import { Supervisor } from "../heartbeat/supervisor.ts";
import type { Vector } from "../log/vector.ts";
import type { Link } from "../platform/transport.ts";
import { CLOSE_REASONS } from "../protocol/close_reason.ts";
import type { Feature, LoginSuccessMessage } from "../protocol/message.ts";
import type { UserScope } from "../protocol/presence/presence_message.ts";
import { ANONYMOUS } from "../protocol/names.ts";
import { unlessAborted } from "../platform/abort.ts";
import { ChannelPresence } from "./calls/channel_presence.ts";
import { CLIENT_FEATURES, type ClientParts } from "./calls/client_parts.ts";
import { ClientCalls, type ClientLife } from "./calls/client_calls.ts";
import { beginningOf, checkConnectOptions, checkedPatterns, connectTimeoutOf } from "./calls/known_options.ts";
import { Listeners } from "./calls/listeners.ts";
import { ClientClock } from "./client_clock.ts";
import { Connection, type ConnectionOwner } from "./connection.ts";
import { endedHere } from "./errors.ts";
import { Ending } from "./failover/ending.ts";
import { Failover } from "./failover/failover.ts";
import { Heartbeats } from "./heartbeats.ts";
import { Logins } from "./login/logins.ts";
import type { Activity, Client, ClientEvent, CloseInfo, ConnectOptions, Message, Presence } from "./options.ts";
import type { PageQuestion, WholePage } from "./past.ts";
import { Reading } from "./reading.ts";
import { Receiving } from "./receiving.ts";
import { Sending } from "./sending.ts";
import { Subscriptions } from "./subscriptions.ts";
import type { ChatMessage, SessionEnd, SessionPlan } from "./session.ts";

/** Characters that tell a client from others of the same user, in traces. */
const NODE_LENGTH = 4;
/** How long `close()` waits for acknowledgements. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Connects and logs in, as `connect` in `connect.ts` does, on the caller's platform. Rejects with the same errors. */
export async function openClient(options: ConnectOptions, parts: ClientParts): Promise<Client> {
  checkConnectOptions(options);
  const client = new RunningClient(options, parts);
  await unlessAborted(client.start(), options.signal, () => client.abandon(options.signal!.reason));
  return new ClientCalls(client);
}

class RunningClient implements ClientLife {
  readonly closed: Promise<CloseInfo>;
  readonly listeners = new Listeners();
  readonly #options: ConnectOptions;
  readonly #parts: ClientParts;
  readonly #supervisor: Supervisor;
  readonly #username: string;
  readonly #features: readonly Feature[];
  readonly #failover: Failover;
  readonly #ending: Ending;
  readonly #heartbeats: Heartbeats;
  readonly #time: ClientClock;
  readonly #receiving: Receiving;
  readonly #sending: Sending;
  readonly #reading: Reading;
  readonly #subscriptions: Subscriptions;
  readonly #channelPresence: ChannelPresence;
  readonly #opened = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<CloseInfo>();
  readonly #proofs: Logins;
  #login: LoginSuccessMessage | undefined;
  #connection: Connection | undefined;
  /** The same, while it is logged in. */
  #open: Connection | undefined;
  /** Set once: from then on the client only finishes. */
  #closing: CloseInfo | undefined;
  /** Ends the wait for the next connection: a dial, or a delay. */
  #giveUpWaiting: (() => void) | undefined;

  constructor(options: ConnectOptions, parts: ClientParts) {
    this.#options = options;
    this.#parts = parts;
    this.#supervisor = new Supervisor(parts.clock);
    this.#username = options.username ?? ANONYMOUS;
    this.#features = options.features ?? CLIENT_FEATURES;
    if (options.onEvent !== undefined) this.listeners.add(undefined, options.onEvent);
    const { host, port, servers = [], reconnect } = options;
    this.#failover = new Failover([{ host, port }, ...servers], reconnect);
    this.#ending = new Ending(this.#failover, this.#username, options.register ?? false, {
      tell: (event) => this.#tell(event),
      now: () => ({ at: parts.clock.nowMs(), chance: parts.random() }),
      hasLoggedIn: () => this.#login !== undefined,
      giveUp: (reason, error) => this.#fail(reason, error),
    });
    const { clock, transport, random, writeTrace } = parts;
    // Accounts share one space of message ids, and all anonymous clients one account: 96 bits keep them apart.
    const nonce = Array.from({ length: 3 }, () => Math.floor(random() * 2 ** 32).toString(36)).join("");
    const node = `${this.#username}#${nonce.slice(0, NODE_LENGTH)}`;
    const record = writeTrace && { node, wallMs: () => clock.wallMs(), write: writeTrace };
    this.#time = new ClientClock(options.lamport ?? 0, record);
    this.#proofs = new Logins({
      ...{ username: this.#username, secret: options.secret, features: this.#features, crypto: parts.crypto },
      clearSecrets: options.clearSecrets ?? false,
    });
    this.#heartbeats = new Heartbeats({ clock, transport, time: this.#time, options }, {
      tell: (event) => this.#tell(event),
      connection: () => this.#connection,
      toServer: () => this.#toServer,
    });
    const channels = options.channels && checkedPatterns(options.channels);
    this.#subscriptions = new Subscriptions(channels, { say: (message) => this.#open?.say({ ...message }) });
    this.#channelPresence = new ChannelPresence({
      features: () => this.#open === undefined ? undefined : this.features,
      say: (channel, presence) => this.#open?.say({ command: "LIST_USERS", scope: "online", channel, presence }),
    });
    this.#receiving = new Receiving(beginningOf(options, this.#features), {
      tell: (event) => this.#tell(event),
      onArrival: (id, lamport, isNew) =>
        this.#time.receive(lamport, { event: "receive", id, ...this.#toServer, ...isNew ? {} : { what: "again" } }),
      onPressure: (isHigh) => {
        this.#reading.pressed(isHigh);
        if (!isHigh && this.#receiving.hasLeftOut) {
          // There is room again for the entries that were left out: a new login brings them.
          if (this.features.includes("resume")) this.#connection?.drop();
          else this.#receiving.goOn();
        }
        this.#reading.readOrNot();
      },
      canCatchUp: () => this.features.includes("resume"),
      onDelivered: () => this.#sending.acknowledgeSoon(),
    }, (activity) => this.#subscriptions.isUsual(activity));
    this.#sending = new Sending({
      clock,
      time: this.#time,
      nonce,
      maxLineBytes: options.maxLineBytes,
      open: () => this.#open,
      toServer: () => this.#toServer,
      features: () => this.features,
      // Servers want to hear from clients that asked for no features who publishes, with every activity.
      user: () =>
        this.#username !== ANONYMOUS && this.features.length === 0
          ? { username: this.#username, secret: this.#proofs.secret }
          : undefined,
      delivered: () => this.#receiving.delivered,
    });
    this.#reading = new Reading(clock, {
      throttle: (isThrottled) => this.#open?.throttle(isThrottled),
      isWaiting: () => this.#sending.isWaiting,
    });
    this.closed = this.#closed.promise;
    // A caller of `connect` gets this as its rejection. Without a caller, the runtime must not report it.
    this.#opened.promise.catch(() => {});
  }

  get username(): string {
    return this.#username;
  }

  get registered(): boolean {
    return this.#ending.registered;
  }

  get serverId(): string | undefined {
    return this.#login?.serverId;
  }

  get features(): readonly Feature[] {
    return this.#login?.features ?? [];
  }

  get vector(): Vector {
    return this.#receiving.vector;
  }

  get lamport(): number {
    return this.#time.time;
  }

  get unacknowledged(): number {
    return this.#sending.unacknowledged;
  }

  /** Connects; resolves when the client is logged in. Called once. */
  async start(): Promise<void> {
    this.#time.note({ event: "start" });
    await this.#heartbeats.open();
    // Runs as long as the client. Every failure in it ends in `closed`.
    void this.#run();
    await this.#opened.promise;
  }

  publish(activity: object | string, channel?: string, signal?: AbortSignal): Promise<string | undefined> {
    this.#refuseIfClosed();
    return this.#reading.answered(this.#sending.publish(activity, channel, signal));
  }

  send(to: string, text: string, signal?: AbortSignal): Promise<string> {
    this.#refuseIfClosed();
    return this.#reading.answered(this.#sending.send(to, text, signal));
  }

  users(scope: UserScope, signal?: AbortSignal): Promise<readonly string[]> {
    this.#refuseIfClosed();
    return this.#reading.answered(this.#sending.users(scope, signal));
  }

  readers(channel: string, signal?: AbortSignal): Promise<readonly string[]> {
    this.#refuseIfClosed();
    return this.#reading.answered(this.#sending.readers(channel, signal));
  }

  page(question: PageQuestion, signal?: AbortSignal): Promise<WholePage> {
    this.#refuseIfClosed();
    return this.#reading.answered(this.#sending.page(question, signal));
  }

  async changeAccount(newSecret: string | undefined): Promise<void> {
    this.#refuseIfClosed();
    const timeoutMs = connectTimeoutOf(this.#options);
    await this.#proofs.changeAccount(newSecret, { server: this.#failover.server, timeoutMs }, this.#parts);
  }

  activities(signal?: AbortSignal, channels?: readonly string[]): AsyncIterableIterator<Activity> {
    return this.#receiving.activities(signal, channels && this.#subscriptions.partOf(channels));
  }

  messages(signal?: AbortSignal): AsyncIterableIterator<Message> {
    return this.#receiving.messages(signal);
  }

  presence(signal?: AbortSignal, channel?: string): AsyncIterableIterator<Presence> {
    return this.#receiving.presences(signal, channel === undefined ? undefined : this.#channelPresence.partOf(channel));
  }

  async close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = { reason: "LOGGED_OUT", info: CLOSE_REASONS.LOGGED_OUT.sentence };
      // An iterator that nobody reads any more must keep nobody waiting.
      this.#receiving.end(undefined);
      this.#open?.throttle(false);
      this.#giveUpWaiting?.();
      if (this.#open !== undefined && this.unacknowledged > 0) await this.#sending.drained(CLOSE_TIMEOUT_MS);
      this.#sending.acknowledgeNow();
      this.#connection?.leave();
    }
    await this.closed;
  }

  abandon(reason: unknown): void {
    this.#closing ??= { reason: "LOGGED_OUT", info: CLOSE_REASONS.LOGGED_OUT.sentence };
    this.#opened.reject(reason);
    this.#giveUpWaiting?.();
    this.#connection?.drop();
  }

  #refuseIfClosed(): void {
    if (this.#closing !== undefined) throw this.#closing.error ?? endedHere();
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
      // A fault of this library, or of a callback. Nobody may wait for the client for ever.
      this.#fail("CLIENT_FAILED", error as Error);
    }
    await this.#finish();
  }

  /** Makes a connection and lives through it. Returns how long to wait before the next. */
  async #attempt(): Promise<number> {
    const { clock, transport } = this.#parts;
    const parts = { clock, supervisor: this.#supervisor, hash: this.#parts.crypto };
    const { server } = this.#failover;
    const timeoutMs = connectTimeoutOf(this.#options);
    this.#tell({ kind: "connecting", server });
    const dialing = new AbortController();
    this.#giveUpWaiting = () => dialing.abort();
    let link: Link;
    try {
      link = await transport.dial({ ...server, timeoutMs, signal: dialing.signal, isBackground: this.#mayBeLeft });
    } catch (error) {
      if (this.#closing !== undefined) return 0;
      const { message } = error as Error;
      this.#time.note({ event: "unreachable", peer: endpointText(server), what: message });
      return this.#ending.unreachable(error as Error);
    }
    this.#giveUpWaiting = undefined;
    this.#time.note({ event: "connect", peer: endpointText(server) });
    const end = await new Promise<SessionEnd>((resolve) => {
      this.#connection = new Connection(link, parts, this.#plan(link), timeoutMs, this.#owner(resolve));
      if (this.#closing !== undefined) this.#connection.drop();
    });
    this.#connection = undefined;
    this.#open = undefined;
    this.#receiving.cutOff();
    this.#sending.cutOff();
    if (this.#closing !== undefined) return 0;
    const peer = this.serverId ?? endpointText(this.#failover.server);
    this.#time.note({ event: "closed", peer, what: "reason" in end ? end.reason : end.kind });
    if (end.kind === "clearOnly" && this.#proofs.takesClearWay(endpointText(server), link.remoteHost)) return 0;
    return this.#ending.ended(this.#proofs.afterChange(end));
  }

  #plan({ channel }: Link): SessionPlan {
    const { reads, receive, invitation } = this.#options;
    const canResume = this.#features.includes("resume");
    return {
      username: this.#username,
      ...this.#proofs.planFor(endpointText(this.#failover.server), channel),
      ...{ reads, receive, invitation },
      channels: this.#features.includes("channels") ? this.#subscriptions.login() : undefined,
      register: this.#ending.register,
      features: this.#features,
      resume: canResume ? this.#receiving.received : undefined,
      heartbeatPort: this.#heartbeats.port,
      redirects: this.#failover.redirects,
      last: this.#sending.last,
    };
  }

  #owner(onEnd: (end: SessionEnd) => void): ConnectionOwner {
    return {
      onRegistered: () => {
        this.#ending.nameRegistered();
        this.#time.note({ event: "register", what: this.#username });
        this.#tell({ kind: "registered", username: this.#username });
      },
      onOpened: (login) => this.#onOpened(login),
      onLogin: () => this.#time.login(endpointText(this.#failover.server)),
      derive: (derivation) => this.#proofs.derive(derivation),
      onClock: (lamport) => this.#time.atLeast(lamport),
      onActivity: (broadcast, length) => this.#receiving.activity(broadcast, length),
      onChat: (message, length) => this.#onChat(message, length),
      onChannels: (message) => this.#subscriptions.said(message, (vector) => this.#receiving.stands(vector)),
      onPast: (message) => this.#sending.past(message),
      onAcknowledged: (messageId, id) => this.#sending.acknowledged(messageId, id),
      onAcknowledgedUpTo: (upTo, id) => this.#sending.acknowledgedUpTo(upTo, id),
      onPending: (messageId, info) => this.#tell({ kind: "pending", messageId, info }),
      onPendingUpTo: (upTo, info) => this.#sending.waitingUpTo(upTo).forEach((of) => this.#tell({ ...of, info })),
      // What this client sends always has an id.
      onRefused: ({ messageId, info, reason }) => this.#sending.refused(messageId ?? "", info, reason),
      onHeartbeat: (heartbeat, answered) => this.#heartbeats.came(heartbeat, answered, false),
      onBackups: (named) => this.#tell({ kind: "backups", servers: this.#failover.backups(named, this.serverId) }),
      blockedForMs: () => this.#heartbeats.blockedForMs(),
      onEnd,
    };
  }

  #onOpened(login: LoginSuccessMessage): void {
    this.#time.loggedIn(login.serverId ?? endpointText(this.#failover.server), login.lamport);
    this.#proofs.ticket = login.ticket;
    // A server that redirects at once says nothing about its log: the session begins at the next server.
    if (login.resume === undefined && login.features?.includes("resume")) return;
    const returned = this.#login !== undefined;
    this.#login = login;
    this.#open = this.#connection;
    this.#ending.opened();
    const nowMs = this.#parts.clock.nowMs();
    this.#failover.opened(nowMs);
    this.#heartbeats.opened(nowMs);
    this.#tell({
      kind: "connected",
      server: this.#failover.server,
      serverId: login.serverId,
      returned,
      missed: login.resume?.replayed ?? 0,
    });
    this.#receiving.begin(login);
    this.#reading.readOrNot();
    this.#sending.opened();
    this.#subscriptions.opened(this.features, login.refused);
    const { patterns } = this.#subscriptions.base;
    const refused = patterns.filter((pattern) => login.refused?.includes(pattern) ?? false);
    if (refused.length > 0) this.#tell({ kind: "notAllowed", channels: refused });
    this.#channelPresence.opened();
    this.#opened.resolve();
  }

  #onChat(message: ChatMessage, length: number): void {
    switch (message.command) {
      case "DIRECT_MESSAGE":
        return this.#receiving.message(message, length);
      case "RECEIPT":
        // The record has only entries of the log as received.
        if (message.id === undefined) this.#time.receive(message.lamport);
        // The acknowledgement may have been lost. A delivered message was stored.
        this.#sending.acknowledged(message.messageId, message.of);
        return message.state === "delivered" ? this.#receiving.receipt(message) : undefined;
      case "USER_LIST":
      case "USER_LIST_FAILED":
        if (message.command === "USER_LIST_FAILED") this.#channelPresence.refused(message);
        return this.#sending.answered(message);
      case "PRESENCE":
        this.#time.receive(message.lamport);
        return this.#receiving.presence(message, length);
      case "CAUGHT_UP":
        return this.#receiving.caughtUp(message.vector, message.complete === true);
      default:
        message satisfies never;
    }
  }

  #fail(reason: string, error: Error): void {
    this.#closing ??= { reason, info: error.message, error };
  }

  async #finish(): Promise<void> {
    const info = this.#closing!;
    const error = info.error ?? endedHere();
    this.#receiving.end(info.error);
    this.#sending.fail(error);
    this.#supervisor.stop();
    await this.#heartbeats.close();
    this.#time.note({ event: "stop", what: info.reason });
    await this.#parts.endTrace?.();
    this.#opened.reject(error);
    this.#closed.resolve(info);
    this.#tell({ kind: "closed", info });
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#parts.clock.after(delayMs, resolve);
      if (this.#mayBeLeft) timer.unref?.();
      this.#giveUpWaiting = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** Whether the program may end while this client waits for a connection. */
  get #mayBeLeft(): boolean {
    return this.#options.persistent === false && this.#login !== undefined;
  }

  /** The server, for the trace. */
  get #toServer(): { readonly peer?: string } {
    return this.serverId === undefined ? {} : { peer: this.serverId };
  }

  #tell(event: ClientEvent): void {
    this.listeners.tell(event);
  }
}
