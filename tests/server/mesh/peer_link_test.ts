/** Links that this server has made: to a server of the older dialect, and what one leaves behind when it ends. */

import { nodeCrypto } from "../../../platform/crypto.ts";
import { assertEquals } from "@std/assert";
import { DEFAULT_CONFIG } from "../../../config/config.ts";
import { Supervisor } from "../../../heartbeat/supervisor.ts";
import type { Link } from "../../../platform/transport.ts";
import type { LineFramer } from "../../../protocol/line_framer.ts";
import { encodeAuthenticationSuccess } from "../../../protocol/peer/peer_codec.ts";
import type { PeerLinkParts } from "../../../server/mesh/linking/peer_link_parts.ts";
import { PeerLink, type PeerLinkOwner } from "../../../server/mesh/peer_link.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeNetwork } from "../../support/fake_network.ts";

/** What an answer in the older dialect looks like. */
const ANSWER = '{"command":"SERVER_ANNOUNCE","id":"x","load":1,"hostname":"h","port":1}';

const IDENTITY = { serverId: "a", host: "a", port: 1, vector: {}, lamport: 0 };

/** A link that `a` has made to `b`, with both of its ends. */
/** To servers that are told the secret. */
const GREETING = { secret: "s", identity: IDENTITY, isInClear: true, nonce: "", hmac: nodeCrypto.hmac, endPoint: "" };

async function linked(): Promise<{ clock: FakeClock; near: Link; far: Link }> {
  const clock = new FakeClock();
  const network = new FakeNetwork(clock);
  let far: Link | undefined;
  await network.machine("b").listen({ host: "b", port: 1 }, (link) => far = link);
  const dialled = network.machine("a").dial({ host: "b", port: 1, timeoutMs: 100 });
  await clock.run(10);
  return { clock, near: await dialled, far: far! };
}

function partsWith(supervisor: Supervisor, clock: FakeClock): PeerLinkParts {
  const { heartbeat } = DEFAULT_CONFIG;
  const heartbeats = { sent: 0, unanswered: 0 };
  return {
    supervisor,
    clock,
    silence: heartbeat,
    probes: heartbeat,
    greetingTimeoutMs: 1_000,
    cipher: nodeCrypto,
    heartbeats,
  };
}

/** What whoever takes the link over is given of `bytes`, which come as the answer to AUTHENTICATE and behind it. */
async function takenOf(bytes: Uint8Array): Promise<unknown[]> {
  const { clock, near, far } = await linked();
  const taken: unknown[] = [];
  const later: string[] = [];
  const noWay = () => {
    throw new Error("this is the business of who has taken the link over");
  };
  const owner: PeerLinkOwner = {
    ...{ onOpened: noWay, onMessage: noWay, onEntries: noWay, onDrain: noWay, onSuspect: noWay, onEnd: noWay },
    takesOlderDialect: true,
    onLegacyDialect(_link: PeerLink, link: Link, _framer: LineFramer, line: string) {
      taken.push(line);
      link.attach({
        onData: (chunk) => later.push(new TextDecoder().decode(chunk)),
        onDrain() {},
        onFinish: () => later.push("FIN"),
        onEnd: () => later.push("end"),
      });
      return { take: (lines, problem) => taken.push([...lines], problem) };
    },
  };
  using supervisor = new Supervisor(clock);
  PeerLink.call(near, GREETING, partsWith(supervisor, clock), owner);
  far.write(bytes);
  await clock.run(10);
  far.write(new TextEncoder().encode("later"));
  far.end(60_000);
  // Longer than an answer to AUTHENTICATE may take.
  await clock.run(5_000);
  assertEquals(later, ["later", "FIN"]);
  return taken;
}

Deno.test("whoever takes the link over gets the lines behind the answer, what was wrong behind them, and the link", async () => {
  const encoder = new TextEncoder();
  const INVALID = "the line is not valid UTF-8";
  assertEquals(await takenOf(encoder.encode(`${ANSWER}\n`)), [ANSWER, [], undefined]);
  assertEquals(await takenOf(encoder.encode(`${ANSWER}\none\ntwo\n`)), [ANSWER, ["one", "two"], undefined]);
  const broken = (text: string) => new Uint8Array([...encoder.encode(text), 0xff, 0x0a]);
  assertEquals(await takenOf(broken(`${ANSWER}\none\n`)), [ANSWER, ["one"], INVALID]);
  assertEquals(await takenOf(broken(`${ANSWER}\n`)), [ANSWER, [], INVALID]);
});

Deno.test("a link that is over leaves nothing behind that waits, and knows still who was at the other end", async () => {
  for (const isAnswered of [false, true]) {
    const { clock, near, far } = await linked();
    const ignore = () => undefined;
    const owner: PeerLinkOwner = {
      ...{ onOpened: ignore, onMessage: ignore, onEntries: ignore, onDrain: ignore, onSuspect: ignore, onEnd: ignore },
      takesOlderDialect: false,
      onLegacyDialect: ignore,
    };
    using supervisor = new Supervisor(clock);
    const peer = PeerLink.call(near, GREETING, partsWith(supervisor, clock), owner);
    if (isAnswered) {
      far.write(new TextEncoder().encode(encodeAuthenticationSuccess({ ...IDENTITY, serverId: "b" }, [])));
    }
    await clock.run(10);
    assertEquals(supervisor.snapshot().size, isAnswered ? 2 : 1);
    peer.end("SERVER_STOPPING");
    assertEquals(supervisor.snapshot().size, 0);
    assertEquals([peer.isOver, peer.serverId], [true, isAnswered ? "b" : ""]);
  }
});
