/** Who is told what a backplane says, and in which order. */

import { assertEquals } from "@std/assert";
import type { Talk } from "../../../server/backplane/backplane.ts";
import { NetworkNews } from "../../../server/node/network_news.ts";

/** A server's news, and what those who are told note of them, in order. */
function newsOf({ isClosing = false } = {}) {
  const told: string[] = [];
  const note = (who: string) => (...what: unknown[]) => void told.push([who, ...what.map(short)].join(" "));
  const news = new NetworkNews({
    backplane: () => ({ say: note("say") }),
    balancer: () => ({ membersChanged: note("balancer: changed") }),
    presence: () => ({
      here: { command: "ONLINE", users: ["anna"] },
      heard: note("presence: heard"),
      serverGone: note("presence: gone"),
    }),
    readers: () => ({
      ...{ met: note("readers: met"), heard: note("readers: heard"), serverGone: note("readers: gone") },
    }),
    operator: () => ({ heard: note("operator: heard"), gone: note("operator: gone") }),
    operatorRecords: () => ({ met: note("records: met") }),
    secretOffice: () => ({ met: note("secret: met") }),
    passes: () => ({ heard: note("passes: heard"), spent: { command: "PASS_SPENT", passes: {} } }),
    audits: () => ({ met: note("audits: met"), heard: note("audits: heard") }),
    isClosing: () => isClosing,
    places: {
      ...{ met: note("places: met"), gone: note("places: gone"), heard: note("places: heard") },
      ...{ heardOnline: note("places: online"), announced: note("places: announced") },
      announcesNext: () => told.push("places: announces next") > 0,
      joined: note("places: joined"),
      ...{ renamed: note("places: renamed"), tellSessions: note("places: sessions") },
    },
    observatory: {
      ...{ soon: note("observers: soon"), met: note("observers: met"), gone: note("observers: gone") },
      ...{ onObserve: note("observers: looks"), onObserved: note("observers: seen") },
    },
    ...{ renamed: note("renamed"), cutBack: note("cut back"), isClone: note("clone") },
    forgotten: (vector) => {
      told.push(`forgotten ${JSON.stringify(vector)}`);
      return true;
    },
  });
  return { news, told };
}

/** Of a message its command. */
function short(what: unknown): unknown {
  return typeof what === "object" && what !== null && "command" in what ? what.command : what;
}

Deno.test("a server that was met is told who is behind, then who is here, and then asked", () => {
  const { news, told } = newsOf();
  news.met("s-2");
  assertEquals(told, [
    "places: met s-2",
    "records: met s-2",
    "secret: met s-2",
    "say ONLINE s-2",
    "places: sessions s-2",
    "readers: met s-2",
    "say PASS_SPENT s-2",
    "audits: met s-2",
    "observers: met s-2",
  ]);
});

Deno.test("places are told of a lost server before anybody hears who is gone with it", () => {
  const { news, told } = newsOf();
  news.gone("s-2");
  const gone = ["presence: gone s-2", "readers: gone s-2", "observers: gone s-2", "operator: gone s-2"];
  assertEquals(told, ["places: gone s-2", ...gone]);
});

Deno.test("a server that ends its links itself has lost nobody", () => {
  const { news, told } = newsOf({ isClosing: true });
  news.gone("s-2");
  assertEquals(told, ["presence: gone s-2", "readers: gone s-2", "observers: gone s-2", "operator: gone s-2"]);
});

Deno.test("a server that was started anew costs places alone, as it says itself who is online", () => {
  const { news, told } = newsOf();
  news.startedAnew("s-2");
  assertEquals(told, ["places: gone s-2"]);
});

Deno.test("each kind of talk goes to who understands it, and who is online to places first", () => {
  const { news, told } = newsOf();
  const talk: Talk[] = [
    { command: "ONLINE", users: [] },
    { command: "ONLINE_CHANGE", username: "anna", event: "joined", lamport: 1 },
    { command: "PLACE_ASK", ask: 1 },
    { command: "BEHIND", users: [] },
    { command: "CHANNEL_WATCH", channel: "lab", active: true },
    { command: "OBSERVE", active: true },
    { command: "OBSERVED", reset: false, patch: {}, ends: [], events: [] },
    { command: "OPERATE", ask: 1, action: "drain", by: "" },
    { command: "OPERATED", ask: 1, result: "done" },
  ];
  for (const message of talk) news.said("s-2", message);
  assertEquals(told, [
    ...["places: online s-2 ONLINE", "presence: heard s-2 ONLINE"],
    ...["places: online s-2 ONLINE_CHANGE", "presence: heard s-2 ONLINE_CHANGE"],
    ...["places: heard s-2 PLACE_ASK", "places: heard s-2 BEHIND"],
    "readers: heard s-2 CHANNEL_WATCH",
    ...["observers: looks s-2 OBSERVE", "observers: seen s-2 OBSERVED"],
    ...["operator: heard s-2 OPERATE", "operator: heard s-2 OPERATED"],
  ]);
});

Deno.test("observers look soon when members change, and not for each announcement", () => {
  const { news, told } = newsOf();
  news.membersChanged(undefined);
  news.membersChanged("s-2");
  assertEquals(told, ["balancer: changed ", "observers: soon", "balancer: changed s-2"]);
});
