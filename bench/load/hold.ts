/**
 * Load: connections that log in and are idle from then on, but answer when the server asks whether they live. Says
 * `ready` when all are there, and lasts until it is ended with SIGTERM.
 */

import { connect, type Connection } from "./connection.ts";
import type { Held, HoldJob } from "./job.ts";
import { reply, WIRES } from "./wire.ts";

/** So many logins are under way at a time; the queue of a listening socket holds 511. */
const LOGINS_AT_ONCE = 100;

/** @throws {Error} when a connection did not last. */
export async function runHold(job: HoldJob): Promise<Held> {
  const ended = new Promise<void>((resolve) => Deno.addSignalListener("SIGTERM", resolve));
  const wire = WIRES[job.wire];
  const hello = wire.idle ?? wire.receive;
  const connections: Connection[] = [];
  let questions = 0;
  const connectOne = async () => {
    const text = new TextDecoder();
    const connection: Connection = await connect(job, hello, (bytes) => {
      const answer = reply(text.decode(bytes));
      if (answer === "") return;
      questions++;
      connection.write(answer);
    });
    connections.push(connection);
  };
  while (connections.length < job.connections) {
    const count = Math.min(LOGINS_AT_ONCE, job.connections - connections.length);
    await Promise.all(Array.from({ length: count }, connectOne));
  }
  console.log("ready");
  await ended;
  const closed = connections.filter((connection) => connection.isClosed).length;
  if (closed > 0) throw new Error(`The server closed ${closed} of ${job.connections} idle connections`);
  return { kind: "held", questions };
}
