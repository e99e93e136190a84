/**
 * A server for tests of the client: one log in memory, on a fake network. Answers as docs/protocol.md says in the plainest way there is, and lets a
 * test take over: `onLine` sees every line first, and connections can be written to directly. Several can be one network, with one log.
 */

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
}

/** What the servers of one network have in common: nothing is ever under way between them. */
interface Shared {
  readonly log: Entry[];
  /** Registered names and their secrets. */
  readonly accounts: Map<string, string>;
  /** Message ids, and the `id` of what was published under each. */
  readonly used: Map<string, string>;
  readonly servers: FakeServer[];
}

/** A connection to the server. */
export interface FakeConnection {
  readonly link: Link;
  /** Every line that came. */
  readonly lines: Line[];
  user: string | undefined;
  isGone: boolean;
  send(...messages: Line[]): void;
  /** Sends these, then FIN. */
  end(...messages: Line[]): void;
}

/** How the server behaves. */
export interface FakeServerOptions {
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
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly connections: FakeConnection[] = [];
  readonly shared: Shared;
  /** Returns whether it has dealt with the line. */
  onLine: ((connection: FakeConnection, line: Line) => boolean) | undefined;
  answersHeartbeats = true;
  /** Activities with a lower sequence are forgotten. */
  keepFrom = 1;
  /** For `LOGIN_SUCCESS`. */
  ticket: string | undefined;
  readonly #origin: string;
  readonly #options: FakeServerOptions;
  readonly #transport: Transport;
  #listener: Promise<Listener>;

  constructor(transport: Transport, options: FakeServerOptions = {}) {
    const { host = "server", port = 8000, origin = "s", joins } = options;
    this.endpoint = { host, port };
    this.shared = joins?.shared ?? { log: [], accounts: new Map(), used: new Map(), servers: [] };
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
    const sequence = this.log.filter(({ origin }) => origin === this.#origin).length + 1;
    const entry = { origin: this.#origin, sequence, user, activity, messageId };
    this.log.push(entry);
    for (const connection of this.shared.servers.flatMap(({ connections }) => connections)) {
      if (connection.user !== undefined && !connection.isGone) connection.send(this.#broadcast(entry));
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
    const vector: Record<string, number> = { [this.#origin]: 0 };
    for (const { origin, sequence } of this.log) vector[origin] = sequence;
    const has: Record<string, number> = resume?.vector ?? vector;
    const hasOwn = has[this.#origin] ?? 0;
    const missing = this.log.filter(({ origin, sequence }) => {
      return sequence > (has[origin] ?? 0) && (origin !== this.#origin || sequence >= this.keepFrom);
    });
    const isGap = resume !== undefined && hasOwn + 1 < this.keepFrom;
    connection.send({
      command: "LOGIN_SUCCESS",
      info: "welcome",
      ...(features.length === 0 ? {} : {
        features,
        serverId: this.#origin,
        lamport: 100,
        ...(this.ticket === undefined ? {} : { ticket: this.ticket }),
        heartbeat: this.#options.heartbeat ?? HEARTBEAT,
        resume: {
          vector,
          replayed: missing.length,
          ...(isGap ? { gap: [{ origin: this.#origin, first: hasOwn + 1, last: this.keepFrom - 1 }] } : {}),
        },
      }),
    }, ...missing.map((entry) => this.#broadcast(entry)));
  }

  #broadcast(entry: Entry): Line {
    const { sequence, user, activity, messageId } = entry;
    return {
      command: "ACTIVITY_BROADCAST",
      activity: { ...activity, authenticated_user: user },
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
