/**
 * What is said to each product, and how its deliveries and answers are counted. All carry the same payload: an activity
 * of 200 bytes. Every product gets its fastest plain form: several publications in one write, no echo and no check that
 * can be switched off.
 */

import type { WireName } from "./job.ts";
import { type Counter, FrameCounter, LineCounter, MarkedLineCounter } from "./counters.ts";
import { stampText } from "./stamps.ts";

/** First words on a connection, and the answer after which it is ready: what follows the match is already data. */
export interface Hello {
  readonly say: string;
  readonly answeredBy: RegExp;
}

/** How publications are made that the server answers. */
export interface AckedWire {
  /** For publisher 0, 1, 2 … */
  hello(publisher: number): Hello;
  /** One publication. Where it holds an `id`, this must be another one each time: `STAMP_DIGITS` digits after a `#`. */
  publication(publisher: number): string;
  /** Counts the answers among what a publisher receives. */
  answers(): Counter;
}

/** How a generator speaks to a product. */
export interface Wire {
  readonly receive: Hello;
  /** For a connection that only publishes. Absent where the first receiver publishes as well. */
  readonly publish: Hello | undefined;
  /** For a connection that is only there. Absent where it is as `receive`. */
  readonly idle: Hello | undefined;
  readonly publication: string;
  /** Counts the deliveries that a receiver gets. */
  deliveries(): Counter;
  /** What is said to a text that came on an idle connection; empty when nothing. */
  reply(text: string): string;
  readonly acked: AckedWire | undefined;
}

/** Bytes of an activity. */
export const ACTIVITY_BYTES = 200;

/** A client that was redirected so often is not redirected any more. */
const MAX_REDIRECTS = 3;
const ACTIVITY = activity();
const NATS_CONNECT = 'CONNECT {"verbose":false,"pedantic":false,"echo":true}\r\n';
// What the streams of both hold is bounded about as thrum's own log is, so that none of the three fills
// the disk or the memory.
const STREAM_BYTES = 2 ** 30;
const STREAM_ENTRIES = "1000000";

const lines: Wire = {
  receive: loginAs({}),
  publish: undefined,
  idle: loginAs({ features: ["heartbeat"] }),
  publication: activityMessage({}),
  deliveries: () => new LineCounter(),
  reply: heartbeatAck,
  acked: {
    hello: () => loginAs({ features: ["ack"] }),
    // Ids are remembered for a day: the prefix keeps those of two runs apart.
    publication: () => activityMessage({ messageId: `${crypto.randomUUID().slice(0, 8)}#${stampText(0)}` }),
    // After {"command":"ACTIVITY_ comes the A of ACK or the B of BROADCAST.
    answers: () => new MarkedLineCounter('{"command":"ACTIVITY_'.length, "A"),
  },
};

/**
 * With a feature, as plain clients cannot say that they were redirected often enough: so they stay where they are put.
 */
const linesNetwork: Wire = { ...lines, receive: loginAs({ features: ["ack"], redirects: MAX_REDIRECTS }) };

const nats: Wire = {
  receive: { say: NATS_CONNECT + "SUB a 1\r\nPING\r\n", answeredBy: /PONG\r\n/ },
  publish: { say: NATS_CONNECT + "PING\r\n", answeredBy: /PONG\r\n/ },
  idle: undefined,
  publication: `PUB a ${ACTIVITY_BYTES}\r\n${ACTIVITY}\r\n`,
  deliveries: () => new FrameCounter("M", `MSG a 1 ${ACTIVITY_BYTES}\r\n${ACTIVITY}\r\n`.length),
  reply: () => "",
  acked: undefined,
};

const redis: Wire = {
  receive: { say: resp("SUBSCRIBE", "a"), answeredBy: /:1\r\n/ },
  publish: { say: resp("PING"), answeredBy: /PONG\r\n/ },
  idle: undefined,
  publication: resp("PUBLISH", "a", ACTIVITY),
  deliveries: () => new FrameCounter("*", resp("message", "a", ACTIVITY).length),
  reply: () => "",
  acked: undefined,
};

const redisStream: Wire = {
  ...redis,
  acked: {
    hello: () => ({ say: resp("PING"), answeredBy: /PONG\r\n/ }),
    publication: () => resp("XADD", "s", "MAXLEN", "~", STREAM_ENTRIES, "*", "a", ACTIVITY),
    answers: () => new MarkedLineCounter(0, "$"),
  },
};

/** By name, as in a `Job`. */
export const WIRES: Readonly<Record<WireName, Wire>> = {
  lines,
  "lines-network": linesNetwork,
  nats,
  redis,
  "jetstream-file": jetstream("file"),
  "jetstream-memory": jetstream("memory"),
  "redis-stream": redisStream,
};

function jetstream(storage: "file" | "memory"): Wire {
  const config = JSON.stringify({ name: "bench", subjects: ["s"], storage, discard: "old", max_bytes: STREAM_BYTES });
  return {
    ...nats,
    acked: {
      // Every publisher makes the stream: the first does, to the others it is there already.
      hello: (publisher) => ({
        say: `${NATS_CONNECT}SUB i.${publisher} 1\r\n` +
          `PUB $JS.API.STREAM.CREATE.bench i.${publisher} ${config.length}\r\n${config}\r\n`,
        answeredBy: /stream_create_response.*"config".*\r\n/,
      }),
      publication: (publisher) => `PUB s i.${publisher} ${ACTIVITY_BYTES}\r\n${ACTIVITY}\r\n`,
      answers: () => new MarkedLineCounter(0, "M"),
    },
  };
}

/** An object in JSON that takes `ACTIVITY_BYTES` and has a place for a stamp. */
function activity(): string {
  const text = "we measure what a person would see, again and again, ".repeat(4);
  const frame = `{"at":"~${stampText(0)}","text":""}`;
  return frame.replace('""', JSON.stringify(text.slice(0, ACTIVITY_BYTES - frame.length)));
}

function loginAs(fields: Record<string, unknown>): Hello {
  return {
    say: JSON.stringify({ command: "LOGIN", username: "anonymous", ...fields }) + "\n",
    answeredBy: /"LOGIN_SUCCESS".*\n/,
  };
}

function activityMessage(fields: Record<string, unknown>): string {
  const message = { command: "ACTIVITY_MESSAGE", username: "anonymous", secret: null, ...fields };
  return JSON.stringify({ ...message, activity: JSON.parse(ACTIVITY) }) + "\n";
}

function heartbeatAck(text: string): string {
  const sequence = /"command":"HEARTBEAT".*?"sequence":(\d+)/.exec(text)?.[1];
  return sequence === undefined ? "" : `{"command":"HEARTBEAT_ACK","sequence":${sequence}}\n`;
}

/** A command of Redis. All is ASCII. */
function resp(...words: string[]): string {
  return `*${words.length}\r\n` + words.map((word) => `$${word.length}\r\n${word}\r\n`).join("");
}
