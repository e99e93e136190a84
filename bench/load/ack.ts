/**
 * Load: publishers that want the server's word for each publication, with a bounded number
 * unanswered on each connection.
 */

import { delay } from "@std/async/delay";
import { connect, type Connection } from "./connection.ts";
import { MarkedLineCounter } from "./counters.ts";
import type { AckJob, RateResult } from "./job.ts";
import { watchCpu } from "./process_stats.ts";
import { STAMP_DIGITS, writeStamp } from "./stamps.ts";
import { arrival, repeat } from "./publications.ts";
import { type AckedWire, forRun, numbered, WIRES } from "./wire.ts";

/**
 * Runs the load, then stops publishing and waits until everything is answered.
 * @throws {Error} when there were more or fewer answers than publications.
 */
export async function runAck(job: AckJob): Promise<RateResult> {
  const wire = WIRES[job.wire].acked;
  if (wire === undefined) throw new Error(`"${job.wire}" has no acknowledged publications`);
  const publishers: AckedPublisher[] = [];
  const run = crypto.randomUUID();
  while (publishers.length < job.publishers) {
    publishers.push(await AckedPublisher.start(job, wire, publishers.length, run));
  }
  const sum = (of: (publisher: AckedPublisher) => number) => publishers.reduce((total, each) => total + of(each), 0);
  const answered = () => sum((publisher) => publisher.answered);

  for (const publisher of publishers) publisher.isPublishing = true;
  for (const publisher of publishers) publisher.publish();
  await delay(job.warmupMs);
  const startedAt = performance.now();
  const before = answered();
  const cpu = watchCpu(job.serverPid);
  await delay(job.measureMs);
  const perS = (answered() - before) / (performance.now() - startedAt) * 1000;
  const cpuUse = cpu();

  for (const publisher of publishers) publisher.isPublishing = false;
  const published = sum((publisher) => publisher.published);
  await arrival(() => answered() >= published);
  if (answered() !== published) throw new Error(`${answered()} answers to ${published} publications`);
  return { kind: "rate", perS, ...cpuUse };
}

/** One connection with its window. */
class AckedPublisher {
  published = 0;
  answered = 0;
  isPublishing = false;
  readonly #window: number;
  readonly #publications: Uint8Array;
  readonly #frameBytes: number;
  /** Where in a publication its id stands; below 0 when it has none. */
  readonly #idOffset: number;
  #connection: Connection | undefined;

  private constructor(window: number, publication: string) {
    this.#window = window;
    this.#publications = repeat(publication, window);
    this.#frameBytes = publication.length;
    const mark = publication.indexOf(`#${"0".repeat(STAMP_DIGITS)}`);
    this.#idOffset = mark < 0 ? -1 : mark + 1;
  }

  static async start(job: AckJob, wire: AckedWire, index: number, run: string): Promise<AckedPublisher> {
    const publisher = new AckedPublisher(job.window, forRun(numbered(wire.publication, index), run));
    const counter = new MarkedLineCounter(wire.answer);
    const hello = { ...wire.hello, say: numbered(wire.hello.say, index) };
    publisher.#connection = await connect(job, hello, (bytes) => {
      publisher.answered += counter.push(bytes);
      publisher.publish();
    });
    return publisher;
  }

  /** Fills the window, in portions of a quarter of it. */
  publish(): void {
    const room = this.#window - (this.published - this.answered);
    if (!this.isPublishing || room < this.#window / 4) return;
    let frames = this.#publications.subarray(0, room * this.#frameBytes);
    if (this.#idOffset >= 0) {
      frames = frames.slice();
      for (let index = 0; index < room; index++) {
        writeStamp(frames, index * this.#frameBytes + this.#idOffset, this.published + index + 1);
      }
    }
    this.published += room;
    this.#connection!.write(frames);
  }
}
