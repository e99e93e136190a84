/**
 * Asks other servers of the network what they have of the log, before a damaged folder is recovered. Origins that they
 * have as a whole need not be kept with holes. Each server is called once, greeted as a server, and left at once.
 */

import { merge, type Vector } from "../../log/vector.ts";
import type { Endpoint } from "../../platform/address.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Link, LinkHandler, Transport } from "../../platform/transport.ts";
import { CLOSE_REASONS } from "../../protocol/close_reason.ts";
import { LineFramer } from "../../protocol/line_framer.ts";
import { lineBytes } from "../../protocol/server_codec.ts";
import type { SecretCrypto } from "../../platform/crypto.ts";
import { toHex } from "../../platform/hex.ts";
import type { KnownServer } from "../store/store.ts";
import { Calling } from "./linking/calling.ts";
import { endPointOf, LINK_NONCE_BYTES } from "./linking/link_proof.ts";

/** What the question is made with. */
export interface PeerQuestion {
  readonly transport: Transport;
  readonly clock: Pick<Clock, "after">;
  readonly peers: readonly Endpoint[];
  readonly secret: string;
  /** Whether servers of earlier versions, which ask for no proof, are told the secret. */
  readonly mayTellSecret: boolean;
  readonly crypto: Pick<SecretCrypto, "hmac" | "randomBytes">;
  /** The name of this server, and its future address. */
  readonly self: KnownServer;
}

/** The entries that they have together. */
export interface PeerVectors {
  readonly vector: Vector;
  /** How many answered. */
  readonly answered: number;
}

/** How long a call and its answer may take. */
const PATIENCE_MS = 3_000;
const LINGER_MS = 1_000;
/** Longer than any greeting that is sent. */
const MAX_GREETING_BYTES = 16_777_216;
const encoder = new TextEncoder();

/** Asks all servers at once. Never rejects. A server that does not answer has nothing. */
export async function askPeers(question: PeerQuestion): Promise<PeerVectors> {
  const vectors = await Promise.all(question.peers.map(async (peer) => {
    const vector = await ask(peer, question, false);
    return vector ?? (question.mayTellSecret ? await ask(peer, question, true) : undefined);
  }));
  const answered = vectors.filter((vector) => vector !== undefined);
  return { vector: answered.reduce(merge, {}), answered: answered.length };
}

async function ask({ host, port }: Endpoint, question: PeerQuestion, isInClear: boolean): Promise<Vector | undefined> {
  const { transport, clock, secret, crypto: { hmac, randomBytes }, self } = question;
  const nonce = toHex(randomBytes(LINK_NONCE_BYTES));
  const identity = { ...self, vector: {}, lamport: 0 };
  try {
    const link = await transport.dial({ host, port, timeoutMs: PATIENCE_MS });
    const endPoint = endPointOf(link.channel);
    return await greet(link, new Calling({ secret, identity, isInClear, nonce, hmac, endPoint }), clock);
  } catch {
    return undefined;
  }
}

/** Resolves with the entries of the other side; `undefined` without an answer in time. */
function greet(link: Link, calling: Calling, clock: Pick<Clock, "after">): Promise<Vector | undefined> {
  const { promise, resolve } = Promise.withResolvers<Vector | undefined>();
  const framer = new LineFramer(MAX_GREETING_BYTES);
  let isOver = false;
  const end = (vector: Vector | undefined) => {
    if (isOver) return;
    isOver = true;
    timer.cancel();
    const reason = "SERVER_STOPPING";
    // Otherwise the others would take this server for lost.
    if (vector !== undefined) {
      const { sentence: info, reconnect } = CLOSE_REASONS[reason];
      link.write(lineBytes({ command: "END_CONNECTION", reason, info, reconnect }));
    }
    link.end(LINGER_MS);
    resolve(vector);
  };
  const timer = clock.after(PATIENCE_MS, () => end(undefined));
  const handler: LinkHandler = {
    onData: (bytes) => {
      const { lines, problem } = framer.push(bytes);
      for (const line of lines) {
        const step = calling.take(line);
        if (step.kind === "say") link.write(encoder.encode(step.line));
        else return end(step.kind === "opened" ? step.answer.vector : undefined);
      }
      if (problem !== undefined) end(undefined);
    },
    onDrain: () => {},
    onFinish: () => end(undefined),
    onEnd: () => end(undefined),
  };
  link.attach(handler);
  link.write(encoder.encode(calling.first));
  return promise;
}
