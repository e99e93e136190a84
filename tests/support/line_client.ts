/**
 * A raw client for tests: sends exactly the bytes it is told to, and waits for lines instead of sleeping. It knows
 * nothing of thrum's own client.
 */

import { connect, type Socket } from "node:net";
import { deadline } from "@std/async/deadline";
import { ClientFrames, closeFrame } from "./websocket_frames.ts";

/** A line that came, read as JSON. */
// deno-lint-ignore no-explicit-any
export type Received = Record<string, any>;

/** How long anything may take before a test fails. Generous: it is only reached when something is wrong. */
export const PATIENCE_MS = 20_000;

/** One TCP connection; what goes over it are lines, or frames of a WebSocket. */
export class LineClient implements AsyncDisposable {
  /** Every line that came, in order. */
  readonly received: Received[] = [];
  /** Told of each line as it comes. */
  onMessage: ((message: Received) => void) | undefined;
  readonly #socket: Socket;
  readonly #frames: ClientFrames | undefined;
  readonly #closed: Promise<void>;
  #isClosed = false;
  #hasFinished = false;
  #text = "";
  #wake: (() => void)[] = [];

  private constructor(socket: Socket, frames?: ClientFrames) {
    this.#socket = socket;
    this.#frames = frames;
    const decoder = new TextDecoder();
    socket.on("data", (received: Uint8Array) => {
      const bytes = frames === undefined ? received : frames.hear(received);
      if (frames?.closeCode !== undefined) this.finish();
      const lines = (this.#text + decoder.decode(bytes, { stream: true })).split("\n");
      this.#text = lines.pop()!;
      for (const line of lines) {
        const message = JSON.parse(line);
        this.received.push(message);
        this.onMessage?.(message);
      }
      this.#wakeAll();
    });
    socket.on("error", () => {});
    this.#closed = new Promise((resolve) =>
      socket.on("close", () => {
        this.#isClosed = true;
        resolve();
        this.#wakeAll();
      })
    );
  }

  static async connect(port: number, host = "127.0.0.1"): Promise<LineClient> {
    return new LineClient(await connected(port, host));
  }

  /** A client that talks through a WebSocket. `headers` go with the request to upgrade. */
  static async connectWebSocket(
    port: number,
    host = "127.0.0.1",
    headers: Readonly<Record<string, string>> = {},
  ): Promise<LineClient> {
    const frames = new ClientFrames();
    const client = new LineClient(await connected(port, host), frames);
    client.#socket.write(frames.upgrade(`${host}:${port}`, headers));
    try {
      await client.until(() => frames.answer !== "", "an answer to the upgrade");
      if (!frames.isUpgraded) throw new Error(`No upgrade: ${frames.answer}`);
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A client that has logged in. */
  static async loggedIn(port: number, login: Received = {}): Promise<LineClient> {
    return await (await LineClient.connect(port)).loggedIn(login);
  }

  /** This client, logged in. */
  async loggedIn(login: Received = {}): Promise<LineClient> {
    this.send({ command: "LOGIN", username: "anonymous", ...login });
    await this.next("LOGIN_SUCCESS");
    return this;
  }

  get localPort(): number {
    return this.#socket.localPort!;
  }

  /** What the frames of a WebSocket came to. */
  get frames(): ClientFrames | undefined {
    return this.#frames;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends objects as lines. */
  send(...messages: Received[]): void {
    this.sendRaw(messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
  }

  /** Sends bytes of lines: as they are, or each line as a frame. */
  sendRaw(bytes: string | Uint8Array): void {
    const raw = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    this.sendBytes(this.#frames === undefined ? raw : this.#frames.lines(raw));
  }

  /** Sends bytes as they are, whatever they go over. */
  sendBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Sends FIN, or a close frame. */
  finish(): void {
    if (this.#frames === undefined) this.#socket.end();
    else if (!this.#hasFinished) this.#socket.write(closeFrame());
    this.#hasFinished = true;
  }

  /** Sends RST, or at least goes without a word. */
  reset(): void {
    // Deno 2.5 does not know it. Linux sends RST all the same when something is unread.
    if (typeof this.#socket.resetAndDestroy === "function") this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Waits until `condition` holds, which is looked at whenever something came. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const holds = async () => {
      while (!condition()) {
        if (this.#isClosed) throw new Error(`The connection closed before ${what}. It received ${this.#summary()}`);
        await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
    };
    try {
      await deadline(holds(), PATIENCE_MS);
    } catch (error) {
      if ((error as Error).name !== "TimeoutError") throw error;
      throw new Error(`No ${what} within ${PATIENCE_MS} ms. It received ${this.#summary()}`);
    }
  }

  /** The first message with this command that was not asked for before. */
  async next(command: string): Promise<Received> {
    let found: Received | undefined;
    await this.until(
      () => (found = this.received.find((one) => one.command === command && !this.#taken.has(one))) !== undefined,
      command,
    );
    this.#taken.add(found!);
    return found!;
  }
  readonly #taken = new Set<Received>();

  /** All activities that came, without what the server adds. */
  get activities(): Received[] {
    return this.received.filter(({ command }) => command === "ACTIVITY_BROADCAST").map(({ activity }) => {
      const { authenticated_user: _, ...rest } = activity;
      return rest;
    });
  }

  /** Waits until that many activities came. */
  async untilActivities(count: number): Promise<void> {
    await this.until(() => this.activities.length >= count, `${count} activities`);
  }

  /** Waits until the server has closed. */
  async closed(): Promise<void> {
    await deadline(this.#closed, PATIENCE_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.#closed;
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #summary(): string {
    const last = this.received.slice(-5).map((one) => JSON.stringify(one)).join(", ");
    return `${this.received.length} lines, the last of them: ${last}`;
  }
}

function connected(port: number, host: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
