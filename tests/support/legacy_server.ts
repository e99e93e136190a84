/**
 * Servers of the older dialect as they were observed, on real sockets, as far as a peer can tell: families A and S,
 * with what breaks their links. They do nothing by themselves: a test lets 5 seconds pass with `tick()`. Their clients
 * are not connections but calls: `register`, `logIn`, `publish`, and `delivered`.
 */

import { connect, type Socket } from "node:net";
import { deadline } from "@std/async/deadline";
import { PATIENCE_MS, type Received } from "./line_client.ts";

/** What both families have in common: a link to one other server, and its end. */
abstract class LegacyServer implements AsyncDisposable {
  /** All lines that came, over all links. */
  readonly lines: string[] = [];
  /** Activities that its clients got, in order. */
  readonly delivered: Received[] = [];
  /** Why its reader has died, with the link still open, as nobody looks at it any more. */
  zombie: string | undefined;
  /** What it was refused with. */
  refusal: Received | undefined;
  #socket: Socket | undefined;
  #closed: Promise<void> = Promise.resolve();
  #isClosed = true;
  #wake: (() => void)[] = [];

  constructor(readonly serverId: string, protected readonly secret: string) {}

  /** Whether the link is up. */
  get isLinked(): boolean {
    return !this.#isClosed;
  }

  /** Makes a link to the server at `port`, and says who it is. */
  async join(port: number): Promise<void> {
    const socket = connect({ port, host: "127.0.0.1" });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.once("connect", () => resolve());
    });
    this.#socket = socket;
    this.#isClosed = false;
    this.zombie = undefined;
    let text = "";
    const decoder = new TextDecoder();
    socket.on("data", (bytes: Uint8Array) => {
      const lines = (text + decoder.decode(bytes, { stream: true })).split("\n");
      text = lines.pop()!;
      for (const line of lines) this.#read(line);
      this.#wakeAll();
    });
    socket.on("error", () => {});
    this.#closed = new Promise((resolve) =>
      socket.on("close", () => {
        this.#isClosed = true;
        this.linkLost();
        resolve();
        this.#wakeAll();
      })
    );
    this.greet();
  }

  /** Sends bytes as they are. */
  sendRaw(text: string): void {
    this.#socket!.write(text);
  }

  /** It is killed: the link ends without a word. */
  async die(): Promise<void> {
    this.#socket?.destroy();
    await this.#closed;
  }

  /** It reads nothing any more, and does not say so. */
  stopReading(): void {
    this.#socket!.pause();
  }

  /** Waits until `condition` holds, which is looked at whenever something came. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const holds = async () => {
      while (!condition()) await new Promise<void>((resolve) => this.#wake.push(resolve));
    };
    try {
      await deadline(holds(), PATIENCE_MS);
    } catch (error) {
      if ((error as Error).name !== "TimeoutError") throw error;
      const state = `zombie: ${this.zombie}, linked: ${this.isLinked}, the last lines: ${
        this.lines.slice(-8).join("\n")
      }`;
      throw new Error(`No ${what} within ${PATIENCE_MS} ms; ${state}`);
    }
  }

  /** Waits until the link is closed. */
  untilClosed(): Promise<void> {
    return this.until(() => this.#isClosed, "end of the link");
  }

  /** Waits until its clients have got that many activities, and gives them. */
  async untilDelivered(count: number): Promise<Received[]> {
    await this.until(() => this.delivered.length >= count, `${count} activities`);
    return this.delivered;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.destroy();
    await this.#closed;
  }

  /** What it does every 5 seconds. */
  abstract tick(): void;
  protected abstract greet(): void;
  protected abstract linkLost(): void;
  protected abstract take(message: Received): void;
  /** A line came that is no JSON object. */
  protected abstract takeNonsense(line: string): void;

  protected send(message: Received): void {
    if (!this.#isClosed) this.sendRaw(`${JSON.stringify(message)}\n`);
  }

  protected changed(): void {
    this.#wakeAll();
  }

  #read(line: string): void {
    this.lines.push(line);
    if (this.zombie !== undefined) return;
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      return this.takeNonsense(line);
    }
    if (typeof message !== "object" || message === null) return this.takeNonsense(line);
    const received = message as Received;
    if (received.command === "AUTHENTICATION_FAIL" || received.command === "INVALID_MESSAGE") this.refusal = received;
    else this.take(received);
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** An account of an A. */
interface AUser {
  secret: string;
  online: boolean;
  updateTime: number;
}

/** A server of family A. Its users and its history outlive its links, as they do on its disk. */
export class FamilyA extends LegacyServer {
  readonly users = new Map<string, AUser>();
  /** With the send time as the key: two of one time are one to it. */
  readonly history = new Map<number, Received>();
  /** Where it would go if its parent were lost. */
  backups: Received[] = [];
  /** Loads of servers, by their names. */
  readonly servers = new Map<string, number>();
  /** Commands that it did not know: logged, and ignored. */
  readonly unknown: string[] = [];
  /** It opens its own listener only when its parent has answered. */
  isListening = false;
  readonly #registrations = new Map<string, { secret: string; settled: (isAllowed: boolean) => void }>();
  #lastSendTime = 0;

  /** One of its clients registers; whether it may. Waits as long as it takes. */
  register(username: string, secret: string): Promise<boolean> {
    if (this.users.has(username)) return Promise.resolve(false);
    this.send({ command: "LOCK_REQUEST", username, secret });
    return new Promise((resolve) => this.#registrations.set(username, { secret, settled: resolve }));
  }

  /** Whether one of its clients could log in with that. */
  logIn(username: string, secret: string): boolean {
    return this.users.get(username)?.secret === secret;
  }

  /** One of its clients publishes. While there is no link it goes into the history alone. */
  publish(username: string, activity: Received, sendTime = this.#nextSendTime()): void {
    const own = { ...activity, authenticated_user: username };
    const entry = {
      id: hashOf(JSON.stringify(own)),
      activity: own,
      updateTime: sendTime,
      sendTime,
      isDelivered: false,
    };
    this.history.set(sendTime, entry);
    this.delivered.push(own);
    this.send({ command: "ACTIVITY_BROADCAST", ...entry });
  }

  /** Passes an activity on that came from another A behind it: without a command. */
  relay(activity: Received): void {
    const sendTime = this.#nextSendTime();
    this.send({ id: hashOf(JSON.stringify(activity)), activity, updateTime: sendTime, sendTime, isDelivered: false });
  }

  override tick(): void {
    this.#announce();
    this.send({ command: "BACKUP_LIST", servers: [] });
    const users = [...this.users].map(([username, user]) => ({ username, ...user }));
    this.send({ command: "USER_SYNC", user_list: users });
    const list = [...this.history.values()];
    this.send({
      command: "ACTIVITY_SYNC",
      activity_entity: [...this.users.keys(), "anonymous"].map((owner) => ({ owner, activity_list: list })),
    });
  }

  protected override greet(): void {
    this.send({ command: "AUTHENTICATE", serverId: this.serverId, secret: this.secret, host: "127.0.0.1", port: 3780 });
  }

  protected override linkLost(): void {
    this.isListening = false;
  }

  protected override takeNonsense(line: string): void {
    this.zombie = `a line that is no JSON: ${line}`;
  }

  protected override take(message: Received): void {
    const { command, username } = message;
    switch (command) {
      case "AUTHENTICATION_SUCC":
        return this.#onSuccess(message);
      case "SERVER_ANNOUNCE":
        if (typeof message.serverId === "string") this.servers.set(message.serverId, message.load);
        return;
      case "BACKUP_LIST":
        this.backups = message.servers;
        return;
      case "ACTIVITY_BROADCAST":
      case undefined:
        return this.#onActivity(message);
      case "USER_SYNC":
        for (const user of message.user_list) this.#onUser(user);
        return;
      case "USER_UPDATE":
        return this.#onUser(message);
      case "LOCK_REQUEST":
        return this.send({ ...message, command: this.users.has(username) ? "LOCK_DENIED" : "LOCK_ALLOWED" });
      case "LOCK_ALLOWED":
      case "LOCK_DENIED":
        return this.#onLockAnswer(message, command === "LOCK_ALLOWED");
      case "USER_REGISTER_RESULT":
        // A clash deletes the account, whoever had it first.
        if (message.result === "FAIL") this.users.delete(username);
        return;
      case "ACTIVITY_SYNC":
      case "ACTIVITY_UPDATE":
        return;
    }
    this.unknown.push(command);
  }

  #onSuccess({ serverId, server_list, user_list, activity_entity }: Received): void {
    if (typeof serverId !== "string" || ![server_list, user_list, activity_entity].every(Array.isArray)) {
      this.zombie = "AUTHENTICATION_SUCC lacks a list";
      return;
    }
    for (const user of user_list) this.#onUser(user);
    this.isListening = true;
    this.#announce();
  }

  #onActivity(message: Received): void {
    if (typeof message.isDelivered !== "boolean") {
      this.zombie = "an activity without isDelivered";
      return;
    }
    if (this.history.has(message.sendTime)) return;
    const { command: _, ...entry } = message;
    // Under an id of its own, and written anew.
    const activity = writtenAnew(message.activity);
    this.history.set(message.sendTime, { ...entry, activity, id: hashOf(JSON.stringify(activity)) });
    this.delivered.push(message.activity);
  }

  #onUser({ username, secret, online, updateTime }: Received): void {
    const known = this.users.get(username);
    if (known === undefined || known.updateTime < updateTime) this.users.set(username, { secret, online, updateTime });
  }

  #onLockAnswer({ username, secret }: Received, isAllowed: boolean): void {
    const registration = this.#registrations.get(username);
    if (registration === undefined || registration.secret !== secret) return;
    this.#registrations.delete(username);
    if (isAllowed) {
      const user = { secret, online: true, updateTime: Date.now() };
      this.users.set(username, user);
      this.send({ command: "USER_UPDATE", username, ...user });
    } else this.send({ command: "USER_REGISTER_RESULT", result: "FAIL", username, secret });
    registration.settled(isAllowed);
  }

  #announce(): void {
    const updateTime = Date.now();
    const rest = { load: 0, ip: "127.0.0.1", port: 3780, online: true, updateTime, action: "UPDATE_OR_INSERT" };
    this.send({ command: "SERVER_ANNOUNCE", serverId: this.serverId, ...rest });
  }

  #nextSendTime(): number {
    return this.#lastSendTime = Math.max(Date.now(), this.#lastSendTime + 1);
  }
}

/** What an S understands; anything else kills its reader. */
const KNOWN_TO_S = ["SERVER_ANNOUNCE", "ACTIVITY_BROADCAST", "LOCK_REQUEST", "LOCK_ALLOWED", "LOCK_DENIED"];

/** A server of family S. It keeps accounts, and no history. */
export class FamilyS extends LegacyServer {
  readonly users = new Map<string, string>();
  /** The lines of `delivered`, which its clients get as they came. */
  readonly deliveredLines: string[] = [];
  /** Loads of servers that it has heard of, by their names. */
  readonly servers = new Map<string, number>();
  readonly #registrations = new Map<
    string,
    { secret: string; missing: Set<string>; settled: (isAllowed: boolean) => void }
  >();

  /**
   * One of its clients registers: waits, as long as it takes, for one LOCK_ALLOWED from each server
   * that it has heard of.
   */
  register(username: string, secret: string): Promise<boolean> {
    if (this.users.has(username)) return Promise.resolve(false);
    this.users.set(username, secret);
    if (this.servers.size === 0) return Promise.resolve(true);
    this.send({ command: "LOCK_REQUEST", username, secret });
    const missing = new Set(this.servers.keys());
    return new Promise((resolve) => this.#registrations.set(username, { secret, missing, settled: resolve }));
  }

  /** Whether one of its clients could log in with that. */
  logIn(username: string, secret: string): boolean {
    return this.users.get(username) === secret;
  }

  /** One of its clients publishes. */
  publish(username: string, activity: Received): void {
    const own = { ...activity, authenticated_user: username };
    this.delivered.push(own);
    this.send({ command: "ACTIVITY_BROADCAST", activity: own });
  }

  override tick(): void {
    this.send({ command: "SERVER_ANNOUNCE", id: this.serverId, load: 0, hostname: "127.0.0.1", port: 3780 });
  }

  protected override greet(): void {
    this.send({ command: "AUTHENTICATE", secret: this.secret });
    this.tick();
  }

  protected override linkLost(): void {
    this.servers.clear();
  }

  protected override takeNonsense(): void {
    this.send({ command: "INVALID_MESSAGE", info: "no JSON" });
  }

  protected override take(message: Received): void {
    const { command, username, secret } = message;
    if (!KNOWN_TO_S.includes(command)) {
      this.zombie = `a command that it does not know: ${command}`;
      return;
    }
    switch (command) {
      case "SERVER_ANNOUNCE":
        this.servers.set(message.id, message.load);
        return;
      case "ACTIVITY_BROADCAST":
        this.deliveredLines.push(this.lines.at(-1)!);
        this.delivered.push(message.activity);
        return;
      case "LOCK_REQUEST": {
        const known = this.users.get(username);
        const isAllowed = known === undefined || known === secret;
        if (isAllowed) this.users.set(username, secret);
        return this.send({ ...message, command: isAllowed ? "LOCK_ALLOWED" : "LOCK_DENIED" });
      }
      case "LOCK_ALLOWED":
      case "LOCK_DENIED":
        return this.#onLockAnswer(message, command === "LOCK_ALLOWED");
    }
  }

  #onLockAnswer({ username, secret, server }: Received, isAllowed: boolean): void {
    if (isAllowed && typeof server !== "string") this.zombie = "LOCK_ALLOWED does not say which server it is of";
    const registration = this.#registrations.get(username);
    if (this.zombie !== undefined || registration === undefined || registration.secret !== secret) return;
    if (isAllowed) {
      // It counts answers, as it cannot tell who they are from.
      registration.missing.delete(registration.missing.values().next().value!);
      if (registration.missing.size > 0) return;
    } else this.users.delete(username);
    this.#registrations.delete(username);
    registration.settled(isAllowed);
  }
}

/** As A writes what it has read: in an order of its own, and without what is null. */
function writtenAnew(activity: Received): Received {
  const members = Object.entries(activity).filter(([, value]) => value !== null);
  return Object.fromEntries(members.toSorted(([a], [b]) => b < a ? -1 : 1));
}

/** As A makes the `id` of an activity: of its text, so that equal texts have equal ones. */
function hashOf(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (31 * hash + text.charCodeAt(at)) | 0;
  return hash;
}
