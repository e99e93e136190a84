import { assertEquals } from "@std/assert";
import { ChatChannels, MAX_SEEN_CHANNELS } from "../../../../client/terminal/chat/chat_channels.ts";

Deno.test("who joins a channel talks there, and reads it until it is left", () => {
  const channels = new ChatChannels();
  assertEquals([channels.current, channels.reads("lab")], [undefined, false]);
  assertEquals(channels.join("lab"), true);
  assertEquals([channels.current, channels.reads("lab"), channels.reads("lab/door")], ["lab", true, false]);
  channels.join("hall");
  assertEquals([channels.current, channels.joined], ["hall", ["lab", "hall"]]);
  // Going back is no new reading.
  assertEquals([channels.join("lab"), channels.current], [false, "lab"]);
  channels.talkToAll();
  assertEquals([channels.current, channels.joined], [undefined, ["lab", "hall"]]);
  assertEquals([channels.leave("lab"), channels.leave("lab"), channels.joined], [true, false, ["hall"]]);
});

Deno.test("in a pattern nobody can talk", () => {
  const channels = new ChatChannels();
  channels.join("lab");
  channels.join("hall/**");
  assertEquals([channels.current, channels.reads("hall"), channels.reads("hall/1/2")], ["lab", true, true]);
  assertEquals(channels.leave("hall/**"), true);
  assertEquals([channels.current, channels.reads("hall")], ["lab", false]);
});

Deno.test("what was meant for a channel that cannot be read does not go to everyone", () => {
  const channels = new ChatChannels();
  channels.join("secret");
  channels.failed("secret");
  assertEquals([channels.current, channels.reads("secret")], ["secret", false]);
  assertEquals([channels.leave("secret"), channels.current], [true, undefined]);
});

Deno.test("channels that were seen are known for Tab, and no more of them than anybody remembers", () => {
  const channels = new ChatChannels();
  channels.join("lab/**");
  channels.seen("lab/1");
  channels.seen("lab/1");
  assertEquals(channels.known, ["lab/**", "lab/1"]);
  assertEquals([channels.isKnown("lab/1"), channels.isKnown("lab/2")], [true, false]);
  for (let n = 2; n < 2 * MAX_SEEN_CHANNELS; n++) channels.seen(`lab/${n}`);
  assertEquals([channels.known.length, channels.isKnown("lab/1")], [MAX_SEEN_CHANNELS + 1, false]);
});
