import { assertEquals, assertMatch } from "@std/assert";
import { counterOf } from "../../bench/load/counters.ts";
import { ACTIVITY_BYTES, CHANNEL, forRun, numbered, reply, WIRES } from "../../bench/load/wire.ts";

Deno.test("every wire carries the same activity of 200 bytes", () => {
  const activities = Object.values(WIRES).map((wire) => /\{"at".*?\}/.exec(wire.publication)?.[0]);
  assertEquals(new Set(activities).size, 1);
  assertEquals(activities[0]!.length, ACTIVITY_BYTES);
  assertEquals(Object.keys(JSON.parse(activities[0]!)), ["at", "text"]);
});

Deno.test("every acknowledged publication carries the same activity as well", () => {
  const payloads = Object.values(WIRES).flatMap(({ acked }) => acked === undefined ? [] : [acked.publication]);
  const activities = payloads.map((publication) => /\{"at".*?\}/.exec(publication)?.[0]);
  assertEquals(new Set(activities), new Set([/\{"at".*?\}/.exec(WIRES.nats.publication)![0]]));
});

Deno.test("every publication to a channel carries the same activity, and has one place for the channel, as who reads it", () => {
  const wires = Object.values(WIRES).flatMap(({ channels }) => channels === undefined ? [] : [channels]);
  const activities = wires.map(({ publication }) => /\{"at".*?\}/.exec(publication)?.[0]);
  assertEquals(new Set(activities), new Set([/\{"at".*?\}/.exec(WIRES.nats.publication)![0]]));
  for (const { publication, receive, receiveAll, publish } of wires) {
    const places = [publication, receive.say, receiveAll.say, publish.say].map((text) =>
      text.split(CHANNEL).length - 1
    );
    assertEquals(places, [1, 1, 0, 0]);
  }
});

Deno.test("an acknowledged activity has a messageId of its run and publisher, whose digits can be counted up", () => {
  const { messageId } = JSON.parse(forRun(numbered(WIRES.lines.acked!.publication, 7), "0123abcd-rest"));
  assertEquals(messageId, "0123abcd07#000000000000");
});

Deno.test("a publication to JetStream says how long its headers and its payload are", () => {
  const { publication } = WIRES["jetstream-file-ids"].acked!;
  const [, headerBytes, allBytes] = /^HPUB s \S+ (\d+) (\d+)\r\n/.exec(publication)!;
  const rest = publication.slice(publication.indexOf("\r\n") + 2);
  assertEquals(rest.indexOf('{"at"'), Number(headerBytes));
  assertEquals(rest.length, Number(allBytes) + 2);
  assertMatch(rest, /^NATS\/1\.0\r\nNats-Msg-Id: \S+#0{12}\r\n\r\n/);
});

Deno.test("an idle connection answers a question whether it lives, and nothing else", () => {
  assertEquals(
    reply('{"command":"HEARTBEAT","sequence":3,"of":3,"intervalMs":10000}\n'),
    '{"command":"HEARTBEAT_ACK","sequence":3}\n',
  );
  assertEquals(reply("PING\r\n"), "PONG\r\n");
  assertEquals(reply('{"command":"ACTIVITY_BROADCAST","activity":{"sequence":3}}\n'), "");
});

Deno.test("deliveries are counted in what each product sends", () => {
  const activity = /\{"at".*?\}/.exec(WIRES.nats.publication)![0];
  const delivered = {
    lines: `{"command":"ACTIVITY_BROADCAST","activity":${activity},"id":"a-1:9","lamport":9,"sentAt":1}\n`,
    nats: `MSG a 1 200\r\n${activity}\r\n`,
    redis: `*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$200\r\n${activity}\r\n`,
  };
  for (const wire of ["lines", "nats", "redis"] as const) {
    const counter = counterOf(WIRES[wire].deliveries);
    assertEquals(counter.push(new TextEncoder().encode(delivered[wire].repeat(3))), 3, wire);
  }
  const counter = counterOf(WIRES.nats.channels!.deliveries);
  const message = `MSG c.00017 1 200\r\n${activity}\r\n`;
  assertEquals(counter.push(new TextEncoder().encode(message.repeat(3))), 3);
});
