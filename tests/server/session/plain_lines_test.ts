/**
 * Publications that are read where they stand, beside the same ones as lines (docs/architecture.md): whatever is sent,
 * in whatever pieces, answers and broadcasts are the same bytes.
 */

import { assertEquals } from "@std/assert";
import type { Link, LinkHandler } from "../../../platform/transport.ts";
import { oddLines } from "../../support/odd_lines.ts";
import { NodeWorld } from "../../support/node_world.ts";

/** A tenth of what `tests/protocol/publication/plain_publication_test.ts` reads, as each takes a server some turns. */
const FUZZ_LINES = Math.ceil(Number(Deno.env.get("THRUM_FUZZ_LINES") ?? 20_000) / 10);
const encoder = new TextEncoder();
const LOGIN = '{"command":"LOGIN","username":"anonymous","features":["ack","channels"],"channels":["**"]}\n';

/** One connection, and every byte that came. */
class Wire implements LinkHandler {
  text = "";
  /** How often something came. */
  pieces = 0;
  isOver = false;
  readonly #decoder = new TextDecoder();

  constructor(readonly link: Link) {
    link.attach(this);
  }

  onData(bytes: Uint8Array): void {
    this.pieces++;
    this.text += this.#decoder.decode(bytes, { stream: true });
  }

  onDrain(): void {}

  onFinish(): void {
    this.isOver = true;
    this.link.end(0);
  }

  onEnd(): void {
    this.isOver = true;
  }
}

/** A server, somebody who reads, and somebody who publishes. */
class Side {
  publisher!: Wire;

  private constructor(readonly world: NodeWorld, readonly reader: Wire) {}

  static async open(login = LOGIN): Promise<Side> {
    const world = await NodeWorld.start();
    const side = new Side(world, await wireOf(world, LOGIN));
    await side.begin(login);
    return side;
  }

  async begin(login = LOGIN): Promise<void> {
    this.publisher = await wireOf(this.world, login);
  }

  async send(pieces: Iterable<Uint8Array>): Promise<void> {
    for (const piece of pieces) this.publisher.link.write(piece);
    await this.world.settle();
  }

  /** Everything that came to both since the last call. */
  take(): string[] {
    const came = [this.publisher.text, this.reader.text];
    this.publisher.text = this.reader.text = "";
    return came;
  }
}

async function wireOf(world: NodeWorld, login: string): Promise<Wire> {
  const dialled = world.network.machine("client").dial({ host: "127.0.0.1", port: world.node.port, timeoutMs: 1 });
  await world.settle();
  const wire = new Wire(await dialled);
  wire.link.write(encoder.encode(login));
  await world.settle();
  return wire;
}

/** Each line in two pieces: only whole lines are read where they stand. */
function* cut(lines: readonly string[]): Generator<Uint8Array> {
  for (const line of lines) {
    const bytes = encoder.encode(`${line}\n`);
    const at = bytes.length >> 1;
    if (at > 0) yield bytes.slice(0, at);
    yield bytes.slice(at);
  }
}

Deno.test(`${FUZZ_LINES} odd lines in one piece come to the same as each of them in two`, async () => {
  const [whole, pieces] = [await Side.open(), await Side.open()];
  assertEquals(whole.take(), pieces.take());
  const lines = [...oddLines(2, FUZZ_LINES)];
  let broadcasts = 0;
  for (let at = 0; at < lines.length;) {
    const batch = lines.slice(at, at + 20);
    await whole.send([encoder.encode(batch.map((line) => `${line}\n`).join(""))]);
    await pieces.send(cut(batch));
    const came = whole.take();
    assertEquals(came, pieces.take(), batch.join("\n"));
    const taken = came[1]!.split("\n").length - 1;
    broadcasts += taken;
    at += batch.length;
    if (!whole.publisher.isOver) continue;
    // The line that ended it is the one after those that were answered, and repeats were answered without a broadcast.
    at -= batch.length - 1 - taken;
    for (const side of [whole, pieces]) await side.begin();
    assertEquals(whole.take(), pieces.take());
  }
  assertEquals(broadcasts > FUZZ_LINES / 5, true, `${broadcasts} were broadcast`);
  for (const { world } of [whole, pieces]) await world.stop();
});

Deno.test("a user who sends name and secret each time is believed and refused alike, read in place or as lines", async () => {
  for (const features of [[], ["ack"]]) {
    for (
      const who of [
        { username: "anna", secret: "anna" },
        { username: "anna" },
        { secret: "anna" },
        {},
        { username: "bob", secret: "anna" },
        { username: "anna", secret: "wrong" },
        { username: null, secret: null },
      ]
    ) {
      const sides: Side[] = [];
      for (let n = 0; n < 2; n++) {
        const side = await Side.open();
        await side.world.register("anna");
        side.publisher = await wireOf(
          side.world,
          `${JSON.stringify({ command: "LOGIN", username: "anna", secret: "anna", features })}\n`,
        );
        await side.world.endAllDerivations();
        sides.push(side);
      }
      const lines = [1, 2].map((n) => JSON.stringify({ command: "ACTIVITY_MESSAGE", ...who, activity: { n } }));
      await sides[0]!.send([encoder.encode(lines.map((line) => `${line}\n`).join(""))]);
      await sides[1]!.send(cut(lines));
      const [inPlace, asLines] = sides.map((side) => withoutTicket(side.take().join("|")));
      assertEquals(inPlace, asLines, JSON.stringify(who));
      for (const { world } of sides) await world.stop();
    }
  }
});

Deno.test("lines of several kinds in one packet are taken in their order, wherever the packet is cut", async () => {
  const lines = [
    '{"command":"ACTIVITY_MESSAGE","messageId":"a","activity":{"n":1}}',
    '{"command":"ACTIVITY_MESSAGE","messageId":"b","activity":{"n":"\\u00e5 ø"}}',
    '{"command":"LIST_USERS","scope":"all"}',
    '{"command":"ACTIVITY_MESSAGE","messageId":"c","activity":{"authenticated_user":"boss"}}\r',
    '{"command":"ACTIVITY_MESSAGE","messageId":"d","activity":{}}',
    '{"command":"ACTIVITY_MESSAGE","messageId":"a","activity":{"n":2}}',
    // Whose rest is plain.
    '7{"command":"ACTIVITY_MESSAGE","activity":{"n":3}}',
  ];
  const bytes = encoder.encode(lines.map((line) => `${line}\n`).join(""));
  const first = await Side.open();
  first.take();
  await first.send([bytes]);
  const expected = first.take();
  assertEquals(expected[1]!.split("\n").map((line) => /"n":[^,]*|"id":"[^"]*"/g.exec(line)?.[0]), [
    ...['"n":1', '"n":"\\u00e5 ø"', '"id":"s-1:3"', '"id":"s-1:4"'],
    undefined,
  ]);
  await first.world.stop();
  for (let at = 1; at < bytes.length; at++) {
    const side = await Side.open();
    side.take();
    await side.send([bytes.slice(0, at), bytes.slice(at)]);
    assertEquals(side.take(), expected, `cut at ${at}`);
    await side.world.stop();
  }
});

Deno.test("a packet of very many publications is taken in shares, and in its order", async () => {
  const side = await Side.open();
  side.take();
  const lines = Array.from({ length: 900 }, (_, n) => `{"command":"ACTIVITY_MESSAGE","activity":{"n":${n}}}\n`);
  // Each look at the clock uses up a share.
  const { clock } = side.world;
  const nowMs = clock.nowMs.bind(clock);
  let looks = 0;
  clock.nowMs = () => nowMs() + 10 * looks++;
  side.publisher.link.write(encoder.encode(`${lines.join("")}{"command":"LIST_USERS","scope":"all"}\n`));
  await side.world.clock.run(60_000);
  const [toPublisher, toReader] = side.take();
  const numbers = [...toReader!.matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n));
  assertEquals(numbers, Array.from({ length: 900 }, (_, n) => n));
  assertEquals(toPublisher!.includes("USER_LIST"), true);
  // What was taken together came together.
  assertEquals(side.reader.pieces > 900 / 32, true, `${side.reader.pieces} pieces`);
  await side.world.stop();
});

Deno.test("a line that is longer than the server allows is refused, however plain it is", async () => {
  const world = await NodeWorld.start({ limits: { maxLineBytes: 200 } });
  const publisher = await wireOf(world, LOGIN);
  const line = (length: number) => {
    const frame = '{"command":"ACTIVITY_MESSAGE","activity":{"text":""}}';
    return `${frame.replace('""', `"${"x".repeat(length - frame.length)}"`)}\n`;
  };
  publisher.text = "";
  publisher.link.write(encoder.encode(line(200)));
  await world.settle();
  assertEquals(publisher.text.includes("ACTIVITY_BROADCAST"), true);
  publisher.text = "";
  publisher.link.write(encoder.encode(line(201)));
  await world.settle();
  assertEquals(publisher.text, '{"command":"INVALID_MESSAGE","info":"the line is longer than 200 bytes"}\n');
  await world.stop();
});

Deno.test("bytes that are not UTF-8 are refused within a plain line, too, and the line before them is taken", async () => {
  const [whole, pieces] = [await Side.open(), await Side.open()];
  const good = encoder.encode('{"command":"ACTIVITY_MESSAGE","activity":{"n":1}}\n');
  const bad = encoder.encode('{"command":"ACTIVITY_MESSAGE","activity":{"n":"?"}}\n');
  bad[bad.indexOf(0x3f)] = 0xff;
  for (const side of [whole, pieces]) side.take();
  await whole.send([new Uint8Array([...good, ...bad, ...good])]);
  await pieces.send([good.slice(0, 9), good.slice(9), bad.slice(0, 9), bad.slice(9), good]);
  const came = whole.take();
  assertEquals(came, pieces.take());
  assertEquals([came[0]!.includes("not valid UTF-8"), came[1]!.includes('"n":1')], [true, true]);
  for (const { world } of [whole, pieces]) await world.stop();
});

function withoutTicket(text: string): string {
  return text.replaceAll(/"ticket":"[^"]*"/g, "");
}
