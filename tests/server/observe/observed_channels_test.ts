/** Channels for who looks: rates over the last seconds, readers of all servers, bounds for what strangers name. */

import { assert, assertEquals } from "@std/assert";
import { type Audience, type ChannelLines, EVERYONE, type Segment } from "../../../log/segment.ts";
import { ChannelRates, MAX_RATED_CHANNELS } from "../../../server/observe/channel_rates.ts";
import { type KeptBytes, ObservedChannels } from "../../../server/observe/observed_channels.ts";
import { receivedView } from "../../../server/observe/received_view.ts";
import { MAX_CHANNELS } from "../../../view/network_view.ts";

const encoder = new TextEncoder();

/** A segment with a line for each of `lines`: the channel of each, empty for none. */
function segmentOf(...lines: string[]): Segment {
  const parts = lines.map((channel, index) => encoder.encode(`{"n":${index},"in":${JSON.stringify(channel)}}\n`));
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  const byName = new Map<string, { start: number; end: number }[]>();
  let at = 0;
  parts.forEach((part, index) => {
    bytes.set(part, at);
    const name = lines[index]!;
    const ranges = byName.get(name) ?? [];
    const last = ranges.at(-1);
    // As in segments: lines of one channel that follow each other are one range.
    if (last?.end === at) last.end += part.length;
    else ranges.push({ start: at, end: at + part.length });
    byName.set(name, ranges);
    at += part.length;
  });
  byName.delete("");
  const channels: ChannelLines[] = Array.from(byName, ([name, ranges]) => ({ name, ranges }));
  const audience: Audience = channels.length === 0 ? EVERYONE : { kind: "channels", channels };
  return { ...{ position: 1, origin: "a", first: 1, last: lines.length, takenAt: 0 }, audience, bytes };
}

Deno.test("what passes is counted for its channel, line by line, and what has none for none", () => {
  const rates = new ChannelRates(0);
  rates.passed([segmentOf("", ""), segmentOf("lab", "lab", "", "hall", "lab"), segmentOf("hall", "hall", "hall")]);
  assertEquals(Object.fromEntries(rates.look(1_000)), { "": 3, lab: 3, hall: 4 });
});

Deno.test("a rate is that of the last seconds, and nothing is left of it after these", () => {
  const rates = new ChannelRates(0);
  rates.passed([segmentOf(..."x".repeat(50))]);
  assertEquals(rates.look(1_000).get("x"), 50);
  assertEquals(rates.look(2_000).get("x"), 25);
  for (let at = 3; at <= 5; at++) rates.look(at * 1_000);
  assertEquals([...rates.look(6_000)], []);
  // A look that comes at once after another counts nothing twice.
  rates.passed([segmentOf("x")]);
  assertEquals(rates.look(6_010).get("x"), rates.look(6_020).get("x"));
});

Deno.test("strangers cannot make the server count more channels than there is room for", () => {
  const rates = new ChannelRates(0);
  for (let n = 0; n < MAX_RATED_CHANNELS + 10; n++) rates.passed([segmentOf(`c-${n}`)]);
  rates.passed([segmentOf(""), segmentOf("c-1")]);
  const look = rates.look(1_000);
  assertEquals(look.size, MAX_RATED_CHANNELS + 1);
  assertEquals([look.get("c-1"), look.get("")], [2, 1]);
});

function channelsOf(readers: Readonly<Record<string, number>>, kept?: () => KeptBytes) {
  const names = Object.keys(readers);
  return new ObservedChannels({
    readers: { of: (channel) => readers[channel] ?? 0, names, nameCount: names.length },
    ...(kept === undefined ? {} : { kept }),
  });
}

Deno.test("readers of all servers are added up, with what passes; what is kept is told where it is counted", () => {
  const channels = channelsOf({ "": 5, lab: 2 });
  channels.begin(0);
  channels.passed([segmentOf("lab", "hall")]);
  const own = channels.look(1_000);
  assertEquals(own, { "": 5, lab: 2 });
  assertEquals(channels.view([own, { lab: 3, attic: 1 }]), {
    channels: {
      lab: { readers: 5, rate: 1 },
      hall: { readers: 0, rate: 1 },
      "": { readers: 5, rate: 0 },
      attic: { readers: 1, rate: 0 },
    },
    channelsLeftOut: 0,
  });
  let othersBytes = 0;
  const kept = channelsOf({ lab: 1 }, () => ({ channels: new Map([["attic", 70]]), othersBytes, plainBytes: 9 }));
  assertEquals(kept.view([kept.look(0)]).channels, {
    lab: { readers: 1, rate: 0, bytes: 0 },
    attic: { readers: 0, rate: 0, bytes: 70 },
    "": { readers: 0, rate: 0, bytes: 9 },
  });
  // Too many are kept to count each: then nobody knows whether it is one of them.
  othersBytes = 5;
  assertEquals(kept.view([kept.look(0)]).channels!.lab, { readers: 1, rate: 0 });
});

Deno.test("nothing is counted while nobody looks", () => {
  const channels = channelsOf({});
  channels.passed([segmentOf("lab")]);
  assertEquals(channels.view([channels.look(0)]).channels, { "": { readers: 0, rate: 0 } });
  channels.begin(0);
  channels.passed([segmentOf("lab")]);
  assertEquals(channels.view([channels.look(1_000)]).channels!.lab, { readers: 0, rate: 1 });
  channels.end();
  assertEquals(channels.view([]).channels, { "": { readers: 0, rate: 0 } });
});

Deno.test("no more channels are shown than is said, those first in which most passes; the others are a number", () => {
  const readers = Object.fromEntries(Array.from({ length: MAX_CHANNELS + 50 }, (_, n) => [`c-${n}`, 1]));
  const channels = channelsOf(readers);
  channels.begin(0);
  channels.passed([segmentOf("quiet")]);
  const own = channels.look(1_000);
  assertEquals(Object.keys(own).length, MAX_CHANNELS);
  const view = channels.view([own]);
  assertEquals(Object.keys(view.channels!).length, MAX_CHANNELS);
  assert("quiet" in view.channels!);
  assertEquals(view.channelsLeftOut, 50);
});

Deno.test("what another server tells of channels is taken in its shape alone, and no more than it may tell", () => {
  const told = JSON.parse('{"lab":3,"hall":"many","attic":-1,"__proto__":2}');
  const { channels } = receivedView({}, { channels: told });
  assertEquals(Object.entries(channels!), [["lab", 3], ["__proto__", 2]]);
  const many = Object.fromEntries(Array.from({ length: 2 * MAX_CHANNELS }, (_, n) => [`c-${n}`, 1]));
  assertEquals(Object.keys(receivedView({}, { channels: many }).channels!).length, MAX_CHANNELS);
});
