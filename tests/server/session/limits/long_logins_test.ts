/** Lines of strangers that may be longer than others (docs/protocol.md, section 1). */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { LongLogins, MAX_LOGIN_BYTES } from "../../../../server/session/limits/long_logins.ts";
import { LineFramer } from "../../../../protocol/line_framer.ts";
import { MeshWorld } from "../../../support/mesh_world.ts";

const LOGIN = '{"command":"LOGIN","padding":"';
const encoder = new TextEncoder();

function framerOf(logins: LongLogins, host = "10.0.0.1", isStranger = true): LineFramer {
  return new LineFramer(1_000, logins.of(host, { isLoggedIn: !isStranger }));
}

/** A line of this many bytes, its end not counted. */
function line(bytes: number, begin = LOGIN): Uint8Array {
  return encoder.encode(`${begin}${"x".repeat(bytes - begin.length - 2)}"}\n`);
}

function inPieces(framer: LineFramer, bytes: Uint8Array, size: number) {
  let last = framer.push(new Uint8Array(0));
  for (let at = 0; at < bytes.length && last.problem === undefined; at += size) {
    last = framer.push(bytes.subarray(at, at + size));
  }
  return last;
}

Deno.test("a LOGIN may be longer than other lines, whole or in pieces, one after the other, up to a mebibyte", () => {
  const framer = framerOf(new LongLogins());
  for (const size of [700, 5_000, 2_000_000]) {
    for (let times = 0; times < 100; times++) {
      const { lines, problem } = inPieces(framer, line(4_000), size);
      assertEquals([lines.at(-1)?.length, problem], [4_000, undefined]);
    }
  }
  assertEquals(inPieces(framer, line(MAX_LOGIN_BYTES), 60_000).problem, undefined);
  assertStringIncludes(inPieces(framer, line(MAX_LOGIN_BYTES + 1), 60_000).problem!, "longer than 1000 bytes");
});

Deno.test("nothing else may, nor a LOGIN of who is no stranger any more", () => {
  const logins = new LongLogins();
  for (const begin of ['{"command":"ACTIVITY_MESSAGE","x":"', '{"x":"']) {
    for (const size of [700, 5_000]) {
      assertStringIncludes(inPieces(framerOf(logins), line(4_000, begin), size).problem!, "longer than 1000 bytes");
    }
  }
  assertStringIncludes(inPieces(framerOf(logins, "10.0.0.1", false), line(4_000), 700).problem!, "longer than");
});

Deno.test("only some may be on their way at a time, of one address and of all, and each that ends makes room", () => {
  const logins = new LongLogins();
  const begun = (host: string) => {
    const framer = framerOf(logins, host);
    return { framer, problem: framer.push(line(4_000).subarray(0, 3_000)).problem };
  };
  const ofOne = Array.from({ length: 17 }, () => begun("10.0.0.1"));
  assertEquals(ofOne.map(({ problem }) => problem === undefined), [...Array(16).fill(true), false]);
  const others = Array.from({ length: 50 }, (_, n) => begun(`10.0.1.${n}`));
  assertEquals(others.filter(({ problem }) => problem === undefined).length, 48);
  // One is whole, another one's connection is gone.
  ofOne[0]!.framer.push(line(4_000).subarray(3_000));
  ofOne[1]!.framer.end();
  assertEquals([1, 2, 3].map((n) => begun(`10.0.2.${n}`).problem === undefined), [true, true, false]);
});

Deno.test("a client with a vector of 10,000 origins logs in and goes on", async () => {
  const world = new MeshWorld();
  world.start("a");
  await world.run(100);
  const vector = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`s-${String(n).padStart(12, "0")}`, 7]));
  const client = await world.login("a", "anonymous", { resume: { vector } });
  client.publish(1);
  await world.until(() => client.activities.length === 1, "its activity");
  client.send({ command: "ACTIVITY_MESSAGE", activity: { n: "x".repeat(70_000) } });
  await world.until(() => client.last("INVALID_MESSAGE") !== undefined, "the end of a line that is too long");
});
