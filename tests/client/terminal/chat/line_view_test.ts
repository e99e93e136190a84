/** A chat in lines: that all its rows are out before it ends, however it ends. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { talk } from "../../../../client/terminal/chat/interactive.ts";
import { parseClientArguments } from "../../../../config/client_arguments.ts";
import type { Stdio } from "../../../../platform/stdio.ts";
import { ClientWorld } from "../../../support/client_world.ts";
import { FakeStdio, PLAIN } from "../../../support/fake_stdio.ts";

/** A pipe whose reader takes rows from when the test calls `open` on. */
function slowPipe(lines: string): { readonly stdio: Stdio; open(): void; readonly written: string } {
  const kept = new FakeStdio([], false);
  const isOpen = Promise.withResolvers<void>();
  return {
    stdio: {
      ...{ canAsk: false, terminal: kept.terminal, out: PLAIN, err: PLAIN, columns: () => 80 },
      write: (text) => isOpen.promise.then(() => kept.write(text)),
      tell: (text) => kept.tell(text),
      async *input() {
        yield new TextEncoder().encode(lines);
      },
      openKeyboard: () => kept.openKeyboard(),
      onResize: () => kept.onResize(),
    },
    open: isOpen.resolve,
    get written() {
      return kept.written;
    },
  };
}

for (const lines of ["bob: psst\n", "bob: psst\nnobody: hm\n"]) {
  const isRefused = lines.includes("nobody");
  Deno.test(`a chat in a pipe ends when its last row is out, ${isRefused ? "also when a line was refused" : "and not before"}`, async () => {
    const world = new ClientWorld();
    for (const name of ["ada", "bob"]) world.server.accounts.set(name, "x");
    const pipe = slowPipe(lines);
    let isOver = false;
    const talking = talk({
      args: parseClientArguments(["-u", "ada"]),
      ...{ server: world.server.endpoint, heartbeatChannel: undefined, secret: "x", systemUser: undefined },
      ...{ stdio: pipe.stdio, clock: world.clock, stateFile: undefined },
      connect: (options) => world.connecting(options),
      reach: () => Promise.resolve(),
      makeSecret: () => "made",
      onStop: () => ({ [Symbol.dispose]() {} }),
    }).finally(() => isOver = true);
    const ended = isRefused ? assertRejects(() => talking) : talking;
    await world.clock.run(30_000);
    assert(!isOver, "nobody has read its rows");
    pipe.open();
    await world.clock.run(30_000);
    await ended;
    assertEquals(pipe.written.match(/ada → bob {2}psst {2}✓/g)?.length, 1, pipe.written);
  });
}
