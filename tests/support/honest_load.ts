/**
 * The clients of a server at full load, in a process of their own: readers and publishers that answer, and
 * some that fall silent when the load is there. Prints what it sees as lines of JSON, a `LoadReport` each;
 * ends when its input does.
 *
 *     deno run -A tests/support/honest_load.ts PORT
 */

import { MarkedLineCounter } from "../../bench/load/counters.ts";

/** How the load is. */
export interface LoadReport {
  /** Whether all are there, and those who fall silent have fallen silent. */
  readonly isComplete: boolean;
  /** Bytes that readers and publishers together have got. */
  readonly received: number;
  /** How many readers have answered a heartbeat. */
  readonly answering: number;
  /** How many readers and publishers were closed. */
  readonly closed: number;
  /** The ports of those who fall silent. */
  readonly silentPorts: readonly number[];
  /** The latest that anything happened in that process: who answers late is no client that answers. */
  readonly worstLateMs: number;
}

/** Readers that answer. */
export const READERS = 200;
/** Clients that publish, each with as much under way as it may. */
export const PUBLISHERS = 4;
/** Clients that say nothing any more: half of them read, half of them do not. */
export const SILENT = 20;

const REPORT_MS = 100;
const LATE_MS = 20;
/**
 * Little, so that everybody is read soon: `node:net` reads one connection until nothing is left, which takes
 * seconds with all of them.
 */
const READ_BYTES = 65_536;
const encoder = new TextEncoder();
const LOGIN = encoder.encode('{"command":"LOGIN","username":"anonymous","features":["heartbeat","ack"]}\n');
const TEXT = "x".repeat(100);
/**
 * Publications of one publisher that are not acknowledged yet. With more the server is no busier, and what is full are
 * the system's buffers, 4 MB and more for each reader.
 */
const WINDOW = 100;
const ACK = encoder.encode('{"command":"HEARTBEAT_ACK","sequence":1}\n');
/** What the lines begin with that are counted. */
const HEARTBEAT = '{"command":"HEARTBEAT"';
const ACKNOWLEDGEMENT = '{"command":"ACTIVITY_ACK"';

/** One client. */
class Client {
  readonly #heartbeats = new MarkedLineCounter(HEARTBEAT);
  readonly #acknowledgements = new MarkedLineCounter(ACKNOWLEDGEMENT);
  readonly #buffer = new Uint8Array(READ_BYTES);
  readonly #name = crypto.randomUUID().slice(0, 8);
  #published = 0;
  #acknowledged = 0;
  received = 0;
  hasAnswered = false;
  isClosed = false;

  private constructor(readonly connection: Deno.Conn) {}

  /** Resolves when it is logged in. */
  static async logIn(port: number): Promise<Client> {
    const client = new Client(await Deno.connect({ hostname: "127.0.0.1", port }));
    await client.#write(LOGIN);
    await client.#read();
    return client;
  }

  /** Takes all that comes, until the end, and answers heartbeats if it `answers`. */
  async read(answers: boolean): Promise<void> {
    for (;;) {
      const bytes = await this.#read();
      if (bytes === undefined) return;
      this.received += bytes.length;
      if (!answers) continue;
      if (this.#heartbeats.push(bytes) > 0) {
        this.hasAnswered = true;
        this.#write(ACK);
      }
      if (this.#published === 0) continue;
      this.#acknowledged += this.#acknowledgements.push(bytes);
      this.publish();
    }
  }

  /** Publishes, with as much under way as is not acknowledged: what is read too late slows it down. */
  publish(): void {
    const count = Math.min(WINDOW, WINDOW - (this.#published - this.#acknowledged));
    if (count < WINDOW / 4) return;
    let lines = "";
    for (let n = 0; n < count; n++) {
      const messageId = `${this.#name}-${this.#published++}`;
      lines += `{"command":"ACTIVITY_MESSAGE","messageId":"${messageId}","activity":{"text":"${TEXT}"}}\n`;
    }
    this.#write(encoder.encode(lines));
  }

  async #read(): Promise<Uint8Array | undefined> {
    const size = await this.connection.read(this.#buffer).catch(() => null);
    if (size !== null) return this.#buffer.subarray(0, size);
    this.isClosed = true;
    return undefined;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      for (let written = 0; written < bytes.length;) written += await this.connection.write(bytes.subarray(written));
    } catch {
      this.isClosed = true;
    }
  }
}

async function run(port: number): Promise<void> {
  const readers: Client[] = [];
  const honest: Client[] = [];
  let silentPorts: readonly number[] = [];
  let isComplete = false;
  let worstLateMs = 0;
  let due = performance.now() + LATE_MS;
  setInterval(() => {
    worstLateMs = Math.max(worstLateMs, performance.now() - due);
    due = performance.now() + LATE_MS;
  }, LATE_MS);
  setInterval(() => {
    const report: LoadReport = {
      isComplete,
      received: honest.reduce((sum, { received }) => sum + received, 0),
      answering: readers.filter(({ hasAnswered }) => hasAnswered).length,
      closed: honest.filter(({ isClosed }) => isClosed).length,
      silentPorts,
      worstLateMs,
    };
    console.log(JSON.stringify(report));
  }, REPORT_MS);
  const logIn = (count: number) => Promise.all(Array.from({ length: count }, () => Client.logIn(port)));
  readers.push(...await logIn(READERS));
  const publishers = await logIn(PUBLISHERS);
  honest.push(...readers, ...publishers);
  for (const client of publishers) client.publish();
  for (const client of honest) client.read(true);
  const silent = await logIn(SILENT);
  silent.filter((_, n) => n % 2 === 0).forEach((client) => client.read(false));
  silentPorts = silent.map(({ connection }) => (connection.localAddr as Deno.NetAddr).port);
  isComplete = true;
}

if (import.meta.main) {
  await run(Number(Deno.args[0]));
  for await (const _ of Deno.stdin.readable);
  Deno.exit(0);
}
