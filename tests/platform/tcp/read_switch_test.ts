/** Reading from a socket is stopped and started so that bytes stay in their order, in every runtime. */

import { assertEquals } from "@std/assert";
import { connect } from "node:net";
import { setImmediate } from "node:timers";
import { ReadSwitch } from "../../../platform/tcp/read_switch.ts";
import { tcpTransport } from "../../../platform/tcp/tcp_transport.ts";
import type { Link } from "../../../platform/transport.ts";
import { until } from "../../support/until.ts";

/** A socket that notes what it is told; a read is under way from `resume` on until a chunk comes. */
class NotedSocket {
  readonly told: string[] = [];
  pause(): void {
    this.told.push("pause");
  }
  resume(): void {
    this.told.push("resume");
  }
}

Deno.test("ReadSwitch stops in the moment in which a chunk comes, and goes on after it", async () => {
  const socket = new NotedSocket();
  const reading = new ReadSwitch(socket, () => socket.told.push("kept"));
  reading.pause();
  assertEquals(socket.told, []);
  reading.tookChunk(1);
  assertEquals(socket.told, ["pause"]);
  reading.resume();
  assertEquals(socket.told, ["pause"]);
  await Promise.resolve();
  assertEquals(socket.told, ["pause", "kept", "resume"]);
  // Off and on again while a read is under way: the socket hears nothing of it.
  reading.pause();
  reading.resume();
  reading.tookChunk(1);
  await Promise.resolve();
  assertEquals(socket.told, ["pause", "kept", "resume", "kept"]);
});

Deno.test("ReadSwitch stays off when what was kept makes its owner switch it off, and goes on once when it is on", async () => {
  const socket = new NotedSocket();
  const reading: ReadSwitch = new ReadSwitch(socket, () => {
    if (socket.told.push("kept") === 2) reading.pause();
  });
  reading.pause();
  reading.tookChunk(1);
  reading.resume();
  await Promise.resolve();
  assertEquals(socket.told, ["pause", "kept"]);
  reading.resume();
  reading.pause();
  reading.resume();
  await Promise.resolve();
  assertEquals(socket.told, ["pause", "kept", "kept", "resume"]);
});

Deno.test("ReadSwitch is off while its owner or others need it, and on when nobody wants what comes", () => {
  const reading = new ReadSwitch(new NotedSocket(), () => {});
  const isOnAfter = (step: () => void): boolean => {
    step();
    return reading.isOn;
  };
  assertEquals(isOnAfter(() => reading.pause()), false);
  assertEquals(isOnAfter(() => reading.isResting = true), false);
  assertEquals(isOnAfter(() => reading.resume()), false);
  assertEquals(isOnAfter(() => reading.isResting = false), true);
  assertEquals(isOnAfter(() => reading.pause()), false);
  assertEquals(isOnAfter(() => reading.throwAway()), true);
  assertEquals(isOnAfter(() => reading.pause()), true);
  assertEquals(isOnAfter(() => reading.isResting = true), false);
});

Deno.test("a link that is paused and resumed while nothing comes, and while much does, gives every byte in its order", async () => {
  let received = 0;
  let wrong = 0;
  let calls = 0;
  let link: Link | undefined;
  const listener = await tcpTransport(65_536).listen({ host: "127.0.0.1", port: 0 }, (accepted) => {
    link = accepted;
    accepted.attach({
      onData(bytes) {
        for (const byte of bytes) if (byte !== (received++ >> 10 & 255)) wrong++;
        if (++calls % 3 === 0) {
          accepted.pause();
          if (calls % 2 === 0) accepted.resume();
          else setImmediate(() => accepted.resume());
        }
      },
      onDrain() {},
      onFinish: () => accepted.end(1_000),
      onEnd() {},
    });
    accepted.pause();
    accepted.resume();
  });
  const socket = connect({ port: listener.port, host: "127.0.0.1" });
  const bytes = new Uint8Array(3_000_000).map((_, index) => index >> 10 & 255);
  await until(() => link !== undefined, "a link");
  // After the first byte the next read is under way, and nothing comes.
  socket.write(bytes.subarray(0, 1));
  await until(() => received === 1, "the first byte");
  link!.pause();
  link!.resume();
  socket.end(bytes.subarray(1));
  await until(() => received === bytes.length, "every byte");
  assertEquals(wrong, 0);
  await listener.close();
  socket.destroy();
});
