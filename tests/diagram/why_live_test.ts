/** Answers from a network that runs, given as its gateway says it. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type LiveNetwork, whereIsLive, whyClosedLive } from "../../diagram/why_live.ts";
import { UTC } from "../../diagram/wall_time.ts";
import type { NetworkView } from "../../view/network_view.ts";
import { liveNetwork } from "./_live_network.ts";

Deno.test("whyClosedLive() tells an end with its heartbeats, and how the connection is that is open now", () => {
  assertEquals(
    whyClosedLive(liveNetwork(), "eve", UTC).text,
    `127.0.0.1:8000 closed the connection of eve (10.0.0.7:5001) at 00:00:40.000: HEARTBEAT_TIMEOUT, no heartbeat was answered.
  00:00:10.000  connected; lasted 30 s
  00:00:20.000  ♥ 1 of 3 → eve
  00:00:20.002  ♥ eve: after 1.5 ms
  00:00:30.000  ♥ 1 of 3 → eve   no answer
  00:00:33.000  ♥ 2 of 3 → eve   no answer
  00:00:36.000  ♥ 3 of 3 → eve   no answer
  00:00:40.000  eve answers nothing
  00:00:40.000  closed

eve is connected to 127.0.0.1:8001 since 00:00:45.000, for 15 s (client from 10.0.0.7:5002, over websocket).
  ♥ all is well: something came 2 s ago; 3 heartbeats so far, the newest answered after 0.8 ms.
`,
  );
});

Deno.test("whyClosedLive() says what is known of users who are probed, unwatched, elsewhere, away, or nobody", () => {
  const network = liveNetwork();
  const told = (user: string) => whyClosedLive(network, user, UTC).text;
  assertStringIncludes(told("bob"), "♥ 2 of 3 heartbeats unanswered; something came 12 s ago");
  assertStringIncludes(told("bob"), "It is behind: the log keeps its unread entries.");
  assertStringIncludes(told("bob"), "5000 bytes wait in the process for it.");
  assertStringIncludes(told("plain"), "It is not watched by heartbeats");
  assertStringIncludes(told("far"), "far is logged in at 127.0.0.1:8002. The state of that connection is not known.");
  assertStringIncludes(told("ada"), "ada is registered, and not connected now.");
  assertStringIncludes(told("nobody"), "Nobody called nobody is registered or connected.");
  assertStringIncludes(told("nobody"), "127.0.0.1:8000 remembers no connection of nobody that was closed.");
  // Names of things that every object has.
  assertStringIncludes(told("constructor"), "Nobody called constructor is registered or connected.");
});

Deno.test("whereIsLive() says which servers have an activity, and since when those are silent that do not", () => {
  assertEquals(
    whereIsLive(liveNetwork(), "s-a:7", UTC).text,
    `s-a:7 was published by ada at 00:00:50.000 (Lamport time 99): {"text":"Hi"}

  127.0.0.1:8000  has it; 2 clients there; these may not have it yet: bob (10.0.0.8:6001)
  127.0.0.1:8001  not yet: it has up to 6 of this origin; suspect since 00:00:48.000
  127.0.0.1:8002  not yet: it has nothing of this origin; dead since 00:00:30.000

1 of 3 servers has it, says 127.0.0.1:8000.
`,
  );
  const told = (id: string) => whereIsLive(liveNetwork(), id, UTC).text;
  assertStringIncludes(told("s-a:6"), "No server remembers s-a:6: it is too old, or no activity.");
  assertStringIncludes(told("s-a:6"), "2 of 3 servers have it");
  assertEquals(told("s-a:8"), "There is no s-a:8 yet: the newest is s-a:7.\n");
  assertEquals(whereIsLive(liveNetwork(), "s-a:7", UTC).isFound, true);
  assertEquals(whereIsLive(liveNetwork(), "s-a:8", UTC).isFound, false);
  assertEquals(told("s-:7"), '"s-" is the beginning of several: s-a, s-b, s-c. Type more of it.\n');
  const longer = JSON.parse(JSON.stringify(liveNetwork()).replaceAll('"s-a', '"s-aaaa11'));
  assertStringIncludes(whereIsLive(longer, "s-aa:7", UTC).text, "s-aaaa11:7 was published by ada");
  assertEquals(told("s-q:1"), "No server of this network has anything of an origin s-q.\n");
  assertStringIncludes(told("k3f2abcdef-1"), "is no entry (origin:number)");
  assertEquals(told("constructor:1"), "No server of this network has anything of an origin constructor.\n");
});

Deno.test("Nothing that strangers call themselves or say reaches a terminal as a command, or begins a line", () => {
  const mean = "x\u001b[2J\nroot closed";
  const network = liveNetwork();
  const [end] = network.ends;
  const ends = [{ ...end!, user: mean, address: mean, reason: mean, sentence: mean, why: `${mean}!` }];
  const activities = [{ ...network.activities[0]!, user: mean, activity: { [mean]: mean, more: "x".repeat(500) } }];
  const told = whyClosedLive({ ...network, ends }, mean, UTC).text +
    whereIsLive({ ...network, activities }, "s-a:7", UTC).text;
  assert(!told.includes("\u001b"));
  assert(!told.split("\n").some((line) => line.startsWith("root")));
  assert(told.split("\n").every((line) => line.length < 400));
});

Deno.test("A network that a server says is one of those that answers are made from", () => {
  // Type-checked: what the gateway sends has everything.
  const view = (network: NetworkView): LiveNetwork => network;
  assertEquals(typeof view, "function");
});
