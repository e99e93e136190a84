/**
 * People who talk to each other, each on a real terminal: what they see, across servers, while they are away,
 * and when a server dies.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { startClient } from "../support/program.ts";
import { ESCAPES } from "../client/terminal/screen/_escapes.ts";
import { inNetwork } from "./_chat_network.ts";

const DOWN = /^Server is down\. Connecting to a backup server …$/;

/** Publishes texts as somebody without a name. */
async function publish(port: string, ...texts: string[]): Promise<void> {
  await using client = startClient(["publish", "--port", port]);
  for (const text of texts) await client.type(`${JSON.stringify({ text })}\n`);
  await client.endInput();
  assertEquals(await client.ended(), 0);
}

inNetwork(2, "people on two servers write to each other, and see that it has arrived", async (network) => {
  const ada = await network.register("ada", 0);
  const bob = await network.register("bob", 1);
  await ada.sees(/^\d\d:\d\d:\d\d {2}A new client bob has joined$/);
  await ada.type("bob: hello you", "Enter");
  await bob.shows(">", /^\d\d:\d\d:\d\d {2}ada → you {2}hello you$/);
  // In its place, as nothing has come after it.
  await ada.shows(">", /^\d\d:\d\d:\d\d {2}ada → bob {2}hello you {2}✓✓ delivered$/);
  assert(!(await ada.rows()).some((row) => row.includes("stored")));
  await bob.type("hello all", "Enter");
  for (const screen of [ada, bob]) await screen.shows(">", /^\d\d:\d\d:\d\d {2}bob {2}hello all$/);
  await ada.type("C-d");
  await bob.shows(">", /^\d\d:\d\d:\d\d {2}ada left$/);
});

inNetwork(1, "a line that is refused says why, and joins no other, however fast they come", async (network) => {
  const ada = await network.register("ada", 0);
  const why = /^there is no user with this name; to say it to everyone, type \/say before it$/;
  await ada.type("note: buy milk", "Enter");
  await ada.shows(">", why);
  await ada.sees(/^not sent: note: buy milk$/);
  await ada.type("note: one", "Enter", "two", "Enter", "{three", "Enter", "http://four", "Enter", "five");
  await ada.sees(/^not sent: note: one$/);
  await ada.sees(/^not sent: {three$/);
  for (const said of [/ada {2}two$/, /ada {2}http:\/\/four$/]) await ada.sees(said);
  await ada.shows("> five");
  await ada.type("C-u", "Up", "Up", "Up", "Up", "Home", "/say ", "Enter");
  await ada.shows(">", /ada {2}note: one$/);
});

inNetwork(2, "the words of the client are answered, and a user called help stays reachable", async (network) => {
  const ada = await network.register("ada", 0);
  const help = await network.register("help", 1);
  await ada.sees(/help has joined/);
  await ada.type("online", "Enter");
  await ada.shows(">", /^2 online: ada, help$/);
  await help.type("/disconnect", "Enter");
  await help.sees(/^exit 0$/);
  await ada.shows(">", /help left$/);
  await ada.type("/online", "Enter");
  await ada.shows(">", /^1 online: ada$/);
  await ada.type("all", "Enter");
  await ada.shows(">", /^2 registered users: ada, help$/);
  await ada.type("help", "Enter");
  await ada.sees(/^disconnect {5}leaves, as Ctrl-C and Ctrl-D do$/);
  await ada.type("help: hi", "Enter");
  await ada.shows(">", /ada → help {2}hi {2}✓ stored$/);
  await ada.type("/nonsense", "Enter");
  await ada.shows(">", /^Words: \/online, \/all, \/help, \/disconnect, \/join, \/leave; to say it: \/say …$/);
  await ada.type("/online x", "Enter");
  await ada.sees(/^not sent: \/online x$/);
  await ada.type("//online x", "Enter");
  await ada.shows(">", /ada {2}\/online x$/);
});

inNetwork(1, "Tab completes names and words", async (network) => {
  const ada = await network.register("ada", 0);
  await network.register("boris", 0);
  await network.register("bob", 0);
  await ada.sees(/bob has joined/);
  await ada.type("b", "Tab");
  await ada.shows("> bo");
  await ada.type("Tab");
  await ada.shows("> bo", /^bob: {2}boris:$/);
  await ada.type("r", "Tab", "hi", "Enter");
  await ada.shows(">", /ada → boris {2}hi {2}✓✓ delivered$/);
  await ada.type("/on", "Tab", "Enter");
  await ada.shows(">", /^3 online: ada, bob, boris$/);
});

inNetwork(
  3,
  "messages wait for who is away, with the time they were sent, also when their server is gone",
  async (network) => {
    const ada = await network.register("ada", 0);
    const bob = await network.register("bob", 1);
    await bob.type("C-d");
    await bob.sees(/^exit 0$/);
    await ada.sees(/bob left/);
    for (const text of ["one", "two", "three"]) {
      await ada.type(`bob: ${text}`, "Enter");
      await ada.shows(">", new RegExp(`ada → bob {2}${text} {2}✓ stored$`));
    }
    network.servers[0]!.signal("SIGKILL");
    await ada.sees(/^Connected to 127\.0\.0\.1:\d+$/);
    const back = await network.return("bob", 1);
    await back.sees(/^3 messages while you were away$/);
    await back.shows(">", /ada → you {2}three$/);
    const rows = await back.rows();
    const header = rows.indexOf("3 messages while you were away");
    assertEquals(rows.slice(header + 1, header + 4).map((row) => row.slice(10)), [
      "ada → you  one",
      "ada → you  two",
      "ada → you  three",
    ]);
    await ada.shows(">", /✓✓ delivered to bob: 3 messages$/);
    await back.type("C-d");
    await back.sees(/^exit 0$/);
    const again = await network.return("bob", 2);
    assert(!(await again.rows()).some((row) => row.includes("away")));
  },
);

inNetwork(
  2,
  "when the server dies the client goes on at another one, and what was typed meanwhile is sent",
  async (network) => {
    const ada = await network.register("ada", 0);
    const bob = await network.register("bob", 1);
    await ada.sees(/bob has joined/);
    await ada.type("still typing");
    await ada.shows("> still typing");
    // Both: so that nothing takes what is typed until one is back.
    network.servers[0]!.signal("SIGSTOP");
    await ada.type("C-u", "bob: meanwhile", "Enter", "half a line");
    await ada.shows("> half a line");
    network.servers[0]!.signal("SIGKILL");
    await ada.sees(DOWN);
    await ada.sees(new RegExp(`^Connected to 127\\.0\\.0\\.1:${network.ports[1]}(, caught up with [1-9]\\d*)?$`));
    await bob.shows(">", /ada → you {2}meanwhile$/);
    await ada.shows("> half a line", /ada → bob {2}meanwhile {2}✓✓ delivered$/);
    const rows = await ada.rows();
    assertEquals(rows.filter((row) => DOWN.test(row)).length, 1);
    assert(!rows.some((row) => row.includes("?")), rows.join("\n"));
    assert(!(await bob.rows()).some((row) => /ada (left|lost)/.test(row)));
  },
);

inNetwork(2, "a user on two terminals gets messages on both, and is one user", async (network) => {
  const one = await network.register("ada", 0);
  const bob = await network.register("bob", 0);
  const two = await network.return("ada", 1);
  await bob.type("ada: hello", "Enter");
  for (const screen of [one, two]) await screen.shows(">", /bob → you {2}hello$/);
  await bob.shows(">", /✓✓ delivered$/);
  await one.type("bob: hi", "Enter");
  await one.shows(">", /ada → bob {2}hi {2}✓✓ delivered$/);
  await bob.type("online", "Enter");
  await bob.shows(">", /^2 online: ada, bob$/);
  await bob.type("ada: bye", "Enter");
  await two.shows(">", /bob → you {2}bye$/);
  await two.type("online", "Enter");
  await two.shows(">", /^2 online: ada, bob$/);
  await two.type("bob: from here", "Enter");
  await two.shows(">", /ada → bob {2}from here {2}✓✓ delivered$/);
  // It did not send "hi", and has been told since when that is delivered.
  assert(!(await two.rows()).some((row) => row.includes("delivered to")));
  await two.type("C-d");
  await two.sees(/^exit 0$/);
  await bob.type("all", "Enter");
  await bob.shows(">", /^2 registered users: ada, bob$/);
  await bob.type("online", "Enter");
  await bob.shows(">", /^2 online: ada, bob$/);
  assert(!(await bob.rows()).some((row) => /ada (left|has joined)/.test(row)));
});

inNetwork(1, "who is killed has lost its connection", async (network) => {
  const ada = await network.register("ada", 0);
  await using bob = startClient(["listen", "-u", "bob", "--port", network.ports[0]!]);
  await bob.tells(/connected to/);
  await ada.sees(/A new client bob has joined/);
  bob.signal("SIGKILL");
  await ada.shows(">", /^\d\d:\d\d:\d\d {2}bob lost its connection$/);
});

inNetwork(1, "a terminal that becomes 40 columns wide keeps the line being typed whole", async (network) => {
  const [port] = network.ports;
  const ada = await network.register("ada", 0);
  await ada.type("0123456789".repeat(6));
  await ada.shows(`> ${"0123456789".repeat(6)}`);
  await ada.resize(40);
  await ada.shows(`> …${"0123456789".repeat(6).slice(-36)}`);
  await publish(port!, "x".repeat(60));
  await ada.shows(`> …${"0123456789".repeat(6).slice(-36)}`, /^x+$/);
  await ada.resize(100);
  await ada.shows(`> ${"0123456789".repeat(6)}`);
  const rows = await ada.rows();
  assertEquals(rows.filter((row) => row.startsWith(">")).length, 1, rows.join("\n"));
  await ada.type("Enter");
  await ada.shows(">", /ada {2}(0123456789){6}$/);
});

inNetwork(1, "wide characters and emoji are typed, edited and shown, in 40 columns too", async (network) => {
  const ada = await network.register("ada", 0, { columns: 40 });
  const mizuki = await network.register("美月", 0, { columns: 40 });
  await ada.sees(/^\d\d:\d\d:\d\d {2}A new client 美月 has joined$/);
  await ada.type("美", "Tab", "こんにちは世界👍🎉");
  await ada.shows("> 美月: こんにちは世界👍🎉");
  await ada.type("Left", "Left", "BSpace", "!");
  await ada.shows("> 美月: こんにちは世!👍🎉");
  // Behind "> 美月: こんにちは世!", of which eight characters are wide.
  await ada.showsCursor(2 + 4 + 2 + 12 + 1);
  await ada.type("Enter");
  await mizuki.shows(">", /^\d\d:\d\d:\d\d {2}ada → you {2}こんにちは世!👍🎉$/);
  // Else the word of it may come after what is said next.
  await ada.sees(/✓✓ delivered/);
  await ada.type("日".repeat(30));
  await ada.shows(`> …${"日".repeat(18)}`);
  await ada.type("Home");
  await ada.type("x");
  await ada.shows(`> x${"日".repeat(17)}…`);
  await mizuki.type("ada: 見える？", "Enter");
  await ada.shows(`> x${"日".repeat(17)}…`, /美月 → you {2}見える？$/);
});

inNetwork(1, "nothing that others write moves the cursor, rings, clears or paints", async (network) => {
  const [port] = network.ports;
  const ada = await network.register("ada", 0, { env: { NO_COLOR: "1" } });
  await ada.type("typing");
  // Half a character cannot be sent.
  const sequences = ESCAPES.map(([, sequence]) => sequence).filter((sequence) => !/\p{Cs}/u.test(sequence));
  await publish(port!, ...sequences.map((sequence, index) => `<${sequence}> ${index}`));
  await ada.shows("> typing", new RegExp(`anonymous {2}<.*> ${sequences.length - 1}$`));
  const shown = await ada.everything();
  for (const index of sequences.keys()) assertMatch(shown, new RegExp(`  <.*> ${index}$`, "m"));
  // deno-lint-ignore no-control-regex -- NO_COLOR leaves nothing of these
  assert(!/[\x1b\x07]/.test(shown));
});

inNetwork(1, "a name has one colour everywhere, and NO_COLOR none", async (network) => {
  const ada = await network.register("ada", 0);
  const bob = await network.register("bob", 0);
  const plain = await network.register("eve", 0, { env: { NO_COLOR: "1" } });
  await ada.type("hello", "Enter");
  for (const screen of [ada, bob, plain]) await screen.shows(">", /ada {2}hello$/);
  // deno-lint-ignore no-control-regex -- colours begin with it
  const coloured = /\x1b\[[0-9;]*38;5;64m[^\n]*ada/;
  assertMatch(await ada.everything(), coloured);
  assertMatch(await bob.everything(), coloured);
  assert(!(await plain.everything()).includes("\x1b"));
});
