/**
 * A server for tests of the client: one log in memory, on a fake network. Answers as docs/protocol.md says in the plainest way there is, and lets a
 * test take over: `onLine` sees every line first, and connections can be written to directly.
 */

import type { Link, Transport } from "../../platform/transport.ts";

/** A line, read as JSON. */
// deno-lint-ignore no-explicit-any
export type Line = Record<string, any>;

interface Entry {
  readonly sequence: number;
  readonly user: string;
  readonly activity: Line;
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
  readonly heartbeat?: { readonly idleTimeoutMs: number; readonly intervalMs: number; readonly count: number };
}

const HEARTBEAT = { idleTimeoutMs: 30_000, intervalMs: 10_000, count: 3 };

/** Listens from the moment it is made. */
export class FakeServer {
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly connections: FakeConnection[] = [];
  readonly log: Entry[] = [];
  /** Registered names and their secrets. */
  readonly accounts = new Map<string, string>();
  /** Returns whether it has dealt with the line. */
  onLine: ((connection: FakeConnection, line: Line) => boolean) | undefined;
  answersHeartbeats = true;
  /** Activities with a lower sequence are forgotten. */
  keepFrom = 1;
  readonly #used = new Map<string, number>();
  readonly #origin: string;
  readonly #options: FakeServerOptions;

  constructor(transport: Transport, options: FakeServerOptions = {}) {
    const { host = "server", port = 8000, origin = "s" } = options;
    this.endpoint = { host, port };
    this.#origin = origin;
    this.#options = options;
    // The fake network listens at once, whatever the promise says.
    void transport.listen(this.endpoint, (link) => this.#accept(link));
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
  publish(activity: Line, user = "other"): Entry {
    const entry = { sequence: this.log.length + 1, user, activity };
    this.log.push(entry);
    for (const connection of this.connections) {
      if (connection.user !== undefined && !connection.isGone) connection.send(this.#broadcast(entry));
    }
    return entry;
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
        const sequence = this.#used.get(messageId) ?? this.publish(activity, connection.user).sequence;
        if (messageId === undefined) break;
        this.#used.set(messageId, sequence);
        connection.send({ command: "ACTIVITY_ACK", messageId, id: `${this.#origin}:${sequence}` });
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
    const has = resume?.vector[this.#origin] ?? this.log.length;
    const missing = resume === undefined
      ? []
      : this.log.filter(({ sequence }) => sequence > has && sequence >= this.keepFrom);
    const isGap = resume !== undefined && has + 1 < this.keepFrom;
    connection.send({
      command: "LOGIN_SUCCESS",
      info: "welcome",
      ...(features.length === 0 ? {} : {
        features,
        serverId: this.#origin,
        lamport: 100,
        heartbeat: this.#options.heartbeat ?? HEARTBEAT,
        resume: {
          vector: { [this.#origin]: this.log.length },
          replayed: missing.length,
          ...(isGap ? { gap: [{ origin: this.#origin, first: has + 1, last: this.keepFrom - 1 }] } : {}),
        },
      }),
    }, ...missing.map((entry) => this.#broadcast(entry)));
  }

  #broadcast({ sequence, user, activity }: Entry): Line {
    return {
      command: "ACTIVITY_BROADCAST",
      activity: { ...activity, authenticated_user: user },
      id: `${this.#origin}:${sequence}`,
      lamport: 100 + sequence,
      sentAt: 1_000_000 + sequence,
    };
  }
}
