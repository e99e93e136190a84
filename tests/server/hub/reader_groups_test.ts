/** Readers by what they want and may read, and the bytes that each group gets. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import type { Segment } from "../../../log/segment.ts";
import { type ChannelLimit, PatternSet } from "../../../protocol/channels/pattern_set.ts";
import { ReaderGroups } from "../../../server/hub/reader_groups.ts";

/** One line each: `a`, for the channel or, where that is empty, for everyone. */
function segmentOf(...channels: string[]): Segment {
  const bytes = new TextEncoder().encode(channels.map((_, index) => `${index}\n`).join(""));
  const table = [...new Set(channels)].filter((name) => name !== "").map((name) => ({
    name,
    ranges: channels.flatMap((each, index) => each === name ? [{ start: index * 2, end: index * 2 + 2 }] : []),
  }));
  const audience = table.length === 0 ? { kind: "everyone" } as const : { kind: "channels", channels: table } as const;
  return { position: 1, origin: "s", first: 1, last: channels.length, audience, takenAt: 0, bytes };
}

/** Forbids these channels, and counts how often it is asked. */
function forbids(...channels: string[]): ChannelLimit & { asked: number } {
  return {
    key: `not ${channels}`,
    asked: 0,
    allows(channel) {
      this.asked++;
      return !channels.includes(channel);
    },
    allowsAll: (pattern) => pattern !== "**" && !channels.includes(pattern),
  };
}

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes).replaceAll("\n", "");
}

Deno.test("readers with equal wants and equal rights are one group, with one buffer, and no other reader is in it", () => {
  const groups = new ReaderGroups<string>();
  const secret = forbids("secret");
  const [all, some] = [new PatternSet(["**"]), new PatternSet(["**"], secret)];
  const open = groups.enter(all);
  assertStrictEquals(groups.enter(new PatternSet(["**"])), open);
  const limited = groups.enter(some);
  assertStrictEquals(groups.enter(new PatternSet(["**"], forbids("secret"))), limited);
  const lab = groups.enter(new PatternSet(["lab"], secret));
  assertStrictEquals(groups.enter(new PatternSet(["lab"])), lab, "who is not limited in this is no other group");
  const buffers = groups.buffersOf([segmentOf("lab", "", "secret", "lab")]);
  assertEquals([open, limited, lab].map((group) => text(buffers.get(group))), ["0123", "013", "03"]);
});

Deno.test("a right is asked for once a channel of a turn, however many readers and entries there are", () => {
  const groups = new ReaderGroups<string>();
  const secret = forbids("secret");
  for (let reader = 0; reader < 100; reader++) groups.enter(new PatternSet(["**"], secret));
  secret.asked = 0;
  groups.buffersOf([segmentOf("lab", "secret", "lab", "secret", "lab", "hall")]);
  assertEquals(secret.asked, 3);
});

Deno.test("what is for everyone comes to no group that may not read it, and to all others as the same bytes", () => {
  const groups = new ReaderGroups<string>();
  const [plain, mute] = [groups.enter(new PatternSet([""])), groups.enter(new PatternSet(["", "lab"], forbids("")))];
  const segment = segmentOf("", "");
  const buffers = groups.buffersOf([segment]);
  assertStrictEquals(buffers.get(plain), segment.bytes);
  assertEquals(buffers.has(mute), false);
  groups.leave(mute);
  assertEquals(text(groups.buffersOf([segmentOf("lab", "")]).get(plain)), "1");
});
