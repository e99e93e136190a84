import { assertEquals, assertMatch } from "@std/assert";
import { ACTIVITY_BYTES, WIRES } from "../../bench/load/wire.ts";

Deno.test("every wire carries the same activity of 200 bytes", () => {
  const activities = Object.values(WIRES).map((wire) => /\{"at".*?\}/.exec(wire.publication)?.[0]);
  assertEquals(new Set(activities).size, 1);
  assertEquals(activities[0]!.length, ACTIVITY_BYTES);
  assertEquals(Object.keys(JSON.parse(activities[0]!)), ["at", "text"]);
});

Deno.test("an acknowledged activity has a messageId whose digits can be counted up", () => {
  const { messageId } = JSON.parse(WIRES.lines.acked!.publication(0));
  assertMatch(messageId, /^[0-9a-f]{8}#0{12}$/);
});

Deno.test("an idle connection answers a heartbeat with its sequence, and nothing else", () => {
  const { reply } = WIRES.lines;
  assertEquals(
    reply('{"command":"HEARTBEAT","sequence":3,"of":3,"intervalMs":10000}\n'),
    '{"command":"HEARTBEAT_ACK","sequence":3}\n',
  );
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
    const counter = WIRES[wire].deliveries();
    assertEquals(counter.push(new TextEncoder().encode(delivered[wire].repeat(3))), 3, wire);
  }
});
