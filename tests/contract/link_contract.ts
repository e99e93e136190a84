/** What every link promises to whoever takes it over from its first owner (platform/transport.ts). */

import { assert, assertEquals } from "@std/assert";
import type { Link, LinkEnd, LinkHandler } from "../../platform/transport.ts";

/** The other end of a link: sends a line, and FIN; reads whatever comes while it is not paused. */
export interface FarEnd {
  send(line: Readonly<Record<string, number>>): void;
  pause(): void;
  resume(): void;
  finish(): void;
  /** Breaks the connection. */
  reset(): void;
}

/** How to come by a link. */
export interface LinkDoor {
  readonly name: string;
  /**
   * Runs `test` with both ends of a link that nobody is attached to; `until` lets time pass until something `holds`.
   */
  use(
    test: (near: Link, far: FarEnd, until: (holds: () => boolean, what: string) => Promise<void>) => Promise<void>,
  ): Promise<void>;
}

/** Lines that no operating system takes all of while nobody reads. */
const TOO_MANY = 40;
const LONG_LINE = new TextEncoder().encode(`"${"x".repeat(500_000)}"\n`);

/** Keeps what it is told. */
class Told implements LinkHandler {
  text = "";
  drains = 0;
  finishes = 0;
  readonly ends: LinkEnd[] = [];

  constructor(readonly takes: () => void = () => {}) {}

  onData(bytes: Uint8Array): void {
    this.text += new TextDecoder().decode(bytes);
    if (bytes.length > 0) this.takes();
  }

  onDrain(): void {
    this.drains++;
  }

  onFinish(): void {
    this.finishes++;
  }

  onEnd(end: LinkEnd): void {
    this.ends.push(end);
  }

  get all() {
    return [this.text.trim(), this.drains, this.finishes, this.ends.length];
  }
}

/** Writes until the link is full; then the other side reads it empty. */
function fill(near: Link, far: FarEnd): void {
  far.pause();
  while (near.write(LONG_LINE));
  far.resume();
}

/** Registers the tests. */
export function testLinkContract({ name, use }: LinkDoor): void {
  Deno.test(`${name}: who takes it over in the middle of a chunk is told all that follows, and the one before nothing`, async () => {
    await use(async (near, far, until) => {
      const second = new Told();
      const first = new Told(() => near.attach(second));
      near.attach(first);
      far.send({ n: 1 });
      await until(() => first.text !== "", "the first line");
      far.send({ n: 2 });
      await until(() => second.text !== "", "the second line");
      fill(near, far);
      await until(() => second.drains > 0, "room");
      far.finish();
      await until(() => second.finishes > 0, "FIN");
      assertEquals(second.ends, []);
      near.end(10_000);
      await until(() => second.ends.length > 0, "the end");
      assertEquals(first.all, ['{"n":1}', 0, 0, 0]);
      assertEquals([second.text.trim(), second.finishes, second.ends], ['{"n":2}', 1, ["local"]]);
    });
  });

  Deno.test(`${name}: one that is not read is not read by who takes it over either, until that one wants it`, async () => {
    await use(async (near, far, until) => {
      const [first, third] = [new Told(), new Told()];
      let isWanted = false;
      let cameUnasked = false;
      const second = new Told(() => cameUnasked ||= !isWanted);
      near.attach(first);
      near.pause();
      near.attach(second);
      far.send({ n: 1 });
      near.attach(third);
      near.attach(second);
      fill(near, far);
      await until(() => second.drains > 0, "room");
      isWanted = true;
      near.resume();
      await until(() => second.text !== "", "the line");
      near.destroy();
      await until(() => second.ends.length > 0, "the end");
      assertEquals([cameUnasked, first.all, third.all], [false, ["", 0, 0, 0], ["", 0, 0, 0]]);
    });
  });

  Deno.test(`${name}: what had not left when the connection broke never leaves, nor what is written after that`, async () => {
    await use(async (near, far, until) => {
      const told = new Told();
      near.attach(told);
      far.pause();
      for (let line = 0; line < TOO_MANY; line++) near.write(LONG_LINE);
      // Part of it leaves.
      far.send({ n: 1 });
      await until(() => told.text !== "", "the line");
      far.reset();
      near.write(LONG_LINE);
      await until(() => told.ends.length > 0, "the end");
      const { pendingBytes } = near;
      assert(pendingBytes >= 2 * LONG_LINE.length, `only ${pendingBytes} bytes have not left`);
      near.write(LONG_LINE);
      assert(near.pendingBytes >= pendingBytes + LONG_LINE.length, "what was written after the end has left");
    });
  });

  Deno.test(`${name}: who takes it over when it is cut already is told its end`, async () => {
    await use(async (near, _far, until) => {
      const [first, second] = [new Told(), new Told()];
      near.attach(first);
      near.destroy();
      near.attach(second);
      await until(() => second.ends.length > 0, "the end");
      assertEquals([first.all, second.ends], [["", 0, 0, 0], ["local"]]);
    });
  });
}
