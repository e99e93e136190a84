/** Another server as a reader of the log. */

import { assertEquals, assertThrows } from "@std/assert";
import type { LogPosition } from "../../../log/cursor.ts";
import { EVERYONE, type Segment } from "../../../log/segment.ts";
import { type FaultGuard, UNGUARDED } from "../../../platform/faults.ts";
import { PEER_SHARE, type Share, WHOLE_LOG } from "../../../server/hub/pump.ts";
import { ServerReader, type ServerReaderOwner } from "../../../server/hub/server_reader.ts";

/** A log with segments of 100 bytes, a server that notes what it is passed, and timers fired by hand. */
class World implements ServerReaderOwner {
  readonly log: Segment[] = [];
  readonly cursor: LogPosition = { position: 0 };
  readonly got: number[] = [];
  readonly timers: (() => void)[] = [];
  readonly caught: unknown[] = [];
  /** How often the log was read. */
  reads = 0;
  isFull = false;
  isOver = false;
  /** Passing this position throws. */
  breaksAt = 0;
  /** Is full when it has so many. */
  room = Infinity;
  faults = 0;
  readonly reader: ServerReader;

  constructor({ share = PEER_SHARE, isGuarded = true }: { share?: Share; isGuarded?: boolean } = {}) {
    const guard: FaultGuard = { ...UNGUARDED, caught: (_where, error) => void this.caught.push(error) };
    this.reader = new ServerReader(
      {
        log: { segmentsAfter: (position, maxBytes) => this.#segmentsAfter(position, maxBytes) },
        clock: {
          nowMs: () => 0,
          after: (_delayMs, wake) => {
            this.timers.push(wake);
            return { cancel() {} };
          },
        },
        faults: isGuarded ? guard : UNGUARDED,
        share,
        readBytes: 250,
      },
      this.cursor,
      this,
    );
  }

  pass(segment: Segment): void {
    if (segment.position === this.breaksAt) throw new Error("a broken link");
    this.cursor.position = segment.position;
    this.got.push(segment.position);
    if (this.got.length >= this.room) this.isFull = true;
  }

  faulted(): void {
    this.faults++;
    this.isOver = true;
  }

  add(count: number): readonly Segment[] {
    const added: Segment[] = [];
    for (let n = 0; n < count; n++) {
      const position = this.log.length + 1;
      const bytes = new Uint8Array(100);
      const segment = { position, origin: "s", first: position, last: position, audience: EVERYONE, takenAt: 0, bytes };
      this.log.push(segment);
      added.push(segment);
    }
    return added;
  }

  #segmentsAfter(position: number, maxBytes: number): readonly Segment[] {
    this.reads++;
    return this.log.slice(position, position + Math.max(1, Math.floor(maxBytes / 100)));
  }
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

Deno.test("a server at the end of the log is passed what is committed, and the log is not read", () => {
  const world = new World();
  world.reader.committed(world.add(3));
  world.reader.committed(world.add(20));
  assertEquals([world.got, world.reads, world.timers.length], [upTo(23), 0, 0]);
});

Deno.test("a server that is behind is sent the log from where it stands, in order, over more than one turn", () => {
  const world = new World();
  world.add(20);
  world.reader.committed(world.add(1));
  // Four reads of two segments each, then all others are served.
  assertEquals([world.got, world.timers.length], [upTo(8), 1]);
  world.reader.committed(world.add(1));
  world.reader.readOn();
  assertEquals([world.got, world.timers.length], [upTo(8), 1]);
  while (world.timers.length > 0) world.timers.shift()!();
  assertEquals(world.got, upTo(22));
});

Deno.test("a server that is full is passed nothing, also at the end of the log, and goes on when it takes data", () => {
  const world = new World();
  world.reader.committed(world.add(1));
  world.isFull = true;
  world.reader.committed(world.add(2));
  assertEquals([world.got, world.reads, world.timers.length], [[1], 0, 0]);
  world.isFull = false;
  world.reader.readOn();
  assertEquals(world.got, upTo(3));
});

Deno.test("a server that gets full on the way is read for no more", () => {
  const world = new World();
  world.add(20);
  world.room = 3;
  world.reader.readOn();
  assertEquals([world.got, world.timers.length], [upTo(4), 0]);
});

Deno.test("a server that is over is read nothing for, and leaves no timer", () => {
  const world = new World();
  world.add(20);
  world.isOver = true;
  world.reader.readOn();
  assertEquals([world.got, world.reads, world.timers.length], [[], 0, 0]);
});

Deno.test("without the segments of a commit they are read from the log", () => {
  const world = new World({ share: WHOLE_LOG });
  world.add(30);
  world.reader.committed();
  assertEquals([world.got, world.timers.length], [upTo(30), 0]);
});

Deno.test("a fault on the way to a server ends it and is nobody else's, also after a pause", () => {
  const world = new World();
  world.breaksAt = 1;
  world.reader.committed(world.add(1));
  assertEquals([world.faults, world.caught.length, world.got], [1, 1, []]);

  const later = new World();
  later.add(20);
  later.breaksAt = 10;
  later.reader.readOn();
  later.timers.shift()!();
  assertEquals([later.faults, later.caught.length, later.got], [1, 1, upTo(9)]);
});

Deno.test("a fault while a link drains is the link's, which ends with it", () => {
  const world = new World({ isGuarded: false });
  world.add(1);
  world.breaksAt = 1;
  assertThrows(() => world.reader.readOn(), Error, "a broken link");
  assertEquals(world.faults, 0);
});
