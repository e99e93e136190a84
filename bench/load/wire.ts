/**
 * What is said to each product, and how its deliveries and answers are counted, as text: both generators read it. All
 * carry the same payload, an activity of 200 bytes. Every product gets its fastest plain form: several publications in
 * one write, no echo and no check that can be switched off. Pure.
 */

import type { WireName } from "./job.ts";
import { stampText } from "./stamps.ts";

/** First words on a connection, and a text in the answer: the connection is ready after the line with this text. */
export interface Hello {
  readonly say: string;
  readonly ready: string;
}

/**
 * How publications are made that the server answers. `PUBLISHER` stands for the two digits of a publisher, `RUN` for
 * eight characters that no other run has. After a `#` there are `STAMP_DIGITS` digits that count up.
 */
export interface AckedWire {
  readonly hello: Hello;
  readonly publication: string;
  /** What a line begins with that answers a publication. */
  readonly answer: string;
  /** What a line begins with that delivers an activity: publishers may get these as well. */
  readonly delivery?: string;
}

/** How receivers name what they read, and publications where they go. `CHANNEL` stands for the digits of a channel. */
export interface ChannelsWire {
  /** For a receiver of one channel. */
  readonly receive: Hello;
  /** For a receiver of all channels. */
  readonly receiveAll: Hello;
  /** For a connection that only publishes. */
  readonly publish: Hello;
  readonly publication: string;
  /** As in `Wire`. */
  readonly deliveries: string;
}

/** How a generator speaks to a product. */
export interface Wire {
  readonly receive: Hello;
  /** For a connection that only publishes. Absent where the first receiver publishes as well. */
  readonly publish?: Hello;
  /** For a connection that is only there. Absent where it is as `receive`. */
  readonly idle?: Hello;
  /** For a connection that gets all that is kept, and what a line of it begins with. */
  readonly replay?: { readonly hello: Hello; readonly delivery: string };
  readonly publication: string;
  /** The rule by which deliveries are counted: see `counterOf` in `counters.ts`. */
  readonly deliveries: string;
  readonly acked?: AckedWire;
  readonly channels?: ChannelsWire;
}

/** Bytes of an activity. */
export const ACTIVITY_BYTES = 200;
/** Stands for the two digits of a publisher. */
export const PUBLISHER = "@@";
/** Stands for the digits of a channel. */
export const CHANNEL = "%%%%%";
/** Stands for characters of one run. */
export const RUN = "!!!!!!!!";

/** A client that was redirected so often is not redirected any more. */
const MAX_REDIRECTS = 3;
const ACTIVITY = activity();
const NATS_CONNECT = 'CONNECT {"verbose":false,"pedantic":false,"echo":true,"headers":true}\r\n';
// What the streams of both hold is bounded about as thrum's own log is, so that none of the three fills
// the disk or the memory.
const STREAM_BYTES = 2 ** 30;
const STREAM_ENTRIES = "1000000";
const DELIVERY = '{"command":"ACTIVITY_BROADCAST"';

const lines: Wire = {
  receive: loginAs({}),
  idle: loginAs({ features: ["heartbeat", "ack", "resume"] }),
  replay: { hello: loginAs({ features: ["resume"], resume: { vector: {} } }), delivery: DELIVERY },
  publication: activityMessage({}),
  deliveries: "lines",
  acked: {
    // Servers that know neither of the two deliver to publishers too, and answer each activity: the result says so.
    hello: loginAs({ features: ["ack"], receive: "none", ackRanges: true }),
    // Ids are remembered for a day, longer than any run.
    publication: activityMessage({ messageId: `${RUN}${PUBLISHER}#${stampText(0)}` }),
    answer: '{"command":"ACTIVITY_ACK"',
    delivery: DELIVERY,
  },
  channels: {
    receive: readingChannels(`c/${CHANNEL}`),
    receiveAll: readingChannels("c/**"),
    publish: readingChannels(),
    publication: activityMessage({ channel: `c/${CHANNEL}` }),
    deliveries: "lines",
  },
};

/**
 * With a feature, as plain clients cannot say that they were redirected often enough: so they stay where they are put.
 */
const linesNetwork: Wire = { ...lines, receive: loginAs({ features: ["ack"], redirects: MAX_REDIRECTS }) };

/** Answers come for ranges, so they need no message id. The server recognises no repeats then. */
const linesNoIds: Wire = { ...lines, acked: { ...lines.acked!, publication: activityMessage({}) } };

const nats: Wire = {
  receive: { say: NATS_CONNECT + "SUB a 1\r\nPING\r\n", ready: "PONG\r\n" },
  publish: { say: NATS_CONNECT + "PING\r\n", ready: "PONG\r\n" },
  publication: `PUB a ${ACTIVITY_BYTES}\r\n${ACTIVITY}\r\n`,
  deliveries: `frames:M:${`MSG a 1 ${ACTIVITY_BYTES}\r\n${ACTIVITY}\r\n`.length}`,
  channels: {
    receive: { say: `${NATS_CONNECT}SUB c.${CHANNEL} 1\r\nPING\r\n`, ready: "PONG\r\n" },
    receiveAll: { say: `${NATS_CONNECT}SUB c.> 1\r\nPING\r\n`, ready: "PONG\r\n" },
    publish: { say: `${NATS_CONNECT}PING\r\n`, ready: "PONG\r\n" },
    publication: `PUB c.${CHANNEL} ${ACTIVITY_BYTES}\r\n${ACTIVITY}\r\n`,
    deliveries: `frames:M:${`MSG c.${CHANNEL} 1 ${ACTIVITY_BYTES}\r\n${ACTIVITY}\r\n`.length}`,
  },
};

const redis: Wire = {
  receive: { say: resp("SUBSCRIBE", "a"), ready: ":1\r\n" },
  publish: { say: resp("PING"), ready: "PONG\r\n" },
  publication: resp("PUBLISH", "a", ACTIVITY),
  deliveries: `frames:*:${resp("message", "a", ACTIVITY).length}`,
};

const redisStream: Wire = {
  ...redis,
  acked: {
    hello: { say: resp("PING"), ready: "PONG\r\n" },
    publication: resp("XADD", "s", "MAXLEN", "~", STREAM_ENTRIES, "*", "a", ACTIVITY),
    answer: "$",
  },
};

/** By name, as in a `Job`. */
export const WIRES: Readonly<Record<WireName, Wire>> = {
  lines,
  "lines-network": linesNetwork,
  "lines-no-ids": linesNoIds,
  nats,
  redis,
  "jetstream-file": jetstream("file", false),
  "jetstream-memory": jetstream("memory", false),
  "jetstream-file-ids": jetstream("file", true),
  "jetstream-memory-ids": jetstream("memory", true),
  "redis-stream": redisStream,
};

/** `text` for one publisher of one run. */
export function numbered(text: string, publisher: number): string {
  return text.replaceAll(PUBLISHER, String(publisher).padStart(PUBLISHER.length, "0"));
}

/** `text` for one run. */
export function forRun(text: string, random: string): string {
  return text.replaceAll(RUN, random.slice(0, RUN.length));
}

/** What is said to a text that came on an idle connection; empty when nothing. */
export function reply(text: string): string {
  if (text.includes("PING\r\n")) return "PONG\r\n";
  const sequence = /"command":"HEARTBEAT".*?"sequence":(\d+)/.exec(text)?.[1];
  return sequence === undefined ? "" : `{"command":"HEARTBEAT_ACK","sequence":${sequence}}\n`;
}

function jetstream(storage: "file" | "memory", hasIds: boolean): Wire {
  const config = JSON.stringify({ name: "bench", subjects: ["s"], storage, discard: "old", max_bytes: STREAM_BYTES });
  const inbox = `i.${PUBLISHER}`;
  const headers = `NATS/1.0\r\nNats-Msg-Id: ${RUN}${PUBLISHER}#${stampText(0)}\r\n\r\n`;
  return {
    ...nats,
    acked: {
      // Every publisher makes the stream: the first does, to the others it is there already.
      hello: {
        say: `${NATS_CONNECT}SUB ${inbox} 1\r\n` +
          `PUB $JS.API.STREAM.CREATE.bench ${inbox} ${config.length}\r\n${config}\r\n`,
        ready: 'stream_create_response","config":',
      },
      publication: hasIds
        ? `HPUB s ${inbox} ${headers.length} ${headers.length + ACTIVITY_BYTES}\r\n${headers}${ACTIVITY}\r\n`
        : `PUB s ${inbox} ${ACTIVITY_BYTES}\r\n${ACTIVITY}\r\n`,
      answer: '{"stream":',
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
    ready: '"LOGIN_SUCCESS"',
  };
}

/** Reads these channels and nothing else. What was missed has come when the client is told so. */
function readingChannels(...channels: readonly string[]): Hello {
  return { ...loginAs({ features: ["channels"], channels }), ready: '"CAUGHT_UP"' };
}

function activityMessage(fields: Record<string, unknown>): string {
  const message = { command: "ACTIVITY_MESSAGE", username: "anonymous", secret: null, ...fields };
  return JSON.stringify({ ...message, activity: JSON.parse(ACTIVITY) }) + "\n";
}

/** A command of Redis. All is ASCII. */
function resp(...words: string[]): string {
  return `*${words.length}\r\n` + words.map((word) => `$${word.length}\r\n${word}\r\n`).join("");
}
