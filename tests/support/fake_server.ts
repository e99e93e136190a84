/**
 * A server for tests of the client: one log in memory, on a fake network. Answers as docs/protocol.md says in the
 * plainest way there is, and lets a test take over: `onLine` sees every line first, and connections can be written to
 * directly. Several can be one network, with one log.
 */

import type { Endpoint } from "../../platform/address.ts";
import type { Link, Listener, Transport } from "../../platform/transport.ts";

/** A line, read as JSON. */
// deno-lint-ignore no-explicit-any
export type Line = Record<string, any>;

interface Entry {
  readonly origin: string;
  readonly sequence: number;
  readonly user: string;
  readonly activity: Line;
  readonly messageId?: string | undefined;
  /** A direct message or a receipt: whom it is for, and what the line has beside its place in the log. */
  readonly only?: { readonly to: string; readonly line: Line };
}

/** What the servers of one network have in common: nothing is ever under way between them. */
interface Shared {
  readonly log: Entry[];
  /** Registered names and their secrets. */
  readonly accounts: Map<string, string>;
  /** Message ids, and the `id` of what was published under each. */
  readonly used: Map<string, string>;
  /** Direct messages that were delivered. */
  readonly delivered: Set<Entry>;
  readonly servers: FakeServer[];
}

/** A connection to the server. */
export interface FakeConnection {
  readonly link: Link;
  /** Every line that came. */
  readonly lines: Line[];
  user: string | undefined;
  /** What it asked for when it logged in. */
  features: readonly string[];
  isGone: boolean;
  send(...messages: Line[]): void;
  /** Sends these, then FIN. */
  end(...messages: Line[]): void;
}

/** How the server behaves. */
export interface FakeServerParts {
  readonly host?: string;
  readonly port?: number;
  readonly origin?: string;
  /** Another server of the same network. */
  readonly joins?: FakeServer;
  readonly heartbeat?: { readonly idleTimeoutMs: number; readonly intervalMs: number; readonly count: number };
}

const HEARTBEAT = { idleTimeoutMs: 30_000, intervalMs: 10_000, count: 3 };

/** Listens from the moment it is made. */
export class FakeServer {
  readonly endpoint: Endpoint;
  readonly connections: FakeConnection[] = [];
  readonly shared: Shared;
  /** Returns whether it has dealt with the line. */
  onLine: ((connection: FakeConnection, line: Line) => boolean) | undefined;
  answersHeartbeats = true;
  /** Activities with a lower sequence are forgotten. */
  keepFrom = 1;
  /** A page of the past has no more activities. */
  pageSize = 500;
  /** For `LOGIN_SUCCESS`. */
  ticket: string | undefined;
  /** Whether CAUGHT_UP is sent by itself. */
  tellsCaughtUp = true;
  /** Those of the features that it serves. */
  features: readonly string[] = ["heartbeat", "presence", "ack", "resume", "chat", "history"];
  readonly #origin: string;
  readonly #options: FakeServerParts;
  readonly #transport: Transport;
  #listener: Promise<Listener>;

  constructor(transport: Transport, options: FakeServerParts = {}) {
    const { host = "server", port = 8000, origin = "s", joins } = options;
    this.endpoint = { host, port };
    this.shared = joins?.shared ?? {
      log: [],
      accounts: new Map(),
      used: new Map(),
      delivered: new Set(),
      servers: [],
    };
    this.shared.servers.push(this);
    this.#origin = origin;
    this.#options = options;
    this.#transport = transport;
    this.#listener = this.#listen();
  }

  /** As it stands in a BACKUP_LIST. */
  get wire(): Line {
    return { serverId: this.#origin, ...this.endpoint };
  }

  get log(): Entry[] {
    return this.shared.log;
  }

  get accounts(): Map<string, string> {
    return this.shared.accounts;
  }

  /** As `kill -9` does: the connections are gone, and nothing listens there any more. */
  async kill(): Promise<void> {
    await (await this.#listener).close();
    for (const connection of this.connections) {
      connection.isGone = true;
      connection.link.destroy();
    }
  }

  /** Listens again after `kill`. */
  restart(): void {
    this.#listener = this.#listen();
  }

  /** The newest connection. */
  get newest(): FakeConnection {
    return this.connections.at(-1)!;
  }

  /** Lines that came on all connections, in the order of these. */
  get lines(): Line[] {
    return this.connections.flatMap(({ lines }) => lines);
  }

  /** Lines of this command, as `lines`. */
  got(command: string): Line[] {
    return this.lines.filter((line) => line.command === command);
  }

  /** Somebody publishes: everyone who is logged in gets it. */
  publish(activity: Line, user = "other", messageId?: string): Entry {
    return this.#append({ user, activity, messageId });
  }

  /** Somebody writes to a user. */
  write(to: string, text: string, from = "other", messageId?: string): Entry {
    const line = { command: "DIRECT_MESSAGE", from, to, text };
    return this.#append({ user: from, activity: {}, messageId, only: { to, line } });
  }

  /** Everybody who wants to know is told. */
  tellPresence(event: string, username: string): void {
    for (const connection of this.#present) {
      if (connection.features.includes("presence")) {
        connection.send({ command: "PRESENCE", event, username, lamport: 100 + this.log.length });
      }
    }
  }

  /** Connections that are logged in, at all servers. */
  get #present(): FakeConnection[] {
    return this.shared.servers.flatMap(({ connections }) => connections)
      .filter(({ user, isGone }) => user !== undefined && !isGone);
  }

  #append(rest: Omit<Entry, "origin" | "sequence">): Entry {
    const sequence = this.log.filter(({ origin }) => origin === this.#origin).length + 1;
    const entry = { origin: this.#origin, sequence, ...rest };
    this.log.push(entry);
    for (const connection of this.#present) {
      if (entry.only === undefined || entry.only.to === connection.user) connection.send(this.#broadcast(entry));
    }
    return entry;
  }

  /** The fake network listens at once, whatever the promise says. */
  #listen(): Promise<Listener> {
    return this.#transport.listen(this.endpoint, (link) => this.#accept(link));
  }

  #accept(link: Link): void {
    const encoder = new TextEncoder();
    const decoder = new TextDecoder();
    let text = "";
    const connection: FakeConnection = {
      link,
      lines: [],
      user: undefined,
      features: [],
      isGone: false,
      send: (...messages) => {
        link.write(encoder.encode(messages.map((message) => `${JSON.stringify(message)}\n`).join("")));
      },
      end: (...messages) => {
        connection.send(...messages);
        connection.isGone = true;
        link.end(1000);
      },
    };
    this.connections.push(connection);
    link.attach({
      onData: (bytes) => {
        const lines = (text + decoder.decode(bytes, { stream: true })).split("\n");
        text = lines.pop()!;
        for (const line of lines) this.#take(connection, JSON.parse(line));
      },
      onDrain: () => {},
      onFinish: () => connection.end(),
      onEnd: () => connection.isGone = true,
    });
  }

  #take(connection: FakeConnection, line: Line): void {
    connection.lines.push(line);
    if (this.onLine?.(connection, line)) return;
    switch (line.command) {
      case "REGISTER":
        if (this.accounts.has(line.username)) {
          connection.end({ command: "REGISTER_FAILED", info: "this name is taken", reason: "NAME_TAKEN" });
        } else {
          this.accounts.set(line.username, line.secret);
          connection.send({ command: "REGISTER_SUCCESS", info: "" });
        }
        break;
      case "LOGIN":
        this.#login(connection, line);
        break;
      case "ACTIVITY_MESSAGE": {
        const { activity, messageId } = line;
        const { used } = this.shared;
        const id = used.get(messageId) ?? idOf(this.publish(activity, connection.user, messageId));
        if (messageId === undefined) break;
        used.set(messageId, id);
        connection.send({ command: "ACTIVITY_ACK", messageId, id });
        break;
      }
      case "DIRECT_MESSAGE": {
        const { to, text, messageId } = line;
        if (!this.accounts.has(to)) {
          connection.send({ command: "DIRECT_MESSAGE_FAILED", messageId, info: "there is no user with this name" });
          break;
        }
        const { used } = this.shared;
        const of = used.get(messageId) ?? idOf(this.write(to, text, connection.user, messageId));
        used.set(messageId, of);
        connection.send({ command: "RECEIPT", messageId, state: "stored", of, to, lamport: 100 + this.log.length });
        break;
      }
      case "ACK":
        for (const entry of this.#inbox(connection.user)) {
          if (entry.sequence <= (line.vector[entry.origin] ?? 0)) this.#deliver(entry);
        }
        break;
      case "LIST_USERS": {
        const all = line.scope === "all" ? [...this.accounts.keys()] : this.#present.map(({ user }) => user);
        connection.send({ command: "USER_LIST", scope: line.scope, users: [...new Set(all)].sort() });
        break;
      }
      case "HISTORY":
        connection.send(...this.#past(line));
        break;
      case "HEARTBEAT":
        if (this.answersHeartbeats) connection.send({ command: "HEARTBEAT_ACK", sequence: line.sequence });
        break;
      case "LOGOUT":
        connection.end();
    }
  }

  #login(connection: FakeConnection, { username, secret, features = [], resume }: Line): void {
    if (username !== "anonymous" && this.accounts.get(username) !== secret) {
      connection.end({ command: "LOGIN_FAILED", info: "the secret is wrong", reason: "WRONG_SECRET" });
      return;
    }
    connection.user = username;
    const inForce = this.features.filter((feature) => features.includes(feature));
    connection.features = inForce;
    const vector: Record<string, number> = { [this.#origin]: 0 };
    for (const { origin, sequence } of this.log) vector[origin] = sequence;
    const has: Record<string, number> = resume?.vector ?? vector;
    const hasOwn = has[this.#origin] ?? 0;
    const missing = this.log.filter(({ origin, sequence, only }) => {
      return (only === undefined || only.to === username) && sequence > (has[origin] ?? 0) &&
        (origin !== this.#origin || sequence >= this.keepFrom);
    });
    const isGap = resume !== undefined && hasOwn + 1 < this.keepFrom;
    connection.send({
      command: "LOGIN_SUCCESS",
      info: "welcome",
      ...(features.length === 0 ? {} : {
        features: inForce,
        serverId: this.#origin,
        lamport: 100,
        ...(this.ticket === undefined ? {} : { ticket: this.ticket }),
        heartbeat: this.#options.heartbeat ?? HEARTBEAT,
        resume: {
          vector,
          replayed: missing.filter(({ only }) => only === undefined).length,
          ...(isGap ? { gap: [{ origin: this.#origin, first: hasOwn + 1, last: this.keepFrom - 1 }] } : {}),
        },
      }),
    }, ...missing.map((entry) => this.#broadcast(entry)));
    if (!inForce.includes("chat")) return;
    const inbox = resume === undefined ? this.#inbox(username) : [];
    for (const entry of inbox) connection.send({ ...this.#broadcast(entry), offline: true });
    if (this.tellsCaughtUp) connection.send({ command: "CAUGHT_UP", vector });
  }

  /** A page of the past. */
  #past({ limit = 20, before, since }: Line): Line[] {
    const ids = this.log.map(idOf);
    for (const id of [before, since]) {
      if (typeof id === "string" && !ids.includes(id)) {
        return [{ command: "HISTORY_FAILED", reason: "UNKNOWN_ENTRY", info: "there is no such entry" }];
      }
    }
    const all = this.log.filter((entry) => entry.only === undefined && entry.sequence >= this.keepFrom);
    const from = typeof since === "string" ? ids.indexOf(since) + 1 : 0;
    const asked = this.log.slice(from, before === undefined ? undefined : ids.indexOf(before))
      .filter((entry) => all.includes(entry))
      .map((entry) => this.#broadcast(entry))
      .filter(({ sentAt }) => typeof since !== "number" || sentAt >= since);
    const page = asked.slice(-Math.min(limit, this.pageSize));
    const more = page.length < asked.length;
    const begins = all.length === 0 ? {} : { begins: { id: idOf(all[0]!), at: 5 } };
    const end = { command: "HISTORY_PAGE", past: true, count: page.length, more, ...begins };
    return [
      ...page.map((line) => ({ ...line, past: true })),
      { ...end, ...(more ? { before: page[0]!.id } : {}), ...(this.keepFrom > 1 ? { forgotten: true } : {}) },
    ];
  }

  /** Direct messages for a user that are not delivered yet. */
  #inbox(username: string | undefined): Entry[] {
    return this.log.filter((entry) => {
      const { only } = entry;
      return only?.line.command === "DIRECT_MESSAGE" && only.to === username && !this.shared.delivered.has(entry);
    });
  }

  #deliver(entry: Entry): void {
    const { user, messageId, only } = entry;
    this.shared.delivered.add(entry);
    const line = { command: "RECEIPT", state: "delivered", of: idOf(entry), to: only!.to };
    this.#append({ user, activity: {}, messageId, only: { to: user, line } });
  }

  #broadcast(entry: Entry): Line {
    const { sequence, user, activity, messageId, only } = entry;
    return {
      ...(only === undefined
        ? { command: "ACTIVITY_BROADCAST", activity: { ...activity, authenticated_user: user } }
        : only.line),
      id: idOf(entry),
      lamport: 100 + sequence,
      sentAt: 1_000_000 + sequence,
      ...(messageId === undefined ? {} : { messageId }),
    };
  }
}

function idOf({ origin, sequence }: Entry): string {
  return `${origin}:${sequence}`;
}
