/** Channels on terminals and in scripts: joined, talked in, listened to and published to, while a server is killed. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { startClient } from "../support/program.ts";
import { inNetwork } from "./_chat_network.ts";

/** Publishes in a channel as a script does. Gives its exit code and what it said of itself. */
async function publish(port: string, channel: string, activity: string): Promise<[code: number, errors: string]> {
  await using client = startClient(["publish", activity, "--channel", channel, "--port", port]);
  return [await client.ended(), client.errors];
}

inNetwork(2, "two people and two scripts in channels, of which one server is killed", async (network) => {
  const [first, second] = network.ports as [string, string];
  // Before anybody reads it, so that it is the past of the channel.
  assertEquals(await publish(first, "lab/door", '{"text":"open"}'), [0, ""]);
  const ada = await network.register("ada", 0);
  const bob = await network.register("bob", 1);
  await using listener = startClient(["listen", "--json", "--channel", "lab/**", "--last", "5", "--port", second]);
  await listener.sees(/"channel":"lab\/door","past":true,"activity":\{"text":"open"\}/);
  await ada.type("/join lab/door", "Enter");
  await ada.shows("#lab/door>", /^── now ──$/);
  await ada.sees(/^\d\d:\d\d:\d\d {2}#lab\/door {2}anonymous {2}open$/);
  await bob.type("/join #lab/door", "Enter");
  await bob.shows("#lab/door>", /^── now ──$/);
  await ada.type("hello lab", "Enter");
  for (const screen of [ada, bob]) {
    await screen.shows("#lab/door>", /^\d\d:\d\d:\d\d {2}#lab\/door {2}ada {2}hello lab$/);
  }
  // To everyone, from there.
  await bob.type("/join", "Enter");
  await bob.shows(">", /^You talk to everyone, and read #lab\/door, too$/);
  await bob.type("hello all", "Enter");
  await ada.shows("#lab/door>", /^\d\d:\d\d:\d\d {2}bob {2}hello all$/);

  network.servers[0]!.signal("SIGKILL");
  await ada.sees(/^Connected to 127\.0\.0\.1:\d+/);
  await ada.type("still here", "Enter");
  for (const [screen, prompt] of [[ada, "#lab/door>"], [bob, ">"]] as const) {
    await screen.shows(prompt, /^\d\d:\d\d:\d\d {2}#lab\/door {2}ada {2}still here$/);
  }
  assertEquals(await publish(second, "lab/bench", '{"t":21.5}'), [0, ""]);
  assertEquals(await publish(second, "hall", '{"text":"not for them"}'), [0, ""]);
  await listener.sees(/"t":21\.5/);
  const heard = listener.output.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(heard.map(({ channel, activity }) => [channel, activity.text ?? activity.t]), [
    ["lab/door", "open"],
    ["lab/door", "hello lab"],
    ["lab/door", "still here"],
    ["lab/bench", 21.5],
  ]);
  await ada.type("#lab/bench warm today", "Enter");
  await ada.shows("#lab/door>", /^\d\d:\d\d:\d\d {2}ada → #lab\/bench {2}warm today {2}✓ stored$/);
  await ada.type("/leave", "Enter");
  await ada.shows(">", /^Left #lab\/door$/);
  await bob.type("#lab/d", "Tab");
  await bob.shows("> #lab/door");
  await bob.type("over", "Enter");
  await bob.shows(">", /#lab\/door {2}bob {2}over$/);
  assert(!(await ada.rows()).some((row) => row.includes("over")));
});

inNetwork(
  1,
  "channels that there cannot be are refused before anything is sent, with what is wrong",
  async (network) => {
    const [port] = network.ports as [string];
    assertEquals(await publish(port, "lab/*", "{}"), [
      1,
      'thrum-client: publish takes the name of one channel, not "lab/*": the name of a channel has a *\n' +
      "Try thrum-client --help\n",
    ]);
    await using listener = startClient(["listen", "--channel", "a//b", "--port", port]);
    assertEquals(await listener.ended(), 1);
    assertMatch(listener.errors, /--channel must be the name of a channel or a pattern.*, not "a\/\/b"/);
  },
);
