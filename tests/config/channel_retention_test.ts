import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { DEFAULT_CONFIG } from "../../config/config.ts";
import { ConfigError, parseConfig } from "../../config/load.ts";
import { channelRetentionProblem } from "../../config/store/channel_retention.ts";

const read = (channels: unknown) => parseConfig(JSON.stringify({ store: { channels } }), "my.json").store.channels;

Deno.test("store.channels is a list of patterns, each with a time, a size or both", () => {
  const rules = [{ pattern: "alarm/**", bytes: 1_000 }, { pattern: "*", activityRetentionMs: 1, bytes: 0 }];
  assertEquals(read(rules), rules);
});

Deno.test("a rule of store.channels that cannot hold is refused, with its place", () => {
  const wrong: [unknown, string][] = [
    [{}, "a list of rules"],
    [[{ pattern: "lab" }], '"activityRetentionMs", "bytes" or both'],
    [[{ bytes: 1 }], "store.channels.0"],
    [[{ pattern: "", bytes: 1 }], "a channel, or a pattern"],
    [[{ pattern: "a//b", bytes: 1 }], "a channel, or a pattern"],
    [[{ pattern: "lab", bytes: -1 }], "bytes from 0"],
    [[{ pattern: "lab", activityRetentionMs: 0 }], "milliseconds from 1"],
    [[{ pattern: "lab", bytes: 1, keep: true }], "store.channels.0"],
    [Array.from({ length: 101 }, () => ({ pattern: "lab", bytes: 1 })), "at most 100 rules"],
  ];
  for (const [channels, words] of wrong) {
    assertStringIncludes(assertThrows(() => read(channels), ConfigError).message, words);
  }
});

Deno.test("a rule that says more than the general one is refused at the start: it would hold nothing", () => {
  const { store } = DEFAULT_CONFIG;
  const problem = (rule: object) => channelRetentionProblem({ ...store, channels: [{ pattern: "lab", ...rule }] });
  assertEquals(
    problem({ activityRetentionMs: store.activityRetentionMs, bytes: store.activityRetentionBytes }),
    undefined,
  );
  assertStringIncludes(problem({ activityRetentionMs: store.activityRetentionMs + 1 })!, "store.activityRetentionMs");
  assertStringIncludes(problem({ bytes: store.activityRetentionBytes + 1 })!, "store.activityRetentionBytes");
});
